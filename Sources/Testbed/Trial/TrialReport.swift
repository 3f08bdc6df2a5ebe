// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// What a rehearsal saw, for a person.
public struct TrialReport: Sendable {
    /// Who fetched the page, in the web server's eyes.
    public struct Seen: Sendable, Equatable {
        /// The address that the web server saw.
        public let address: String
        /// The addresses of the Tor network's exits.
        public let exits: [String]

        /// Pairs what was seen with what may be seen.
        public init(address: String, exits: [String]) {
            self.address = address
            self.exits = exits
        }

        /// Whether the page was fetched through Tor.
        public var isThroughTor: Bool { exits.contains(address) }
    }

    /// How long the boot took, by phase.
    public let times: BootTimes
    /// Seconds from power-on until Tor was connected.
    public let torConnected: Double
    /// Who fetched the page.
    public let seen: Seen
    /// The picture of the screen.
    public let screenshot: FilePath

    /// Puts a report together.
    public init(times: BootTimes, torConnected: Double, seen: Seen, screenshot: FilePath) {
        self.times = times
        self.torConnected = torConnected
        self.seen = seen
        self.screenshot = screenshot
    }

    /// The report as text.
    public var text: String {
        """
        Boot, in seconds from the kernel's start:
        \(times)
        Tor connected \(torConnected.formatted(.number.precision(.fractionLength(1)))) s after power-on.
        The web server saw \(seen.address): \(seen.isThroughTor ? "an exit of the Tor network." : "NOT an exit of the Tor network.")
        The screen is in \(screenshot).
        """
    }
}
