// SPDX-License-Identifier: GPL-3.0-or-later
// Stream sockets of the Unix domain: what Swift cannot call because of unions, macros or missing imports.
#pragma once

#include <stddef.h>
#include <stdint.h>

// A new stream socket that does not block, connected to a path: socket(2), connect(2), unix(7).
int clinux_connect_unix(const char *path);
// A new listening socket that does not block. What is at the path already is removed first.
int clinux_listen_unix(const char *path, int backlog);
// accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK.
int clinux_accept(int listener);
// O_NONBLOCK added to the file's other flags.
int clinux_set_nonblocking(int descriptor);
// FD_CLOEXEC.
int clinux_close_at_exec(int descriptor);
// SO_PEERCRED: the other side's ids when it connected.
int clinux_peer_credentials(int socket, int32_t *process, uint32_t *user, uint32_t *group);
// SO_PEERPIDFD (Linux 6.5): a descriptor that stands for the other side's process.
int clinux_peer_process(int socket);
// send(2) with MSG_NOSIGNAL: a reader that is gone is an error, not the end of this program.
long clinux_send(int socket, const void *bytes, size_t count);
