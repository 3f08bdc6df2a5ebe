// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Requests to disks and other block devices.
public enum BlockDevice {
    /// The size of a device. `BLKGETSIZE64`.
    ///
    /// - Parameter device: the open device.
    /// - Returns: bytes.
    /// - Throws: ``SystemCallFailure``.
    public static func size(_ device: borrowing File) throws(SystemCallFailure) -> UInt64 {
        var bytes: UInt64 = 0
        try check("ioctl BLKGETSIZE64", device.path) { clinux_device_size(device.descriptor, &bytes) }
        return bytes
    }

    /// Forbids or allows writing, in the kernel's block layer and for everybody. `BLKROSET`.
    ///
    /// - Parameters:
    ///   - isReadOnly: whether writing is forbidden.
    ///   - device: the open device.
    /// - Throws: ``SystemCallFailure``.
    public static func setReadOnly(_ isReadOnly: Bool, _ device: borrowing File) throws(SystemCallFailure) {
        try check("ioctl BLKROSET", device.path) { clinux_set_read_only(device.descriptor, isReadOnly ? 1 : 0) }
    }

    /// Whether writing is forbidden. `BLKROGET`.
    ///
    /// - Parameter device: the open device.
    /// - Returns: true when it is.
    /// - Throws: ``SystemCallFailure``.
    public static func isReadOnly(_ device: borrowing File) throws(SystemCallFailure) -> Bool {
        try check("ioctl BLKROGET", device.path) { clinux_get_read_only(device.descriptor) } != 0
    }
}

/// Block devices made of parts of others. See `<linux/dm-ioctl.h>` and `man 8 dmsetup`.
public struct DeviceMapper: ~Copyable {
    private let control: File
    var descriptor: Int32 { control.descriptor }

    /// Opens the device mapper's control device.
    ///
    /// - Throws: ``SystemCallFailure``.
    public init() throws(SystemCallFailure) { control = try File("/dev/mapper/control", .readAndWrite) }

    /// Makes a read-only device with one target. `dmsetup create NAME --readonly --table "0 SECTORS TARGET PARAMETERS"`.
    ///
    /// - Parameters:
    ///   - name: its name; nobody else may have it.
    ///   - uuid: its lasting identifier.
    ///   - sectors: its size in sectors of 512 bytes.
    ///   - target: the kind of target, such as `linear`.
    ///   - parameters: the target's parameters.
    /// - Returns: the path of its node, `/dev/dm-N`.
    /// - Throws: ``SystemCallFailure``; nothing is left behind then.
    public func create(
        _ name: String, uuid: String, sectors: UInt64, target: String, parameters: String
    ) throws(SystemCallFailure) -> String {
        var minor: UInt32 = 0
        try check("ioctl DM_DEV_CREATE", name) { clinux_dm_create(control.descriptor, name, uuid, &minor) }
        do {
            try check("ioctl DM_TABLE_LOAD", "\(name): 0 \(sectors) \(target) \(parameters)") {
                clinux_dm_load(control.descriptor, name, sectors, target, parameters)
            }
            try check("ioctl DM_DEV_SUSPEND (resume)", name) { clinux_dm_resume(control.descriptor, name) }
        } catch {
            _ = clinux_dm_remove(control.descriptor, name)
            throw error
        }
        return "/dev/dm-\(minor)"
    }

    /// Removes a device that nobody uses. `dmsetup remove NAME`.
    ///
    /// - Parameter name: its name.
    /// - Throws: ``SystemCallFailure``.
    public func remove(_ name: String) throws(SystemCallFailure) {
        try check("ioctl DM_DEV_REMOVE", name) { clinux_dm_remove(control.descriptor, name) }
    }
}

/// Files as block devices. See `man 4 loop`.
public enum LoopDevice {
    /// Makes a read-only block device with blocks of 4096 bytes from a file. It ends with its last user.
    ///
    /// - Parameter file: the open file.
    /// - Returns: the open device, which keeps it alive, with its path.
    /// - Throws: ``SystemCallFailure``.
    public static func attach(_ file: borrowing File) throws(SystemCallFailure) -> File {
        let control = try File("/dev/loop-control", .readAndWrite)
        let number = try check("ioctl LOOP_CTL_GET_FREE", control.path) { clinux_loop_free(control.descriptor) }
        let device = try File("/dev/loop\(number)", .read)
        try check("ioctl LOOP_CONFIGURE", "\(device.path) from \(file.path)") {
            clinux_loop_configure(device.descriptor, file.descriptor)
        }
        return device
    }
}

/// What the kernel tells about devices that come, change and go. See `man 7 netlink`, `NETLINK_KOBJECT_UEVENT`.
public struct UeventSocket: ~Copyable {
    private let socket: File

    /// Opens a socket that gets every event from now on.
    ///
    /// - Throws: ``SystemCallFailure``.
    public init() throws(SystemCallFailure) {
        // Many events come at once when a bus is scanned; the kernel drops what does not fit.
        let descriptor = try check("socket", "NETLINK_KOBJECT_UEVENT") { clinux_uevent_socket(16 << 20) }
        socket = File(adopting: descriptor, path: "uevents")
    }

    /// For waiting with ``Readiness``.
    public var descriptor: Int32 { socket.descriptor }

    /// Takes one event.
    ///
    /// - Returns: its bytes; `nil` when none is waiting.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noBufferSpace`` when events were lost.
    public func receive() throws(SystemCallFailure) -> [UInt8]? {
        var failure: SystemCallFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            do throws(SystemCallFailure) {
                count = Int(
                    try check("recvfrom", "uevents") {
                        clinux_uevent_receive(socket.descriptor, buffer.baseAddress, buffer.count)
                    })
            } catch {
                failure = error
            }
        }
        if let failure {
            if failure.number == .wouldBlock { return nil }
            throw failure
        }
        return bytes
    }
}
