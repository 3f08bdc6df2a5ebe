// SPDX-License-Identifier: GPL-3.0-or-later
// What the emergency program does when the boot medium is gone. Nothing here allocates memory or opens anything on the
// medium after `clinux_emergency_arm`: buffers are static, paths are those of the kernel's own file systems. Each call is
// made by one thread at a time, but different calls may run at the same time. All return 0 or a count, and -1 on failure.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The Swift compiler then lets functions that may not allocate call these.
#define CLINUX_NO_ALLOCATION __attribute__((swift_attr("@_noAllocation")))

// --- Arming -----------------------------------------------------------------------------------------------------------

// mlockall(2) for what is and what will be; the heap is never given back; the stack is touched. PR_SET_IO_FLUSHER: when
// memory is short, this process does not wait for a disk.
int clinux_emergency_lock(void);
// SCHED_RR for a process with one thread, or, with 0, for this thread; what it forks is ordinary again.
int clinux_emergency_urgent(int process) CLINUX_NO_ALLOCATION;
// Opens everything that can be opened beforehand. Returns the number of things that could not.
int clinux_emergency_arm(void);
// Every file of which process 1 has mapped a part stays in memory as a whole, so that it can run for a moment when the medium
// is gone: mlock(2). Returns the number of files, or -1 when they are not known.
int clinux_emergency_pin(void);

// From here on a crash of a thread is a step that hangs: the others go on, and the watchdog ends it all.
void clinux_emergency_begin(void) CLINUX_NO_ALLOCATION;
// Ctrl-Alt-Delete does not restart the computer: LINUX_REBOOT_CMD_CAD_OFF of reboot(2).
void clinux_forbid_restart_keys(void) CLINUX_NO_ALLOCATION;

// --- Time and waiting -------------------------------------------------------------------------------------------------

// Milliseconds of CLOCK_MONOTONIC; of CLOCK_BOOTTIME, which also runs while the computer sleeps.
int64_t clinux_emergency_now(void) CLINUX_NO_ALLOCATION;
int64_t clinux_emergency_now_with_sleep(void) CLINUX_NO_ALLOCATION;
void clinux_emergency_pause(int milliseconds) CLINUX_NO_ALLOCATION;

// A crew of threads with small stacks, each waiting for its work. `run` gets the member's number and the context.
#define CLINUX_CREW_MAX 16
int clinux_crew_prepare(int count, void (*run)(int32_t member, void *context), void *context);
// Lets a member work once; -1 when it is still busy. `wake` is an eventfd that is written at the end, or -1.
int clinux_crew_start(int32_t member, int wake) CLINUX_NO_ALLOCATION;
// 1 when the member has nothing to do.
int clinux_crew_idle(int32_t member) CLINUX_NO_ALLOCATION;
// Waits for a member's end, at most until a time of `clinux_emergency_now`; 1 when it has ended, 0 when the time is up.
int clinux_crew_wait(int32_t member, int64_t until) CLINUX_NO_ALLOCATION;

// poll(2) on descriptors for reading; `ready[i]` is 1 for those that can be read or have failed. Descriptors of -1 are left
// out. At most 80.
int clinux_watch(const int32_t *descriptors, uint8_t *ready, int count, int milliseconds) CLINUX_NO_ALLOCATION;
int clinux_event_descriptor(void);
void clinux_event_clear(int descriptor) CLINUX_NO_ALLOCATION;
long clinux_plain_read(int descriptor, void *bytes, size_t count) CLINUX_NO_ALLOCATION;
void clinux_plain_close(int descriptor) CLINUX_NO_ALLOCATION;
// One event of the kernel; 0 for a message of somebody else, -2 when events were lost, -1 when none is there.
long clinux_uevent_take(int descriptor, void *buffer, size_t size) CLINUX_NO_ALLOCATION;
// accept4(2) and SO_PEERCRED.
int clinux_accept_peer(int listener, uint32_t *user) CLINUX_NO_ALLOCATION;
long clinux_answer(int socket, const void *bytes, size_t count) CLINUX_NO_ALLOCATION;
// /dev/kmsg: for who looks for the reason on a serial console.
void clinux_emergency_say(const uint8_t *text, size_t length, int64_t number) CLINUX_NO_ALLOCATION;

// --- Watching ---------------------------------------------------------------------------------------------------------

