// SPDX-License-Identifier: GPL-3.0-or-later
// Terminals, programs that run in them, and descriptors that go from one process to another.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A new pseudo terminal: pty(7). The other end is opened by the kernel (TIOCGPTPEER), so no path decides which one it is.
int clinux_open_terminal(const char *multiplexer, int *controller, int *terminal);
// TIOCSWINSZ, TIOCGWINSZ.
int clinux_set_window(int terminal, uint16_t rows, uint16_t columns);
int clinux_get_window(int terminal, uint16_t *rows, uint16_t *columns);

// How a terminal was: enough room for a struct termios.
struct clinux_terminal_state {
    uint64_t words[12];
};
// Every key goes to the reader as it is: termios(3), cfmakeraw.
int clinux_raw_terminal(int terminal, struct clinux_terminal_state *before);
// What is typed is not shown, and what was typed before is dropped.
int clinux_silent_terminal(int terminal, struct clinux_terminal_state *before);
int clinux_restore_terminal(int terminal, const struct clinux_terminal_state *before);
int clinux_is_terminal(int descriptor);

// fork(2) and execve(2) with these descriptors as standard input, output and error and no other, in a session of its own, with
// standard input as controlling terminal if asked for. A path without a slash is looked for in `folders` (NULL at the end).
// The child ends with 127 when there is no such program, 126 when it cannot be run. Returns when it leads its session and has its
// terminal: what is typed or sent as a signal from then on is not lost.
int clinux_start(
    char *const folders[], char *const arguments[], char *const environment[], const char *directory, int input,
    int output, int error, int controls_terminal);
// fork(2).
int clinux_fork(void);
// waitpid(2) without waiting; 0 when no child has ended. `status` is the exit status, or 128 and the signal's number.
int clinux_reap(int child, int *status);
// kill(2) of the foreground process group of a terminal (TIOCSIG) or of a process group.
int clinux_signal_group(int group, int signal);
// A descriptor that can be read when one of the signals arrived: signalfd(2). They no longer do anything else.
int clinux_signals(const int *signals, size_t count);
// Takes one; 0 when there is none.
int clinux_next_signal(int descriptor);
// Nothing is blocked any more.
void clinux_unblock_signals(void);
// pidfd_open(2).
int clinux_process_descriptor(int process);
int clinux_kill(int process, int signal);

// O_NONBLOCK taken from the file's flags.
int clinux_set_blocking(int descriptor);
// A new SOCK_SEQPACKET socket, connected to a path: connect(2).
int clinux_connect_packets(const char *path);
// socketpair(2): SOCK_SEQPACKET, both ends close at exec.
int clinux_packet_pair(int ends[2]);
// sendmsg(2) with one message and, unless negative, one descriptor (SCM_RIGHTS).
ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int passed);
// recvmsg(2). `passed` is -1 when none came; more than one, or a message that was cut off, is an error.
ssize_t clinux_receive_packet(int socket, void *bytes, size_t count, int *passed);
