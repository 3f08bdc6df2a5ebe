// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *interfaces[64];
size_t interface_count;

static struct timespec started;

void begin(void) { clock_gettime(CLOCK_MONOTONIC, &started); }

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - started.tv_sec) * 1000 + (now.tv_nsec - started.tv_nsec) / 1000000;
}

static void line(const char *outcome, const char *detail, const char *format, va_list words) {
    printf("%s\t%ld\t", outcome, milliseconds());
    vprintf(format, words);
    printf("\t%s\n", detail);
    fflush(stdout);
}

void tell(const char *outcome, const char *detail, const char *format, ...) {
    va_list words;
    va_start(words, format);
    line(outcome, detail, format, words);
    va_end(words);
}

void refuse(int number, const char *format, ...) {
    va_list words;
    va_start(words, format);
    line("refused", error_name(number), format, words);
    va_end(words);
}

const char *error_name(int number) {
    const char *name = strerrorname_np(number);
    return name ? name : "?";
}

void range_add(struct range *range, int index, const char *outcome) {
    if (range->open && strcmp(range->outcome, outcome) == 0) {
        range->last = index;
        return;
    }
    range_end(range);
    begin();
    range->first = range->last = index;
    snprintf(range->outcome, sizeof range->outcome, "%s", outcome);
    range->open = 1;
}

void range_end(struct range *range) {
    if (!range->open) return;
    range->open = 0;
    int sent = strcmp(range->outcome, "sent") == 0;
    tell(sent ? "sent" : "refused", sent ? "" : range->outcome, "%s %d-%d", range->name, range->first, range->last);
}

int is_real_root(void) {
    if (geteuid() != 0) return 0;
    FILE *file = fopen("/proc/self/uid_map", "r");
    unsigned inside = 1, outside = 1, count = 0;
    int found = file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3;
    if (file) fclose(file);
    return found && inside == 0 && outside == 0 && count == 4294967295u;
}

static void add_interface(const char *name) {
    for (size_t i = 0; i < interface_count; i++)
        if (strcmp(interfaces[i], name) == 0) return;
    if (interface_count < 64) interfaces[interface_count++] = strdup(name);
}

static void find_interfaces(int count, char **names) {
    struct if_nameindex *own = if_nameindex();
    for (struct if_nameindex *one = own; one && one->if_index; one++) add_interface(one->if_name);
    if (own) if_freenameindex(own);
    for (int i = 0; i < count; i++) add_interface(names[i]);
    static const char *const guesses[] = {"to-session", "to-portal", "tor", "clear", "eth0", "wlan0"};
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) add_interface(guesses[i]);
}

static void sockets(void) {
    datagrams();
    streams();
    raw_sockets();
    families();
    frames();
}

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    const char *mode = count > 1 ? words[1] : "";
    if (strcmp(mode, "control") == 0) return control(count - 2, words + 2);
    if (strcmp(mode, "clock") == 0) return hardware_clock();
    if (strcmp(mode, "lid") == 0) return lid();
    find_interfaces(count - 2, words + 2);
    if (strcmp(mode, "sockets") == 0) {
        sockets();
        escapes();
    } else if (strcmp(mode, "storm") == 0) {
        // With the settings of the namespace turned inside out, all of it again.
        change();
        sockets();
        undo();
    } else {
        fprintf(stderr,
                "probe sockets [INTERFACE...]   try to send by every means\n"
                "probe storm [INTERFACE...]     change the namespace first, and put it back after\n"
                "probe control SOCKET COOKIE COMMAND...   ask tor\n"
                "probe lid                      be a lid: SIGUSR1 closes it, SIGUSR2 opens it\n");
        return 2;
    }
    puts("end");
    return 0;
}
