// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/kd.h>
#include <linux/rtnetlink.h>
#include <linux/vt.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static int close_with_error(int descriptor) {
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

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

int clinux_link_set_up(const char *name, int up) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request.ifr_name, name);
    // Any socket takes these requests; one of this family is allowed where the internet's are not.
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (ioctl(descriptor, SIOCGIFFLAGS, &request) < 0) return close_with_error(descriptor);
    if (up) request.ifr_flags |= IFF_UP;
    else request.ifr_flags &= ~IFF_UP;
    if (ioctl(descriptor, SIOCSIFFLAGS, &request) < 0) return close_with_error(descriptor);
    return close(descriptor);
}

int clinux_link_set_forwarding(const char *name, int forwarding) {
    // RTM_NEWLINK with IFLA_AF_SPEC { AF_INET { IFLA_INET_CONF { IPV4_DEVCONF_FORWARDING } } }; see inet_set_link_af()
    // in the kernel's net/ipv4/devinet.c.
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr specification, family, configuration, setting;
        uint32_t value;
    } request;
    memset(&request, 0, sizeof request);
    unsigned index = if_nametoindex(name);
    if (index == 0) return -1;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_NEWLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.link.ifi_family = AF_UNSPEC;
    request.link.ifi_index = (int)index;
    request.setting.rta_type = IPV4_DEVCONF_FORWARDING;
    request.setting.rta_len = sizeof request.setting + sizeof request.value;
    request.value = forwarding ? 1 : 0;
    request.configuration.rta_type = IFLA_INET_CONF | NLA_F_NESTED;
    request.configuration.rta_len = sizeof request.configuration + request.setting.rta_len;
    request.family.rta_type = AF_INET | NLA_F_NESTED;
    request.family.rta_len = sizeof request.family + request.configuration.rta_len;
    request.specification.rta_type = IFLA_AF_SPEC | NLA_F_NESTED;
    request.specification.rta_len = sizeof request.specification + request.family.rta_len;

    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -1;
    struct timeval limit = {.tv_sec = 5};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char more[512];
    } answer;
    memset(&answer, 0, sizeof answer);
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0
        || sendto(descriptor, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0
        || recv(descriptor, &answer, sizeof answer, 0) < (ssize_t)(sizeof answer.header + sizeof answer.error.error))
        return close_with_error(descriptor);
    close(descriptor);
    if (answer.header.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -answer.error.error;
    return errno == 0 ? 0 : -1;
}
