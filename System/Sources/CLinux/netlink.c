// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int clinux_netlink_socket(int protocol) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return -1;
    int on = 1;
    // Words of the kernel in an error are a help, not a need.
    setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    struct timeval patience = {.tv_sec = 10};
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0
        || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

long clinux_netlink_send(int descriptor, const void *bytes, size_t count) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    return sendto(descriptor, bytes, count, 0, (struct sockaddr *)&kernel, sizeof kernel);
}

long clinux_netlink_receive(int descriptor, void *buffer, size_t size) {
    for (;;) {
        struct sockaddr_nl sender = {0};
        socklen_t length = sizeof sender;
        long count = recvfrom(descriptor, buffer, size, MSG_TRUNC, (struct sockaddr *)&sender, &length);
        // Process id 0 is the kernel: another process may not answer in its place.
        if (count < 0 || sender.nl_pid == 0) return count;
    }
}

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET); }

int clinux_enter_network(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int clinux_mount_bind(const char *source, const char *target) { return mount(source, target, NULL, MS_BIND, NULL); }

int clinux_mount_share(const char *target) { return mount(NULL, target, NULL, MS_SHARED | MS_REC, NULL); }

unsigned clinux_interface_index(const char *name) { return if_nametoindex(name); }
