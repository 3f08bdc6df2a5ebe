// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Which hardware address an interface gets: the choice of the user, as the kernel option `needletail.mac`.
public enum AddressPolicy: String, Sendable, Hashable, CaseIterable {
    /// A random one that says of itself that it is no vendor's.
    case random
    /// A random one of the same vendor: less conspicuous where strange addresses are, but it tells the make of the card.
    case vendor
    /// The one burnt into the card.
    case permanent

    /// The kernel option's name.
    public static let option = "needletail.mac"

    /// The choice on a kernel command line, and what is wrong with it.
    ///
    /// A value that is not known counts as ``random``: a slip of the hand must not show the card's own address. Of several, the
    /// last counts, as everywhere on this line.
    ///
    /// - Parameter commandLine: the content of `/proc/cmdline`.
    /// - Returns: the policy, and a sentence for the user when the value was not understood.
    public static func chosen(on commandLine: String) -> (policy: AddressPolicy, doubt: String?) {
        let words = commandLine.split(whereSeparator: \.isWhitespace)
        guard let word = words.last(where: { $0.hasPrefix("\(option)=") }) else { return (.random, nil) }
        let value = word.dropFirst(option.utf8.count + 1)
        if let policy = AddressPolicy(rawValue: String(value)) { return (policy, nil) }
        return (.random, Messages.unknownPolicy(ReportText.printable(value)))
    }

    /// The lines for NetworkManager, which gives each connection an address of its own; see NetworkManager.conf(5) and
    /// nm-settings(5).
    var networkManagerConfiguration: String {
        // "FE:FF:FF:00:00:00" keeps the first three bytes of the address that the interface has, which is of its vendor.
        let mask = self == .vendor ? "FE:FF:FF:00:00:00" : ""
        let cloned = self == .permanent ? "permanent" : "random"
        return """
            # Made by /usr/lib/needletail/mac for \(Self.option)=\(rawValue).
            [connection]
            ethernet.cloned-mac-address=\(cloned)
            ethernet.generate-mac-address-mask=\(mask)
            wifi.cloned-mac-address=\(cloned)
            wifi.generate-mac-address-mask=\(mask)

            [device]
            wifi.scan-rand-mac-address=\(self == .permanent ? "no" : "yes")
            wifi.scan-generate-mac-address-mask=\(mask)

            """
    }
}
