// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// Memory by the page. See `man 2 mmap`.
public enum Pages {
    /// Bytes of a page.
    public static let size = 4096

    /// Takes memory that belongs to this process alone. The kernel provides a page when it is first written to.
    ///
    /// - Parameter count: bytes, a multiple of ``size``.
    /// - Returns: the memory; `nil` when there is no room for it.
    public static func take(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        clinux_map_private(count).map { UnsafeMutableRawBufferPointer(start: $0, count: count) }
    }

    /// Takes memory of a device.
    ///
    /// - Parameters:
    ///   - device: the open device.
    ///   - offset: where it begins, as the device says.
    ///   - count: bytes.
    /// - Returns: the memory; `nil` when that is not possible.
    public static func take(
        _ device: borrowing File, at offset: UInt64, count: Int
    ) -> UnsafeMutableRawBufferPointer? {
        clinux_map_device(device.descriptor, offset, count).map {
            UnsafeMutableRawBufferPointer(start: $0, count: count)
        }
    }

    /// Gives memory back.
    ///
    /// - Parameter memory: all of what was taken.
    public static func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
        clinux_unmap(memory.baseAddress, memory.count)
    }

    /// Writes one byte everywhere.
    ///
    /// - Parameters:
    ///   - memory: where.
    ///   - byte: which.
    public static func fill(_ memory: UnsafeMutableRawBufferPointer, _ byte: UInt8) {
        clinux_fill(memory.baseAddress, byte, memory.count)
    }

    /// Whether one byte is everywhere.
    ///
    /// - Parameters:
    ///   - memory: where.
    ///   - byte: which.
    /// - Returns: false when there is another.
    public static func isFilled(_ memory: UnsafeRawBufferPointer, _ byte: UInt8) -> Bool {
        clinux_is_filled(memory.baseAddress, byte, memory.count) == 1
    }
}

/// Numbers that this process and the children that it forks see and add to. Kept until the process ends.
public struct SharedCounters {
    private let start: UnsafeMutablePointer<UInt64>
    /// How many there are.
    public let count: Int

    /// Makes counters that stand at 0.
    ///
    /// - Parameter count: how many.
    /// - Throws: ``SystemCallFailure`` when there is no memory.
    public init(_ count: Int) throws(SystemCallFailure) {
        guard count > 0, let memory = clinux_map_shared(count * 8) else {
            throw SystemCallFailure(call: "mmap", object: "\(count) counters", number: .current)
        }
        start = memory.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    /// What a counter says.
    public subscript(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return clinux_counter_read(start + index)
    }

    /// Adds to a counter.
    ///
    /// - Parameters:
    ///   - amount: how much.
    ///   - index: the counter.
    public func add(_ amount: UInt64, to index: Int) {
        precondition(index >= 0 && index < count)
        clinux_counter_add(start + index, amount)
    }
}
