// SPDX-License-Identifier: GPL-3.0-or-later
// A file system whose program never answers: whoever touches it waits, and unmounting it politely does, too.
#define _GNU_SOURCE
#include "planter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int mount_stuck(const char *folder) {
    int file = open("/dev/fuse", O_RDWR);
    if (file < 0) return errno;
    char options[96];
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", file);
    if (mount("stuck", folder, "fuse", MS_NOSUID | MS_NODEV, options)) return errno;
    // The kernel's first question waits for its answer as long as this process lives.
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        setsid();
        int nothing = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(nothing, i);
        for (;;) pause();
    }
    return 0;
}
