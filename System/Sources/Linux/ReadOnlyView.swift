// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Loop devices through which a disk or a file can only be read. See `man 4 loop`.
public enum ReadOnlyView {
    /// Makes one. The backing is opened for reading only, so not even the kernel can write through it.
    ///
    /// - Parameter backing: the path of a block device or a file.
    /// - Returns: the loop device's name, such as `loop3`; it stays until ``clear(_:)``.
    /// - Throws: ``SystemCallFailure``.
    public static func make(of backing: String) throws(SystemCallFailure) -> String {
        let file = try File(backing)
        let control = try File("/dev/loop-control", .readAndWrite)
        // Another program may take the free one first.
        for _ in 0..<16 {
            let number = try check("ioctl LOOP_CTL_GET_FREE", "/dev/loop-control") {
                clinux_loop_free(control.descriptor)
            }
            let device = try File("/dev/loop\(number)")
            do throws(SystemCallFailure) {
                try check("ioctl LOOP_CONFIGURE", device.path) {
                    clinux_loop_read_only(device.descriptor, file.descriptor)
                }
                return "loop\(number)"
            } catch {
                if error.number != .busy { throw error }
            }
        }
        throw SystemCallFailure(call: "ioctl LOOP_CONFIGURE", object: backing, number: .busy)
    }

    /// Takes away what is behind a loop device; when it is in use, as soon as it is not.
    ///
    /// - Parameter name: from ``make(of:)``.
    /// - Throws: ``SystemCallFailure``.
    public static func clear(_ name: String) throws(SystemCallFailure) {
        try LoopDevice.clear(try File("/dev/\(name)"))
    }
}

extension FileTree {
    /// Makes a node of a block device. See `man 2 mknod`.
    ///
    /// - Parameters:
    ///   - path: where; nothing is there.
    ///   - node: major and minor number.
    ///   - mode: permission bits.
    ///   - user: the owner.
    ///   - group: the group.
    /// - Throws: ``SystemCallFailure``; nothing is left behind then.
    public static func makeBlockNode(
        _ path: String, _ node: (major: UInt32, minor: UInt32), mode: UInt32, user: UInt32, group: UInt32
    ) throws(SystemCallFailure) {
        try check("mknod", path) { clinux_make_block_node(path, node.major, node.minor, mode, user, group) }
    }
}
