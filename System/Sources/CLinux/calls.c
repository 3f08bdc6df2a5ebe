// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int clinux_finit_module(int descriptor, const char *parameters) {
    return (int)syscall(SYS_finit_module, descriptor, parameters, 0);
}

int clinux_power_off(void) { return reboot(RB_POWER_OFF); }

int clinux_restart(void) { return reboot(RB_AUTOBOOT); }

int clinux_console_level(int level) { return klogctl(8, NULL, level); }

int clinux_open(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }

int clinux_lock(int descriptor) { return flock(descriptor, LOCK_EX); }

long clinux_random(void *bytes, size_t count) { return getrandom(bytes, count, 0); }

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_spawn(const char *path, char *const arguments[], char *const environment[], int output) {
    int child = fork();
    if (child != 0) return child;
    // Only calls that are safe between fork and exec: signal-safety(7).
    int input = open("/dev/null", O_RDONLY);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(126);
    close_range(3, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, arguments, environment);
    _exit(127);
}

int clinux_set_read_only(int descriptor, int read_only) { return ioctl(descriptor, BLKROSET, &read_only); }

int clinux_get_read_only(int descriptor) {
    int read_only = 0;
    return ioctl(descriptor, BLKROGET, &read_only) < 0 ? -1 : read_only != 0;
}

int clinux_device_size(int descriptor, uint64_t *bytes) { return ioctl(descriptor, BLKGETSIZE64, bytes); }

int clinux_logical_block_size(int descriptor) {
    int size = 0;
    return ioctl(descriptor, BLKSSZGET, &size) < 0 ? -1 : size;
}

int clinux_uevent_socket(int receive_buffer) {
    int descriptor = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (descriptor < 0) return -1;
    // Group 1 is the kernel's own; group 2 is udev's.
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0
        || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

long clinux_uevent_receive(int descriptor, void *buffer, size_t size) {
    struct sockaddr_nl sender = {0};
    socklen_t length = sizeof sender;
    ssize_t count = recvfrom(descriptor, buffer, size, 0, (struct sockaddr *)&sender, &length);
    if (count < 0) return -1;
    // Process id 0 is the kernel: another process may not tell us about devices.
    return sender.nl_pid == 0 ? count : 0;
}

unsigned clinux_major(uint64_t device) { return major(device); }

unsigned clinux_minor(uint64_t device) { return minor(device); }

const char *clinux_executed_path(void) { return (const char *)getauxval(AT_EXECFN); }
