// SPDX-License-Identifier: GPL-3.0-or-later

/// Judges a client's DHCP messages: an address has to be asked for, but nothing about the machine told.
struct DHCPJudge {
    let allowList: AllowList
    let options: Set<UInt8>
    let exception: String
    let hardwareAddresses: Set<MACAddress>

    func opinion(on datagram: UDPDatagram, of packet: IPv4Packet, in frame: Frame) -> Opinion {
        var opinion = Opinion(passing: exception)
        if !packet.options.isEmpty { opinion.add(.ipOptions, "in a DHCP message to \(packet.destination)") }
        if packet.source != .any,
            !allowList.isLocal(packet.source) || allowList.routers.contains(packet.source)
        {
            opinion.add(.sourceAddress, "a DHCP message from \(packet.source)")
        }
        if packet.destination != .broadcast, !allowList.routers.contains(packet.destination) {
            opinion.add(.dhcpOther, "a DHCP message to \(packet.destination)")
        }
        guard let message = DHCPMessage(datagram.payload), message.operation == 1, let kind = message.kind,
            // Discover, request, decline, release, inform.
            [1, 3, 4, 7, 8].contains(kind)
        else {
            opinion.add(.dhcpOther, "\(datagram.payload.count) bytes from port 68 to 67 that are no client's message")
            return opinion
        }
        if message.clientHardware != frame.source {
            opinion.add(.dhcpOther, "names the hardware address \(message.clientHardware), not its sender's")
        }
        if !message.strayBytes.isEmpty || datagram.trailer.contains(where: { $0 != 0 }) {
            opinion.add(.strayBytes, "in a DHCP message")
        }
        for option in message.options { judge(option, of: frame, &opinion) }
        return opinion
    }

    private func judge(_ option: DHCPMessage.Option, of frame: Frame, _ opinion: inout Opinion) {
        let text = printable(option.value)
        switch option.code {
        case 12, 81: opinion.add(.dhcpHostName, "option \(option.code), '\(text)'")
        case 60, 77, 124, 125: opinion.add(.dhcpVendorClass, "option \(option.code), '\(text)'")
        case 61:
            // One that only repeats the frame's own address tells nothing new.
            let repeated = [1] + frame.source.bytes
            if option.value != repeated || hardwareAddresses.contains(where: { option.value.ends(with: $0.bytes) }) {
                opinion.add(.dhcpClientIdentifier, option.value.map(hexadecimal).joined())
            }
        case let code where !options.contains(code): opinion.add(.dhcpOption, "\(code), '\(text)'")
        default: break
        }
    }
}

extension Collection<UInt8> where Self: BidirectionalCollection {
    func ends(with tail: [UInt8]) -> Bool { suffix(tail.count).elementsEqual(tail) }
}

/// Bytes for one line of text: what is not printable ASCII becomes a dot.
func printable(_ bytes: some Collection<UInt8>, limit: Int = 60) -> String {
    String(decoding: bytes.prefix(limit).map { (32..<127).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
}
