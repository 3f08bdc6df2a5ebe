// SPDX-License-Identifier: GPL-3.0-or-later
// Virtual consoles (ioctl_vt(2)) and terminals (termios(3)).
#pragma once

// The number of the virtual console that a descriptor is; fails with ENOTTY when it is something else.
int clinux_console_number(int descriptor);
// VT_GETSTATE: the number of the console that is on the screen.
int clinux_console_active(int descriptor);
// VT_ACTIVATE: puts a console on the screen. Allowed through one's own controlling terminal without any capability.
int clinux_console_activate(int descriptor, int number);
// The console's own font (KD_FONT_OP_SET_DEFAULT): somebody may have loaded another one. For text consoles only.
int clinux_console_default_font(int descriptor);
// What was selected on any console, to be pasted, gives way to the character in the corner of the console that is on the
// screen (ioctl_console(2), TIOCLINUX with TIOCL_SETSEL); the kernel frees the buffer with the old text. A dark screen stays
// dark. Needs CAP_SYS_ADMIN.
int clinux_console_forget_selection(int descriptor);
// Bytes as they are typed, without echo and without signals from keys.
int clinux_terminal_raw(int descriptor);
// TIOCGWINSZ: the number of lines.
int clinux_terminal_lines(int descriptor);
// TCIFLUSH: forgets what was typed and not read.
int clinux_terminal_forget(int descriptor);

// fork(2) and execve(2); the child keeps standard input and output, writes its errors there too, and has
// nothing else.
int clinux_spawn_on_terminal(const char *path, char *const arguments[], char *const environment[]);
