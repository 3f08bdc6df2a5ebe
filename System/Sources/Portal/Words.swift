// SPDX-License-Identifier: GPL-3.0-or-later

/// Every sentence that a person reads, in one place so that it can be translated. The console shows ASCII surely, and little else.
enum Words {
    /// The question, for 80 columns and 25 lines.
    static func question(network: String, code: String, seconds: Int, limit: Int) -> String {
        """

          THE LOGIN PAGE OF THIS NETWORK

          Hotels, cafes and trains often show a login page before they let anybody
          through. To see it, a small browser has to talk to the network directly,
          WITHOUT Tor, for a short while (on \(network)). This is not anonymous:

            * The network sees the address that this computer has made up for it,
              the pages that you open, and what you type into them.
            * Whoever runs the network can note that somebody used it here and now,
              and who, if you type your name, your room or your number.

          Only this one page is meant. Everything else goes on waiting for Tor.
          Open nothing but the login page, and press  q  as soon as you are
          logged in. The page closes by itself after \(time(limit)).

          To agree, type  \(code)  and press Enter.
          To refuse, just press Enter. No answer within \(seconds) seconds means no.

          >\u{20}
        """
    }

    static let wrongCode = "That was another number. Nothing was opened."
    static let agreed = "Opening the page. This can take a moment ..."
    static let idle = "Nothing to do here. Press Alt and F1 together to go back."

    /// The line at the bottom of the browser.
    static func clock(_ seconds: Int) -> String { " NOT ANONYMOUS - closes in \(clockTime(seconds)) - q: finish " }

    static let help = """
        usage: needletail-login-page [--state | --close]

        Some networks show a login page before they let anybody through. This asks for it: a question comes up on a
        screen of its own, which tells what it means, and after a yes a small browser shows the page.

          --state   says whether a page is open
          --close   closes it

        """

    static let asked = """
        A question has come up on another screen. Read it, and answer there.
        (If you do not see it, press Alt and F8 together. Alt and F1 lead back here.)
        """

    static func opened(_ seconds: Int) -> String {
        "The page is open on another screen, for at most \(time(seconds)). (Alt and F9 lead there, Alt and F1 back.)"
    }

    static func state(_ state: PortalState) -> String {
        switch state.phase {
        case .closed: state.end.map { "No login page is open. \(end($0))" } ?? "No login page is open."
        case .asking: "You are being asked on another screen. (Alt and F8 lead there.)"
        case .open: opened(state.secondsLeft ?? 0)
        }
    }

    static func end(_ end: PortalState.End) -> String {
        switch end {
        case .refused: "The answer was no. Nothing was opened, and the network has seen nothing more of this computer."
        case .unanswered: "Nobody answered, so nothing was opened. Ask again when you are ready."
        case .quit: "The login page is closed. If you are logged in now, Tor connects within a minute."
        case .timeLimit: "The time was up, and the login page was closed. You can ask for it again."
        case .connected: "Tor is connected, and the login page was closed."
        case .networkGone:
            "The network was lost or changed, and the login page was closed. Check the cable or the Wi-Fi."
        case .cancelled: "The login page was closed."
        case .pageFailed:
            "No page came. Perhaps this network has no login page, or it is out of order. Everything is closed again."
        case .failed:
            "Something in this computer did not work, and everything was closed again. Restart the computer and try once more."
        }
    }

    static func refusal(_ refusal: PortalRefusal) -> String {
        switch refusal {
        case .torConnected:
            "Tor is connected, so no login page is needed: you can open every page without being seen."
        case .connectionUnknown:
            "It cannot be found out whether Tor is connected, and so the login page stays closed. Restart the computer."
        case .noNetwork: "There is no network. Plug in a cable or choose a Wi-Fi first."
        case .busy:
            "You are being asked already, or the page is open. Look at the other screen: Alt and F8, or Alt and F9."
        case .tooSoon: "The answer was no a moment ago. Wait a little before you ask again."
        }
    }

    static let serviceGone = "The service for login pages does not answer. Nothing was opened. Restart the computer."
    static let notAllowed = "Only the user of this session can ask for a login page."

    private static func time(_ seconds: Int) -> String {
        if seconds < 120 { return "\(seconds) seconds" }
        return seconds % 60 == 0 ? "\(seconds / 60) minutes" : clockTime(seconds)
    }

    private static func clockTime(_ seconds: Int) -> String {
        let rest = max(0, seconds) % 60
        return "\(max(0, seconds) / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
