// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/kd.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

int clinux_console_number(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -1;
    // Major 4 holds the consoles (1 to 63) and, after them, the serial lines; 0 is "the one on the screen".
    unsigned number = minor(status.st_rdev);
    if (!S_ISCHR(status.st_mode) || major(status.st_rdev) != 4 || number == 0 || number > 63) {
        errno = ENOTTY;
        return -1;
    }
    return (int)number;
}

int clinux_console_active(int descriptor) {
    struct vt_stat state;
    return ioctl(descriptor, VT_GETSTATE, &state) < 0 ? -1 : state.v_active;
}

int clinux_console_activate(int descriptor, int number) { return ioctl(descriptor, VT_ACTIVATE, number); }

int clinux_console_default_font(int descriptor) {
    struct console_font_op operation = {.op = KD_FONT_OP_SET_DEFAULT};
    return ioctl(descriptor, KDFONTOP, &operation);
}

int clinux_console_forget_selection(int descriptor) {
    char is_blanked = TIOCL_BLANKEDSCREEN;
    int was_blank = ioctl(descriptor, TIOCLINUX, &is_blanked) > 0;
    const struct tiocl_selection corner = {.xs = 1, .ys = 1, .xe = 1, .ye = 1, .sel_mode = TIOCL_SELCHAR};
    char request[1 + sizeof corner] = {TIOCL_SETSEL};
    memcpy(request + 1, &corner, sizeof corner);
    int result = ioctl(descriptor, TIOCLINUX, request);
    // Selecting switches a dark screen on.
    char blank = TIOCL_BLANKSCREEN;
    if (was_blank) ioctl(descriptor, TIOCLINUX, &blank);
    return result;
}

int clinux_terminal_raw(int descriptor) {
    struct termios settings;
    if (tcgetattr(descriptor, &settings) < 0) return -1;
    settings.c_iflag &= ~(tcflag_t)(IXON | IGNCR | INLCR);
    settings.c_iflag |= ICRNL;
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    return tcsetattr(descriptor, TCSAFLUSH, &settings);
}

int clinux_terminal_lines(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) < 0 ? -1 : size.ws_row;
}

int clinux_terminal_forget(int descriptor) { return tcflush(descriptor, TCIFLUSH); }

int clinux_spawn_on_terminal(const char *path, char *const arguments[], char *const environment[]) {
    int child = fork();
    if (child != 0) return child;
    // Only calls that are safe between fork and exec: signal-safety(7).
    if (dup2(1, 2) < 0) _exit(126);
    close_range(3, ~0U, 0);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, arguments, environment);
    _exit(127);
}
