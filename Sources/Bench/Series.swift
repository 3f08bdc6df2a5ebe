// SPDX-License-Identifier: GPL-3.0-or-later

/// The values of one quantity, measured several times.
public struct Series: Sendable, Codable, Equatable {
    /// In the order in which they were measured.
    public let values: [Double]

    /// Takes measured values.
    public init(_ values: [Double]) { self.values = values }

    /// Reads a plain list of numbers.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([Double].self))
    }

    /// Writes a plain list of numbers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    /// The value in the middle, of an even number the mean of the two; `nil` without values.
    public var median: Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// From the least to the greatest value; `nil` without values.
    public var spread: ClosedRange<Double>? {
        guard let least = values.min(), let greatest = values.max() else { return nil }
        return least...greatest
    }

    /// This median as a part of another; `nil` where there is none.
    public func ratio(to other: Series) -> Double? {
        guard let median, let reference = other.median, reference > 0 else { return nil }
        return median / reference
    }
}
