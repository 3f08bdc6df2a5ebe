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

    /// What errors name as the call, where nothing says more.
    public static let usualCall = "netlink"

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
    ///   - call: what the error names as the call.
    /// - Returns: what the kernel was asked for, when it was asked for one object.
    /// - Throws: ``SystemCallFailure`` with the kernel's reason.
    @discardableResult
    public mutating func perform(
        _ message: KernelMessage, _ words: String, call: String = usualCall
    ) throws(SystemCallFailure) -> [KernelMessage] {
        var message = message
        message.flags.insert(.acknowledge)
        return try exchange([message], words, call, last: 0)
    }

    /// Asks the firewall for changes, all or none of them, and waits until they are made.
    ///
    /// - Parameters:
    ///   - changes: in their order; at least one.
    ///   - words: what that is, for the error.
    ///   - call: what the error names as the call.
    /// - Throws: ``SystemCallFailure`` with the kernel's reason.
    public mutating func commit(
        _ changes: [KernelMessage], _ words: String, call: String = usualCall
    ) throws(SystemCallFailure) {
        guard var change = changes.last else { return }
        change.flags.insert(.acknowledge)
        // One datagram. NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END; struct nfgenmsg: family, version, and the subsystem
        // (NFNL_SUBSYS_NFTABLES) with the greatest byte first.
        let header: [UInt8] = [0, 0, 0, 10]
        let batch =
            [KernelMessage(type: 0x10, flags: [], fixed: header)] + changes.dropLast()
            + [change, KernelMessage(type: 0x11, flags: [], fixed: header)]
        _ = try exchange(batch, words, call, last: changes.count)
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
        return try exchange([message], words, Self.usualCall, last: 0)
    }

    /// Sends messages in one datagram, and reads until the one at the place `last` is answered, or any is refused: the kernel
    /// may refuse a batch at its beginning.
    private mutating func exchange(
        _ messages: [KernelMessage], _ words: String, _ call: String, last: Int
    ) throws(SystemCallFailure) -> [KernelMessage] {
        let first = sequence + 1
        var bytes: [UInt8] = []
        for message in messages {
            sequence += 1
            bytes += message.encoded(sequence: sequence)
        }
        let sent = first...sequence
        let descriptor = descriptor
        try check(call, words) {
            bytes.withUnsafeBytes { clinux_netlink_send(descriptor, $0.baseAddress, $0.count) }
        }
        func failure(_ number: ErrorNumber) -> SystemCallFailure {
            SystemCallFailure(call: call, object: words, number: number)
        }
        var answers: [KernelMessage] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while answers.count < Self.most {
            let size = buffer.count
            let length = try check(call, words) {
                buffer.withUnsafeMutableBytes { clinux_netlink_receive(descriptor, $0.baseAddress, size) }
            }
            guard length <= size else { throw failure(.noBufferSpace) }
            for (answer, number) in Self.messages(in: Array(buffer[..<length])) where sent.contains(number) {
                if answer.flags.contains(.interrupted) { throw failure(.interrupted) }
                switch answer.type {
                case Self.error:
                    if let reason = Self.reason(answer.body) { throw failure(reason) }
                    if number == first + UInt32(last) { return answers }
                case Self.done: return answers
                default: answers.append(answer)
                }
            }
        }
        throw failure(.noBufferSpace)
    }

    /// The number of an error message; `nil` for 0, which means that all went well.
    static func reason(_ body: [UInt8]) -> ErrorNumber? {
        guard body.count >= 4 else { return .inputOutput }
        let code = Int32(bitPattern: UInt32(kernelBytes: body[0..<4]))
        return code == 0 ? nil : ErrorNumber(rawValue: code < 0 ? 0 &- code : code)
    }

    /// The messages of a datagram, with their sequence numbers; what is malformed ends the list.
    static func messages(in bytes: [UInt8]) -> [(KernelMessage, sequence: UInt32)] {
        var result: [(KernelMessage, UInt32)] = []
        var place = 0
        while place + 16 <= bytes.count {
            let length = Int(UInt32(kernelBytes: bytes[place..<place + 4]))
            guard length >= 16, place + length <= bytes.count else { break }
            let message = KernelMessage(
                answer: UInt16(kernelBytes: bytes[place + 4..<place + 6]),
                flags: .init(rawValue: UInt16(kernelBytes: bytes[place + 6..<place + 8])),
                body: Array(bytes[place + 16..<place + length]))
            result.append((message, UInt32(kernelBytes: bytes[place + 8..<place + 12])))
            place += (length + 3) & ~3
        }
        return result
    }
}
