// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "changes.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_network_changes(void) {
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (s < 0) return -1;
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE,
    };
    if (bind(s, (struct sockaddr *)&address, sizeof address) < 0) {
        int reason = errno;
        close(s);
        errno = reason;
        return -1;
    }
    return s;
}
