// SPDX-License-Identifier: GPL-3.0-or-later
// UDP in all its forms, and ping as far as it needs no privilege.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

size_t dns_question(uint8_t *bytes, const char *name) {
    static const uint8_t head[12] = {0x4e, 0x54, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    memcpy(bytes, head, 12);
    size_t length = 12;
    while (*name) {
        size_t part = strcspn(name, ".");
        bytes[length++] = (uint8_t)part;
        memcpy(bytes + length, name, part);
        length += part;
        name += part + (name[part] == '.');
    }
    static const uint8_t tail[5] = {0, 0, 1, 0, 1};
    memcpy(bytes + length, tail, 5);
    return length + 5;
}

enum kind { plain, dns, ntp, stun, quic };

static size_t fill(uint8_t *bytes, enum kind kind) {
    memset(bytes, 0, 1200);
    switch (kind) {
    case dns: return dns_question(bytes, "leak.example");
    case ntp: bytes[0] = 0x23; return 48;
    case stun: memcpy(bytes, "\x00\x01\x00\x00\x21\x12\xa4\x42needletailxy", 20); return 20;
    case quic: memcpy(bytes, "\xc0\x00\x00\x00\x01\x08needleta", 14); return 1200;
    default: memcpy(bytes, "needletail probe of user at host", 32); return 32;
    }
}

static struct sockaddr_in place(const char *address, int port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

// Sends twice, because a refusal comes back as an error of the next call, and waits shortly for an answer.
static void exchange(int descriptor, const char *address, int port, enum kind kind, const char *name) {
    begin();
    uint8_t bytes[2048];
    struct sockaddr_in to = place(address, port);
    if (connect(descriptor, (struct sockaddr *)&to, sizeof to) != 0) {
        refuse(errno, "%s to %s:%d", name, address, port);
        return;
    }
    for (int i = 0; i < 2; i++) {
        size_t length = fill(bytes, kind);
        if (send(descriptor, bytes, length, MSG_DONTWAIT) < 0) {
            refuse(errno, "%s to %s:%d", name, address, port);
            return;
        }
        struct pollfd ready = {.fd = descriptor, .events = POLLIN};
        // Tor needs a while for a name; nobody else answers, or at once.
        if (poll(&ready, 1, port == 53 && i == 1 ? 500 : 40) <= 0) continue;
        ssize_t got = recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0) refuse(errno, "%s to %s:%d", name, address, port);
        else tell("answered", "", "%s to %s:%d", name, address, port);
        return;
    }
    tell("sent", "", "%s to %s:%d", name, address, port);
}

static int udp(int type, int protocol, const char *name) {
    begin();
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) refuse(errno, "%s", name);
    return descriptor;
}

static void simple(void) {
    static const struct {
        const char *name;
        int port;
        enum kind kind;
        const char *group;
    } services[] = {
        {"DNS", 53, dns, 0},         {"mDNS", 5353, dns, "224.0.0.251"},    {"LLMNR", 5355, dns, "224.0.0.252"},
        {"NetBIOS", 137, plain, 0},  {"SSDP", 1900, plain, "239.255.255.250"},
        {"WS-Discovery", 3702, plain, "239.255.255.250"},                   {"NTP", 123, ntp, 0},
        {"STUN", 3478, stun, 0},     {"STUN elsewhere", 19302, stun, 0},    {"QUIC", 443, quic, 0},
        {"DNS over QUIC", 853, quic, 0},                                    {"IKE", 500, plain, 0},
        {"WireGuard", 51820, plain, 0},                                     {"syslog", 514, plain, 0},
        {"SNMP", 161, plain, 0},     {"TFTP", 69, plain, 0},                {"DHCP", 67, plain, 0},
        {"Tor's port by UDP", 9001, plain, 0},                              {"any UDP", 9999, plain, 0},
    };
    static const char *const everywhere[] = {ROUTER, COMPUTER, RESOLVER, WEB};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        for (size_t j = 0; j < 4; j++) {
            int descriptor = udp(SOCK_DGRAM, 0, services[i].name);
            if (descriptor < 0) continue;
            exchange(descriptor, everywhere[j], services[i].port, services[i].kind, services[i].name);
            close(descriptor);
        }
        static const char *const all[] = {"255.255.255.255", "192.0.2.255", "224.0.0.1"};
        for (size_t j = 0; j < 4; j++) {
            const char *address = j < 3 ? all[j] : services[i].group;
            int descriptor = address ? udp(SOCK_DGRAM, 0, services[i].name) : -1;
            if (descriptor < 0) continue;
            int yes = 1;
            setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
            exchange(descriptor, address, services[i].port, services[i].kind, services[i].name);
            close(descriptor);
        }
    }
}

