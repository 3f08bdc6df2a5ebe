// SPDX-License-Identifier: GPL-3.0-or-later
// What a process has in its own memory.
#define _GNU_SOURCE
#include "planter.h"

#include <alloca.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

enum { page = 4096 };

// How many bytes the wanted records need: whole pages, a page never holding part of a record only.
static size_t needed(const struct crop *crop) {
    size_t per_page = page / record_size(crop);
    return (crop->count + per_page - 1) / per_page * page;
}

static void fill_pages(struct crop *crop, char *memory, size_t size) {
    for (size_t at = 0; at < size; at += page) fill(crop, memory + at, page);
}

int plant_heap(struct crop *crop) {
    // By turns a small piece, a few pages, and one so large that it is a mapping.
    static const size_t sizes[] = {256, 3 * page, 1 << 20};
    for (size_t turn = 0; crop->done < crop->count; turn++) {
        size_t size = sizes[turn % 3];
        char *piece = malloc(size);
        if (!piece) return ENOMEM;
        // For the compiler, memory that nobody reads need not be written.
        fill(crop, piece, size);
        __asm__ volatile("" : : "r"(piece) : "memory");
    }
    return 0;
}

static void __attribute__((noinline)) fill_frame(struct crop *crop) {
    char frame[64 * page];
    fill(crop, frame, sizeof frame);
    __asm__ volatile("" : : "r"(frame) : "memory");
    if (crop->done < crop->count) fill_frame(crop);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

int plant_stack(struct crop *crop) {
    // What is below the kernel's least gap for a stack.
    if (needed(crop) > 100u << 20) return E2BIG;
    struct rlimit limit = {120u << 20, 120u << 20};
    if (setrlimit(RLIMIT_STACK, &limit)) return errno;
    fill_frame(crop);
    // The stack's pages stay the process's own after the return.
    return 0;
}

int plant_mapping(struct crop *crop) {
    size_t size = needed(crop);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno;
    fill_pages(crop, memory, size);
    return 0;
}

int plant_locked(struct crop *crop) {
    size_t size = needed(crop);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mlock(memory, size)) return errno;
    fill_pages(crop, memory, size);
    return 0;
}

int plant_system_v(struct crop *crop) {
    size_t size = needed(crop);
    int segment = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    if (segment < 0) return errno;
    char *memory = shmat(segment, NULL, 0);
    if (memory == (void *)-1) return errno;
    fill_pages(crop, memory, size);
    return 0;
}

int plant_memory_file(struct crop *crop) {
    size_t size = needed(crop);
    int file = memfd_create("planted", 0);
    if (file < 0 || ftruncate(file, size)) return errno;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return errno;
    fill_pages(crop, memory, size);
    return munmap(memory, size) ? errno : 0;
}

// Arguments and environment: up to 128 KiB a string and 6 MiB in all; see: 'man 2 execve'.
static char **strings(struct crop *crop, char **first, size_t count_first) {
    size_t step = record_size(crop);
    size_t each = 64 * 1024 / step * step;
    size_t wanted = step * crop->count;
    if (wanted > 4u << 20) wanted = (4u << 20) / step * step;
    size_t count = (wanted + each - 1) / each;
    char **list = calloc(count_first + count + 1, sizeof *list);
    if (!list) return NULL;
    memcpy(list, first, count_first * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        size_t size = wanted - i * each < each ? wanted - i * each : each;
        // "X=" makes it a variable; as an argument it does no harm.
        char *text = calloc(1, size + 3);
        if (!text) return NULL;
        memcpy(text, "X=", 2);
        fill(crop, text + 2, size);
        list[count_first + i] = text;
    }
    return list;
}

static int become(struct crop *crop, int report, int in_environment) {
    struct rlimit limit = {64u << 20, 64u << 20};
    if (setrlimit(RLIMIT_STACK, &limit)) return errno;
    char *hold[] = {"planter", "hold", NULL};
    char *none[] = {NULL};
    char **list = in_environment ? strings(crop, NULL, 0) : strings(crop, hold, 2);
    if (!list) return ENOMEM;
    // Told before: afterwards the descriptor is closed. When it cannot be done, the second word is not heard any more, but
    // then nothing of it is found in the dump either.
    tell(report, crop, 0);
    execve("/proc/self/exe", in_environment ? hold : list, in_environment ? list : none);
    return errno;
}

int plant_arguments(struct crop *crop, int report) { return become(crop, report, 0); }
int plant_environment(struct crop *crop, int report) { return become(crop, report, 1); }
