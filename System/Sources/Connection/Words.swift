// SPDX-License-Identifier: GPL-3.0-or-later

/// All that this module says to people, in one place.
enum Words {
    /// What a state means to a person.
    struct Explanation: Sendable, Hashable {
        /// One short sentence.
        let sentence: String
        /// Why, or what it means.
        let explanation: String
        /// What to do; empty when there is nothing to do.
        let advice: String
    }

    static let starting = "Starting Tor"
    static let torAbsent = "Tor does not start."
    static let transportMissing = "The program that disguises the connection does not work."
    static let lookingForNames = "Waiting for the network's name server"
    static let firewallNotOpened = "The firewall could not be opened for snowflake."
    static let firewallNotClosed = "The firewall could not be closed after snowflake."
    static let bridgesNotTaken = "Tor did not take over the bridges as they were given."

    /// What Tor does, by its own tags. See control-spec, "Bootstrap phases".
    static func task(_ tag: String) -> String {
        switch tag {
        case "starting": starting
        case "conn_pt", "conn_done_pt": "Starting the disguise"
        case "conn_proxy", "conn_done_proxy", "conn": "Looking for the first relay"
        case "conn_done", "handshake", "handshake_done": "Greeting the first relay"
        case "onehop_create", "requesting_status", "loading_status": "Getting the list of relays"
        case "loading_keys", "requesting_descriptors", "loading_descriptors", "enough_dirinfo":
            "Learning about the relays"
        case "ap_conn_pt", "ap_conn_done_pt", "ap_conn_proxy", "ap_conn_done_proxy", "ap_conn", "ap_conn_done",
            "ap_handshake", "ap_handshake_done", "circuit_create":
            "Building the first path through Tor"
        default: "Connecting"
        }
    }

    static func explanation(of state: ConnectionState) -> Explanation {
        switch state {
        case .notChosen:
            Explanation(
                sentence: "You have not yet chosen how to connect.",
                explanation: "Nothing is sent to Tor before you have.",
                advice: "Connect directly, or hide from your network that you use Tor.")
        case .noInterface:
            Explanation(
                sentence: "No network card was found.",
                explanation: "This computer has none, or this system does not know it.",
                advice: "Plug in a network cable adapter, or a telephone that shares its connection by USB.")
        case .networkOff(let reason):
            Explanation(
                sentence: "The network is switched off, for your protection.", explanation: reason,
                advice: "Use another network adapter. Nothing has been sent.")
        case .noCable:
            Explanation(
                sentence: "No network cable is plugged in.",
                explanation: "The network card works, but nothing is at the other end.",
                advice: "Plug in the cable at both ends, or join a wireless network.")
        case .noAddress:
            Explanation(
                sentence: "Waiting for the network to give this computer an address.",
                explanation: "This takes a few seconds.",
                advice: "If it takes longer than a minute, switch the router off and on, or use another network.")
        case .noNames:
            Explanation(
                sentence: "This network has not said which computer knows names.",
                explanation: "snowflake has to ask one where it begins. Nobody else may be asked. Nothing was sent.",
                advice: "Use an obfs4 bridge, or another network.")
        case .connecting(_, let what):
            Explanation(
                sentence: "\(what) …", explanation: "This takes up to a minute, longer on slow networks.", advice: "")
        case .connected:
            Explanation(
                sentence: "You are connected to Tor.", explanation: "Everything you do goes through Tor.", advice: "")
        case .captivePortalSuspected:
            Explanation(
                sentence: "This network seems to want you to log in first.",
                explanation: "Something nearby answers in the place of Tor's relays, as the login pages of hotels, "
                    + "trains and cafés do. It can also be a network that blocks Tor. Nothing about you was sent.",
                advice:
                    "Open the network's login page. If there is none, hide that you use Tor, or use another network.")
        case .clockWrong(let hours):
            Explanation(
                sentence: "This computer's clock is \(hours > 0 ? "ahead" : "behind") by about "
                    + (abs(hours) == 1
                        ? "one hour." : abs(hours) < 48 ? "\(abs(hours)) hours." : "\(abs(hours) / 24) days."),
                explanation: "Tor needs the right time.",
                advice: "Wait a moment: it is being corrected. If this stays, set the clock, in universal time (UTC).")
        case .bridgeUnreachable(let which):
            Explanation(
                sentence: which.count == 1 ? "The bridge does not answer." : "None of the bridges answers.",
                explanation: "It may be switched off or blocked, or its address has a typing mistake: "
                    + "\(which.joined(separator: ", ")). Nothing was sent to anybody else.",
                advice: "Compare the bridge line with the one you were given, or ask for other bridges.")
        case .snowflakeUnreachable(let which):
            Explanation(
                sentence: which.count == 1 ? "The bridge does not answer." : "None of the bridges answers.",
                explanation:
                    "snowflake has found no volunteer who leads to it. The server that knows the volunteers may "
                    + "be blocked here, or UDP may be, or the line is old. No relay of Tor's public list was asked.",
                advice: "Try it again, get a new snowflake line, or ask for an obfs4 bridge.")
        case .bridgeRefused(let which):
            Explanation(
                sentence: which.count == 1 ? "The bridge does not let us in." : "No bridge lets us in.",
                explanation: "Somebody answers at \(which.joined(separator: ", ")), but not as the bridge of this line "
                    + "would. The line may be old or have a typing mistake, or somebody is in between. "
                    + "Nothing was sent to anybody else.",
                advice: "Compare the bridge line with the one you were given, or ask for other bridges.")
        case .censored:
            Explanation(
                sentence: "Tor seems to be blocked in this network.",
                explanation: "The network works, but none of Tor's relays answers.",
                advice: "Hide that you use Tor: ask for bridges and enter them. Or use another network.")
        case .torFailed(let reason):
            Explanation(
                sentence: "Tor has a problem.",
                explanation: reason + " The connection is off, nothing leaves this computer.",
                advice: "Start this computer again. If it happens again, tell us this sentence.")
        case .disconnected:
            Explanation(
                sentence: "You are disconnected.", explanation: "Tor sends nothing.",
                advice: "Connect again when you want to.")
        }
    }
}
