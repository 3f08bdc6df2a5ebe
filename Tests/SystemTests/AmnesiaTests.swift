// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// One session in a computer full of disks, with every kind of memory planted, ended by `systemctl poweroff` and examined: what
/// was found is what all tests of a suite look at.
struct SharedExamination: SuiteTrait, TestScoping {
    /// What was found in memory, and on the disks.
    struct Found: Sendable {
        let result: Examination.Result
        let changes: DiskSet.Changes

        /// What every way to end leaves alone.
        func expectComputerUnchanged() {
            #expect(changes.sectors == 0, "\(changes.sentences.joined(separator: "\n"))")
            #expect(result.variables.isEmpty, "\(result.variables)")
            #expect(result.clockChanges == 0)
        }

        /// What every way to end leaves alone, and what all but a crash erase.
        func expectNothingLeft() {
            expectComputerUnchanged()
            #expect(result.after.isClean, "\(result.after)")
            #expect(result.litBytes == 0)
            #expect(result.reason == .poweredOff)
        }
    }

    @TaskLocal static var current: Found?

    var isRecursive: Bool { false }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void)
        async throws
    {
        let found = try await Self.examine(#require(Ending.named("poweroff")), offline: false)
        try await Self.$current.withValue(found) { try await body() }
    }

    /// A session that ends in one way, named as in `Ending.all`, examined.
    static func examine(
        _ ending: Ending, memory: Int = 1024, records: Int = 1_000_000, looksBefore: Bool = true, offline: Bool = true
    ) async throws -> Found {
        let image = try ShippedImage.find()
        return try await withWork { work in
            let planter = try await Planter(source: ShippedImage.planter, program: work.appending("planter"))
            var plan = Examination.Plan(
                image: ending.attachment.isDVD ? image.disc : image.stick, ending: ending, otherCopy: image.stick)
            plan.memory = memory
            plan.records = records
            plan.looksBefore = looksBefore
            let examination = try await Examination.prepare(plan, in: work.appending("x"), planter: planter)
            let result = try await examination.perform(in: work.appending("t"), offline: offline) { print("  \($0)") }
            return Found(result: result, changes: try examination.changes())
        }
    }
}

extension Trait where Self == SharedExamination {
    /// One examined session for all tests of the suite.
    static var sharedExamination: Self { SharedExamination() }
}

extension ShippedImage {
    /// The source of the program that fills memory.
    static let planter = project.appending("Tests/Planter")
}

extension SystemTests {
    @Suite("After a session", .serialized, .turn, .sharedExamination)
    struct Amnesia {
        func found() throws -> SharedExamination.Found {
            try #require(SharedExamination.current, "The suite has no examination.")
        }

        // MARK: The detectors detect

        @Test("while the session runs, nearly all that was planted is found in memory, of every kind (anti-test)")
        func detected() throws {
            let result = try found().result
            let before = try #require(result.before)
            print("Planted: \(result.plantedRecords)\nWhile the session ran:\n\(before)")
            #expect(result.plantedRecords > 900_000)
            for one in result.planted {
                let tally = try #require(before.crops[one.name])
                #expect(one.count > 0, "Nothing of \(one)")
                switch one.name {
                // The kernel empties what is given back, at once; that is what this kind shows.
                // (The marker alone also stands in what the planter was told.)
                case "killed": #expect(tally.numbers == 0, "\(one.name): \(tally)")
                // What is on the screen: 25 lines or more.
                case "terminal": #expect(tally.all >= 20, "\(one.name): \(tally)")
                default: #expect(tally.numbers * 10 >= one.count * 9, "\(one.name): \(tally)")
                }
            }
        }

