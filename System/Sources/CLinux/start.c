// SPDX-License-Identifier: GPL-3.0-or-later
#include "CLinux.h"
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

// The Swift runtime reads /proc/self/maps to find the end of the main thread's stack, and aborts when it cannot. As
// process 1 nobody has mounted /proc yet, so this comes before every other constructor.
__attribute__((constructor(101))) static void prepare_runtime(void) {
    if (getpid() != 1) return;
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    // The runtime's hash seed comes from getrandom(2), which waits for the kernel's entropy: 1.7 s of every start on a
    // CPU without RDRAND. Nothing here hashes enough of a stranger's data to need a seed. What the kernel gave as
    // environment, and systemd gets, stays as it was.
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1);
}

// What the kernel passed. Swift's CommandLine did not have it in a program that process 1 became.
static int argument_count;
static char **argument_list;

__attribute__((constructor(102))) static void keep_arguments(int count, char **list) {
    argument_count = count;
    argument_list = list;
}

const char *clinux_argument(int index) {
    return index >= 0 && index < argument_count ? argument_list[index] : NULL;
}
