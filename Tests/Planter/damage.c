// SPDX-License-Identifier: GPL-3.0-or-later
// What a session must never do: writes to a disk of the computer, to its firmware and to its clock, so that a test sees that this
// is noticed.
#define _GNU_SOURCE
#include "planter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/rtc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

static int damage_disk(const char *disk) {
    int file = open(disk, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    int off = 0;
    int error = ioctl(file, BLKROSET, &off) ? errno : 0;
    close(file);
    if (error) return error;
    file = open(disk, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    char sector[512];
    memset(sector, 'D', sizeof sector);
    if (pwrite(file, sector, sizeof sector, 512 * 40) < 0 || fsync(file)) error = errno;
    close(file);
    return error;
}

static int damage_firmware(void) {
    const char *folder = "/sys/firmware/efi/efivars";
    if (mount("efivarfs", folder, "efivarfs", 0, NULL) && errno != EBUSY) return errno;
    if (mount(NULL, folder, NULL, MS_REMOUNT, NULL)) return errno;
    int file = open("/sys/firmware/efi/efivars/Planted-5b7c1b2e-6a0c-4f0e-9a53-2f3a4f1d9d10", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    // EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS, _RUNTIME_ACCESS, then the content.
    const char content[] = {7, 0, 0, 0, 'p'};
    int error = write(file, content, sizeof content) < 0 ? errno : 0;
    close(file);
    return error;
}

static int damage_clock(void) {
    int clock = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    if (clock < 0) return errno;
    time_t later = time(NULL) + 3600;
    struct tm broken;
    gmtime_r(&later, &broken);
    struct rtc_time moment = {.tm_sec = broken.tm_sec, .tm_min = broken.tm_min, .tm_hour = broken.tm_hour,
                              .tm_mday = broken.tm_mday, .tm_mon = broken.tm_mon, .tm_year = broken.tm_year};
    int error = ioctl(clock, RTC_SET_TIME, &moment) ? errno : 0;
    close(clock);
    return error;
}

int damage(const char *disk) {
    int error = damage_disk(disk);
    if (!error) error = damage_firmware();
    return error ? error : damage_clock();
}
