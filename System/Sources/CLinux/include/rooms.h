// SPDX-License-Identifier: GPL-3.0-or-later
// What it takes to give processes a system of their own: namespaces, detached mounts, capabilities, system call filters.
#pragma once

#include <stddef.h>
#include <stdint.h>

// clone(2) without a new stack: as fork(2), with CLONE_NEW… flags. Only from a process with a single thread.
int clinux_clone(uint64_t flags);
// unshare(2).
int clinux_unshare(int flags);
// open_tree(2) with OPEN_TREE_CLONE and OPEN_TREE_CLOEXEC (Linux 5.2): a mount without what is mounted on top of it.
int clinux_clone_mount(const char *path);
// mount_setattr(2) on the mount itself (Linux 5.12): sets MOUNT_ATTR_… and, unless `user_namespace` is negative, MOUNT_ATTR_IDMAP.
int clinux_change_mount(int mount, uint64_t attributes, int user_namespace);
// move_mount(2): attaches a detached mount.
int clinux_attach_mount(int mount, const char *path);
// pivot_root(2) of the current directory onto itself, and umount2(2) of the old root, MNT_DETACH.
int clinux_enter_root(const char *path);
// mount(2) of "none" with MS_REC | MS_PRIVATE at /: what is mounted here is not seen elsewhere.
int clinux_make_mounts_private(void);
// mount(2) with MS_BIND, then again with MS_REMOUNT and further flags.
int clinux_bind(const char *source, const char *target, unsigned long flags);

// Limits the bounding, permitted, effective and inheritable sets to those of a mask (bit n: capability n), and empties the
// ambient set: capabilities(7).
int clinux_limit_capabilities(uint64_t mask);
// setgroups(2) to none, setresgid(2) and setresuid(2).
int clinux_become(uint32_t user, uint32_t group);
// prctl(2): PR_SET_NO_NEW_PRIVS.
int clinux_no_new_privileges(void);
// prctl(2): PR_SET_PDEATHSIG.
int clinux_die_with_parent(int signal);
// prctl(2): PR_SET_DUMPABLE 0.
int clinux_hide_memory(void);
// seccomp(2): SECCOMP_SET_MODE_FILTER. Each instruction is a struct sock_filter in a 64-bit word: code, jump if true,
// jump if false, operand, from the low bits upwards.
int clinux_filter_system_calls(const uint64_t *instructions, size_t count);

// Numbers of system calls by name, -1 when this list does not have it.
int clinux_system_call_number(const char *name);

// explicit_bzero(3).
void clinux_forget(void *bytes, size_t count);
