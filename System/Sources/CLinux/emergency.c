// SPDX-License-Identifier: GPL-3.0-or-later
// What is done in an emergency, without allocating anything: see emergency.h.
#define _GNU_SOURCE
#include "CLinux.h"
#include "entries.h"

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

// The group of process 1.
static const char init_scope[] = "init.scope";

// The console that nobody uses: the last one.
enum { EMPTY_CONSOLE = 63 };

// Opened when the program is armed, because opening may need the medium's own directory entries, or memory.
static struct {
    int processes, control_groups, own_group, blocks, lights, interfaces, network, root, run, devices, slabs, mounts, caches,
        request, console, empty_console, log, manager, manager_files, last_manager, successor;
} held;

// The group at the root of the tree in which this program is, with no other; empty when it is not known.
static char own_slice[NAME_MAX + 1];

// What systemd becomes at the end of a session.
static const char last_manager[] = "/usr/lib/systemd/systemd-shutdown";

static int keep(const char *path, int flags) { return open(path, flags | O_CLOEXEC | O_NOCTTY); }

// cgroups(7), /proc/PID/cgroup: "0::/emergency.slice/needletail-emergency.service".
static void find_own_slice(void) {
    static const char head[] = "0::/", slice[] = "emergency.slice";
    char text[PATH_MAX] = {0};
    int file = keep("/proc/self/cgroup", O_RDONLY);
    if (file < 0) return;
    long count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0 || strncmp(text, head, sizeof head - 1) != 0) return;
    size_t length = strcspn(text + sizeof head - 1, "/\n");
    if (length == sizeof slice - 1 && strncmp(text + sizeof head - 1, slice, length) == 0) strcpy(own_slice, slice);
}

