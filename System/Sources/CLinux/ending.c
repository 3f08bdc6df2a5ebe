// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/reboot.h>
#include <linux/vt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

int clinux_reboot(uint32_t command) {
    return (int)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, NULL);
}

int clinux_kernel_log_size(void) { return klogctl(10, NULL, 0); }

int clinux_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return sigprocmask(SIG_SETMASK, &all, NULL);
}

int clinux_close_from(unsigned first) { return close_range(first, ~0U, 0); }

void clinux_exit(int status) { _exit(status); }

void clinux_hold(void) {
    for (;;) pause();
}

int clinux_unmount(const char *path, int force, int detach) {
    return umount2(path, UMOUNT_NOFOLLOW | (force ? MNT_FORCE : 0) | (detach ? MNT_DETACH : 0));
}

int clinux_remount_read_only(const char *path, unsigned long flags) {
    return mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY | flags, NULL);
}

int clinux_swap_off(const char *path) { return swapoff(path); }

long clinux_key_control(int operation, unsigned long first, unsigned long second, unsigned long third) {
    return syscall(SYS_keyctl, operation, first, second, third, 0UL);
}

static struct dm_ioctl *dm_request(size_t size, const char *name, uint32_t flags) {
    struct dm_ioctl *request = calloc(1, size);
    if (request == NULL) return NULL;
    if (strlen(name) >= sizeof request->name) {
        free(request);
        errno = ENAMETOOLONG;
        return NULL;
    }
    request->version[0] = 4;
    request->data_size = (uint32_t)size;
    request->data_start = sizeof *request;
    request->flags = flags;
    strcpy(request->name, name);
    return request;
}

static int dm_end(struct dm_ioctl *request, int result) {
    int saved = errno;
    free(request);
    errno = saved;
    return result;
}

long clinux_dm_names(int control, char *names, size_t size) {
    size_t room = 1 << 16;
    struct dm_ioctl *request = dm_request(room, "", 0);
    if (request == NULL) return -1;
    if (ioctl(control, DM_LIST_DEVICES, request) < 0) return dm_end(request, -1);
    size_t used = 0, at = request->data_start;
    for (;;) {
        if (at > room - sizeof(struct dm_name_list)) break;
        struct dm_name_list *entry = (struct dm_name_list *)((char *)request + at);
        // The list is one entry with device number 0 when there is none.
        if (entry->dev == 0) break;
        size_t length = strnlen(entry->name, room - at - sizeof *entry);
        if (used + length + 1 > size || (request->flags & DM_BUFFER_FULL_FLAG) != 0) {
            errno = ENOSPC;
            return dm_end(request, -1);
        }
        memcpy(names + used, entry->name, length);
        names[used + length] = 0;
        used += length + 1;
        if (entry->next == 0) break;
        at += entry->next;
    }
    free(request);
    return (long)used;
}

int clinux_dm_kind(int control, const char *name, char *kind, size_t size) {
    size_t room = 1 << 14;
    struct dm_ioctl *request = dm_request(room, name, DM_NOFLUSH_FLAG);
    if (request == NULL) return -1;
    if (ioctl(control, DM_TABLE_STATUS, request) < 0) return dm_end(request, -1);
    kind[0] = 0;
    if (request->target_count > 0 && request->data_start <= room - sizeof(struct dm_target_spec)) {
        struct dm_target_spec *target = (struct dm_target_spec *)((char *)request + request->data_start);
        strncpy(kind, target->target_type, size - 1);
        kind[size - 1] = 0;
    }
    return dm_end(request, 0);
}

int clinux_dm_suspend(int control, const char *name) {
    struct dm_ioctl *request =
        dm_request(sizeof *request, name, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG);
    return request == NULL ? -1 : dm_end(request, ioctl(control, DM_DEV_SUSPEND, request));
}

int clinux_dm_message(int control, const char *name, const char *message) {
    size_t length = strlen(message) + 1;
    // At least the whole structure: its size is padded beyond its last field.
    size_t size = sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg) + length;
    struct dm_ioctl *request = dm_request(size, name, 0);
    if (request == NULL) return -1;
    struct dm_target_msg *body = (struct dm_target_msg *)(request + 1);
    body->sector = 0;
    memcpy(body->message, message, length);
    return dm_end(request, ioctl(control, DM_TARGET_MSG, request));
}

