// SPDX-License-Identifier: GPL-3.0-or-later
// Netlink sockets, network namespaces and bind mounts: what Glibc's module map does not import.
#pragma once

#include <stddef.h>

// A netlink socket of a protocol (netlink(7)), bound, with extended answers to errors; waits at most 10 s for an answer.
int clinux_netlink_socket(int protocol);
// sendto(2) the kernel.
long clinux_netlink_send(int descriptor, const void *bytes, size_t count);
// recv(2) of one datagram from the kernel; MSG_TRUNC makes a longer one tell its length.
long clinux_netlink_receive(int descriptor, void *buffer, size_t size);

// unshare(2) with CLONE_NEWNET: the calling thread gets a network namespace that has only a loopback interface.
int clinux_unshare_network(void);
// setns(2) with CLONE_NEWNET, for the calling thread.
int clinux_enter_network(int descriptor);

// mount(2) with MS_BIND.
int clinux_mount_bind(const char *source, const char *target);
// mount(2) with MS_SHARED and MS_REC.
int clinux_mount_share(const char *target);

// if_nametoindex(3) in the calling thread's network namespace; 0 and errno when there is no such interface.
unsigned clinux_interface_index(const char *name);
