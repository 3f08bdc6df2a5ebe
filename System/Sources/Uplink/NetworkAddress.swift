// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Walls

/// An IPv4 address that a network told us, and that is of no use for anything but talking to that network.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address as a number, `192.0.2.1` as 0xC0000201.
    public let number: UInt32

    /// An address from its number.
    public init(number: UInt32) { self.number = number }

    /// Reads four decimal numbers without leading zeros and with dots between them; anything else gives `nil`.
    public init?(_ text: some StringProtocol) {
        guard let address = IPv4(text) else { return nil }
        number = address.number
    }

    /// As the kernel's messages carry it.
    public var kernelAddress: IPv4 { IPv4(number: number) }

    /// Dotted decimal.
    public var description: String { kernelAddress.description }

    /// Whether it can be a computer of the network: not this computer, not the walls' own links, not everybody.
    public var isSomebody: Bool {
        !Self.nobody.contains { number & $0.mask == $0.network } && !isInside
    }

    /// 0/8 and 127/8 are this computer; 169.254/16 is nobody's server (a router does not forward to it); from 224/4 on there is
    /// no single computer.
    private static let nobody: [(network: UInt32, mask: UInt32)] = [
        (0x0000_0000, 0xff00_0000), (0x7f00_0000, 0xff00_0000), (0xa9fe_0000, 0xffff_0000), (0xe000_0000, 0xe000_0000),
    ]

    /// The links between the namespaces.
    private var isInside: Bool {
        guard let links = IPv4(Walls.linkNetwork) else { return true }
        return kernelAddress.network(Walls.linkPrefixLength) == links
    }
}
