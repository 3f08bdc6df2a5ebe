// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel keeps for processes: files, buffers, keys, names, terminals.
#define _GNU_SOURCE
#include "planter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <mqueue.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { page = 4096 };

// The next page of records, what is over filled with dots.
static size_t next_page(struct crop *crop, char *bytes) {
    memset(bytes, '.', page);
    uint32_t before = crop->done;
    fill(crop, bytes, page);
    return (size_t)(crop->done - before) * record_size(crop);
}

static int write_all(struct crop *crop, int file) {
    char bytes[page];
    while (crop->done < crop->count) {
        uint32_t before = crop->done;
        next_page(crop, bytes);
        if (write(file, bytes, page) != page) {
            crop->done = before;
            return errno ? errno : ENOSPC;
        }
    }
    return 0;
}

static int open_file(struct crop *crop) {
    return open(crop->path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
}

int plant_file(struct crop *crop) {
    int file = open_file(crop);
    if (file < 0) return errno;
    errno = 0;
    int error = write_all(crop, file);
    // On a disk as well, and read again: in the page cache, clean.
    fsync(file);
    char bytes[page];
    lseek(file, 0, SEEK_SET);
    while (read(file, bytes, page) > 0) {}
    close(file);
    return error;
}

int plant_deleted_file(struct crop *crop) {
    int file = open_file(crop);
    if (file < 0) return errno;
    unlink(crop->path);
    errno = 0;
    return write_all(crop, file);
}

// Writes until it would block; whole records only.
static int stuff(struct crop *crop, int end, size_t limit) {
    char bytes[page];
    size_t written = 0;
    while (crop->done < crop->count && written + page <= limit) {
        uint32_t before = crop->done;
        size_t size = next_page(crop, bytes);
        ssize_t count = write(end, bytes, size);
        if (count != (ssize_t)size) {
            crop->done = before + (count > 0 ? count / record_size(crop) : 0);
            return count > 0 || errno == EAGAIN ? 0 : errno;
        }
        written += size;
    }
    return 0;
}

int plant_pipe(struct crop *crop) {
    while (crop->done < crop->count) {
        int ends[2];
        if (pipe2(ends, O_NONBLOCK)) return errno;
        // Pages of a pipe hold what one write brought.
        int size = fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        if (size < page) size = 16 * page;
        uint32_t before = crop->done;
        int error = stuff(crop, ends[1], size);
        if (error) return error;
        if (crop->done == before) return EAGAIN;
    }
    return 0;
}

int plant_unix_socket(struct crop *crop) {
    while (crop->done < crop->count) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends)) return errno;
        int size = 1 << 20;
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
        uint32_t before = crop->done;
        int error = stuff(crop, ends[0], 1 << 19);
        if (error) return error;
        if (crop->done == before) return EAGAIN;
    }
    return 0;
}

// A network of its own, in which nothing but the loopback is: a firewall may stand in the way elsewhere.
static int own_loopback(void) {
    if (unshare(CLONE_NEWNET)) return errno;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request)) return errno;
    return close(any) ? errno : 0;
}

int plant_tcp_socket(struct crop *crop) {
    int trouble = own_loopback();
    if (trouble) return trouble;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof place;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (void *)&place, sizeof place) || listen(listener, 16) ||
        getsockname(listener, (void *)&place, &length))
        return errno;
    while (crop->done < crop->count) {
        int out = socket(AF_INET, SOCK_STREAM, 0);
        if (out < 0) return errno;
        struct timeval limit = {2, 0};
        setsockopt(out, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(out, (void *)&place, sizeof place)) return errno == EINPROGRESS ? ETIMEDOUT : errno;
        int in = accept(listener, NULL, NULL);
        if (in < 0) return errno;
        fcntl(out, F_SETFL, O_NONBLOCK);
        // Nobody reads: it waits in the receiver's and then in the sender's buffer.
        uint32_t before = crop->done;
        int error = stuff(crop, out, 1 << 18);
        if (error) return error;
        if (crop->done == before) return EAGAIN;
    }
    return 0;
}

int plant_socket_name(struct crop *crop) {
    for (; crop->done < crop->count; crop->done++) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        record(crop, crop->done, name.sun_path + 1);
        int one = socket(AF_UNIX, SOCK_STREAM, 0);
        if (one < 0) return errno;
        if (bind(one, (void *)&name, offsetof(struct sockaddr_un, sun_path) + 1 + record_size(crop))) return errno;
    }
    return 0;
}

int plant_key(struct crop *crop) {
    // The user's own keyring: it outlives this process. The payload of a key has at most 32,767 bytes.
    enum { user_keyring = -4 };
    char bytes[7 * page];
    while (crop->done < crop->count) {
        uint32_t before = crop->done;
        fill(crop, bytes, sizeof bytes);
        char name[80];
        snprintf(name, sizeof name, "planted-%s-%u", crop->name, before);
        size_t size = (size_t)(crop->done - before) * record_size(crop);
        if (syscall(SYS_add_key, "user", name, bytes, size, user_keyring) < 0) {
            crop->done = before;
            return errno;
        }
    }
    memset(bytes, 0, sizeof bytes);
    return 0;
}

