// SPDX-License-Identifier: GPL-3.0-or-later
// The lid of a laptop, and consoles that stay where they are.
#pragma once

// EVIOCGSW: 1 when the lid is closed, 0 when it is open; fails with ENOTTY when this input device has no lid.
int clinux_lid_closed(int descriptor);
// VT_SETMODE: whoever wants to leave this console while it is on the screen waits for this thread, which does not answer; or
// nobody waits. It ends with the thread.
int clinux_console_hold(int descriptor, int is_held);
// VT_LOCKSWITCH, VT_UNLOCKSWITCH: no key and no program puts another console on the screen. Needs CAP_SYS_TTY_CONFIG.
int clinux_console_lock(int descriptor, int is_locked);
