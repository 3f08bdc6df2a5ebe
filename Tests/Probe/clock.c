// SPDX-License-Identifier: GPL-3.0-or-later
// Writes the hardware clock, as no program of the image does: the anti-test of the test that looks at it. See rtc(4).
#include "probe.h"

#include <fcntl.h>
#include <linux/rtc.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int hardware_clock(void) {
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    struct rtc_time wanted = {
        .tm_sec = parts.tm_sec, .tm_min = parts.tm_min, .tm_hour = parts.tm_hour,
        .tm_mday = parts.tm_mday, .tm_mon = parts.tm_mon, .tm_year = parts.tm_year,
    };
    int device = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    if (device < 0 || ioctl(device, RTC_SET_TIME, &wanted) < 0) {
        perror("/dev/rtc0");
        return 1;
    }
    close(device);
    return 0;
}
