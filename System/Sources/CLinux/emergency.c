// SPDX-License-Identifier: GPL-3.0-or-later
// What is done in an emergency, without allocating anything: see emergency.h.
#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fb.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The console that nobody uses: the last one.
enum { EMPTY_CONSOLE = 63 };

// Opened when the program is armed, because opening may need the medium's own directory entries, or memory.
static struct {
    int processes, control_groups, own_group, blocks, lights, interfaces, network, run, mounts, caches, request, console,
        empty_console, log;
} held;

static int keep(const char *path, int flags) { return open(path, flags | O_CLOEXEC | O_NOCTTY); }

int clinux_emergency_arm(void) {
    held.processes = keep("/proc", O_RDONLY | O_DIRECTORY);
    held.mounts = keep("/proc/self/mountinfo", O_RDONLY);
    held.caches = keep("/proc/sys/vm/drop_caches", O_WRONLY);
    held.request = keep("/proc/sysrq-trigger", O_WRONLY);
    held.control_groups = keep("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
    held.own_group = keep("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
    held.blocks = keep("/sys/block", O_RDONLY | O_DIRECTORY);
    held.lights = keep("/sys/class/backlight", O_RDONLY | O_DIRECTORY);
    held.interfaces = keep("/sys/class/net", O_RDONLY | O_DIRECTORY);
    // Interfaces are asked through a socket of any family.
    held.network = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    held.run = keep("/run", O_RDONLY | O_DIRECTORY);
    held.console = keep("/dev/tty0", O_RDWR | O_NONBLOCK);
    // Opening it makes the kernel allocate its screen now.
    held.empty_console = keep("/dev/tty63", O_RDWR | O_NONBLOCK);
    held.log = keep("/dev/kmsg", O_WRONLY | O_NONBLOCK);
    // A computer without panel has no lights, one without graphics no consoles.
    int missing = 0;
    const int needed[] = {
        held.processes, held.mounts, held.caches, held.request, held.control_groups, held.own_group, held.blocks,
        held.interfaces, held.network, held.run};
    for (size_t index = 0; index < sizeof needed / sizeof *needed; index++) missing += needed[index] < 0;
    return missing;
}

int clinux_emergency_pin(void) {
    FILE *maps = fopen("/proc/1/maps", "re");
    if (maps == NULL) return -1;
    char line[PATH_MAX + 128], last[PATH_MAX] = "";
    int pinned = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        char *path = strchr(line, '/');
        if (path == NULL) continue;
        path[strcspn(path, "\n")] = 0;
        // The parts of a file follow each other.
        if (strcmp(path, last) == 0) continue;
        snprintf(last, sizeof last, "%s", path);
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (file < 0) continue;
        struct stat status;
        if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
            void *start = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
            if (start != MAP_FAILED && mlock(start, (size_t)status.st_size) == 0) pinned++;
        }
        close(file);
    }
    fclose(maps);
    return pinned;
}

static int put(int directory, const char *path, const char *text) {
    int file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) return -1;
    long count = write(file, text, strlen(text));
    close(file);
    return count < 0 ? -1 : 0;
}

// The kernel's struct linux_dirent64.
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

// Calls `visit` with each name in a directory; returns the sum of what it returns.
static int each(int directory, char *buffer, size_t size, int (*visit)(int directory, const char *name)) {
    int sum = 0;
    if (directory < 0 || lseek(directory, 0, SEEK_SET) < 0) return -1;
    for (;;) {
        long count = syscall(SYS_getdents64, directory, buffer, size);
        if (count <= 0) return sum;
        for (long place = 0; place < count;) {
            struct entry *entry = (struct entry *)(buffer + place);
            if (entry->name[0] != '.') sum += visit(directory, entry->name);
            place += entry->length;
        }
    }
}

// --- Lights, network --------------------------------------------------------------------------------------------------

static int dim(int directory, const char *name) {
    char path[NAME_MAX + 16];
    snprintf(path, sizeof path, "%s/bl_power", name);
    return put(directory, path, "4") == 0;  // FB_BLANK_POWERDOWN
}

int clinux_emergency_backlight(void) {
    static _Alignas(8) char buffer[4096];
    return held.lights < 0 ? 0 : each(held.lights, buffer, sizeof buffer, dim);
}

static int take_down(int directory, const char *name) {
    (void)directory;
    struct ifreq request = {0};
    if (strlen(name) >= sizeof request.ifr_name) return 0;
    strcpy(request.ifr_name, name);
    if (ioctl(held.network, SIOCGIFFLAGS, &request) < 0) return 0;
    request.ifr_flags &= (short)~IFF_UP;
    return ioctl(held.network, SIOCSIFFLAGS, &request) == 0;
}

