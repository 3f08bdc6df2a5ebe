// SPDX-License-Identifier: GPL-3.0-or-later
// Whole frames by packet sockets, on every interface: what no table of IP rules sees.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct writer {
    uint8_t bytes[512];
    size_t count;
};

static void put(struct writer *frame, const void *bytes, size_t count) {
    memcpy(frame->bytes + frame->count, bytes, count);
    frame->count += count;
}

static void put16(struct writer *frame, unsigned value) {
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(frame, bytes, 2);
}

static void head(struct writer *frame, const uint8_t to[6], const uint8_t from[6], unsigned type) {
    frame->count = 0;
    put(frame, to, 6);
    put(frame, from, 6);
    put16(frame, type);
}

static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};

static void ipv4(struct writer *frame, const char *from, const char *to, uint8_t protocol, const void *payload, size_t count,
                 int fragment, int options) {
    uint8_t header[28] = {0x45};
    size_t length = options ? 28 : 20;
    header[0] = (uint8_t)(0x40 | length / 4);
    header[2] = (uint8_t)((length + count) >> 8);
    header[3] = (uint8_t)(length + count);
    header[6] = (uint8_t)(fragment >> 8);
    header[7] = (uint8_t)fragment;
    header[8] = 64;
    header[9] = protocol;
    inet_pton(AF_INET, from, header + 12);
    inet_pton(AF_INET, to, header + 16);
    if (options) memcpy(header + 20, "\x83\x07\x04\xc0\x00\x02\x01\x00", 8);
    uint16_t sum = checksum(header, length, 0);
    memcpy(header + 10, &sum, 2);
    put(frame, header, length);
    put(frame, payload, count);
}

static size_t udp(uint8_t *bytes, unsigned from, unsigned to, const void *payload, size_t count) {
    struct writer datagram = {.count = 0};
    put16(&datagram, from);
    put16(&datagram, to);
    put16(&datagram, (unsigned)count + 8);
    put16(&datagram, 0);
    put(&datagram, payload, count);
    memcpy(bytes, datagram.bytes, datagram.count);
    return datagram.count;
}

static size_t tcp(uint8_t *bytes, unsigned port, uint8_t flags, const char *payload) {
    struct writer segment = {.count = 0};
    put16(&segment, 40001);
    put16(&segment, port);
    put(&segment, "\0\0\0\1\0\0\0\0\x50", 9);
    put(&segment, &flags, 1);
    put(&segment, "\x08\0\0\0\0\0", 6);
    put(&segment, payload, strlen(payload));
    memcpy(bytes, segment.bytes, segment.count);
    return segment.count;
}

static void ipv6(struct writer *frame, uint8_t next, const void *payload, size_t count) {
    uint8_t header[40] = {0x60, 0, 0, 0, 0, (uint8_t)count, next, 255, 0xfe, 0x80};
    header[23] = 7;
    memcpy(header + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
    put(frame, header, 40);
    put(frame, payload, count);
}

// The sender's own address in this network.
static void own_address(const char *interface, char *text) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    snprintf(text, INET_ADDRSTRLEN, "%s", NOBODY);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && ioctl(descriptor, SIOCGIFADDR, &request) == 0)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&request.ifr_addr)->sin_addr, text, INET_ADDRSTRLEN);
    if (descriptor >= 0) close(descriptor);
}

// The address burnt into the hardware; zero where there is none.
static void burnt_in(const char *interface, uint8_t address[6]) {
    struct {
        struct ethtool_perm_addr head;
        uint8_t bytes[32];
    } answer = {.head = {.cmd = ETHTOOL_GPERMADDR, .size = 32}};
    struct ifreq request = {.ifr_data = (char *)&answer};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(address, 0, 6);
    if (descriptor >= 0 && ioctl(descriptor, SIOCETHTOOL, &request) == 0 && answer.head.size == 6)
        memcpy(address, answer.bytes, 6);
    if (descriptor >= 0) close(descriptor);
}

struct sender {
    int descriptor;
    const char *interface;
    struct sockaddr_ll to;
};

static void out(struct sender *sender, const struct writer *frame, const char *name) {
    begin();
    ssize_t sent = sendto(sender->descriptor, frame->bytes, frame->count, MSG_DONTWAIT, (struct sockaddr *)&sender->to,
                          sizeof sender->to);
    if (sent < 0) refuse(errno, "frame on %s: %s", sender->interface, name);
    else tell("sent", "", "frame on %s: %s", sender->interface, name);
}

