// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import Linux
import Varlink

/// The command `needletail-connect`: how this computer connects to Tor, from the console.
public enum ConnectCommand {
    static let help = """
        needletail-connect: connect to Tor.

          needletail-connect               asks how, and shows how far it is
          needletail-connect --direct      connects to Tor's public relays
          needletail-connect --hide FILE   hides that you use Tor: connects to the bridges in a file, one in a line,
                                           or the text of a QR code; "-" reads them from standard input.
                                           Kinds: obfs4, snowflake, and bridges without a kind. snowflake also
                                           asks your network's name server for where it begins
          needletail-connect --status      says how it is
          needletail-connect --disconnect  switches Tor's network off
          --json                           answers as JSON, for programs

        Ends with 0 when connected (or when what was asked is done), 1 when there is a problem, 2 for a wrong option.
        """

    /// What was asked for.
    enum Request: Equatable {
        case ask, direct, status, disconnect, help
        case hide(file: String)
    }

    struct BadOption: Error {
        let text: String
    }

    /// Reads the arguments, the command's own name not among them.
    static func request(_ arguments: [String]) throws(BadOption) -> (request: Request, json: Bool) {
        var request: Request?
        var json = false
        var words = arguments[...]
        while let word = words.popFirst() {
            let next: Request
            switch word {
            case "--json":
                json = true
                continue
            case "--direct": next = .direct
            case "--status": next = .status
            case "--disconnect": next = .disconnect
            case "--help", "-h": next = .help
            case "--hide":
                guard let file = words.popFirst() else {
                    throw BadOption(text: "After --hide comes a file with bridges, or - for standard input.")
                }
                next = .hide(file: file)
            default: throw BadOption(text: "“\(word.prefix(60))” is no option. See needletail-connect --help.")
            }
            guard request == nil else { throw BadOption(text: "Only one of these options at a time.") }
            request = next
        }
        guard !json || request != nil else { throw BadOption(text: "--json needs another option, such as --status.") }
        return (request ?? .ask, json)
    }

    /// Runs the command.
    ///
    /// - Parameter arguments: the words after the command's name.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) async -> Int32 {
        await run(arguments, client: VarlinkClient(path: ConnectionInterface.socket), console: ConsoleLines())
    }

    static func run(_ arguments: [String], client: VarlinkClient, console: ConsoleLines) async -> Int32 {
        do {
            let (request, json) = try request(arguments)
            return try await Conversation(client: client, console: console, json: json).run(request)
        } catch let error as BadOption {
            StandardError.line(error.text)
            return 2
        } catch let error as VarlinkError where error == .permissionDenied {
            StandardError.line("Only the user of the session may say how to connect.")
            return 1
        } catch let error as VarlinkClient.Failure {
            StandardError.line("The connection service does not answer. Nothing leaves this computer. (\(error))")
            return 1
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }
}

/// Lines from standard input, and text to standard output.
struct ConsoleLines: Sendable {
    /// Reads a line without its end; `nil` at the end of the input.
    func read() -> String? { readLine(strippingNewline: true) }
    /// Shows text, not followed by a new line.
    func show(_ text: String) { StandardOutput.write(text) }
    /// Whether a person looks at it.
    var isTerminal: Bool { StandardOutput.isTerminal }
}
