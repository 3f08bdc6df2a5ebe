// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// A way to the kernel's network code. It stays with the network namespace in which it was opened, also when the thread
/// that uses it goes to another one.
public struct NetlinkSocket: ~Copyable {
    /// Which part of the kernel answers. See `man 7 netlink`.
    public enum Family: Int32, Sendable {
        /// Interfaces, addresses, routes, rules.
        case route = 0
        /// The firewall.
        case filter = 12
    }

    private let descriptor: Int32
    private var sequence: UInt32 = 0

    private static let error: UInt16 = 2
    private static let done: UInt16 = 3
    /// The most messages that one question is answered with: a firewall has hundreds.
    private static let most = 100_000

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// - Throws: ``SystemCallFailure``.
    public init(_ family: Family) throws(SystemCallFailure) {
        descriptor = try check("socket", "netlink \(family)") { clinux_netlink_socket(family.rawValue) }
    }

    deinit { close(descriptor) }

    /// Asks the kernel to do something, and waits until it has.
    ///
    /// - Parameters:
    ///   - message: what to do.
    ///   - words: what that is, for the error: `add the address 10.77.0.1 to to-session`.
    /// - Throws: ``SystemCallFailure`` with the kernel's reason.
    public mutating func perform(_ message: KernelMessage, _ words: String) throws(SystemCallFailure) {
        var message = message
        message.flags.insert(.acknowledge)
        _ = try exchange(message, words)
    }

    /// Asks for all objects of a kind.
    ///
    /// - Parameters:
    ///   - message: which kind.
    ///   - words: what that is, for the error.
    /// - Returns: a message for each object.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/interrupted`` when they changed while they were listed.
    public mutating func list(_ message: KernelMessage, _ words: String) throws(SystemCallFailure) -> [KernelMessage] {
        var message = message
        message.flags.insert(.dump)
        return try exchange(message, words)
    }

    private mutating func exchange(
        _ message: KernelMessage, _ words: String
    ) throws(SystemCallFailure) -> [KernelMessage] {
        sequence += 1
        let descriptor = descriptor
        let bytes = message.encoded(sequence: sequence)
        try check("netlink", words) {
            bytes.withUnsafeBytes { clinux_netlink_send(descriptor, $0.baseAddress, $0.count) }
        }
        var answers: [KernelMessage] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while answers.count < Self.most {
            let size = buffer.count
            let length = try check("netlink", words) {
                buffer.withUnsafeMutableBytes { clinux_netlink_receive(descriptor, $0.baseAddress, size) }
            }
            guard length <= size else {
                throw SystemCallFailure(call: "netlink", object: words, number: .noBufferSpace)
            }
            for (answer, number) in Self.messages(in: Array(buffer[..<length])) where number == sequence {
                if answer.flags.contains(.interrupted) {
                    throw SystemCallFailure(call: "netlink", object: words, number: .interrupted)
                }
                switch answer.type {
                case Self.error:
                    guard let reason = Self.reason(answer.body) else { return answers }
                    throw SystemCallFailure(call: "netlink", object: words, number: reason)
                case Self.done: return answers
                default: answers.append(answer)
                }
            }
        }
        throw SystemCallFailure(call: "netlink", object: words, number: .noBufferSpace)
    }

    /// The number of an error message; `nil` for 0, which means that all went well.
    static func reason(_ body: [UInt8]) -> ErrorNumber? {
        guard body.count >= 4 else { return .inputOutput }
        let number = body[0..<4].enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (8 * $1.offset) }
        let code = Int32(bitPattern: number)
        return code == 0 ? nil : ErrorNumber(rawValue: code < 0 ? 0 &- code : code)
    }

    /// The messages of a datagram, with their sequence numbers; what is malformed ends the list.
    static func messages(in bytes: [UInt8]) -> [(KernelMessage, sequence: UInt32)] {
        var result: [(KernelMessage, UInt32)] = []
        var place = 0
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            (0..<count).reduce(0) { $0 | UInt32(bytes[place + offset + $1]) << (8 * UInt32($1)) }
        }
        while place + 16 <= bytes.count {
            let length = Int(number(0, 4))
            guard length >= 16, place + length <= bytes.count else { break }
            let message = KernelMessage(
                answer: UInt16(truncatingIfNeeded: number(4, 2)),
                flags: .init(rawValue: UInt16(truncatingIfNeeded: number(6, 2))),
                body: Array(bytes[place + 16..<place + length]))
            result.append((message, number(8, 4)))
            place += (length + 3) & ~3
        }
        return result
    }
}
