// SPDX-License-Identifier: GPL-3.0-or-later
// Names in a directory without a stream, which would allocate. For this module's own files only.
#pragma once

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's struct linux_dirent64: getdents64(2).
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

// Calls `visit` with each name that does not begin with a dot; returns the sum of what it returns, or -1.
static inline int each(int directory, char *buffer, size_t size, int (*visit)(int directory, const char *name)) {
    int sum = 0;
    if (directory < 0 || lseek(directory, 0, SEEK_SET) < 0) return -1;
    for (;;) {
        long count = syscall(SYS_getdents64, directory, buffer, size);
        if (count <= 0) return sum;
        for (long place = 0; place < count;) {
            struct entry *entry = (struct entry *)(buffer + place);
            if (entry->name[0] != '.') sum += visit(directory, entry->name);
            place += entry->length;
        }
    }
}
