// SPDX-License-Identifier: GPL-3.0-or-later

/// Makes hardware addresses.
enum AddressChoice {
    /// A new address under a policy that wants one.
    ///
    /// - Parameters:
    ///   - vendor: the first three bytes that are kept; `nil` for an address without a vendor.
    ///   - avoided: addresses that it must not be.
    ///   - random: draws bytes.
    /// - Returns: six bytes; `nil` when the random numbers give nothing but what is avoided.
    /// - Throws: what `random` throws.
    static func address<Failure: Error>(
        vendor: [UInt8]?, avoiding avoided: [[UInt8]], random: (Int) throws(Failure) -> [UInt8]
    ) throws(Failure) -> [UInt8]? {
        for _ in 0..<16 {
            var address = try random(6)
            guard address.count == 6 else { return nil }
            if let vendor {
                address.replaceSubrange(0..<3, with: vendor)
            } else {
                // Bit 0: a group, never a sender. Bit 1: given by the owner, not by a vendor. IEEE 802, 8.4.
                address[0] = address[0] & 0xfc | 0x02
            }
            if !avoided.contains(address) { return address }
        }
        return nil
    }

    /// Whether bytes can be the address of one card.
    static func isCard(_ address: [UInt8]) -> Bool {
        address.count == 6 && address[0] & 1 == 0 && address.contains { $0 != 0 }
    }
}