static void link_layer(struct sender *sender, const uint8_t own[6], const char *address) {
    struct writer frame;
    uint8_t bytes[28] = {0, 1, 8, 0, 6, 4, 0, 1};
    // An ARP scan: neighbours that nobody needs to know.
    for (int last = 2; last < 12; last++) {
        memcpy(bytes + 8, own, 6);
        inet_pton(AF_INET, address, bytes + 14);
        memset(bytes + 18, 0, 6);
        inet_pton(AF_INET, ROUTER, bytes + 24);
        bytes[27] = (uint8_t)last;
        head(&frame, everybody, own, 0x0806);
        put(&frame, bytes, 28);
        out(sender, &frame, "ARP scan");
    }
    put(&frame, "hidden in the padding", 21);
    frame.bytes[41] = 1;
    out(sender, &frame, "ARP with something behind it");
    uint8_t hardware[6];
    burnt_in(sender->interface, hardware);
    head(&frame, everybody, hardware, 0x0806);
    memcpy(bytes + 8, hardware, 6);
    memset(bytes + 14, 0, 4);
    put(&frame, bytes, 28);
    if (memcmp(hardware, "\0\0\0\0\0\0", 6) != 0) out(sender, &frame, "from the hardware's own address");
    head(&frame, (const uint8_t *)"\x01\x80\xc2\0\0\x0e", own, 0x88cc);
    put(&frame, "\x02\x07\x04needle\x04\x02\x07x\x06\x02\0\x78\0\0", 20);
    out(sender, &frame, "LLDP");
    head(&frame, (const uint8_t *)"\x01\x80\xc2\0\0\0", own, 38);
    put(&frame, "\x42\x42\x03\0\0\0\0\0\0\0", 38 > 10 ? 10 : 38);
    memset(frame.bytes + frame.count, 0, 40);
    frame.count = 60;
    out(sender, &frame, "spanning tree");
    head(&frame, everybody, own, 0x88b5);
    put(&frame, "needletail", 10);
    out(sender, &frame, "a type of one's own");
    head(&frame, everybody, own, 0x8863);
    put(&frame, "\x11\x09\0\0\0\4\1\1\0\0", 10);
    out(sender, &frame, "a search for a PPPoE server");
    head(&frame, everybody, own, 0x8100);
    put(&frame, "\0\5\x08\6", 4);
    put(&frame, bytes, 28);
    out(sender, &frame, "a tag of a virtual network");
    head(&frame, everybody, own, 0x0800);
    put(&frame, "\x4f\0\xff\xff", 4);
    out(sender, &frame, "a header that cannot be");
}

static void dhcp(struct sender *sender, const uint8_t own[6]) {
    struct writer message = {.count = 0}, frame;
    uint8_t fixed[240] = {1, 1, 6, 0, 0x4e, 0x54};
    memcpy(fixed + 28, own, 6);
    memcpy(fixed + 236, "\x63\x82\x53\x63", 4);
    put(&message, fixed, 240);
    put(&message, "\x35\1\1\x0c\4host\x3c\6needle\x3d\5\0user\x51\7\0\0\0host\x2b\4user\xff", 46);
    uint8_t bytes[400];
    size_t count = udp(bytes, 68, 67, message.bytes, message.count);
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, "0.0.0.0", "255.255.255.255", 17, bytes, count, 0, 0);
    out(sender, &frame, "DHCP that tells names");
    message.bytes[0] = 2;
    count = udp(bytes, 68, 67, message.bytes, message.count);
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, "0.0.0.0", "255.255.255.255", 17, bytes, count, 0, 0);
    out(sender, &frame, "an answer of a DHCP server");
}

