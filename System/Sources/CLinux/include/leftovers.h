// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel keeps after the programs have ended that made it. Nothing here allocates; one caller at a time.
#pragma once

// System V shared memory, message queues and semaphores, and POSIX message queues, which outlive the programs that made
// them: shmctl(2), msgctl(2), semctl(2) with IPC_RMID for all, mq_unlink(3).
// Returns how many could not be removed, 1 when that is not known; -1 never.
int clinux_shared_objects_remove(void);
// Opens beforehand what that needs for POSIX message queues.
void clinux_queues_hold(void);

// Removes what is in a folder and on its own file system, but no mount points; with `links_only`, links, files and folders, and no
// devices: the names that stand for disks and their labels. Follows nothing. Twelve folders deep at most.
void clinux_folder_clear(int directory, int links_only);

// All connections that the firewall knows, with their addresses: IPCTNL_MSG_CT_DELETE without any. 0, or -1 when it was refused. 0 as
// well without the driver nf_conntrack_netlink, which the boot stage loads.
int clinux_connections_forget(void);

// Objects of the kernel that it does not empty when it frees them: SLAB_TYPESAFE_BY_RCU and those with a constructor, in an open
// /sys/kernel/slab. Their free pages are given back, and emptied. Returns how many kinds.
int clinux_slabs_shrink(int directory);