int clinux_emergency_arm(void) {
    find_own_slice();
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
    held.root = keep("/", O_PATH | O_DIRECTORY);
    held.run = keep("/run", O_RDONLY | O_DIRECTORY);
    held.devices = keep("/dev", O_RDONLY | O_DIRECTORY);
    held.slabs = keep("/sys/kernel/slab", O_RDONLY | O_DIRECTORY);
    held.manager = keep("/proc/1/comm", O_RDONLY);
    held.manager_files = keep("/proc/1/fd", O_RDONLY | O_DIRECTORY);
    held.last_manager = keep(last_manager, O_PATH);
    held.successor = open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    clinux_queues_hold();
    held.console = keep("/dev/tty0", O_RDWR | O_NONBLOCK);
    // Opening it makes the kernel allocate its screen now.
    held.empty_console = keep("/dev/tty63", O_RDWR | O_NONBLOCK);
    held.log = keep("/dev/kmsg", O_WRONLY | O_NONBLOCK);
    // A computer without panel has no lights, one without graphics no consoles.
    int missing = 0;
    const int needed[] = {
        held.processes, held.mounts, held.caches, held.request, held.control_groups, held.own_group, held.blocks,
        held.interfaces, held.network, held.root, held.run, held.manager};
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
    int down = each(held.interfaces, buffer, sizeof buffer, take_down);
    // Without the driver, opening its file would make the kernel look for it on the medium.
    int radios = access("/sys/class/rfkill", F_OK) < 0 ? -1 : open("/dev/rfkill", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (radios >= 0) {
        // <linux/rfkill.h>: index, type (all), operation (change all), soft, hard.
        const unsigned char request[8] = {0, 0, 0, 0, 0, 3, 1, 0};
        if (write(radios, request, sizeof request) < 0) {}
        close(radios);
    }
    clinux_connections_forget();
    return down;
}

// --- Processes --------------------------------------------------------------------------------------------------------

static int freeze(int directory, const char *name) {
    if (strcmp(name, own_slice) == 0) return 0;
    // systemd-shutdown is let do its work: what hung it is dead in a moment, it buries the dead, and what comes after it erases
    // memory, too. It spares a group of which systemd has said so (SurviveFinalKillSignal=), and that is this program's.
    if (strcmp(name, init_scope) == 0 && clinux_manager_phase(held.manager) != CLINUX_MANAGER_AT_WORK) return 0;
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
    // In a group with others this process would freeze itself.
    if (own_slice[0] == 0 && (held.own_group < 0 || write(held.own_group, "0", 1) < 0)) return -1;
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
    // proc_pid_stat(5): the name in parentheses may hold anything; then state, five numbers, flags, and ten on, threads.
    char *rest = strrchr(text, ')');
    char state;
    unsigned flags;
    long threads;
    if (rest == NULL
        || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", &state, &flags,
                  &threads) != 3) {
        return 0;
    }
    // PF_KTHREAD
    if ((flags & 0x00200000) != 0) return 0;
    // Its first thread has ended, and others have not: all of its memory is there.
    return state == 'Z' && threads > 1 ? 'D' : state;
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

// Puts this program, which lies in memory, in the place of systemd-shutdown, and tells systemd to give way to it: as process 1 it does
// nothing but bury the dead, and all that systemd remembers, names of disks and services, is gone. The other systemd-shutdown would
// end this program, too; and without one systemd would switch off without more ado. When it cannot become another program at all, it
// stands still and buries the dead itself (CrashAction=freeze).
//
// Returns 1 when it was told so.
static int replace_manager(void) {
    if (held.last_manager < 0 || held.successor < 0) return 0;
    if (move_mount(held.successor, "", held.last_manager, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) return 0;
    // Once and for all.
    held.successor = -1;
    // systemd(1), SIGRTMIN+14: to systemd-shutdown at once, without stopping anything before.
    return kill(1, SIGRTMIN + 14) == 0;
}

int clinux_emergency_reap(int milliseconds) {
    static _Alignas(8) char buffer[32768];
    int64_t end = clinux_emergency_now() + milliseconds;
    int is_leaving = clinux_manager_phase(held.manager) == CLINUX_MANAGER_AT_WORK && replace_manager();
    // It hears that when it is done with all who have died meanwhile. One that has crashed hears nothing.
    int64_t patience = clinux_emergency_now() + (clinux_folder_size(held.manager_files) <= 3 ? 0 : 3000);
    // Otherwise it comes after this program's threads and everything that is still dying.
    clinux_emergency_urgent(1);
    int left = 0;
    do {
        put(held.control_groups, "init.scope/cgroup.freeze", "0");
        do {
            // Process 1 starts services again, in groups that are frozen: until such a child is killed, it waits for it to become
            // a program (CLONE_VFORK), and buries nobody.
            clinux_emergency_kill();
            left = each(held.processes, buffer, sizeof buffer, is_unburied);
            if (is_leaving) {
                is_leaving = clinux_emergency_now() < patience
                    && clinux_manager_phase(held.manager) == CLINUX_MANAGER_AT_WORK;
            }
            if (left <= 0 && !is_leaving) break;
            // Looking through /proc is work, too.
            clinux_emergency_pause(20);
        } while (clinux_emergency_now() < end);
        if (clinux_manager_phase(held.manager) == CLINUX_MANAGER_AT_WORK) {
            put(held.control_groups, "init.scope/cgroup.freeze", "1");
        }
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

static int starts(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static int stays(const char *path) {
    return strcmp(path, "/") == 0 || strcmp(path, "/run") == 0 || strcmp(path, "/dev") == 0 || strcmp(path, "/dev/pts") == 0
        || starts(path, "/proc") || starts(path, "/sys") || starts(path, "/run/initramfs")
        // On the medium: looking for it could take for ever. See replace_manager.
        || strcmp(path, last_manager) == 0;
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

// A line of mountinfo.
struct place {
    const char *path;
    int in_memory, is_gone;
};

enum { PLACES = 1024 };

// Reads the list of mounts; the paths are parts of `text`.
static int read_places(char *text, size_t size, struct place *places) {
    if (held.mounts < 0 || lseek(held.mounts, 0, SEEK_SET) != 0) return 0;
    size_t length = 0;
    long read_now;
    while (length < size - 1 && (read_now = read(held.mounts, text + length, size - 1 - length)) > 0) {
        length += (size_t)read_now;
    }
    text[length] = 0;
    int count = 0;
    for (char *line = text, *next; line != NULL && *line != 0 && count < PLACES; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        // proc_pid_mountinfo(5): number, parent, device, root, mount point; after " - " the file system's type.
        char *path = line;
        for (int field = 0; field < 4 && path != NULL; field++) {
            path = strchr(path, ' ');
            if (path != NULL) path++;
        }
        char *end = path == NULL ? NULL : strchr(path, ' ');
        char *type = end == NULL ? NULL : strstr(end, " - ");
        if (type == NULL) continue;
        *end = 0;
        type += 3;
        type[strcspn(type, " ")] = 0;
        unescape(path);
        if (stays(path)) continue;
        int in_memory = strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0 || strcmp(type, "overlay") == 0;
        places[count++] = (struct place){path, in_memory, 0};
    }
    return count;
}

static int take_off(struct place *place) {
    if (place->is_gone) return 0;
    place->is_gone = 1;
    // From the root that this program began with: systemd-shutdown gives every process another.
    return umount2(place->path + 1, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

int clinux_emergency_detach(void) {
    static char text[512 << 10];
    static struct place places[PLACES];
    int detached = 0;
    int count = fchdir(held.root) == 0 ? read_places(text, sizeof text, places) : 0;
    // The last mount first: what is mounted on another comes before it. And what is in memory alone before all that could wait for
    // a disk, unless a disk is mounted in it.
    for (int index = count - 1; index >= 0; index--) {
        int is_alone = places[index].in_memory;
        for (int other = index + 1; other < count && is_alone; other++) {
            is_alone = places[other].in_memory || !starts(places[other].path, places[index].path);
        }
        if (is_alone) detached += take_off(&places[index]);
    }
    if (held.run >= 0) clinux_folder_clear(held.run, 0);
    for (int index = count - 1; index >= 0; index--) detached += take_off(&places[index]);
    if (held.run >= 0) clinux_folder_clear(held.run, 0);
    if (held.devices >= 0) clinux_folder_clear(held.devices, 1);
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
    clinux_slabs_shrink(held.slabs);
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
    static int is_ending;
    // reboot(2) keeps a lock of the kernel's while disks are told to stop, which one that is dead does not. Who comes second gives it
    // some time, and goes past it.
    if (__atomic_exchange_n(&is_ending, 1, __ATOMIC_SEQ_CST)) {
        clinux_emergency_pause(10000);
        if (held.request >= 0 && write(held.request, "b", 1) < 0) {}
        return;
    }
    // On success these do not return.
    reboot(RB_POWER_OFF);
    clinux_emergency_pause(500);
    reboot(RB_AUTOBOOT);
    clinux_emergency_pause(500);
    if (held.request >= 0 && write(held.request, "o", 1) < 0) {}
    clinux_emergency_pause(1000);
    if (held.request >= 0 && write(held.request, "b", 1) < 0) {}
}
