// SPDX-License-Identifier: GPL-3.0-or-later
// An encrypted disk without any tool: device mapper's own calls. See: the kernel's documentation of dm-crypt.
#define _GNU_SOURCE
#include "planter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct request {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char words[512];
};

static void begin(struct request *request) {
    memset(request, 0, sizeof *request);
    request->head.version[0] = DM_VERSION_MAJOR;
    request->head.data_size = sizeof *request;
    request->head.data_start = offsetof(struct request, target);
    // The caller's buffer is wiped after the call.
    request->head.flags = DM_SECURE_DATA_FLAG;
    strcpy(request->head.name, "vault");
}

int open_encrypted(const struct crop *crop) {
    int disk = open(crop->path, O_RDONLY);
    uint64_t size = 0;
    if (disk < 0 || ioctl(disk, BLKGETSIZE64, &size)) return errno;
    close(disk);
    int control = open("/dev/mapper/control", O_RDWR);
    if (control < 0) return errno;
    struct request request;
    begin(&request);
    if (ioctl(control, DM_DEV_CREATE, &request)) return errno;
    begin(&request);
    request.head.target_count = 1;
    request.target.length = size / 512;
    strcpy(request.target.target_type, "crypt");
    snprintf(request.words, sizeof request.words, "aes-xts-plain64 %s 0 %s 0", crop->marker, crop->path);
    if (ioctl(control, DM_TABLE_LOAD, &request)) return errno;
    begin(&request);
    if (ioctl(control, DM_DEV_SUSPEND, &request)) return errno;  // without its flag: resume
    printf("/dev/dm-%u\n", minor(request.head.dev));
    return 0;
}

int halt_encrypted(void) {
    int control = open("/dev/mapper/control", O_RDWR);
    if (control < 0) return errno;
    struct request request;
    begin(&request);
    request.head.flags |= DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG;
    return ioctl(control, DM_DEV_SUSPEND, &request) ? errno : 0;
}
