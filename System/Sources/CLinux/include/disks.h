// SPDX-License-Identifier: GPL-3.0-or-later
// Read-only views of disks, and nodes for them.
#pragma once

// loop(4), LOOP_CONFIGURE: a loop device that only reads, with the block size of what is behind it.
int clinux_loop_read_only(int device, int backing);
// mknod(2) of a block device, with owner and mode. Nothing is left behind on failure.
int clinux_make_block_node(const char *path, unsigned major, unsigned minor, unsigned mode, unsigned user, unsigned group);