int clinux_emergency_network(void) {
    static _Alignas(8) char buffer[16384];
    int radios = open("/dev/rfkill", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (radios >= 0) {
        // <linux/rfkill.h>: index, type (all), operation (change all), soft, hard.
        const unsigned char request[8] = {0, 0, 0, 0, 0, 3, 1, 0};
        if (write(radios, request, sizeof request) < 0) {}
        close(radios);
    }
    return each(held.interfaces, buffer, sizeof buffer, take_down);
}

// --- Processes --------------------------------------------------------------------------------------------------------

static int freeze(int directory, const char *name) {
    char path[NAME_MAX + 24];
    snprintf(path, sizeof path, "%s/cgroup.freeze", name);
    // Files of the root have no such child.
    return put(directory, path, "1") == 0;
}

// Counts groups that have something that still runs.
static int is_moving(int directory, const char *name) {
    char path[NAME_MAX + 24], text[128];
    snprintf(path, sizeof path, "%s/cgroup.events", name);
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long count = read(file, text, sizeof text - 1);
    close(file);
    if (count < 0) return 0;
    text[count] = 0;
    return strstr(text, "frozen 0") != NULL;
}

int clinux_emergency_freeze(void) {
    static _Alignas(8) char buffer[16384];
    // Otherwise this process would freeze itself.
    if (held.own_group < 0 || write(held.own_group, "0", 1) < 0) return -1;
    int frozen = each(held.control_groups, buffer, sizeof buffer, freeze);
    if (frozen <= 0) return -1;
    // Who waits for a dead disk cannot freeze, and does nothing either.
    for (int turn = 0; turn < 20 && each(held.control_groups, buffer, sizeof buffer, is_moving) > 0; turn++) {
        clinux_emergency_pause(10);
    }
    return frozen;
}

int clinux_emergency_stop(void) { return kill(-1, SIGSTOP); }

int clinux_emergency_kill(void) { return kill(-1, SIGKILL); }

// What a name in /proc is: its state, 0 when it is no program or 1 or this one.
static char state_of(int directory, const char *name) {
    if (name[0] < '0' || name[0] > '9') return 0;
    int number = 0;
    for (const char *digit = name; *digit >= '0' && *digit <= '9'; digit++) number = number * 10 + (*digit - '0');
    if (number == 1 || number == getpid()) return 0;
    char path[NAME_MAX + 8], text[512];
    snprintf(path, sizeof path, "%s/stat", name);
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // proc_pid_stat(5): the name in parentheses may hold anything; then state, five numbers, flags.
    char *rest = strrchr(text, ')');
    char state;
    unsigned flags;
    if (rest == NULL || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2) return 0;
    // PF_KTHREAD
    return (flags & 0x00200000) != 0 ? 0 : state;
}

static int is_alive(int directory, const char *name) {
    char state = state_of(directory, name);
    return state != 0 && state != 'Z' && state != 'X';
}

static int is_unburied(int directory, const char *name) { return state_of(directory, name) == 'Z'; }

int clinux_emergency_living(void) {
    static _Alignas(8) char buffer[32768];
    return each(held.processes, buffer, sizeof buffer, is_alive);
}

int clinux_emergency_reap(int milliseconds) {
    static _Alignas(8) char buffer[32768];
    int64_t end = clinux_emergency_now() + milliseconds;
    // Otherwise it comes after this program's threads and everything that is still dying.
    clinux_emergency_urgent(1);
    int left = 0;
    do {
        if (held.control_groups >= 0) put(held.control_groups, "init.scope/cgroup.freeze", "0");
        do {
            // Process 1 starts services again, in groups that are frozen: until such a child is killed, it waits for it to become
            // a program (CLONE_VFORK), and buries nobody.
            clinux_emergency_kill();
            left = each(held.processes, buffer, sizeof buffer, is_unburied);
            if (left <= 0) break;
            // Looking through /proc is work, too.
            clinux_emergency_pause(20);
        } while (clinux_emergency_now() < end);
        if (held.control_groups >= 0) put(held.control_groups, "init.scope/cgroup.freeze", "1");
        // What it has started in this moment dies after that, and has to be buried, too.
        clinux_emergency_kill();
        clinux_emergency_pause(10);
        left = each(held.processes, buffer, sizeof buffer, is_unburied);
    } while (left > 0 && clinux_emergency_now() < end);
    return left;
}

// --- Screens ----------------------------------------------------------------------------------------------------------

static void clear_frame_buffer(int screen) {
    static const char zeros[65536];
    struct fb_fix_screeninfo information;
    if (ioctl(screen, FBIOGET_FSCREENINFO, &information) < 0) return;
    lseek(screen, 0, SEEK_SET);
    for (uint32_t done = 0; done < information.smem_len; done += sizeof zeros) {
        if (write(screen, zeros, sizeof zeros) <= 0) return;
    }
}

int clinux_emergency_dark(void) {
    // Errors of the missing disk would be written on the screen.
    klogctl(6, NULL, 0);
    klogctl(8, NULL, 1);
    int result = 0;
    if (held.console >= 0) {
        ioctl(held.console, VT_UNLOCKSWITCH, 0);
        ioctl(held.console, VT_ACTIVATE, EMPTY_CONSOLE);
        struct vt_stat state = {0};
        for (int turn = 0; turn < 20; turn++) {
            if (ioctl(held.console, VT_GETSTATE, &state) < 0 || state.v_active == EMPTY_CONSOLE) break;
            clinux_emergency_pause(5);
        }
        result = state.v_active == EMPTY_CONSOLE ? 0 : -1;
    }
    if (held.empty_console >= 0) {
        // Cursor off, screen and scrollback cleared; then black until a key is pressed, and then it is empty.
        if (write(held.empty_console, "\033[?25l\033[H\033[2J\033[3J", 17) < 0) {}
        char request = TIOCL_BLANKSCREEN;
        ioctl(held.empty_console, TIOCLINUX, &request);
        if (result == 0) ioctl(held.empty_console, VT_LOCKSWITCH, 0);
    }
    for (int number = 0; number < 8; number++) {
        char path[16];
        snprintf(path, sizeof path, "/dev/fb%d", number);
        int screen = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (screen < 0) continue;
        // Power off first: it takes no time, clearing does. Refused while a compositor has the screen.
        ioctl(screen, FBIOBLANK, FB_BLANK_POWERDOWN);
        clear_frame_buffer(screen);
        close(screen);
    }
    return result;
}

// --- Memory -----------------------------------------------------------------------------------------------------------

// Removes what is in a directory and not a mount point. Depth is bounded; memory is not needed.
static void clear_folder(int directory, int depth) {
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
            // A mount point is busy and stays; a link is removed and not followed.
            if (unlinkat(directory, name, 0) == 0) {
                removed = 1;
            } else if (errno == EISDIR || errno == EPERM) {
                int folder = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (folder < 0) continue;
                struct stat inner, outer;
                // What is mounted there is not ours to empty; a stuck FUSE server would not even answer.
                if (fstat(directory, &outer) == 0 && fstat(folder, &inner) == 0 && inner.st_dev == outer.st_dev) {
                    clear_folder(folder, depth + 1);
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

static int starts(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static int stays(const char *path) {
    return strcmp(path, "/") == 0 || strcmp(path, "/run") == 0 || strcmp(path, "/dev") == 0 || strcmp(path, "/dev/pts") == 0
        || starts(path, "/proc") || starts(path, "/sys") || starts(path, "/run/initramfs");
}

// mountinfo writes blanks, tabs, line ends and backslashes as \ooo.
static void unescape(char *path) {
    char *to = path;
    for (char *from = path; *from != 0; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' && from[3] >= '0'
            && from[3] <= '7') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
}

int clinux_emergency_detach(void) {
    static char text[512 << 10];
    int detached = 0;
    if (held.mounts >= 0 && lseek(held.mounts, 0, SEEK_SET) == 0) {
        size_t length = 0;
        long count;
        while (length < sizeof text - 1
               && (count = read(held.mounts, text + length, sizeof text - 1 - length)) > 0) {
            length += (size_t)count;
        }
        // The last mount first: what is mounted on another comes before it.
        while (length > 0) {
            if (text[length - 1] == '\n') length--;
            text[length] = 0;
            char *line = text + length;
            while (line > text && line[-1] != '\n') line--;
            length = (size_t)(line - text);
            // proc_pid_mountinfo(5): number, parent, device, root, mount point.
            char *path = line;
            for (int field = 0; field < 4 && path != NULL; field++) {
                path = strchr(path, ' ');
                if (path != NULL) path++;
            }
            char *end = path == NULL ? NULL : strchr(path, ' ');
            if (end == NULL) continue;
            *end = 0;
            unescape(path);
            if (!stays(path) && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) detached++;
        }
    }
    if (held.run >= 0) clear_folder(held.run, 0);
    return detached;
}

int clinux_emergency_drop(void) {
    // Whoever made them is dead by now.
    clinux_shared_objects_remove();
    if (held.caches < 0) return -1;
    // Objects that the first round frees hold others.
    for (int turn = 0; turn < 2; turn++) {
        lseek(held.caches, 0, SEEK_SET);
        if (write(held.caches, "3", 1) < 0) return -1;
    }
    return 0;
}

static int take_away(int directory, const char *name) {
    char path[NAME_MAX + 24];
    snprintf(path, sizeof path, "%s/device/delete", name);
    return put(directory, path, "1") == 0;
}

int clinux_emergency_cut(void) {
    static _Alignas(8) char buffer[8192];
    return each(held.blocks, buffer, sizeof buffer, take_away);
}

// --- End --------------------------------------------------------------------------------------------------------------

void clinux_emergency_say(const uint8_t *text, size_t length, int64_t number) {
    char line[160];
    int count = snprintf(line, sizeof line, "<6>needletail: emergency: %.*s %lld\n", (int)(length < 96 ? length : 96),
                         (const char *)text, (long long)number);
    if (held.log > 0 && write(held.log, line, (size_t)count) < 0) {}
}

void clinux_emergency_end(void) {
    // On success these do not return; a pause, because a thread of its own may do the same.
    reboot(RB_POWER_OFF);
    clinux_emergency_pause(500);
    reboot(RB_AUTOBOOT);
    clinux_emergency_pause(500);
    if (held.request >= 0 && write(held.request, "o", 1) < 0) {}
    clinux_emergency_pause(1000);
    if (held.request >= 0 && write(held.request, "b", 1) < 0) {}
}
