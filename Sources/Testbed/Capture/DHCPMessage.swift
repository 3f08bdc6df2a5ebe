// SPDX-License-Identifier: GPL-3.0-or-later

/// A DHCP message (RFC 2131, 2132) with its options in order.
public struct DHCPMessage: Sendable, Hashable {
    /// One option.
    public struct Option: Sendable, Hashable {
        /// Its number.
        public let code: UInt8
        /// Its value.
        public let value: [UInt8]
    }

    /// 1 from a client, 2 from a server.
    public let operation: UInt8
    /// The client's address where it has one.
    public let clientAddress: IPv4Address
    /// The hardware address that the client gives.
    public let clientHardware: MACAddress
    /// All options, also those hidden in the fields for server and boot file name (option 52).
    public let options: [Option]
    /// Bytes that belong to nothing: in the hardware address's padding, in name fields that no option declares, after the
    /// options' end.
    public let strayBytes: [UInt8]

    /// The kind of message, 1…8 (discover, offer, request, decline, ack, nak, release, inform).
    public var kind: UInt8? { options.first { $0.code == 53 && $0.value.count == 1 }?.value.first }

    /// Reads a message; `nil` when it is none or is cut.
    public init?(_ bytes: some Collection<UInt8>) {
        var cursor = ByteCursor(bytes)
        guard let operation = cursor.byte(), cursor.byte() == 1, cursor.byte() == 6, cursor.take(9) != nil,
            let client = cursor.big32(), cursor.take(12) != nil,
            let hardware = cursor.take(6).flatMap({ MACAddress($0) }),
            let padding = cursor.take(10), let server = cursor.take(64), let bootFile = cursor.take(128),
            cursor.big32() == 0x6382_5363, let main = Self.parse(cursor.rest)
        else { return nil }
        var options = main.options
        var stray = Array(padding) + main.rest
        let overload = options.first { $0.code == 52 }?.value.first ?? 0
        for (bit, field) in [(UInt8(1), bootFile), (2, server)] {
            if overload & bit == 0 {
                stray += field
            } else if let more = Self.parse(field) {
                options += more.options
                stray += more.rest
            } else {
                return nil
            }
        }
        self.operation = operation
        clientAddress = IPv4Address(client)
        clientHardware = hardware
        self.options = options
        strayBytes = stray.contains { $0 != 0 } ? stray : []
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) -> (options: [Option], rest: [UInt8])? {
        var cursor = ByteCursor(bytes)
        var options: [Option] = []
        while let code = cursor.byte() {
            switch code {
            case 0: continue
            case 255: return (options, Array(cursor.rest))
            default:
                guard let length = cursor.byte(), let value = cursor.take(Int(length)) else { return nil }
                options.append(Option(code: code, value: Array(value)))
            }
        }
        return (options, [])
    }
}
