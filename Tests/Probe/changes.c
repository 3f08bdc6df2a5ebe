// SPDX-License-Identifier: GPL-3.0-or-later
// Changes to the namespace itself: its rules, interfaces, routes and settings. What could be changed is put back.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char rules[65536];
static size_t rules_count;

static struct {
    const char *path, *value;
    char old[64];
} settings[] = {
    {"/proc/sys/net/ipv4/ping_group_range", "0 2147483647", ""},
    {"/proc/sys/net/ipv4/ip_forward", "1", ""},
    {"/proc/sys/net/ipv4/conf/all/route_localnet", "1", ""},
    {"/proc/sys/net/ipv4/conf/all/accept_source_route", "1", ""},
    {"/proc/sys/net/ipv4/conf/all/rp_filter", "0", ""},
    {"/proc/sys/net/ipv4/conf/all/accept_redirects", "1", ""},
    {"/proc/sys/net/ipv4/conf/all/arp_filter", "0", ""},
    {"/proc/sys/net/ipv4/ip_nonlocal_bind", "1", ""},
    {"/proc/sys/net/ipv4/tcp_fastopen", "3", ""},
    {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", ""},
    {"/proc/sys/net/ipv6/conf/all/disable_ipv6", "0", ""},
};
enum { setting_count = sizeof settings / sizeof *settings };

// Runs a command of the shell and tells its first line.
static void command(const char *words) {
    char line[600], detail[160] = "";
    begin();
    snprintf(line, sizeof line, "PATH=/usr/sbin:/usr/bin:/sbin:/bin; timeout 5 %s </dev/null 2>&1", words);
    FILE *pipe = popen(line, "r");
    if (!pipe) {
        refuse(errno, "%s", words);
        return;
    }
    if (!fgets(detail, sizeof detail, pipe)) detail[0] = 0;
    while (fgets(line, sizeof line, pipe)) {}
    detail[strcspn(detail, "\n")] = 0;
    int status = pclose(pipe);
    tell(status == 0 ? "changed" : "refused", detail, "%s", words);
}

static void write_setting(const char *path, const char *value) {
    begin();
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || write(descriptor, value, strlen(value)) < 0) refuse(errno, "write %s to %s", value, path);
    else tell("changed", "", "write %s to %s", value, path);
    if (descriptor >= 0) close(descriptor);
}

static const char *const commands[] = {
    "ip link add atk-veth type veth peer name atk-peer",
    "ip link set atk-peer up",
    "ip link add atk-out type veth peer name atk-root netns 1",
    "ip link set atk-out up",
    "ip link add atk-dummy type dummy",
    "ip link set atk-dummy netns 1",
    "ip link add link tor atk-mac type macvlan mode bridge",
    "ip link add link tor atk-ipvlan type ipvlan mode l2",
    "ip link add link tor atk-vlan type vlan id 5",
    "ip link add atk-bridge type bridge",
    "ip link add atk-vxlan type vxlan id 5 remote " WEB " dstport 4789",
    "ip link add atk-gre type gretap remote " WEB " local 10.77.0.2",
    "ip link add atk-ipip type ipip remote " WEB " local 10.77.0.2",
    "ip link add atk-wg type wireguard",
    "ip tuntap add dev atk-tap mode tap",
    "ip link set atk-mac up",
    "ip link set atk-vlan up",
    "ip addr add 192.0.2.77/24 dev tor",
    "ip addr add 192.0.2.78/24 dev atk-out",
    "ip addr add 192.0.2.79/24 dev atk-mac",
    "ip route add 198.51.100.0/24 dev tor scope link",
    "ip route add 203.0.113.80 via " TOR " dev tor onlink",
    "ip rule add pref 5 fwmark 0x746f72 lookup main",
    "ip neigh replace " ROUTER " lladdr 02:00:5e:00:02:01 dev tor",
    "ip netns add atk",
    "nft flush ruleset",
    "nft add table inet atk",
    "nft add chain inet atk out '{ type filter hook output priority -300 ; policy accept ; }'",
    "nft add rule inet atk out meta mark set 0x746f72 ct mark set 0x746f72",
    "nft add table netdev atk",
    "nft add chain netdev atk out '{ type filter hook egress device tor priority 0 ; policy accept ; }'",
    "sysctl -w net.netfilter.nf_conntrack_helper=1",
};
static const char *const repairs[] = {
    "ip link del atk-veth",   "ip link del atk-out",   "ip link del atk-mac",    "ip link del atk-ipvlan",
    "ip link del atk-vlan",   "ip link del atk-bridge", "ip link del atk-vxlan", "ip link del atk-gre",
    "ip link del atk-ipip",   "ip link del atk-wg",     "ip link del atk-tap",   "ip link del atk-dummy",
    // It may have been moved.
    "nsenter --net=/proc/1/ns/net ip link del atk-dummy",
    "ip addr del 192.0.2.77/24 dev tor", "ip route del 198.51.100.0/24 dev tor", "ip route del 203.0.113.80 dev tor",
    "ip rule del pref 5",     "ip neigh del " ROUTER " dev tor", "ip netns del atk",
};

void change(void) {
    FILE *pipe = popen("PATH=/usr/sbin:/usr/bin nft list ruleset 2>/dev/null", "r");
    if (pipe) {
        rules_count = fread(rules, 1, sizeof rules, pipe);
        pclose(pipe);
    }
    for (int i = 0; i < setting_count; i++) {
        FILE *file = fopen(settings[i].path, "r");
        if (file) {
            size_t count = fread(settings[i].old, 1, sizeof settings[i].old - 1, file);
            settings[i].old[count] = 0;
            settings[i].old[strcspn(settings[i].old, "\n")] = 0;
            fclose(file);
        }
        write_setting(settings[i].path, settings[i].value);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) command(commands[i]);
    // New names to bind to and to send frames on.
    static const char *const names[] = {"atk-veth", "atk-out", "atk-mac", "atk-vlan"};
    for (int i = 0; i < 4 && interface_count < 64; i++) interfaces[interface_count++] = names[i];
}

void undo(void) {
    if (!is_real_root()) return;
    for (size_t i = 0; i < sizeof repairs / sizeof *repairs; i++) {
        char line[200];
        snprintf(line, sizeof line, "PATH=/usr/sbin:/usr/bin timeout 5 %s >/dev/null 2>&1", repairs[i]);
        if (system(line) < 0) continue;
    }
    // Backwards: to forward or not changes others of these settings.
    for (int i = setting_count; i-- > 0;) {
        int descriptor = open(settings[i].path, O_WRONLY | O_CLOEXEC);
        if (descriptor < 0) continue;
        if (write(descriptor, settings[i].old, strlen(settings[i].old)) < 0) refuse(errno, "put back %s", settings[i].path);
        close(descriptor);
    }
    if (system("PATH=/usr/sbin:/usr/bin nft flush ruleset") != 0) return;
    FILE *pipe = popen("PATH=/usr/sbin:/usr/bin nft -f -", "w");
    if (!pipe) return;
    fwrite(rules, 1, rules_count, pipe);
    if (pclose(pipe) != 0) printf("failed\t0\tput the rules back\t\n");
}