int clinux_loop_clear(int device) { return ioctl(device, LOOP_CLR_FD, 0); }

int clinux_console_unused(int descriptor) {
    int number = -1;
    if (ioctl(descriptor, VT_OPENQRY, &number) < 0) return -1;
    if (number < 1) errno = EBUSY;
    return number < 1 ? -1 : number;
}

int clinux_consoles_in_use(int descriptor) {
    struct vt_stat state;
    return ioctl(descriptor, VT_GETSTATE, &state) < 0 ? -1 : state.v_state;
}

int clinux_console_free(int descriptor, int number) { return ioctl(descriptor, VT_DISALLOCATE, number); }

int clinux_console_text(int descriptor) {
    // A console that asks its program before it is left would wait for a program that stands still.
    struct vt_mode mode = {.mode = VT_AUTO};
    int first = ioctl(descriptor, KDSETMODE, KD_TEXT);
    int second = ioctl(descriptor, VT_SETMODE, &mode);
    return first < 0 ? first : second;
}

int clinux_frame_size(int descriptor, uint64_t *bytes) {
    struct fb_fix_screeninfo screen;
    memset(&screen, 0, sizeof screen);
    if (ioctl(descriptor, FBIOGET_FSCREENINFO, &screen) < 0) return -1;
    *bytes = screen.smem_len;
    return 0;
}

// <drm/drm_mode.h>, which not every build machine has: struct drm_mode_create_dumb and struct drm_mode_map_dumb.
struct create_dumb {
    uint32_t height, width, bpp, flags, handle, pitch;
    uint64_t size;
};
struct map_dumb {
    uint32_t handle, pad;
    uint64_t offset;
};

int clinux_frame_create(int card, uint32_t width, uint32_t height, uint64_t *bytes, uint64_t *offset) {
    struct create_dumb create = {.width = width, .height = height, .bpp = 32};
    if (ioctl(card, _IOWR('d', 0xB2, struct create_dumb), &create) < 0) return -1;
    struct map_dumb map = {.handle = create.handle};
    if (ioctl(card, _IOWR('d', 0xB3, struct map_dumb), &map) < 0) return -1;
    *bytes = create.size;
    *offset = map.offset;
    return 0;
}

static void *map(int protection_flags, int descriptor, uint64_t offset, size_t count) {
    void *start = mmap(NULL, count, PROT_READ | PROT_WRITE, protection_flags, descriptor, (off_t)offset);
    return start == MAP_FAILED ? NULL : start;
}

void *clinux_map_shared(size_t count) { return map(MAP_SHARED | MAP_ANONYMOUS, -1, 0, count); }

void *clinux_map_private(size_t count) {
    void *start = map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, count);
    // Fewer page faults, and fewer pages for page tables. Where it is not possible it changes nothing.
    if (start != NULL) madvise(start, count, MADV_HUGEPAGE);
    return start;
}

void *clinux_map_device(int descriptor, uint64_t offset, size_t count) {
    return map(MAP_SHARED, descriptor, offset, count);
}

void clinux_unmap(void *start, size_t count) { munmap(start, count); }

void clinux_fill(void *start, uint8_t byte, size_t count) { memset(start, byte, count); }

int clinux_is_filled(const void *start, uint8_t byte, size_t count) {
    const uint8_t *bytes = start;
    return count == 0 || (bytes[0] == byte && memcmp(bytes, bytes + 1, count - 1) == 0);
}

uint64_t clinux_counter_read(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_SEQ_CST); }

void clinux_counter_add(uint64_t *counter, uint64_t amount) {
    __atomic_fetch_add(counter, amount, __ATOMIC_SEQ_CST);
}

uint64_t clinux_memory_free(void) {
    struct sysinfo info;
    return sysinfo(&info) < 0 ? 0 : (uint64_t)info.freeram * info.mem_unit;
}

uint64_t clinux_memory_total(void) {
    struct sysinfo info;
    return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

int clinux_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}