        @Test("while the session runs, its keys, names and passphrases are found in memory (anti-test)")
        func artefactsDetected() throws {
            let before = try #require(try found().result.before)
            for (kind, tally) in before.artefacts { #expect(!tally.isEmpty, "Of '\(kind)' nothing was found.") }
            let kinds = [
                "disk key", "file name", "label of a stick", "Wi-Fi passphrase", "URL", "relay of a circuit",
                "key to Tor's control port",
            ]
            #expect(Set(before.artefacts.keys).isSuperset(of: kinds))
        }

        @Test("while the session runs, the graphics memory holds a picture (anti-test)")
        func pictureDetected() throws { #expect(try #require(try found().result.litBefore) > 0) }

        // MARK: Disks, firmware, clock

        @Test("every sector of every disk is as before: SATA, NVMe and USB, whatever stands on it")
        func disks() throws {
            let changes = try found().changes
            #expect(changes.sectors == 0, "\(changes.sentences.joined(separator: "\n"))")
        }

        @Test("the firmware's variables are as before, and the hardware clock was not set")
        func firmware() throws {
            let result = try found().result
            #expect(result.variables.isEmpty, "\(result.variables)")
            #expect(result.clockChanges == 0)
        }

        // MARK: Memory

        @Test("after poweroff nothing that was planted is in memory, whole or in part")
        func nothingPlanted() throws {
            let result = try found().result
            #expect(result.after.planted == 0, "\(result.after)")
            #expect(result.reason == .poweredOff)
        }

        @Test("after poweroff no key, name, passphrase or address is in memory")
        func nothingKnown() throws {
            let after = try found().result.after
            #expect(after.known == 0, "\(after)")
        }

        @Test("after poweroff the graphics memory holds no picture")
        func noPicture() throws { #expect(try found().result.litBytes == 0) }
    }

    /// The ways that differ most; `make forensics` goes through all of them.
    @Suite("Other ends of a session", .serialized, .turn)
    struct OtherEnds {
        @Test("nothing is left when programs hang, memory is full and a file system is stuck, by the power button")
        func everythingAtOnce() async throws {
            try await SharedExamination.examine(
                #require(Ending.named("power-button-in-trouble")), looksBefore: false
            ).expectNothingLeft()
        }

        @Test(
            "in an emergency the screen goes dark first, and nothing is left in memory and on disks",
            arguments: ["stick-pulled-in-trouble", "panic-key"])
        func emergency(_ name: String) async throws {
            let found = try await SharedExamination.examine(#require(Ending.named(name)), looksBefore: false)
            found.expectNothingLeft()
            // How long it takes is measured by `make forensics`.
            #expect(found.result.secondsToDark != nil)
        }

        @Test("nothing is left when a disk that does not answer any more would hold up the end for ever")
        func deadDisk() async throws {
            try await SharedExamination.examine(
                #require(Ending.named("dead-disk")), records: 100_000, looksBefore: false
            ).expectNothingLeft()
        }

        @Test("a crash of the kernel writes to no disk and no firmware, and starts the computer again by itself")
        func kernelPanic() async throws {
            let found = try await SharedExamination.examine(
                #require(Ending.named("kernel-panic")), records: 100_000, looksBefore: false)
            #expect(found.result.reason == .reset)
            found.expectComputerUnchanged()
            // A crash cannot wipe: the detectors say so.
            #expect(!found.result.after.isClean)
        }

        @Test("what is written to a disk, the firmware or the clock, and what stays in memory, is noticed (anti-test)")
        func careless() async throws {
            let found = try await SharedExamination.examine(.careless, records: 100_000, looksBefore: false)
            let changes = found.changes.sentences
            #expect(changes.contains("nvme: sector 40 of the table"), "\(changes)")
            #expect(changes.contains { $0.hasSuffix(" of ext4-dirty") }, "The journal was not replayed: \(changes)")
            #expect(changes.allSatisfy { $0.hasPrefix("nvme: ") }, "\(changes)")
            #expect(found.result.variables.map(\.name) == ["Planted"])
            #expect(found.result.clockChanges > 0)
            #expect(found.result.after.planted > 10_000 && found.result.after.known > 0, "\(found.result.after)")
        }
    }
}
