// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Varlink

/// The administration password as the key to something else, for services that run as root: the lock of the screen.
public enum PasswordCheck: Hashable, Sendable {
    /// It is the password.
    case right
    /// It is not.
    case wrong
    /// It was not looked at: wait for so many seconds.
    case tooEarly(Int)
    /// No password was chosen at the start.
    case off
    /// The administration service does not answer.
    case unavailable

    private static let name = AdministrationInterface.name

    /// Whether a password was chosen at the start; `nil` when nobody knows.
    public static var isOn: Bool? {
        get async {
            let client = VarlinkClient(path: AdministrationInterface.socket)
            let reply = try? await client.call(
                "\(name).GetState", within: .seconds(10), returning: AdministrationInterface.StateReply.self)
            return reply.map { $0.state != .off }
        }
    }

    /// Tries a password.
    ///
    /// - Parameter password: what was typed.
    /// - Returns: what came of it.
    public static func of(_ password: SecretBytes) async -> PasswordCheck {
        let client = VarlinkClient(path: AdministrationInterface.socket)
        do {
            let ticket = try await client.call(
                "\(name).PrepareConfirmation", AdministrationInterface.ConfirmationParameters(user: 0),
                returning: AdministrationInterface.Ticket.self)
            let stream = try await AdministrationCommand.handIn(
                ticket.ticket, password, at: AdministrationInterface.terminalSocket)
            var reader = FrameReader()
            while true {
                let bytes = try await stream.read()
                if bytes.isEmpty { return .unavailable }
                for frame in try reader.add(bytes) {
                    if frame.kind == .refused { return refused(frame.payload) }
                    guard frame.kind == .ended, frame.payload == [0] else { return .unavailable }
                    let reply = try await client.call(
                        "\(name).TakeConfirmation", ticket, returning: AdministrationInterface.ConfirmationReply.self)
                    return reply.confirmed ? .right : .unavailable
                }
            }
        } catch let error as VarlinkError where error.name == "\(name).Off" {
            return .off
        } catch {
            return .unavailable
        }
    }

    private static func refused(_ payload: [UInt8]) -> PasswordCheck {
        let seconds = payload.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return switch payload.first.flatMap(Refusal.init(rawValue:)) {
        case .wrongPassword: .wrong
        case .tooManyTries: .tooEarly(seconds)
        case .off: .off
        default: .unavailable
        }
    }
}
