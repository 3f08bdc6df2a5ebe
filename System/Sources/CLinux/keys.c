// SPDX-License-Identifier: GPL-3.0-or-later
// Keys of encrypted devices out of memory, without allocating anything: see emergency.h and <linux/dm-ioctl.h>.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static _Alignas(8) char request[16384];

static struct dm_ioctl *prepare(const struct dm_name_list *device) {
    memset(request, 0, sizeof request);
    struct dm_ioctl *header = (struct dm_ioctl *)request;
    header->version[0] = 4;
    header->data_size = sizeof request;
    header->data_start = sizeof *header;
    // By number and not by name: nothing is renamed meanwhile.
    if (device != NULL) header->dev = device->dev;
    return header;
}

// 1 when a target of the device is dm-crypt; its sectors are the end of its last target.
static int is_encrypted(int control, const struct dm_name_list *device, uint64_t *sectors, int *read_only) {
    struct dm_ioctl *header = prepare(device);
    // Without DM_STATUS_TABLE_FLAG: the table would hold the key.
    header->flags = DM_NOFLUSH_FLAG;
    if (ioctl(control, DM_TABLE_STATUS, header) < 0) return -1;
    *read_only = (header->flags & DM_READONLY_FLAG) != 0;
    *sectors = 0;
    int found = 0;
    uint32_t place = header->data_start;
    for (uint32_t index = 0; index < header->target_count; index++) {
        if (place + sizeof(struct dm_target_spec) > sizeof request) break;
        struct dm_target_spec *target = (struct dm_target_spec *)(request + place);
        if (strncmp(target->target_type, "crypt", sizeof target->target_type) == 0) found = 1;
        *sectors = target->sector_start + target->length;
        // In answers this counts from the start of the data.
        place = header->data_start + target->next;
    }
    return found;
}

static int suspend(int control, const struct dm_name_list *device, int on) {
    struct dm_ioctl *header = prepare(device);
    // Nothing is written out, no file system is brought to rest: that could wait for a disk that is gone.
    header->flags = DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG | (on ? DM_SUSPEND_FLAG : 0);
    return ioctl(control, DM_DEV_SUSPEND, header);
}

static int wipe_key(int control, const struct dm_name_list *device) {
    struct dm_ioctl *header = prepare(device);
    struct dm_target_msg *message = (struct dm_target_msg *)(request + header->data_start);
    strcpy(message->message, "key wipe");
    return ioctl(control, DM_TARGET_MSG, header);
}

static int load_error(int control, const struct dm_name_list *device, uint64_t sectors, int read_only) {
    struct dm_ioctl *header = prepare(device);
    header->target_count = 1;
    header->flags = read_only ? DM_READONLY_FLAG : 0;
    struct dm_target_spec *target = (struct dm_target_spec *)(request + header->data_start);
    target->length = sectors;
    target->next = sizeof *target + 8;
    strcpy(target->target_type, "error");
    return ioctl(control, DM_TABLE_LOAD, header);
}

// 1 when it was an encrypted device and has forgotten its key, 0 when it is another, -1 when it has not.
static int forget_key(int control, const struct dm_name_list *device) {
    uint64_t sectors = 0;
    int read_only = 0;
    int encrypted = is_encrypted(control, device, &sectors, &read_only);
    if (encrypted != 1) return encrypted;
    // The key can be wiped only while the device rests.
    int gone = suspend(control, device, 1) == 0 && wipe_key(control, device) == 0;
    // What waits for the device now fails instead of waiting for ever, and with the old table the kernel gives up its last copies.
    // Nothing more reaches the disk.
    if (load_error(control, device, sectors, read_only) == 0 && suspend(control, device, 0) == 0) gone = 1;
    return gone ? 1 : -1;
}

// Whether nothing waits for a device: /sys/dev/block/N:M/inflight says how many reads and writes do. Unknown counts as waiting.
static int is_idle(uint64_t number) {
    char path[64], text[64] = {0};
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/inflight", major(number), minor(number));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long count = read(file, text, sizeof text - 1);
    close(file);
    unsigned reads, writes;
    return count > 0 && sscanf(text, "%u %u", &reads, &writes) == 2 && reads == 0 && writes == 0;
}

int clinux_emergency_keys(void) {
    static _Alignas(8) char list[16384];
    int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    if (control < 0) return errno == ENOENT || errno == ENODEV || errno == ENXIO ? 0 : -1;
    memset(list, 0, sizeof list);
    struct dm_ioctl *header = (struct dm_ioctl *)list;
    header->version[0] = 4;
    header->data_size = sizeof list;
    header->data_start = sizeof *header;
    if (ioctl(control, DM_LIST_DEVICES, header) < 0) {
        close(control);
        return -1;
    }
    // There are more of them than have room in the list.
    int wiped = 0, failed = (header->flags & DM_BUFFER_FULL_FLAG) != 0;
    // One whose disk does not answer may never come to rest. So those that nobody waits for come first.
    for (int pass = 0; pass < 2; pass++) {
        uint32_t place = header->data_start;
        while (place + sizeof(struct dm_name_list) <= sizeof list) {
            struct dm_name_list *device = (struct dm_name_list *)(list + place);
            if (device->dev != 0 && (pass == 1 || is_idle(device->dev))) {
                int result = forget_key(control, device);
                if (result < 0) failed = 1;
                else wiped += result;
                // Done with. An empty list is one entry without a number, too.
                device->dev = 0;
            }
            if (device->next == 0) break;
            place += device->next;
        }
    }
    close(control);
    return failed ? -1 : wiped;
}
