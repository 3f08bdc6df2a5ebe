// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// A network interface as the kernel describes it. See `man 7 rtnetlink`.
public struct NetworkInterface: Sendable, Hashable {
    /// Its number, which no other interface of this start ever gets.
    public let index: Int32
    /// Its name now.
    public let name: String
    /// Whether it is up (`IFF_UP`).
    public let isUp: Bool
    /// Its hardware address now; six bytes for Ethernet and Wi-Fi, none for what has no such address.
    public let address: [UInt8]
    /// The address burnt into it; `nil` when the kernel knows none (`IFLA_PERM_ADDRESS`).
    public let permanentAddress: [UInt8]?

    /// Describes an interface.
    ///
    /// - Parameters:
    ///   - index: its number.
    ///   - name: its name.
    ///   - isUp: whether it is up.
    ///   - address: its hardware address now.
    ///   - permanentAddress: the address burnt into it.
    public init(index: Int32, name: String, isUp: Bool, address: [UInt8], permanentAddress: [UInt8]?) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.address = address
        self.permanentAddress = permanentAddress
    }

    /// Asks the kernel for an interface.
    ///
    /// - Parameter index: its number.
    /// - Returns: what it is now.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noDevice`` or `ENODEV` when there is none.
    public static func read(_ index: Int32) throws(SystemCallFailure) -> NetworkInterface {
        var exchange = try NetlinkExchange(.route, about: "interface \(index)")
        // ip link show
        let answer = try exchange.ask("RTM_GETLINK", 18, flags: 0) { $0.addHeader(of: index) }
        guard let answer, answer.type == 16, answer.content.count >= 16 else {
            throw SystemCallFailure(call: "RTM_GETLINK", object: "interface \(index)", number: .inputOutput)
        }
        let start = answer.content.startIndex
        let attributes = answer.attributes(after: 16)
        let name = String(decoding: (attributes[3] ?? []).prefix { $0 != 0 }, as: UTF8.self)
        return NetworkInterface(
            index: Int32(bitPattern: UInt32(littleEndianBytes: answer.content[start + 4..<start + 8])), name: name,
            isUp: answer.content[start + 8] & 1 != 0, address: Array(attributes[1] ?? []),
            permanentAddress: attributes[54].map(Array.init))
    }

    /// Gives an interface another hardware address.
    ///
    /// - Parameters:
    ///   - address: the address, as many bytes as it has now.
    ///   - index: the interface's number.
    /// - Throws: ``SystemCallFailure``; a driver may refuse.
    public static func setAddress(_ address: [UInt8], of index: Int32) throws(SystemCallFailure) {
        var exchange = try NetlinkExchange(.route, about: "address of interface \(index)")
        // ip link set dev NAME address …
        _ = try exchange.ask("RTM_NEWLINK", 16, flags: 4) {
            $0.addHeader(of: index)
            $0.add(1, address)
        }
    }

    /// Takes an interface down: nothing is sent or received by it any more.
    ///
    /// - Parameter index: the interface's number.
    /// - Throws: ``SystemCallFailure``.
    public static func setDown(_ index: Int32) throws(SystemCallFailure) {
        var exchange = try NetlinkExchange(.route, about: "interface \(index)")
        // ip link set dev NAME down
        _ = try exchange.ask("RTM_NEWLINK", 16, flags: 4) { $0.addHeader(of: index, flags: 0, change: 1) }
    }
}

extension NetlinkBytes {
    /// `struct ifinfomsg`.
    fileprivate mutating func addHeader(of index: Int32, flags: UInt32 = 0, change: UInt32 = 0) {
        add(UInt16(0))
        add(UInt16(0))
        add(UInt32(bitPattern: index))
        add(flags)
        add(change)
    }
}

/// The kernel's random numbers.
public enum Randomness {
    /// Draws bytes that nobody can foresee; waits after power-on until the kernel has gathered enough for that. See
    /// `man 2 getrandom`.
    ///
    /// - Parameter count: how many, 0…256.
    /// - Returns: the bytes.
    /// - Throws: ``SystemCallFailure``.
    public static func bytes(_ count: Int) throws(SystemCallFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(max(count, 0), 256))
        let received = try check("getrandom", "\(count) bytes") {
            bytes.withUnsafeMutableBytes { clinux_random($0.baseAddress, $0.count) }
        }
        guard received == bytes.count else {
            throw SystemCallFailure(call: "getrandom", object: "\(count) bytes", number: .inputOutput)
        }
        return bytes
    }
}

extension File {
    /// Waits until no other process holds this lock, and holds it until the file is closed. See `man 2 flock`.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func lock() throws(SystemCallFailure) {
        let descriptor = descriptor
        try check("flock", path) { clinux_lock(descriptor) }
    }
}
