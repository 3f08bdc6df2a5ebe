// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> cannot be included together in every C library: these are mount(2)'s own.
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#define DETACH 2

int clinux_clone(uint64_t flags) { return (int)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0); }

int clinux_unshare(int flags) { return unshare(flags); }

int clinux_clone_mount(const char *path) {
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

int clinux_change_mount(int mount_descriptor, uint64_t attributes, int user_namespace) {
    struct mount_attr change = {.attr_set = attributes};
    if (user_namespace >= 0) {
        change.attr_set |= MOUNT_ATTR_IDMAP;
        change.userns_fd = (uint64_t)user_namespace;
    }
    return (int)syscall(SYS_mount_setattr, mount_descriptor, "", AT_EMPTY_PATH, &change, sizeof change);
}

int clinux_attach_mount(int mount_descriptor, const char *path) {
    return (int)syscall(SYS_move_mount, mount_descriptor, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

int clinux_enter_root(const char *path) {
    if (chdir(path) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", DETACH) < 0) return -1;
    return chdir("/");
}

int clinux_make_mounts_private(void) { return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL); }

int clinux_bind(const char *source, const char *target, unsigned long flags) {
    if (mount(source, target, NULL, MS_BIND, NULL) < 0) return -1;
    return flags == 0 ? 0 : mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | flags, NULL);
}

int clinux_limit_capabilities(uint64_t mask) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -1;
    for (int capability = 0; capability < 64; capability++) {
        // EINVAL: this kernel has no further capability.
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;
        if ((mask >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -1;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0) return -1;
    for (int half = 0; half < 2; half++) {
        uint32_t part = (uint32_t)(mask >> 32 * half);
        sets[half].permitted &= part;
        sets[half].effective &= part;
        sets[half].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, sets);
}

int clinux_become(uint32_t user, uint32_t group) {
    // In this order: after the change of user the rest is not allowed any more.
    if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0) return -1;
    return setresuid(user, user, user);
}

int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int clinux_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int clinux_hide_memory(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int clinux_filter_system_calls(const uint64_t *instructions, size_t count) {
    struct sock_filter program[512];
    if (count == 0 || count > sizeof program / sizeof program[0]) {
        errno = EINVAL;
        return -1;
    }
    for (size_t index = 0; index < count; index++) {
        uint64_t word = instructions[index];
        program[index] = (struct sock_filter){
            .code = (uint16_t)word, .jt = (uint8_t)(word >> 16), .jf = (uint8_t)(word >> 24), .k = (uint32_t)(word >> 32)};
    }
    struct sock_fprog filter = {.len = (unsigned short)count, .filter = program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int clinux_system_call_number(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = {
#define CALL(name) {#name, SYS_##name}
        CALL(acct), CALL(add_key), CALL(adjtimex), CALL(bpf), CALL(clock_adjtime), CALL(clock_settime), CALL(clone),
        CALL(clone3), CALL(delete_module), CALL(fanotify_init), CALL(finit_module), CALL(fsconfig), CALL(fsmount),
        CALL(fsopen), CALL(fspick), CALL(getpid), CALL(init_module), CALL(io_uring_enter), CALL(io_uring_register),
        CALL(io_uring_setup), CALL(ioctl), CALL(ioperm), CALL(iopl), CALL(kcmp), CALL(kexec_file_load),
        CALL(kexec_load), CALL(keyctl), CALL(modify_ldt), CALL(mount), CALL(mount_setattr), CALL(move_mount),
        CALL(name_to_handle_at), CALL(open_by_handle_at), CALL(open_tree), CALL(perf_event_open), CALL(pidfd_getfd),
        CALL(pivot_root), CALL(process_vm_readv), CALL(process_vm_writev), CALL(ptrace), CALL(quotactl), CALL(reboot),
        CALL(request_key), CALL(setdomainname), CALL(sethostname), CALL(setns), CALL(settimeofday), CALL(swapoff),
        CALL(swapon), CALL(syslog), CALL(umount2), CALL(unshare), CALL(userfaultfd), CALL(vhangup),
#undef CALL
    };
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++)
        if (strcmp(known[index].name, name) == 0) return known[index].number;
    return -1;
}

void clinux_forget(void *bytes, size_t count) { explicit_bzero(bytes, count); }
