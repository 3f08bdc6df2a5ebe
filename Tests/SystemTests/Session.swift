// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// One start of the shipped image on the private Tor network that all tests of a suite share.
///
/// When the last of them has ended, the machine is stopped and every frame that it sent since power-on is judged: a frame
/// outside the list fails the suite, whichever test made it leave.
struct SharedSession: SuiteTrait, TestScoping {
    @TaskLocal static var current: Trial?

    var isRecursive: Bool { false }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void)
        async throws
    {
        let image = try ShippedImage.find()
        try await withWork { work in
            let plan = Trial.Plan(image: image.stick, memory: 1024)
            let (_, verdict) = try await Trial.with(plan, work: work.appending("t")) { trial in
                _ = try await trial.waitForTor(within: .seconds(240))
                try await Self.$current.withValue(trial) { try await body() }
            }
            print("Frames of the session:\n\(verdict)")
            #expect(verdict.isClean, "Frames outside the list left the machine:\n\(verdict)")
            #expect((verdict.allowed["Tor"] ?? 0) > 10, "Hardly anything was captured:\n\(verdict)")
        }
    }
}

extension Trait where Self == SharedSession {
    /// One start of the image for all tests of the suite.
    static var sharedSession: Self { SharedSession() }
}

/// The suite's session.
func session() throws -> Trial {
    try #require(SharedSession.current, "The suite has no session.")
}
