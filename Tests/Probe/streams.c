// SPDX-License-Identifier: GPL-3.0-or-later
// TCP and what is like it: to places outside (which has to go through Tor), to the local network, and to this computer.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static const char request[] = "GET / HTTP/1.0\r\nHost: web.example\r\n\r\n";

static struct sockaddr_in place(const char *address, int port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

static int open_stream(int type, int protocol, const char *name) {
    begin();
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (descriptor < 0) refuse(errno, "%s", name);
    return descriptor;
}

// Connects, asks for a page, and waits as long as is given for the answer.
static void converse(int descriptor, const char *address, int port, int patience, const char *name) {
    struct sockaddr_in to = place(address, port);
    int number = 0;
    if (connect(descriptor, (struct sockaddr *)&to, sizeof to) != 0) number = errno;
    if (number == EINPROGRESS) {
        struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
        socklen_t size = sizeof number;
        if (poll(&ready, 1, patience < 50 ? 60 : 400) <= 0) {
            tell("sent", "no answer to the first packet", "%s to %s:%d", name, address, port);
            return;
        }
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size);
    }
    if (number != 0) {
        refuse(number, "%s to %s:%d", name, address, port);
        return;
    }
    send(descriptor, request, sizeof request - 1, MSG_DONTWAIT);
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    char answer[64] = "";
    ssize_t got = poll(&ready, 1, patience) > 0 ? recv(descriptor, answer, sizeof answer - 1, 0) : -1;
    for (char *c = answer; *c; c++)
        if (*c < 32) *c = ' ';
    if (got > 0) tell("answered", answer, "%s to %s:%d", name, address, port);
    else tell("sent", "connected", "%s to %s:%d", name, address, port);
}

static void simple(void) {
    static const struct {
        const char *name, *address;
        int port, patience;
    } places[] = {
        {"a page", WEB, 80, 3000},
        {"HTTPS, or DNS over HTTPS", WEB, 443, 100},
        {"DNS over TLS", RESOLVER, 853, 100},
        {"DNS by TCP", RESOLVER, 53, 100},
        {"DNS by TCP", ROUTER, 53, 100},
        {"mail", WEB, 25, 100},
        {"the router's page", ROUTER, 80, 100},
        {"the router's login", ROUTER, 22, 100},
        {"a printer", COMPUTER, 631, 100},
        {"a share", COMPUTER, 445, 100},
        {"NetBIOS by TCP", COMPUTER, 139, 100},
        {"nobody in the LAN", NOBODY, 80, 100},
        {"a relay", RELAY, 9001, 100},
        {"an authority's directory", AUTHORITY, 9030, 100},
        {"private networks", "10.0.0.1", 80, 100},
        {"private networks", "192.168.1.1", 80, 100},
        {"private networks", "172.16.0.1", 80, 100},
        {"addresses of the link", "169.254.169.254", 80, 100},
        {"a group", "224.0.0.251", 5353, 100},
        {"everybody", "255.255.255.255", 80, 100},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int descriptor = open_stream(SOCK_STREAM, 0, places[i].name);
        if (descriptor < 0) continue;
        converse(descriptor, places[i].address, places[i].port, places[i].patience, places[i].name);
        close(descriptor);
    }
    // Tor's side of the link, and this computer: only Tor's own ports may be there.
    static const int ports[] = {1, 22, 25, 53, 80, 111, 443, 631, 953, 5355, 8080, 9030, 9040, 9050, 9051, 9052, 9150, 9151};
    static const char *const hosts[] = {TOR, "127.0.0.1", "10.77.0.5", "10.77.0.6"};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        for (int j = 0; j < 4; j++) {
            int descriptor = open_stream(SOCK_STREAM, 0, "this computer");
            if (descriptor < 0) continue;
            converse(descriptor, hosts[j], ports[i], 20, "this computer");
            close(descriptor);
        }
}

static void set_apart(void) {
    static const uint8_t loose_route[] = {131, 7, 4, 192, 0, 2, 1, 0};
    static const char *const names[] = {"TCP with Tor's mark", "TCP with a loose source route",
                                        "TCP from another's address", "TCP with a first packet that carries data",
                                        "TCP with one hop", "TCP with two hops", "TCP with three hops",
                                        "TCP of several paths", "SCTP"};
    for (int kind = 0; kind < 9; kind++) {
        int protocol = kind == 7 ? IPPROTO_MPTCP : kind == 8 ? IPPROTO_SCTP : 0;
        int descriptor = open_stream(SOCK_STREAM, protocol, names[kind]);
        if (descriptor < 0) continue;
        int yes = 1, mark = TOR_MARK, hops = kind - 3, result = 0;
        struct sockaddr_in from = place(NOBODY, 0);
        if (kind == 0) result = setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
        if (kind == 1) result = setsockopt(descriptor, IPPROTO_IP, IP_OPTIONS, loose_route, sizeof loose_route);
        if (kind == 2) {
            setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &yes, sizeof yes);
            setsockopt(descriptor, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes);
            result = bind(descriptor, (struct sockaddr *)&from, sizeof from);
        }
        if (kind >= 4 && kind <= 6) result = setsockopt(descriptor, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
        if (result != 0) refuse(errno, "the setting for %s", names[kind]);
        begin();
        if (kind == 3) {
            struct sockaddr_in to = place(WEB, 80);
            if (sendto(descriptor, request, sizeof request - 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to) < 0
                && errno != EINPROGRESS)
                refuse(errno, "%s", names[kind]);
            else tell("sent", "", "%s", names[kind]);
        } else {
            converse(descriptor, WEB, 80, 300, names[kind]);
        }
        close(descriptor);
    }
}

void streams(void) {
    simple();
    set_apart();
    for (size_t i = 0; i < interface_count; i++) {
        static const char *const targets[] = {WEB, ROUTER, RELAY};
        for (int j = 0; j < 3; j++) {
            char name[64];
            snprintf(name, sizeof name, "TCP bound to %s", interfaces[i]);
            int descriptor = open_stream(SOCK_STREAM, 0, name);
            if (descriptor < 0) continue;
            if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interfaces[i], (socklen_t)strlen(interfaces[i]) + 1))
                refuse(errno, "%s", name);
            else converse(descriptor, targets[j], j == 2 ? 9001 : 80, 50, name);
            close(descriptor);
        }
    }
}
