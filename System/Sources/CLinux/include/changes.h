// SPDX-License-Identifier: GPL-3.0-or-later
// News of the network.
#pragma once

// A netlink socket that gets a message for every change of links, IPv4 addresses and IPv4 routes, see rtnetlink(7). It does
// not block, and read(2) says ENOBUFS when messages were lost.
int clinux_network_changes(void);
