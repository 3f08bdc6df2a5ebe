// SPDX-License-Identifier: GPL-3.0-or-later
// What it takes to end a session: the last system calls, keys, mounts, mapped devices, screens and memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

// reboot(2) with a LINUX_REBOOT_CMD_… command, without sync(2).
int clinux_reboot(uint32_t command);
// SYSLOG_ACTION_SIZE_BUFFER of syslog(2): bytes of the kernel's log.
int clinux_kernel_log_size(void);
// sigprocmask(2): every signal that can be blocked is.
int clinux_block_signals(void);
// close_range(2) from a descriptor upwards.
int clinux_close_from(unsigned first);
// _exit(2).
void clinux_exit(int status) __attribute__((noreturn));
// pause(2) for ever.
void clinux_hold(void) __attribute__((noreturn));

// umount2(2) with UMOUNT_NOFOLLOW and MNT_FORCE or MNT_DETACH.
int clinux_unmount(const char *path, int force, int detach);
// mount(2) with MS_REMOUNT, MS_RDONLY and further flags.
int clinux_remount_read_only(const char *path, unsigned long flags);
// swapoff(2).
int clinux_swap_off(const char *path);

// keyctl(2).
long clinux_key_control(int operation, unsigned long first, unsigned long second, unsigned long third);

// DM_LIST_DEVICES: names with a zero after each. Returns the number of bytes, ENOSPC when they do not fit.
long clinux_dm_names(int control, char *names, size_t size);
// DM_TABLE_STATUS without the table, which would hold keys: the kind of the first target.
int clinux_dm_kind(int control, const char *name, char *kind, size_t size);
// DM_DEV_SUSPEND with DM_SUSPEND_FLAG, DM_SKIP_LOCKFS_FLAG and DM_NOFLUSH_FLAG: at once, whatever was still to be written.
int clinux_dm_suspend(int control, const char *name);
// DM_TARGET_MSG to the first target.
int clinux_dm_message(int control, const char *name, const char *message);

// LOOP_CLR_FD, see loop(4): nothing is behind the loop device any more; when somebody still has it open, as soon as
// he has not.
int clinux_loop_clear(int device);

// ioctl_console(2): VT_OPENQRY, VT_GETSTATE (the mask of consoles in use, 1 to 15), VT_DISALLOCATE, and KDSETMODE
// with KD_TEXT together with VT_SETMODE with VT_AUTO.
int clinux_console_unused(int descriptor);
int clinux_consoles_in_use(int descriptor);
int clinux_console_free(int descriptor, int number);
int clinux_console_text(int descriptor);
// FBIOGET_FSCREENINFO: bytes of a frame buffer.
int clinux_frame_size(int descriptor, uint64_t *bytes);
// DRM_IOCTL_MODE_CREATE_DUMB and DRM_IOCTL_MODE_MAP_DUMB: memory of a graphics card, and where to map it.
int clinux_frame_create(int card, uint32_t width, uint32_t height, uint64_t *bytes, uint64_t *offset);

// mmap(2) of new memory that children share, of new memory that they do not, and of a device's. NULL on failure.
void *clinux_map_shared(size_t count);
void *clinux_map_private(size_t count);
void *clinux_map_device(int descriptor, uint64_t offset, size_t count);
// munmap(2).
void clinux_unmap(void *start, size_t count);
// memset(3).
void clinux_fill(void *start, uint8_t byte, size_t count);
// Whether all bytes are this one.
int clinux_is_filled(const void *start, uint8_t byte, size_t count);
// A number that other processes see at once, and see whole.
uint64_t clinux_counter_read(const uint64_t *counter);
void clinux_counter_add(uint64_t *counter, uint64_t amount);
// sysinfo(2): bytes that nobody uses, all bytes.
uint64_t clinux_memory_free(void);
uint64_t clinux_memory_total(void);
// sysconf(3), _SC_NPROCESSORS_ONLN.
int clinux_processors(void);
