// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// System calls for the emergency: none of them allocates memory, and the compiler checks it.
///
/// `@_noAllocation` makes it an error when a function, or anything that it calls, could allocate, free or make metadata. That is a
/// promise about this process's heap; what the kernel needs for a system call it takes from its own reserves.
public enum LastCalls {
    // MARK: Before

    /// Keeps this process in memory for good: its program, its heap, its stacks. See `man 2 mlockall`.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func lockMemory() throws(SystemCallFailure) { try check("mlockall", "") { clinux_emergency_lock() } }

    /// Lets this thread run before all ordinary ones. What it forks is ordinary again.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func makeUrgent() throws(SystemCallFailure) {
        try check("sched_setscheduler", "SCHED_RR") { clinux_emergency_urgent(0) }
    }

    /// Keeps all that process 1 runs in memory, so that it can do so without the medium.
    ///
    /// - Returns: how many files; -1 when they are not known.
    public static func pinProcessOne() -> Int32 { clinux_emergency_pin() }

    /// Opens what the actions need.
    ///
    /// - Returns: the number of things that are missing; 0 when everything is there.
    public static func openWhatIsNeeded() -> Int { Int(clinux_emergency_arm()) }

    /// Opens a disk for ``read(_:at:into:)``.
    ///
    /// - Returns: the descriptor, never closed.
    /// - Throws: ``SystemCallFailure``.
    public static func openMedium(_ path: String) throws(SystemCallFailure) -> Int32 {
        try check("open", path) { clinux_medium_open(path) }
    }

    /// Opens a file of the kernel that is read again and again.
    ///
    /// - Returns: the descriptor, never closed.
    /// - Throws: ``SystemCallFailure``.
    public static func openForGood(_ path: String) throws(SystemCallFailure) -> Int32 {
        try check("open", path) { clinux_open(path, 0o2000000, 0) }  // O_RDONLY | O_CLOEXEC
    }

    /// A descriptor that can be read when a member of the crew has ended, never closed.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func makeBell() throws(SystemCallFailure) -> Int32 {
        try check("eventfd", "") { clinux_event_descriptor() }
    }

    /// A descriptor that can be read when a file was opened, or executed, never closed. See `man 7 inotify`.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func watchForOpening(_ path: String) throws(SystemCallFailure) -> Int32 {
        try check("inotify_add_watch", path) { clinux_opening_watch(path) }
    }

    /// A socket for ``takeEvent(_:_:)``, never closed.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func openEvents() throws(SystemCallFailure) -> Int32 {
        try check("socket", "NETLINK_KOBJECT_UEVENT") { clinux_uevent_socket(1 << 20) }
    }

    /// Starts threads that wait for ``start(_:bell:)``. Once in the life of a process.
    ///
    /// - Parameters:
    ///   - count: 1 to 16.
    ///   - context: given to `run`.
    ///   - run: called in a thread with its number.
    /// - Throws: ``SystemCallFailure``.
    public static func prepareCrew(
        _ count: Int32, context: UnsafeMutableRawPointer,
        run: @escaping @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void
    ) throws(SystemCallFailure) {
        try check("pthread_create", "crew of \(count)") { clinux_crew_prepare(count, run, context) }
    }

    /// From here on a crash of a thread is a step that hangs, and not the end of the program.
    @_noAllocation public static func begin() { clinux_emergency_begin() }

    // MARK: Time and threads

    /// Milliseconds since the kernel's start, without the time that the computer slept.
    @_noAllocation public static func now() -> Int64 { clinux_emergency_now() }
    /// Milliseconds since the kernel's start, with it.
    @_noAllocation public static func nowWithSleep() -> Int64 { clinux_emergency_now_with_sleep() }
    /// Waits.
    @_noAllocation public static func pause(_ milliseconds: Int32) { clinux_emergency_pause(milliseconds) }
    /// Lets a member of the crew work once. False while it is still at work.
    @_noAllocation @discardableResult public static func start(_ member: Int32, bell: Int32 = -1) -> Bool {
        clinux_crew_start(member, bell) == 0
    }
    /// Whether a member of the crew has nothing to do.
    @_noAllocation public static func isIdle(_ member: Int32) -> Bool { clinux_crew_idle(member) == 1 }
    /// Waits until a member of the crew has ended, at most until a time of ``now()``.
    @_noAllocation public static func wait(_ member: Int32, until: Int64) -> Bool {
        clinux_crew_wait(member, until) == 1
    }
    /// Waits until something can be read: `man 2 poll`. Descriptors of -1 are left out.
    @_noAllocation public static func watch(
        _ descriptors: UnsafePointer<Int32>, _ ready: UnsafeMutablePointer<UInt8>, _ count: Int, _ milliseconds: Int32
    ) -> Bool { clinux_watch(descriptors, ready, Int32(truncatingIfNeeded: count), milliseconds) > 0 }
    /// Makes a bell of ``makeBell()`` quiet.
    @_noAllocation public static func quiet(_ bell: Int32) { clinux_event_clear(bell) }
    /// Writes a line with a number into the kernel's log.
    @_noAllocation public static func say(_ text: StaticString, _ number: Int64 = 0) {
        clinux_emergency_say(text.utf8Start, text.utf8CodeUnitCount, number)
    }

    // MARK: Descriptors

    /// Reads what is there; -1 on failure.
    @_noAllocation public static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        clinux_plain_read(descriptor, buffer.baseAddress, buffer.count)
    }
    /// Closes a descriptor.
    @_noAllocation public static func close(_ descriptor: Int32) { clinux_plain_close(descriptor) }
    /// Takes the next connection and says who is at the other end; -1 when there is none.
    @_noAllocation public static func accept(_ listener: Int32, _ user: UnsafeMutablePointer<UInt32>) -> Int32 {
        clinux_accept_peer(listener, user)
    }
    /// Writes to a socket without waiting.
    @_noAllocation public static func answer(_ socket: Int32, _ text: StaticString) {
        // With the zero at its end, which a message of Varlink has.
        _ = clinux_answer(socket, text.utf8Start, text.utf8CodeUnitCount + 1)
    }
    /// Takes one of the kernel's events about devices: its length; 0 for a forged one, -1 when there is none, -2 when some were lost.
    @_noAllocation public static func takeEvent(_ socket: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        clinux_uevent_take(socket, buffer.baseAddress, buffer.count)
    }

    // MARK: Medium and keyboards

    /// Reads 4096 bytes of a medium, past the page cache. Returns 0 or the error number. May hang.
    @_noAllocation public static func read(
        _ medium: Int32, at offset: UInt64, into block: UnsafeMutableRawPointer
    ) -> Int32 { clinux_medium_read(medium, offset, block) }
    /// Whether a drive for discs is open or empty.
    @_noAllocation public static func isEjected(_ drive: Int32) -> Bool { clinux_medium_ejected(drive) == 1 }
    /// How many requests a disk has answered, from its open `stat` file; -1 when it is gone.
    @_noAllocation public static func answers(_ statistics: Int32) -> Int64 { clinux_medium_answers(statistics) }
    /// Whether process 1, by its open `comm` file, is systemd-shutdown(8).
    @_noAllocation public static func isLastManager(_ name: Int32) -> Bool {
        clinux_manager_phase(name) == Int32(CLINUX_MANAGER_ENDING)
    }
    /// Whether process 1, by its open `comm` file, is the boot stage's program that erases memory.
    @_noAllocation public static func isErasing(_ name: Int32) -> Bool {
        clinux_manager_phase(name) == Int32(CLINUX_MANAGER_ERASING)
    }
    /// How many files a process has open, from its open `fd` folder. 0 before Linux 6.2; -1 when it is gone.
    @_noAllocation public static func openFiles(_ folder: Int32) -> Int64 { clinux_folder_size(folder) }
    /// Ctrl-Alt-Delete does not restart the computer. See `man 2 reboot`, `LINUX_REBOOT_CMD_CAD_OFF`.
    @_noAllocation public static func forbidRestartKeys() { clinux_forbid_restart_keys() }
    /// KiB that are to be written to disks, or are being written, from the open `/proc/meminfo`; -1 when it is not known.
    @_noAllocation public static func unwritten(_ memory: Int32) -> Int64 { clinux_unwritten(memory) }
    /// Opens `/dev/input/eventN` for some keys only; -1 when it has none of them.
    @_noAllocation public static func openKeyboard(
        _ number: Int32, _ codes: UnsafePointer<UInt16>, _ count: Int
    ) -> Int32 { clinux_keys_open(number, codes, Int32(truncatingIfNeeded: count)) }
    /// Which of the keys are down, as bits.
    @_noAllocation public static func keysDown(
        _ keyboard: Int32, _ codes: UnsafePointer<UInt16>, _ count: Int
    ) -> UInt64 { clinux_keys_down(keyboard, codes, Int32(truncatingIfNeeded: count)) }
    /// One event of a keyboard: 1; 0 when there is none; -1 when the keyboard is gone.
    @_noAllocation public static func nextKey(
        _ keyboard: Int32, _ type: UnsafeMutablePointer<UInt16>, _ code: UnsafeMutablePointer<UInt16>,
        _ value: UnsafeMutablePointer<Int32>
    ) -> Int32 { clinux_keys_next(keyboard, type, code, value) }

    // MARK: Actions

    /// The background light of panels off.
    @_noAllocation public static func switchLightsOff() -> Int32 { clinux_emergency_backlight() }
    /// Radios off, interfaces down.
    @_noAllocation public static func takeNetworkDown() -> Int32 { clinux_emergency_network() }
    /// Keys of encrypted devices out of memory; -1 when one is left.
    @_noAllocation public static func wipeKeys() -> Int32 { clinux_emergency_keys() }
    /// Every process but this one frozen; -1 when that is not possible.
    @_noAllocation public static func freeze() -> Int32 { clinux_emergency_freeze() }
    /// SIGSTOP to every process but 1 and this one.
    @_noAllocation public static func stop() { _ = clinux_emergency_stop() }
    /// SIGKILL to every process but 1 and this one.
    @_noAllocation public static func kill() { _ = clinux_emergency_kill() }
    /// How many programs run besides 1 and this one.
    @_noAllocation public static func living() -> Int32 { clinux_emergency_living() }
    /// Process 1 let run until it has buried the dead, or the time is up. Returns how many are left.
    @_noAllocation public static func reap(milliseconds: Int64) -> Int32 {
        clinux_emergency_reap(Int32(truncatingIfNeeded: milliseconds))
    }
    /// An empty, black console on the screen, and frame buffers full of zeros; -1 when something else is on the screen.
    @_noAllocation public static func darken() -> Int32 { clinux_emergency_dark() }
    /// File systems out of the tree, and the files of `/run` removed.
    @_noAllocation public static func detach() -> Int32 { clinux_emergency_detach() }
    /// What programs left for each other removed, and the kernel's caches emptied.
    @_noAllocation public static func dropCaches() -> Int32 { clinux_emergency_drop() }
    /// Disks taken away from the kernel, so that nothing waits for them.
    @_noAllocation public static func cutDisks() -> Int32 { clinux_emergency_cut() }
    /// Off, one way or the other.
    @_noAllocation public static func end() { clinux_emergency_end() }
}