// Opens the medium for reads past the page cache.
int clinux_medium_open(const char *path);
// Reads 4096 bytes at an offset; returns 0, or the errno. May hang as long as the bus does.
int clinux_medium_read(int descriptor, uint64_t offset, void *block) CLINUX_NO_ALLOCATION;
// Whether a drive for discs has none: CDROM_DRIVE_STATUS. 1 none or open, 0 there is one or unknown.
int clinux_medium_ejected(int descriptor) CLINUX_NO_ALLOCATION;
// The number of requests that the disk has answered, from an open /sys/block/NAME/stat; -1 when it is gone.
int64_t clinux_medium_answers(int descriptor) CLINUX_NO_ALLOCATION;

// What process 1 is by its open /proc/1/comm: systemd, or something unknown; systemd-shutdown; the boot stage, which erases.
enum { CLINUX_MANAGER_AT_WORK, CLINUX_MANAGER_ENDING, CLINUX_MANAGER_ERASING };
int clinux_manager_phase(int descriptor) CLINUX_NO_ALLOCATION;
// inotify(7): can be read when a file is opened, also to be executed. What is read tells nothing more.
int clinux_opening_watch(const char *path);
// The st_size of an open folder: of /proc/PID/fd it is the number of open files (Linux 6.2; 0 before). -1 when it is gone.
int64_t clinux_folder_size(int descriptor) CLINUX_NO_ALLOCATION;
// "Dirty" and "Writeback" of an open /proc/meminfo together, in KiB; -1 when one of them is missing.
int64_t clinux_unwritten(int descriptor) CLINUX_NO_ALLOCATION;

// Opens /dev/input/eventN and asks for these keys only: the program never sees what else is typed. -1 when it has no keys.
int clinux_keys_open(int number, const uint16_t *codes, int count) CLINUX_NO_ALLOCATION;
// Which of the keys are down now, as bits.
uint64_t clinux_keys_down(int descriptor, const uint16_t *codes, int count) CLINUX_NO_ALLOCATION;
// One event: type, code and value. 1, or 0 when there is none, -1 when the keyboard is gone.
int clinux_keys_next(int descriptor, uint16_t *type, uint16_t *code, int32_t *value) CLINUX_NO_ALLOCATION;

// --- Acting -----------------------------------------------------------------------------------------------------------

// Background light of panels off (/sys/class/backlight/*/bl_power).
int clinux_emergency_backlight(void) CLINUX_NO_ALLOCATION;
// Radios off, then every interface down.
int clinux_emergency_network(void) CLINUX_NO_ALLOCATION;
// Every dm-crypt device: suspended without writing anything, its key wiped, its table replaced by one that only fails.
// Returns the number of devices whose key is gone, or -1 when one is not.
int clinux_emergency_keys(void) CLINUX_NO_ALLOCATION;
// Every group below the root of the tree of control groups is frozen but this program's own, emergency.slice, into the root of the
// tree when it is in another; that of process 1 too, unless it is systemd-shutdown.
int clinux_emergency_freeze(void) CLINUX_NO_ALLOCATION;
// SIGSTOP, then SIGKILL, to every process but 1 and this one.
int clinux_emergency_stop(void) CLINUX_NO_ALLOCATION;
int clinux_emergency_kill(void) CLINUX_NO_ALLOCATION;
// The number of programs that still run, without 1, this one, zombies and the kernel's threads; -1 when not known.
int clinux_emergency_living(void) CLINUX_NO_ALLOCATION;
// What is dead keeps its registers and its name in memory until its parent asks for its end, and that is process 1 by now: lets
// it run until nothing is left, at most for this time, and freezes it again, unless it is systemd-shutdown. Returns how many are
// left.
int clinux_emergency_reap(int milliseconds) CLINUX_NO_ALLOCATION;
// Shows the empty console, blanks it, switches the screens off and writes zeros over the frame buffers. 0 when the
// empty console is on the screen, or there are no consoles.
int clinux_emergency_dark(void) CLINUX_NO_ALLOCATION;
// Every mount but the kernel's own file systems, /, /run and what is below /run/initramfs is taken out of the tree, and the files
// in /run are removed; what could wait for a disk last. Returns the number of mounts.
int clinux_emergency_detach(void) CLINUX_NO_ALLOCATION;
// The page cache, twice, with dentries and inodes. Not before the dirty pages are gone with their file systems.
int clinux_emergency_drop(void) CLINUX_NO_ALLOCATION;
// Takes all SCSI disks away (/sys/block/*/device/delete), so that what waits for a dead one goes on.
int clinux_emergency_cut(void) CLINUX_NO_ALLOCATION;
// reboot(2) off; restart; SysRq o; SysRq b. Each only when the one before has come back. Called again while reboot(2) is at work,
// it waits ten seconds and restarts with SysRq b.
void clinux_emergency_end(void) CLINUX_NO_ALLOCATION;