// Of the session's user, who alone can reach it; it outlives all his processes. See persistent-keyring(7).
int plant_persistent_key(struct crop *crop) {
    enum { get_persistent = 22, process_keyring = -2 };
    if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000)) return errno;
    long keyring = syscall(SYS_keyctl, get_persistent, -1L, (long)process_keyring, 0L, 0L);
    if (keyring < 0) return errno;
    // A user who is not root has 20,000 bytes.
    char bytes[4 * page];
    fill(crop, bytes, sizeof bytes);
    size_t size = (size_t)crop->done * record_size(crop);
    int error = syscall(SYS_add_key, "user", "planted-persistent", bytes, size, keyring) < 0 ? errno : 0;
    if (error) crop->done = 0;
    memset(bytes, 0, sizeof bytes);
    return error;
}

// Messages that nobody takes, in queues that outlive the process. See mq_overview(7).
int plant_posix_queue(struct crop *crop) {
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MSGQUEUE, &all);
    char bytes[2 * page];
    for (int number = 0; crop->done < crop->count; number++) {
        char name[32];
        snprintf(name, sizeof name, "/planted-%d", number);
        struct mq_attr limits = {.mq_maxmsg = 10, .mq_msgsize = sizeof bytes};
        mqd_t queue = mq_open(name, O_WRONLY | O_CREAT | O_NONBLOCK, 0600, &limits);
        if (queue < 0) return errno;
        for (int message = 0; message < limits.mq_maxmsg && crop->done < crop->count; message++) {
            uint32_t before = crop->done;
            fill(crop, bytes, sizeof bytes);
            if (mq_send(queue, bytes, (size_t)(crop->done - before) * record_size(crop), 0)) {
                crop->done = before;
                return errno;
            }
        }
        mq_close(queue);
    }
    memset(bytes, 0, sizeof bytes);
    return 0;
}

int plant_terminal(struct crop *crop) {
    int terminal = open(crop->path[0] ? crop->path : "/dev/tty9", O_WRONLY | O_NOCTTY);
    if (terminal < 0) return errno;
    char line[96];
    for (; crop->done < crop->count; crop->done++) {
        // One a line: 25 lines on a small screen, and what the terminal keeps above them.
        record(crop, crop->done, line);
        size_t size = record_size(crop);
        line[size] = '\r';
        line[size + 1] = '\n';
        if (write(terminal, line, size + 2) != (ssize_t)size + 2) return errno;
    }
    return 0;
}

static int show_console(int console, int number) {
    struct vt_stat state = {0};
    if (ioctl(console, VT_ACTIVATE, number)) return errno;
    for (int tries = 0; tries < 200; tries++) {
        if (ioctl(console, VT_GETSTATE, &state)) return errno;
        if (state.v_active == number) return 0;
        usleep(10000);
    }
    return EBUSY;
}

// Text that was selected on a console, which the kernel keeps to be pasted on any of them. See ioctl_console(2).
int plant_clipboard(struct crop *crop) {
    int console = open(crop->path, O_RDWR | O_NOCTTY);
    struct stat status;
    struct vt_stat before;
    struct winsize size;
    if (console < 0 || fstat(console, &status) || ioctl(console, VT_GETSTATE, &before)) return errno;
    int error = show_console(console, minor(status.st_rdev));
    if (error) return error;
    if (ioctl(console, TIOCGWINSZ, &size)) return errno;
    dprintf(console, "\033c");
    uint32_t lines = crop->count < size.ws_row - 1u ? crop->count : size.ws_row - 1u;
    for (uint32_t line = 0; line < lines; line++) {
        char text[96] = {0};
        record(crop, line, text);
        dprintf(console, "%s\r\n", text);
    }
    const struct tiocl_selection whole = {1, 1, size.ws_col, (unsigned short)lines, TIOCL_SELCHAR};
    char request[1 + sizeof whole] = {TIOCL_SETSEL};
    memcpy(request + 1, &whole, sizeof whole);
    if (ioctl(console, TIOCLINUX, request)) return errno;
    // From now on it is in that buffer only.
    dprintf(console, "\033c");
    crop->done = lines;
    return show_console(console, before.v_active);
}

int plant_pseudo_terminal(struct crop *crop) {
    while (crop->done < crop->count) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (master < 0 || grantpt(master) || unlockpt(master)) return errno;
        int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (slave < 0) return errno;
        struct termios settings;
        tcgetattr(slave, &settings);
        cfmakeraw(&settings);
        tcsetattr(slave, TCSANOW, &settings);
        // What the program on it wrote and nobody has shown.
        uint32_t before = crop->done;
        int error = stuff(crop, slave, 1 << 16);
        if (error) return error;
        if (crop->done == before) return EAGAIN;
    }
    return 0;
}
