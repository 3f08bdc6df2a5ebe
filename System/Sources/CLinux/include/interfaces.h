// SPDX-License-Identifier: GPL-3.0-or-later
// Netlink exchanges about network interfaces and firewall sets, and the kernel's random numbers.
#pragma once

#include <stddef.h>
#include <stdint.h>

// A netlink(7) socket of a family (NETLINK_ROUTE 0, NETLINK_NETFILTER 12); waiting for an answer ends after 5 s with EAGAIN.
int clinux_exchange_open(int family);
// Sends to the kernel and to nobody else.
long clinux_exchange_send(int descriptor, const void *bytes, size_t count);
// Receives one datagram from the kernel; one from another process gives 0, one that does not fit fails with EMSGSIZE.
long clinux_exchange_receive(int descriptor, void *bytes, size_t count);
// getrandom(2) without flags: waits until the kernel has gathered enough to be unforeseeable. At most 256 bytes.
long clinux_random(void *bytes, size_t count);
// flock(2), LOCK_EX.
int clinux_lock(int descriptor);
