// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "disks.h"

#include <errno.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int clinux_loop_read_only(int device, int backing) {
    struct loop_config configuration;
    memset(&configuration, 0, sizeof configuration);
    configuration.fd = (unsigned)backing;
    configuration.info.lo_flags = LO_FLAGS_READ_ONLY;
    return ioctl(device, LOOP_CONFIGURE, &configuration);
}

int clinux_make_block_node(const char *path, unsigned major, unsigned minor, unsigned mode, unsigned user,
                           unsigned group) {
    // Nobody's until it has its owner.
    if (mknod(path, S_IFBLK, makedev(major, minor)) < 0) return -1;
    if (lchown(path, user, group) == 0 && chmod(path, mode) == 0) return 0;
    int reason = errno;
    unlink(path);
    errno = reason;
    return -1;
}
