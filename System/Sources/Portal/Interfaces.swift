// SPDX-License-Identifier: GPL-3.0-or-later

/// The interfaces and where they are served.
enum PortalInterface {
    /// For the session, which can only ask.
    static let socket = "/run/needletail/portal.sock"
    /// For the service only.
    static let consentSocket = "/run/needletail/portal-consent.sock"
    /// For the service only.
    static let browserSocket = "/run/needletail/portal-browser.sock"
    /// The browser's `/etc/resolv.conf`; its unit mounts it there.
    static let resolverFile = "/run/needletail-portal/resolv.conf"

    static let text = """
        # A look at the login page of a network (captive portal), in clear, after the user has agreed
        interface org.needletail.Portal

        # What the service is doing. `secondsLeft` is there while the user is asked or the browser is open; `end` tells how
        # the last one ended.
        type State (
          phase: (closed, asking, open),
          secondsLeft: ?int,
          end: ?(refused, unanswered, quit, timeLimit, connected, networkGone, cancelled, pageFailed, failed)
        )

        # Asks the user, on a display that no program of the session can draw on or type into, and shows the page after a yes.
        # Returns when the question is on its way.
        method Open() -> (state: State)

        # Takes the question away, or closes the page. Done twice, it does nothing.
        method Close() -> (state: State)

        # What the service is doing
        method GetState() -> (state: State)

        # What the service is doing, now and with each change, until the page is closed
        method Monitor() -> (state: State)

        # The user is not asked.
        error NotAllowed(reason: (torConnected, connectionUnknown, noNetwork, busy, tooSoon))

        """

    /// What stands between the service and the question. The console's question is one program that answers; the desktop's
    /// dialog will be another.
    static let consentText = """
        # Asks the person in front of the computer whether a network may see it
        interface org.needletail.PortalConsent

        # Shows what it means and waits for an answer. `display` is what was on the screen before.
        method Ask(network: string, seconds: int, limit: int) -> (answer: (agreed, refused, unanswered), display: int)

        """

    /// What stands between the service and the browser, which ends when the caller hangs up.
    static let browserText = """
        # A browser in the namespace that leads to the network
        interface org.needletail.PortalBrowser

        # Shows a page until the user leaves, the seconds are over, or the caller hangs up; then the display is shown again.
        method Browse(address: string, seconds: int, display: int) -> (end: (quit, pageFailed, timeLimit))

        """
}

/// The question.
struct ConsentQuestion: Sendable, Codable {
    /// The interface of the network, for the user's eyes.
    var network: String
    /// How long to wait for an answer.
    var seconds: Int
    /// How long the page will be open at most, in seconds.
    var limit: Int
}

/// The answer.
struct ConsentAnswer: Sendable, Codable {
    enum Answer: String, Sendable, Codable { case agreed, refused, unanswered }

    var answer: Answer
    /// The console that was on the screen before the question.
    var display: Int32
}

/// What the browser is to show.
struct BrowserTask: Sendable, Codable {
    var address: String
    var seconds: Int
    var display: Int32
}

/// How the browser ended.
struct BrowserEnd: Sendable, Codable {
    enum End: String, Sendable, Codable { case quit, pageFailed, timeLimit }

    var end: End
}

/// A reply with the service's state.
struct StateReply: Sendable, Codable {
    var state: PortalState
}
