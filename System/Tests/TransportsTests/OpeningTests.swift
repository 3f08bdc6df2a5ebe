// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Synchronization
import Testing
import Uplink
import Walls

@testable import Transports

/// A world that writes down what is done in it.
final class FakeWorld: Sendable {
    struct State {
        var names: [String] = ["192.0.2.1"]
        var hasUplink = true
        var users: [UInt32] = []
        var servers: [String] = []
        var file = ""
        var steps: [String] = []
        var failsToFill = false
        var failsToEmpty = false
        var failsToWrite = false
        var torUser: UInt32? = 101
    }

    struct Refusal: Error {}

    let state = Mutex(State())

    var world: Opening.World {
        .init(
            uplink: { [self] in
                state.withLock { $0.hasUplink }
                    ? NetworkAddress("192.0.2.1").map { Uplink(interface: "eth0", gateway: $0) } : nil
            },
            names: { [self] _ in state.withLock { $0.names.compactMap { NetworkAddress($0) } } },
            torUser: { [self] in state.withLock { $0.torUser } },
            fill: { [self] users, servers in
                try state.withLock { state in
                    guard !(servers.isEmpty ? state.failsToEmpty : state.failsToFill) else { throw Refusal() }
                    state.users = users
                    state.servers = servers.map(\.description)
                    state.steps.append(servers.isEmpty ? "empty" : "fill")
                }
            },
            write: { [self] text in
                try state.withLock { state in
                    guard !state.failsToWrite else { throw Refusal() }
                    state.file = text
                    state.steps.append("write")
                }
            }, log: { _ in })
    }

    var isClosed: Bool { state.withLock { $0.users.isEmpty && $0.servers.isEmpty } }
}

@Suite("What the firewall's opener decides")
struct OpeningTests {
    @Test("Tor's account and the network's own name servers, and nothing before the file says so")
    func open() {
        let fake = FakeWorld()
        fake.state.withLock { $0.names = ["192.0.2.1", "9.9.9.9"] }
        var opening = Opening(fake.world)
        #expect(opening.refresh() == .open)
        fake.state.withLock { state in
            #expect(state.users == [101] && state.servers == ["192.0.2.1", "9.9.9.9"])
            #expect(state.file.hasPrefix("nameserver 192.0.2.1\nnameserver 9.9.9.9\noptions "))
            #expect(state.steps == ["write", "fill"])
        }
        // Nothing has changed, nothing is done.
        #expect(opening.refresh() == .open)
        #expect(fake.state.withLock { $0.steps.count } == 2)
        #expect(opening.close() == .closed)
        fake.state.withLock { state in
            #expect(state.users.isEmpty && state.servers.isEmpty && !state.file.contains("nameserver"))
            #expect(state.steps == ["write", "fill", "empty", "write"])
        }
    }

    @Test(
        "what a network names to lead us to ourselves, or to everybody, is not asked",
        arguments: ["127.0.0.1", "0.0.0.0", "10.77.0.1", "10.77.0.6", "169.254.1.1", "224.0.0.251", "255.255.255.255"])
    func hostile(name: String) {
        let fake = FakeWorld()
        fake.state.withLock { $0.names = [name] }
        var opening = Opening(fake.world)
        #expect(opening.refresh() == .waiting)
        #expect(fake.isClosed)
        fake.state.withLock { $0.names = [name, "192.0.2.9"] }
        #expect(opening.refresh() == .open)
        #expect(fake.state.withLock { $0.servers } == ["192.0.2.9"])
    }

    @Test("at most three servers")
    func many() {
        let fake = FakeWorld()
        fake.state.withLock { $0.names = (1...9).map { "192.0.2.\($0)" } }
        var opening = Opening(fake.world)
        #expect(opening.refresh() == .open)
        #expect(fake.state.withLock { $0.servers.count } == 3)
    }

    @Test("another network's servers take the place of the old ones, and without a network all is closed")
    func changes() {
        let fake = FakeWorld()
        var opening = Opening(fake.world)
        #expect(opening.refresh() == .open)
        fake.state.withLock { $0.names = ["172.16.5.1"] }
        #expect(opening.refresh() == .open)
        #expect(fake.state.withLock { $0.servers } == ["172.16.5.1"])
        fake.state.withLock { $0.hasUplink = false }
        #expect(opening.refresh() == .waiting)
        #expect(fake.isClosed)
    }

    @Test("when a step fails all is closed, and it is tried again")
    func failures() {
        let fake = FakeWorld()
        var opening = Opening(fake.world)
        fake.state.withLock { $0.failsToFill = true }
        #expect(opening.refresh() == .failed)
        #expect(fake.isClosed && fake.state.withLock { !$0.file.contains("nameserver") })
        fake.state.withLock { $0.failsToFill = false }
        #expect(opening.refresh() == .open)
        // A change that cannot be made takes what there was away.
        fake.state.withLock {
            $0.names = ["192.0.2.2"]
            $0.failsToWrite = true
        }
        #expect(opening.refresh() == .failed)
        #expect(fake.isClosed)
        fake.state.withLock { $0.failsToWrite = false }
        #expect(opening.refresh() == .open)
        fake.state.withLock { $0.failsToEmpty = true }
        #expect(opening.close() == .failed)
        fake.state.withLock { $0.failsToEmpty = false }
        #expect(opening.close() == .closed)
        fake.state.withLock { $0.torUser = nil }
        #expect(opening.refresh() == .failed)
        #expect(fake.isClosed)
    }

    @Test("the list for transports always has the same length, and names a server only when there is one")
    func file() {
        let servers = ["255.255.255.254", "192.168.100.100", "172.16.100.100"].compactMap { NetworkAddress($0) }
        for count in 0...3 {
            let text = ResolverFile.text(Array(servers.prefix(count)))
            #expect(text.utf8.count == ResolverFile.length && text.last == "\n")
            #expect(text.split(separator: "\n").count { $0.hasPrefix(TransportGate.resolverWord) } == count)
        }
    }

    @Test("an account is found by its name alone, and is never root")
    func accounts() {
        let text = "root:x:0:0:root:/root:/bin/sh\ndebian-tor:x:101:103::/var/lib/tor:/bin/false\n"
        #expect(Accounts.user("debian-tor", in: text) == 101)
        #expect(Accounts.user("debian", in: text) == nil)
        #expect(Accounts.user("root", in: text) == nil)
        #expect(Accounts.user("debian-tor", in: text + "debian-tor:x:5:5::/:/bin/sh\n") == nil)
        for line in ["a:x::1::/:", "a:x:-1:1::/:/", "a:x:4294967296:1::/:/", "a:x:65534:1::/:/", "a", "a:x:1"] {
            #expect(Accounts.user("a", in: line) == nil)
        }
    }
}