static void version4(struct sender *sender, const uint8_t own[6], const char *address) {
    struct writer frame;
    uint8_t bytes[400];
    static const struct {
        const char *name;
        int port;
        const char *to;
    } datagrams[] = {{"mDNS", 5353, "224.0.0.251"}, {"SSDP", 1900, "239.255.255.250"}, {"NTP", 123, WEB},
                     {"any UDP", 9999, WEB},        {"DNS over QUIC", 853, RESOLVER},     {"DHCP elsewhere", 67, WEB},
                     {"DHCPv6 over IPv4", 547, WEB}};
    for (size_t i = 0; i < sizeof datagrams / sizeof *datagrams; i++) {
        size_t count = udp(bytes, 40002, (unsigned)datagrams[i].port, "user on host", 12);
        head(&frame, everybody, own, 0x0800);
        ipv4(&frame, address, datagrams[i].to, 17, bytes, count, 0, 0);
        out(sender, &frame, datagrams[i].name);
    }
    uint8_t question[64];
    size_t length = dns_question(question, "leak.example"), count = udp(bytes, 40002, 53, question, length);
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, RESOLVER, 17, bytes, count, 0, 0);
    out(sender, &frame, "DNS");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, RESOLVER, 17, bytes, count, 0x2000, 0);
    out(sender, &frame, "a fragment");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, RESOLVER, 17, bytes, count, 0, 1);
    out(sender, &frame, "a source route");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, "10.9.8.7", RESOLVER, 17, bytes, count, 0, 0);
    out(sender, &frame, "from an address of nowhere");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, "224.0.0.22", 2, "\x16\0\x09\xfd\xe0\0\0\xfb", 8, 0, 0);
    out(sender, &frame, "a report to a group");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, WEB, 1, "\x08\0\xf7\xfe\0\1\0\0", 8, 0, 0);
    out(sender, &frame, "a ping");
    head(&frame, everybody, own, 0x0800);
    ipv4(&frame, address, WEB, 47, "\0\0\x08\0", 4, 0, 0);
    out(sender, &frame, "GRE");
    static const int ports[] = {80, 443, 853, 9001};
    for (int i = 0; i < 4; i++) {
        count = tcp(bytes, (unsigned)ports[i], i ? 2 : 0x18, i ? "" : "GET /user HTTP/1.0\r\n\r\n");
        head(&frame, everybody, own, 0x0800);
        ipv4(&frame, address, ports[i] == 9001 ? COMPUTER : WEB, 6, bytes, count, 0, 0);
        out(sender, &frame, "TCP without a connection");
    }
}

static void version6(struct sender *sender, const uint8_t own[6]) {
    struct writer frame;
    uint8_t bytes[400];
    static const struct {
        const char *name;
        uint8_t type;
        size_t count;
    } messages[] = {{"IPv6 router solicitation", 133, 8}, {"IPv6 neighbour solicitation", 135, 24},
                    {"IPv6 listener report", 143, 8},     {"IPv6 ping", 128, 8}};
    for (int i = 0; i < 4; i++) {
        uint8_t message[24] = {messages[i].type};
        head(&frame, (const uint8_t *)"\x33\x33\0\0\0\2", own, 0x86dd);
        ipv6(&frame, 58, message, messages[i].count);
        out(sender, &frame, messages[i].name);
    }
    static const int ports[] = {53, 547, 5353, 9999};
    for (int i = 0; i < 4; i++) {
        size_t count = udp(bytes, 546, (unsigned)ports[i], "user", 4);
        head(&frame, (const uint8_t *)"\x33\x33\0\0\0\2", own, 0x86dd);
        ipv6(&frame, 17, bytes, count);
        out(sender, &frame, i == 1 ? "DHCPv6" : "IPv6 by UDP");
    }
    size_t count = tcp(bytes, 80, 2, "");
    head(&frame, (const uint8_t *)"\x33\x33\0\0\0\2", own, 0x86dd);
    ipv6(&frame, 6, bytes, count);
    out(sender, &frame, "IPv6 by TCP");
    head(&frame, (const uint8_t *)"\x33\x33\0\0\0\2", own, 0x86dd);
    ipv6(&frame, 59, "", 0);
    out(sender, &frame, "IPv6 with nothing in it");
}

void frames(void) {
    for (size_t i = 0; i < interface_count; i++) {
        begin();
        struct sender sender = {.interface = interfaces[i]};
        sender.descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (sender.descriptor < 0) {
            refuse(errno, "packet socket on %s", interfaces[i]);
            continue;
        }
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interfaces[i]);
        uint8_t own[6];
        char address[INET_ADDRSTRLEN];
        if (strcmp(interfaces[i], "lo") == 0 || ioctl(sender.descriptor, SIOCGIFHWADDR, &request) != 0) {
            if (strcmp(interfaces[i], "lo") != 0) refuse(errno, "packet socket on %s", interfaces[i]);
            close(sender.descriptor);
            continue;
        }
        memcpy(own, request.ifr_hwaddr.sa_data, 6);
        own_address(interfaces[i], address);
        sender.to = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interfaces[i]),
                                         .sll_halen = 6};
        memcpy(sender.to.sll_addr, everybody, 6);
        link_layer(&sender, own, address);
        dhcp(&sender, own);
        version4(&sender, own, address);
        version6(&sender, own);
        close(sender.descriptor);
    }
}
