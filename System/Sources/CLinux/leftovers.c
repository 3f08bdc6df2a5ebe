// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel keeps after the programs have ended that made it. Nothing here allocates: an emergency does the same.
#define _GNU_SOURCE
#include "CLinux.h"
#include "entries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

// --- Folders ----------------------------------------------------------------------------------------------------------

// Depth is bounded; memory is not needed.
static void clear(int directory, int depth, int links_only) {
    static _Alignas(8) char buffers[12][2048];
    if (depth >= 12 || lseek(directory, 0, SEEK_SET) < 0) return;
    for (;;) {
        long count = syscall(SYS_getdents64, directory, buffers[depth], sizeof buffers[depth]);
        if (count <= 0) return;
        int removed = 0;
        for (long place = 0; place < count;) {
            struct entry *entry = (struct entry *)(buffers[depth] + place);
            place += entry->length;
            const char *name = entry->name;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
            if (links_only && entry->type != DT_LNK && entry->type != DT_REG && entry->type != DT_DIR) continue;
            // A mount point is busy and stays; a link is removed and not followed.
            if (unlinkat(directory, name, 0) == 0) {
                removed = 1;
            } else if (errno == EISDIR || errno == EPERM) {
                int folder = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (folder < 0) continue;
                struct stat inner, outer;
                // What is mounted there is not ours to empty; a stuck FUSE server would not even answer.
                if (fstat(directory, &outer) == 0 && fstat(folder, &inner) == 0 && inner.st_dev == outer.st_dev) {
                    clear(folder, depth + 1, links_only);
                }
                close(folder);
                if (unlinkat(directory, name, AT_REMOVEDIR) == 0) removed = 1;
            }
        }
        // tmpfs goes on where it was; only what was not seen is left.
        if (removed) lseek(directory, 0, SEEK_SET);
        else continue;
    }
}

void clinux_folder_clear(int directory, int links_only) { clear(directory, 0, links_only); }

// --- Connections ------------------------------------------------------------------------------------------------------

int clinux_connections_forget(void) {
    // Without the driver nobody can be asked, and asking would make the kernel look for it on the medium.
    if (access("/sys/module/nf_conntrack_netlink", F_OK) < 0) return errno == ENOENT ? 0 : -1;
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (descriptor < 0) return -1;
    // Nothing names a connection: all of them.
    struct {
        struct nlmsghdr head;
        struct nfgenmsg message;
    } request = {
        .head = {.nlmsg_len = sizeof request,
                 .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0}};
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char more[512];
    } answer = {0};
    struct timeval patience = {.tv_sec = 1};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int result = send(descriptor, &request, sizeof request, 0) == sizeof request
            && recv(descriptor, &answer, sizeof answer, 0) >= (long)(sizeof answer.head + sizeof answer.error.error)
            && answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0
        ? 0
        : -1;
    close(descriptor);
    return result;
}

// --- The kernel's own objects ---------------------------------------------------------------------------------------------

// The first bytes of a small file below a folder; 0 when it cannot be read.
static long peek(int directory, const char *path, char *text, size_t size) {
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long count = read(file, text, size);
    close(file);
    return count;
}

static int shrink(int directory, const char *name) {
    char path[NAME_MAX + 24], text[128] = {0};
    // Those that are emptied when they are freed (init_on_free) need nothing. Not emptied are those that somebody may still look at,
    // and those that are kept as their maker has prepared them.
    snprintf(path, sizeof path, "%s/destroy_by_rcu", name);
    int is_kept = peek(directory, path, text, sizeof text - 1) > 0 && text[0] == '1';
    if (!is_kept) {
        snprintf(path, sizeof path, "%s/ctor", name);
        is_kept = peek(directory, path, text, sizeof text - 1) > 1;
    }
    if (!is_kept) return 0;
    snprintf(path, sizeof path, "%s/shrink", name);
    int file = openat(directory, path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return 0;
    int result = write(file, "1", 1) == 1;
    close(file);
    return result;
}

int clinux_slabs_shrink(int directory) {
    static _Alignas(8) char buffer[16384];
    return each(directory, buffer, sizeof buffer, shrink);
}

// --- What programs leave for each other ------------------------------------------------------------------------------------

// POSIX message queues. Where they are shown is unmounted sooner than they end, so they are looked at in a mount of its own.
static int held_queues = -1;

static int open_queues(void) {
    int context = fsopen("mqueue", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int mount = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0
        ? -1
        : fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    int saved = errno;
    close(context);
    errno = saved;
    if (mount < 0) return -1;
    // What fsmount(2) gives is good for paths only.
    int folder = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    saved = errno;
    close(mount);
    errno = saved;
    return folder;
}

void clinux_queues_hold(void) {
    if (held_queues < 0) held_queues = open_queues();
}

// Whoever made them is gone, they stay. Returns how many are left; 1 when that is not known.
static int remove_queues(void) {
    _Alignas(struct entry) static char entries[16 << 10];
    clinux_queues_hold();
    // A kernel without them has none.
    if (held_queues < 0) return errno == ENODEV || errno == ENOSYS ? 0 : 1;
    // What is removed while it is read may hide another: until there are none.
    for (int turn = 0, removed = 1, left = 0;; turn++) {
        if (removed == 0 || turn == 64) return left;
        removed = left = 0;
        lseek(held_queues, 0, SEEK_SET);
        long count;
        while ((count = syscall(SYS_getdents64, held_queues, entries, sizeof entries)) > 0) {
            for (long place = 0; place < count;) {
                const struct entry *one = (const struct entry *)(entries + place);
                place += one->length;
                if (one->type != DT_REG) continue;
                if (unlinkat(held_queues, one->name, 0) == 0) removed++;
                else left++;
            }
        }
        if (count < 0) left++;
    }
}

int clinux_shared_objects_remove(void) {
    struct shmid_ds memory;
    struct msqid_ds queue;
    struct semid_ds semaphores;
    union {
        int value;
        struct semid_ds *buffer;
    } argument = {.buffer = &semaphores};
    // The highest index in use, then each index.
    int left = 0;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&(struct shm_info){0});
    for (int index = 0; index <= last; index++) {
        int id = shmctl(index, SHM_STAT_ANY, &memory);
        if (id >= 0 && shmctl(id, IPC_RMID, NULL) < 0) left++;
    }
    last = msgctl(0, MSG_INFO, (struct msqid_ds *)&(struct msginfo){0});
    for (int index = 0; index <= last; index++) {
        int id = msgctl(index, MSG_STAT_ANY, &queue);
        if (id >= 0 && msgctl(id, IPC_RMID, NULL) < 0) left++;
    }
    struct seminfo information = {0};
    argument.buffer = (struct semid_ds *)&information;
    last = semctl(0, 0, SEM_INFO, argument);
    for (int index = 0; index <= last; index++) {
        argument.buffer = &semaphores;
        int id = semctl(index, 0, SEM_STAT_ANY, argument);
        if (id >= 0 && semctl(id, 0, IPC_RMID) < 0) left++;
    }
    return left + remove_queues();
}
