// SPDX-License-Identifier: GPL-3.0-or-later
import Varlink

/// The interface `org.needletail.Connection` and its values.
public enum ConnectionInterface {
    /// The socket.
    public static let socket = "/run/needletail/connection.sock"
    /// The interface's name.
    public static let name = "org.needletail.Connection"

    /// The text that callers get.
    public static let text = """
        # How this computer connects to Tor, and what is wrong when it does not
        interface org.needletail.Connection

        type State (
          # For programs; new ones may be added
          code: (notChosen, noInterface, networkOff, noCable, noAddress, noNames, connecting, connected,
            captivePortalSuspected, clockWrong, bridgeUnreachable, bridgeRefused, censored, torFailed, disconnected),
          # How to connect; not there before the choice
          mode: ?(direct, hide, off),
          # connecting: 0 to 99
          progress: ?int,
          # clockWrong: by so many hours the clock is ahead, or behind when negative
          hours: ?int,
          # bridgeUnreachable, bridgeRefused: address and port of each
          bridges: ?[]string,
          # Whether it does not go on by itself
          problem: bool,
          # For people: one sentence, why, and what to do
          sentence: string,
          explanation: string,
          advice: string
        )

        # About one line; a line that is right has no problem
        type Verdict (
          # From 1
          line: int,
          # For a line that is right: plain, obfs4 or snowflake, and address and port
          transport: ?string,
          endpoint: ?string,
          # For a wrong one: the character, from 1; the word; what is wrong; how it should look
          column: ?int,
          word: ?string,
          problem: ?string,
          expected: ?string
        )

        # The state now
        method GetState() -> (state: State)

        # The state now and every later one; call with "more"
        method Monitor() -> (state: State)

        # Chooses how to connect; ends every connection of another way first. Bridges only with "hide": lines, each may hold a
        # text as for CheckBridges
        method Connect(mode: (direct, hide), bridges: ?[]string) -> ()

        # Switches Tor's network off
        method Disconnect() -> ()

        # Looks at bridge lines, or the text of a QR code, without using them
        method CheckBridges(text: string) -> (verdicts: []Verdict)

        # Some bridge lines are wrong. Nothing was changed
        error BadBridges(verdicts: []Verdict)

        # "hide" needs a bridge. Nothing was changed
        error NoBridges()

        """

    /// ``ConnectionState`` on the wire.
    public struct State: Codable, Sendable, Hashable {
        /// ``ConnectionState/code``.
        public var code: String
        /// How to connect; `nil` before the choice.
        public var mode: String?
        /// 0 to 99.
        public var progress: Int?
        /// By so many hours the clock is ahead.
        public var hours: Int?
        /// Address and port of each bridge that it is about.
        public var bridges: [String]?
        /// Whether it does not go on by itself.
        public var problem: Bool
        /// One sentence.
        public var sentence: String
        /// Why.
        public var explanation: String
        /// What to do.
        public var advice: String

        init(_ state: ConnectionState, mode: String?) {
            code = state.code
            self.mode = mode
            switch state {
            case .connecting(let progress, _): self.progress = progress
            case .clockWrong(let hours): self.hours = hours
            case .bridgeUnreachable(let which), .snowflakeUnreachable(let which), .bridgeRefused(let which):
                bridges = which
            default: break
            }
            problem = state.isProblem
            let words = Words.explanation(of: state)
            (sentence, explanation, advice) = (words.sentence, words.explanation, words.advice)
        }
    }

    /// A reply with a state.
    public struct StateReply: Codable, Sendable, Hashable {
        /// The state.
        public var state: State
    }

    /// ``BridgeVerdict`` on the wire.
    public struct Verdict: Codable, Sendable, Hashable {
        /// From 1.
        public var line: Int
        /// The kind of bridge, when the line is right.
        public var transport: String?
        /// Address and port, when the line is right.
        public var endpoint: String?
        /// The character at which the wrong word starts, from 1.
        public var column: Int?
        /// The wrong word.
        public var word: String?
        /// What is wrong.
        public var problem: String?
        /// How it should look.
        public var expected: String?

        init(_ verdict: BridgeVerdict) {
            line = verdict.line
            switch verdict.result {
            case .success(let bridge):
                transport = bridge.transport.rawValue
                endpoint = bridge.endpoint
            case .failure(let problem):
                column = problem.column
                word = problem.word
                self.problem = problem.problem
                expected = problem.expected
            }
        }
    }

    /// A reply with verdicts.
    public struct VerdictsReply: Codable, Sendable, Hashable {
        /// One for each line.
        public var verdicts: [Verdict]
    }

    struct ConnectParameters: Codable, Sendable {
        var mode: String
        var bridges: [String]?
    }

    struct CheckParameters: Codable, Sendable {
        var text: String
    }
}
