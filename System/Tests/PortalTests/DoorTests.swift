// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Synchronization
import Testing
import Uplink

@testable import Portal

/// Notes what would have been done.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

struct Trouble: Error {}

extension Door {
    /// A door of paper.
    static func noting(_ notes: Notes, failing: String? = nil) -> Door {
        let note = { @Sendable (line: String) throws -> Void in
            notes.add(line)
            if let failing, line.contains(failing) { throw Trouble() }
        }
        return Door(
            run: { _, words in
                try note(words.joined(separator: " "))
                return try Program.run("/bin/true", [])
            },
            setLink: { try note("link \($0 ? "up" : "down")") },
            setForwarding: { try note("forwarding \($0) \($1)") })
    }
}

@Suite("The way to the network")
struct DoorTests {
    private var uplink: Uplink { Uplink(interface: "enp0s2", gateway: NetworkAddress(number: 0xC000_0201)) }

    @Test("opens with elements that the kernel removes by itself, and the link last")
    func opening() throws {
        let notes = Notes()
        try Door.noting(notes).open(uplink, names: [NetworkAddress(number: 0xC000_0201)], seconds: 600)
        #expect(
            notes.all == [
                "flush set inet needletail portal; flush set inet needletail portal_names; "
                    + "add element inet needletail portal { \"enp0s2\" timeout 610s }; "
                    + "add element inet needletail portal_names { 192.0.2.1 timeout 610s }",
                "forwarding enp0s2 true", "forwarding to-portal true", "link up",
            ])
    }

    @Test(
        "is closed again when a step of the opening fails",
        arguments: ["add element", "forwarding enp0s2 true", "link up"])
    func failing(step: String) {
        let notes = Notes()
        #expect(throws: PortalFailure.self) {
            try Door.noting(notes, failing: step).open(uplink, names: [], seconds: 600)
        }
        let closing = [
            "link down", "flush set inet needletail portal; flush set inet needletail portal_names",
            "forwarding to-portal false", "forwarding enp0s2 false",
        ]
        #expect(Array(notes.all.suffix(4)) == closing)
    }

    @Test("every step of the closing is tried when one fails")
    func closing() {
        let notes = Notes()
        #expect(Door.noting(notes, failing: "link down").close(uplink).count == 1)
        #expect(notes.all.count == 4)
    }
}
