// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Media

/// Running from memory: the system image is copied, so that the medium can be taken out.
///
/// The copy is a file in a tmpfs that has no name any more, seen through a read-only loop device. What is copied was
/// read through verity, so that a bad stick is found now and not when it is back in its owner's pocket; the copy is
/// read through verity again, because memory can be bad too.
enum ToRAM {
    private static let directory = "/ram-system"
    private static let step = 1 << 20

    /// Copies the system.
    ///
    /// - Parameters:
    ///   - device: the system as mapped from the medium.
    ///   - configuration: its sizes.
    ///   - progress: called with each new per cent.
    /// - Returns: the open loop device; it must stay open until it is mapped.
    /// - Throws: ``BootFailure``.
    static func copy(
        _ device: SystemDevice.Mapped, configuration: BootConfiguration, progress: (Int) -> Void
    ) throws(BootFailure) -> File {
        let size = configuration.dataSize + configuration.hashSize
        let available = Memory.current?.available ?? 0
        guard available >= size + Memory.reserve else {
            throw .noMemoryForToRAM(needed: size + Memory.reserve, available: available)
        }
        let path = "\(directory)/system.img"
        let image: File
        do {
            try FileTree.makeDirectory(directory, mode: 0o700)
            try Mount.attach(
                "tmpfs", from: "tmpfs", at: directory, [.noExecution, .noSetUser, .noDevices],
                options: "size=\(size + 1 << 20),mode=700")
            image = try File(path, .create(mode: 0o400))
        } catch { throw .root("\(error)") }
        do {
            let verified = try File(device.system)
            try copy(verified, 0..<configuration.dataSize, to: image, total: size, progress)
            // The hashes cannot be read through themselves: they are judged with the first block under each.
            let raw = try File(device.medium)
            try copy(raw, configuration.dataSize..<size, to: image, total: size, progress)
        } catch {
            throw .systemDamaged("\(error)")
        }
        do {
            let loop = try LoopDevice.attach(image)
            try FileTree.remove(path)
            try Mount.detach(directory)
            return loop
        } catch { throw .root("\(error)") }
    }

    private static func copy(
        _ source: borrowing File, _ range: Range<UInt64>, to image: borrowing File, total: UInt64,
        _ progress: (Int) -> Void
    ) throws(SystemCallFailure) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(UInt64(step), range.upperBound - offset))
            let bytes = try source.read(at: offset, count: count)
            guard bytes.count == count else {
                throw SystemCallFailure(call: "pread", object: "\(source.path) at \(offset)", number: .inputOutput)
            }
            try image.write(bytes)
            source.forget(at: offset, count: count)
            let before = offset * 100 / total
            offset += UInt64(count)
            if offset * 100 / total != before { progress(Int(offset * 100 / total)) }
        }
    }
}
