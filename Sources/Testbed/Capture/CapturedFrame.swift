// SPDX-License-Identifier: GPL-3.0-or-later

/// A frame as it was on the wire, with the time at which it was seen.
public struct CapturedFrame: Sendable, Hashable {
    /// Nanoseconds since 1970 by the capturing machine's clock.
    public var nanoseconds: UInt64
    /// The frame from its destination address on, without the checksum.
    public var bytes: [UInt8]
    /// How long the frame was on the wire; more than `bytes.count` when the capture cut it.
    public var originalLength: Int

    /// A frame with its time.
    public init(nanoseconds: UInt64 = 0, bytes: [UInt8], originalLength: Int? = nil) {
        self.nanoseconds = nanoseconds
        self.bytes = bytes
        self.originalLength = originalLength ?? bytes.count
    }
}
