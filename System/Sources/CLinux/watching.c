// SPDX-License-Identifier: GPL-3.0-or-later
// The boot medium and the keyboards, watched without allocating anything: see emergency.h.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int clinux_medium_open(const char *path) { return open(path, O_RDONLY | O_DIRECT | O_NONBLOCK | O_CLOEXEC); }

int clinux_medium_read(int descriptor, uint64_t offset, void *block) {
    // O_DIRECT wants memory aligned to the device's blocks.
    static _Alignas(4096) char aligned[4096];
    long count = pread(descriptor, aligned, sizeof aligned, (off_t)offset);
    if (count < 0) return errno;
    if (count < (long)sizeof aligned) return EIO;
    memcpy(block, aligned, sizeof aligned);
    return 0;
}

int clinux_medium_ejected(int descriptor) {
    int status = ioctl(descriptor, CDROM_DRIVE_STATUS, CDSL_CURRENT);
    return status == CDS_NO_DISC || status == CDS_TRAY_OPEN;
}

int64_t clinux_medium_answers(int descriptor) {
    char text[256];
    long count = pread(descriptor, text, sizeof text - 1, 0);
    if (count <= 0) return -1;
    text[count] = 0;
    // Documentation/block/stat.rst: completed reads, merges, sectors, time; the same for writes.
    int64_t numbers[5] = {0};
    int index = 0;
    for (char *place = text; *place != 0 && index < 5; index++) {
        while (*place == ' ') place++;
        while (*place >= '0' && *place <= '9') numbers[index] = numbers[index] * 10 + (*place++ - '0');
        if (*place != ' ') break;
    }
    return numbers[0] + numbers[4];
}

int clinux_opening_watch(const char *path) {
    int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0) return -1;
    if (inotify_add_watch(descriptor, path, IN_OPEN) >= 0) return descriptor;
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

int clinux_manager_phase(int descriptor) {
    char text[32] = {0};
    if (descriptor < 0 || pread(descriptor, text, sizeof text - 1, 0) <= 0) return CLINUX_MANAGER_AT_WORK;
    if (strcmp(text, "systemd-shutdow\n") == 0) return CLINUX_MANAGER_ENDING;
    return strcmp(text, "shutdown\n") == 0 ? CLINUX_MANAGER_ERASING : CLINUX_MANAGER_AT_WORK;
}

int64_t clinux_folder_size(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (int64_t)status.st_size : -1;
}

// The number behind a name at the beginning of a line; -1 when there is none.
static int64_t kibibytes(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) != 0) continue;
        const char *place = line + length;
        while (*place == ' ') place++;
        if (*place < '0' || *place > '9') return -1;
        int64_t number = 0;
        while (*place >= '0' && *place <= '9' && number < INT64_MAX / 100) number = number * 10 + (*place++ - '0');
        return number;
    }
    return -1;
}

int64_t clinux_unwritten(int descriptor) {
    char text[4096];
    long count = pread(descriptor, text, sizeof text - 1, 0);
    if (count <= 0) return -1;
    text[count] = 0;
    int64_t dirty = kibibytes(text, "Dirty:"), leaving = kibibytes(text, "Writeback:");
    return dirty < 0 || leaving < 0 ? -1 : dirty + leaving;
}

int clinux_keys_open(int number, const uint16_t *codes, int count) {
    char path[32];
    snprintf(path, sizeof path, "/dev/input/event%d", number);
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return -1;
    unsigned char has[KEY_CNT / 8] = {0}, wanted[KEY_CNT / 8] = {0}, none[KEY_CNT / 8] = {0};
    ioctl(descriptor, EVIOCGBIT(EV_KEY, sizeof has), has);
    int known = 0;
    for (int index = 0; index < count; index++) {
        if (codes[index] >= KEY_CNT) continue;
        wanted[codes[index] / 8] |= (unsigned char)(1 << (codes[index] % 8));
        known += has[codes[index] / 8] >> (codes[index] % 8) & 1;
    }
    if (known == 0) {
        close(descriptor);
        errno = ENODEV;
        return -1;
    }
    // EVIOCSMASK (Linux 4.4): of each kind of event, only what is wanted.
    for (uint32_t type = EV_KEY; type < EV_CNT; type++) {
        struct input_mask mask = {
            .type = type, .codes_size = sizeof wanted, .codes_ptr = (uint64_t)(uintptr_t)(type == EV_KEY ? wanted : none)};
        ioctl(descriptor, EVIOCSMASK, &mask);
    }
    return descriptor;
}

uint64_t clinux_keys_down(int descriptor, const uint16_t *codes, int count) {
    unsigned char down[KEY_CNT / 8] = {0};
    if (ioctl(descriptor, EVIOCGKEY(sizeof down), down) < 0) return 0;
    uint64_t bits = 0;
    for (int index = 0; index < count && index < 64; index++) {
        if (codes[index] < KEY_CNT && (down[codes[index] / 8] >> (codes[index] % 8) & 1)) bits |= 1ULL << index;
    }
    explicit_bzero(down, sizeof down);
    return bits;
}

int clinux_keys_next(int descriptor, uint16_t *type, uint16_t *code, int32_t *value) {
    struct input_event event;
    long count;
    do count = read(descriptor, &event, sizeof event);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count != sizeof event) return -1;
    *type = event.type;
    *code = event.code;
    *value = event.value;
    return 1;
}
