// SPDX-License-Identifier: GPL-3.0-or-later
// System calls and requests that Glibc's module map does not import into Swift: functions with variable arguments,
// macros with a type in them, and calls without a wrapper. One small function for each; all return -1 and set errno
// on failure, as system calls do.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "capabilities.h"
#include "console.h"
#include "disks.h"
#include "leftovers.h"
#include "lid.h"
#include "netlink.h"
#include "changes.h"
#include "ending.h"
#include "emergency.h"
#include "rooms.h"
#include "secrets.h"
#include "sockets.h"
#include "terminals.h"

// finit_module(2)
int clinux_finit_module(int descriptor, const char *parameters);

// getauxval(3), AT_EXECFN: the path with which the kernel started this program. NULL when it did not tell.
const char *clinux_executed_path(void);

// The arguments that the kernel passed to this program; NULL behind the last.
const char *clinux_argument(int index);

// reboot(2) with RB_POWER_OFF and RB_AUTOBOOT. They do not return on success.
int clinux_power_off(void);
int clinux_restart(void);

// syslog(2), SYSLOG_ACTION_CONSOLE_LEVEL: messages of a lower level than this one go to the console.
int clinux_console_level(int level);

// open(2) with a mode.
int clinux_open(const char *path, int flags, unsigned mode);

// flock(2), LOCK_EX.
int clinux_lock(int descriptor);

// getrandom(2) without flags: waits until the kernel has gathered enough to be unforeseeable. At most 256 bytes.
long clinux_random(void *bytes, size_t count);

// pipe2(2) with O_CLOEXEC.
int clinux_pipe(int ends[2]);

// fork(2) and execve(2); the child's standard output and error go to `output`, its standard input is /dev/null.
// Returns the child's process id.
int clinux_spawn(const char *path, char *const arguments[], char *const environment[], int output);

// ioctl(2) on block devices: BLKROSET, BLKROGET, BLKGETSIZE64, BLKSSZGET.
int clinux_set_read_only(int descriptor, int read_only);
int clinux_get_read_only(int descriptor);
int clinux_device_size(int descriptor, uint64_t *bytes);
int clinux_logical_block_size(int descriptor);

// Sends the kernel's uevents to a new socket: NETLINK_KOBJECT_UEVENT, see netlink(7).
int clinux_uevent_socket(int receive_buffer);
// Receives one message from the kernel; a message from anybody else gives 0.
long clinux_uevent_receive(int descriptor, void *buffer, size_t size);

// Device mapper, see <linux/dm-ioctl.h>. `control` is /dev/mapper/control.
int clinux_dm_create(int control, const char *name, const char *uuid, uint32_t *minor);
int clinux_dm_load(int control, const char *name, uint64_t sectors, const char *target, const char *parameters);
int clinux_dm_resume(int control, const char *name);
int clinux_dm_remove(int control, const char *name);

// Loop devices, see loop(4): LOOP_CTL_GET_FREE and LOOP_CONFIGURE (Linux 5.8), read-only, with 4096-byte blocks, gone
// with the last use.
int clinux_loop_free(int control);
int clinux_loop_configure(int device, int file);

// major(3), minor(3) of st_rdev and st_dev without the macros.
unsigned clinux_major(uint64_t device);
unsigned clinux_minor(uint64_t device);
