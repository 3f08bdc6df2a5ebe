// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(struct clinux_terminal_state), "room for a termios");

int clinux_open_terminal(const char *multiplexer, int *controller, int *terminal) {
    *controller = open(multiplexer, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (*controller < 0) return -1;
    int locked = 0;
    *terminal = -1;
    if (ioctl(*controller, TIOCSPTLCK, &locked) == 0)
        *terminal = ioctl(*controller, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*terminal >= 0) return 0;
    int saved = errno;
    close(*controller);
    errno = saved;
    return -1;
}

int clinux_set_window(int terminal, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

int clinux_get_window(int terminal, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

static int change(int terminal, struct clinux_terminal_state *before, void (*how)(struct termios *), int when) {
    struct termios state;
    if (tcgetattr(terminal, &state) < 0) return -1;
    memcpy(before, &state, sizeof state);
    how(&state);
    return tcsetattr(terminal, when, &state);
}

static void silence(struct termios *state) {
    state->c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    state->c_lflag |= ICANON | ECHONL;
}

int clinux_raw_terminal(int terminal, struct clinux_terminal_state *before) {
    return change(terminal, before, cfmakeraw, TCSADRAIN);
}

int clinux_silent_terminal(int terminal, struct clinux_terminal_state *before) {
    return change(terminal, before, silence, TCSAFLUSH);
}

int clinux_restore_terminal(int terminal, const struct clinux_terminal_state *before) {
    struct termios state;
    memcpy(&state, before, sizeof state);
    return tcsetattr(terminal, TCSADRAIN, &state);
}

int clinux_is_terminal(int descriptor) { return isatty(descriptor); }

// Everything here runs between fork and exec: signal-safety(7).
static void become_program(
    char *const folders[], char *const arguments[], char *const environment[], const char *directory, int input,
    int output, int error, int controls_terminal) {
    // The parent goes on when this process can take signals, at close_range: from then on each of them ends it or is the
    // program's.
    for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (controls_terminal && ioctl(input, TIOCSCTTY, 0) < 0) _exit(126);
    // Out of the way of 0, 1 and 2 first.
    input = fcntl(input, F_DUPFD, 3);
    output = fcntl(output, F_DUPFD, 3);
    error = fcntl(error, F_DUPFD, 3);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) _exit(126);
    close_range(3, ~0U, 0);
    if (chdir(directory) < 0 && chdir("/") < 0) _exit(126);
    int worst = ENOENT;
    if (strchr(arguments[0], '/') != NULL) {
        execve(arguments[0], arguments, environment);
        worst = errno;
    } else {
        for (; *folders != NULL; folders++) {
            char path[4096];
            size_t folder = strlen(*folders), name = strlen(arguments[0]);
            if (name == 0 || folder + name + 2 > sizeof path) continue;
            memcpy(path, *folders, folder);
            path[folder] = '/';
            memcpy(path + folder + 1, arguments[0], name + 1);
            execve(path, arguments, environment);
            if (errno != ENOENT && errno != ENOTDIR) worst = errno;
        }
    }
    static const char missing[] = "needletail-admin: There is no such program.\r\n";
    static const char refused[] = "needletail-admin: This program cannot be run.\r\n";
    if (worst == ENOENT) {
        (void)!write(2, missing, sizeof missing - 1);
        _exit(127);
    }
    (void)!write(2, refused, sizeof refused - 1);
    _exit(126);
}

int clinux_start(
    char *const folders[], char *const arguments[], char *const environment[], const char *directory, int input,
    int output, int error, int controls_terminal) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0) return -1;
    int child = fork();
    if (child == 0)
        become_program(folders, arguments, environment, directory, input, output, error, controls_terminal);
    int saved = errno;
    close(ready[1]);
    if (child > 0) {
        // Nothing is written: the read ends when the child has closed its end.
        char nothing;
        while (read(ready[0], &nothing, 1) < 0 && errno == EINTR) continue;
    }
    close(ready[0]);
    errno = saved;
    return child;
}

int clinux_fork(void) { return fork(); }

int clinux_reap(int child, int *status) {
    int result, value = 0;
    do result = waitpid(child, &value, WNOHANG);
    while (result < 0 && errno == EINTR);
    if (result > 0) *status = WIFSIGNALED(value) ? 128 + WTERMSIG(value) : WEXITSTATUS(value);
    return result;
}

int clinux_signal_group(int group, int signal_number) { return kill(-group, signal_number); }

int clinux_signals(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t index = 0; index < count; index++) sigaddset(&set, signals[index]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
}

void clinux_unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int clinux_process_descriptor(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int clinux_kill(int process, int signal_number) { return kill(process, signal_number); }

int clinux_set_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

int clinux_connect_packets(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

int clinux_packet_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int passed) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &passed, sizeof passed);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t clinux_receive_packet(int socket, void *bytes, size_t count, int *passed) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *passed = -1;
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
        && header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(passed, CMSG_DATA(header), sizeof *passed);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        if (*passed >= 0) close(*passed);
        *passed = -1;
        errno = EMSGSIZE;
        return -1;
    }
    return length;
}