// Settings of a socket that could lead it another way. Each is tried even when the kernel refuses the setting.
static void set_apart(void) {
    static const uint8_t loose_route[] = {131, 7, 4, 192, 0, 2, 1, 0};
    for (int kind = 0; kind < 7; kind++) {
        static const char *const names[] = {"UDP with Tor's mark",  "UDP with a loose source route",
                                            "UDP from another's address", "UDP from an address of the LAN",
                                            "UDP with IP_TRANSPARENT", "UDP with all priorities",
                                            "UDP without a route"};
        int descriptor = udp(SOCK_DGRAM, 0, names[kind]);
        if (descriptor < 0) continue;
        int yes = 1, mark = TOR_MARK, result = 0;
        struct sockaddr_in from = place(kind == 2 ? RELAY : NOBODY, 0);
        switch (kind) {
        case 0: result = setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, sizeof mark); break;
        case 1: result = setsockopt(descriptor, IPPROTO_IP, IP_OPTIONS, loose_route, sizeof loose_route); break;
        case 4: result = setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &yes, sizeof yes); break;
        case 5: mark = 7; result = setsockopt(descriptor, SOL_SOCKET, SO_PRIORITY, &mark, sizeof mark); break;
        case 6: result = setsockopt(descriptor, SOL_SOCKET, SO_DONTROUTE, &yes, sizeof yes); break;
        }
        if (result != 0) refuse(errno, "the setting for %s", names[kind]);
        if (kind >= 2 && kind <= 4) {
            setsockopt(descriptor, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes);
            if (bind(descriptor, (struct sockaddr *)&from, sizeof from) != 0) refuse(errno, "bind for %s", names[kind]);
        }
        begin();
        exchange(descriptor, kind == 6 ? ROUTER : WEB, 9999, plain, names[kind]);
        close(descriptor);
    }
}

static void bound(void) {
    for (size_t i = 0; i < interface_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "UDP bound to %s", interfaces[i]);
        int descriptor = udp(SOCK_DGRAM, 0, name);
        if (descriptor < 0) continue;
        if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interfaces[i], (socklen_t)strlen(interfaces[i]) + 1) != 0) {
            refuse(errno, "%s", name);
        } else {
            exchange(descriptor, WEB, 9999, plain, name);
            exchange(descriptor, RESOLVER, 53, dns, name);
            exchange(descriptor, ROUTER, 53, dns, name);
        }
        close(descriptor);
    }
}

static void traces(void) {
    static const char *const targets[] = {WEB, ROUTER};
    for (int i = 0; i < 2; i++) {
        for (int hops = 1; hops <= 3; hops++) {
            char name[64];
            snprintf(name, sizeof name, "traceroute by UDP, %d hops", hops);
            int descriptor = udp(SOCK_DGRAM, 0, name);
            if (descriptor < 0) continue;
            setsockopt(descriptor, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
            exchange(descriptor, targets[i], 33433 + hops, plain, name);
            close(descriptor);
            snprintf(name, sizeof name, "ping by a datagram socket, %d hops", hops);
            descriptor = udp(SOCK_DGRAM, IPPROTO_ICMP, name);
            if (descriptor < 0) continue;
            setsockopt(descriptor, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
            struct sockaddr_in to = place(targets[i], 0);
            uint8_t echo[16] = {8, 0, 0, 0, 0, 1, 0, 1};
            if (sendto(descriptor, echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to) < 0)
                refuse(errno, "%s to %s", name, targets[i]);
            else tell("sent", "", "%s to %s", name, targets[i]);
            close(descriptor);
        }
    }
}

void datagrams(void) {
    simple();
    set_apart();
    bound();
    traces();
    static const struct {
        int type, protocol;
        const char *name;
    } others[] = {{SOCK_DGRAM, IPPROTO_UDPLITE, "UDP-Lite"}, {SOCK_DCCP, IPPROTO_DCCP, "DCCP"}};
    for (int i = 0; i < 2; i++) {
        int descriptor = udp(others[i].type, others[i].protocol, others[i].name);
        if (descriptor < 0) continue;
        exchange(descriptor, WEB, 9999, plain, others[i].name);
        close(descriptor);
    }
}
