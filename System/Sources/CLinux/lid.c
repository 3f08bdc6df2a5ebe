// SPDX-License-Identifier: GPL-3.0-or-later
#include "lid.h"

#include <errno.h>
#include <linux/input.h>
#include <linux/vt.h>
#include <string.h>
#include <sys/ioctl.h>

int clinux_lid_closed(int descriptor) {
    unsigned char switches[(SW_MAX + 8) / 8];
    memset(switches, 0, sizeof switches);
    if (ioctl(descriptor, EVIOCGBIT(EV_SW, sizeof switches), switches) < 0) return -1;
    if (!(switches[SW_LID / 8] >> (SW_LID % 8) & 1)) {
        errno = ENOTTY;
        return -1;
    }
    memset(switches, 0, sizeof switches);
    if (ioctl(descriptor, EVIOCGSW(sizeof switches), switches) < 0) return -1;
    return switches[SW_LID / 8] >> (SW_LID % 8) & 1;
}

int clinux_console_hold(int descriptor, int is_held) {
    // No signal: this program never answers, so no switch is ever completed.
    struct vt_mode mode = {.mode = is_held ? VT_PROCESS : VT_AUTO};
    return ioctl(descriptor, VT_SETMODE, &mode);
}

int clinux_console_lock(int descriptor, int is_locked) {
    return ioctl(descriptor, is_locked ? VT_LOCKSWITCH : VT_UNLOCKSWITCH, 1);
}
