// SPDX-License-Identifier: GPL-3.0-or-later
// Raw sockets of every protocol, packets with headers of one's own, and every family of sockets that the kernel knows.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

uint16_t checksum(const void *bytes, size_t count, uint32_t sum) {
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++) sum += (uint32_t)byte[i] << (i % 2 ? 0 : 8);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void protocols(const char *address) {
    char name[64];
    snprintf(name, sizeof name, "raw IP protocols to %s", address);
    struct range range = {.name = name};
    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &to.sin_addr);
    for (int protocol = 0; protocol < 256; protocol++) {
        int descriptor = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol == 255 ? 253 : protocol);
        const char *outcome = "sent";
        uint8_t echo[16] = {8, 0, 0, 0, 0, 1, 0, 1};
        uint16_t sum = checksum(echo, sizeof echo, 0);
        memcpy(echo + 2, &sum, 2);
        if (descriptor < 0 || sendto(descriptor, echo, sizeof echo, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0)
            outcome = error_name(errno);
        range_add(&range, protocol, outcome);
        if (descriptor >= 0) close(descriptor);
    }
    range_end(&range);
}

// Packets whose headers are our own: other senders, options, fragments, pieces of TCP that no connection knows.
static void own_headers(void) {
    static const struct {
        const char *name, *from, *to;
        uint8_t protocol, options;
        uint16_t fragment;
    } packets[] = {
        {"a packet from the LAN's address", NOBODY, WEB, 17, 0, 0},
        {"a packet from a relay's address", RELAY, WEB, 17, 0, 0},
        {"a packet from an address of nowhere", "10.9.8.7", WEB, 17, 0, 0},
        {"a packet from the loopback", "127.0.0.1", WEB, 17, 0, 0},
        {"a packet with a source route", NOBODY, WEB, 17, 1, 0},
        {"a fragment", NOBODY, WEB, 17, 0, 0x2001},
        {"the start of a connection to a relay", NOBODY, RELAY, 6, 0, 0},
        {"a ping", NOBODY, WEB, 1, 0, 0},
        {"a report to a group", NOBODY, "224.0.0.22", 2, 0, 0},
        {"a tunnel", NOBODY, WEB, 4, 0, 0},
        {"GRE", NOBODY, WEB, 47, 0, 0},
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        begin();
        int descriptor = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        if (descriptor < 0) {
            refuse(errno, "%s", packets[i].name);
            continue;
        }
        uint8_t bytes[64] = {0x45};
        size_t head = packets[i].options ? 28 : 20, all = head + 24;
        bytes[0] = (uint8_t)(0x40 | head / 4);
        bytes[3] = (uint8_t)all;
        bytes[6] = (uint8_t)(packets[i].fragment >> 8);
        bytes[7] = (uint8_t)packets[i].fragment;
        bytes[8] = 64;
        bytes[9] = packets[i].protocol;
        inet_pton(AF_INET, packets[i].from, bytes + 12);
        inet_pton(AF_INET, packets[i].to, bytes + 16);
        static const uint8_t loose_route[] = {131, 7, 4, 192, 0, 2, 1, 0};
        if (packets[i].options) memcpy(bytes + 20, loose_route, 8);
        // Ports 40000 → 9001; for UDP a length of 24, for TCP a SYN.
        static const uint8_t udp[24] = {0x9c, 0x40, 0x23, 0x29, 0, 24}, tcp[24] = {0x9c, 0x40, 0x23, 0x29, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 8};
        memcpy(bytes + head, packets[i].protocol == 6 ? tcp : udp, 24);
        if (packets[i].protocol == 1) bytes[head] = 8;
        struct sockaddr_in to = {.sin_family = AF_INET};
        inet_pton(AF_INET, packets[i].to, &to.sin_addr);
        int mark = TOR_MARK;
        setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
        if (sendto(descriptor, bytes, all, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0)
            refuse(errno, "%s to %s", packets[i].name, packets[i].to);
        else tell("sent", "", "%s to %s", packets[i].name, packets[i].to);
        close(descriptor);
    }
}

void raw_sockets(void) {
    protocols(WEB);
    protocols(ROUTER);
    own_headers();
}

void families(void) {
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM};
    for (int family = 0; family < 48; family++) {
        // Unix sockets and netlink stay on this computer; IPv4 and packets are tried elsewhere.
        if (family == AF_UNIX || family == AF_INET || family == AF_NETLINK || family == AF_PACKET) continue;
        begin();
        int opened = 0, last = 0;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            int descriptor = socket(family, types[i] | SOCK_CLOEXEC, 0);
            if (descriptor < 0) {
                last = errno;
                continue;
            }
            opened++;
            close(descriptor);
        }
        if (opened) tell("sent", "a socket can be opened", "family of sockets %d", family);
        else refuse(last, "family of sockets %d", family);
    }
    // IPv6 by every means that needs no frame of one's own.
    static const struct {
        const char *name;
        int type, protocol;
    } six[] = {{"IPv6 by TCP", SOCK_STREAM, 0}, {"IPv6 by UDP", SOCK_DGRAM, 0}, {"IPv6 raw", SOCK_RAW, 58}, {"IPv6 ping", SOCK_DGRAM, 58}};
    for (int i = 0; i < 4; i++) {
        begin();
        int descriptor = socket(AF_INET6, six[i].type | SOCK_CLOEXEC | SOCK_NONBLOCK, six[i].protocol);
        if (descriptor < 0) {
            refuse(errno, "%s", six[i].name);
            continue;
        }
        struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_scope_id = 2};
        inet_pton(AF_INET6, "ff02::2", &to.sin6_addr);
        if (connect(descriptor, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) refuse(errno, "%s", six[i].name);
        else tell("sent", "", "%s", six[i].name);
        close(descriptor);
    }
}

void escapes(void) {
    // The real root may enter every namespace; that nobody in the session is root is shown elsewhere.
    if (is_real_root()) return;
    static const char *const files[] = {"/proc/1/ns/net", "/run/netns/portal", "/run/netns/session"};
    for (int i = 0; i < 3; i++) {
        begin();
        int descriptor = open(files[i], O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) {
            refuse(errno, "enter %s", files[i]);
            continue;
        }
        if (setns(descriptor, CLONE_NEWNET) != 0) refuse(errno, "enter %s", files[i]);
        else tell("changed", "entered", "enter %s", files[i]);
        close(descriptor);
    }
}
