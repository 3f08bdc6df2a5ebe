// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that wait for an emergency. Everything they need is there before: see emergency.h.
#define _GNU_SOURCE
#include "CLinux.h"

#include <alloca.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

enum { STACK = 256 << 10 };

struct member {
    sem_t go, done;
    atomic_int busy;
    int wake;
};

static struct member crew[CLINUX_CREW_MAX];
static int crew_count;
static void (*crew_run)(int32_t, void *);
static void *crew_context;

__attribute__((noinline)) static void touch_stack(void) {
    volatile char *place = alloca(STACK / 2);
    for (size_t offset = 0; offset < STACK / 2; offset += 1024) place[offset] = 0;
}

static volatile sig_atomic_t begun;

void clinux_emergency_begin(void) {
    begun = 1;
    clinux_forbid_restart_keys();
}

void clinux_forbid_restart_keys(void) { reboot(RB_DISABLE_CAD); }

static void crashed(int number) {
    // Before an emergency systemd starts the program again. In one nobody would.
    while (begun) pause();
    signal(number, SIG_DFL);
    raise(number);
}

int clinux_emergency_lock(void) {
    const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) signal(numbers[index], crashed);
    // Freed memory stays with the heap, so that what is freed once serves again.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_MAX, 0);
    int result = mlockall(MCL_CURRENT | MCL_FUTURE);
    int saved = errno;
    touch_stack();
    // Not decisive: without it a shortage of memory may let this process wait for a disk.
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    errno = saved;
    return result;
}

int clinux_emergency_urgent(int process) {
    struct sched_param parameters = {.sched_priority = 50};
    return sched_setscheduler(process, SCHED_RR | SCHED_RESET_ON_FORK, &parameters);
}

static int64_t milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clinux_emergency_now(void) { return milliseconds(CLOCK_MONOTONIC); }

int64_t clinux_emergency_now_with_sleep(void) { return milliseconds(CLOCK_BOOTTIME); }

void clinux_emergency_pause(int time) {
    struct timespec rest = {time / 1000, (time % 1000) * 1000000L};
    while (nanosleep(&rest, &rest) < 0 && errno == EINTR) {}
}

static void *work(void *argument) {
    struct member *member = argument;
    clinux_emergency_urgent(0);
    touch_stack();
    for (;;) {
        while (sem_wait(&member->go) < 0) {}
        crew_run((int32_t)(member - crew), crew_context);
        int wake = member->wake;
        atomic_store(&member->busy, 0);
        sem_post(&member->done);
        uint64_t one = 1;
        if (wake >= 0 && write(wake, &one, sizeof one) < 0) {}
    }
    return NULL;
}

int clinux_crew_prepare(int count, void (*run)(int32_t, void *), void *context) {
    if (count < 1 || count > CLINUX_CREW_MAX || crew_count != 0) {
        errno = EINVAL;
        return -1;
    }
    crew_run = run;
    crew_context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failure = 0;
    for (int index = 0; index < count && failure == 0; index++) {
        sem_init(&crew[index].go, 0, 0);
        sem_init(&crew[index].done, 0, 0);
        pthread_t thread;
        failure = pthread_create(&thread, &attributes, work, &crew[index]);
    }
    pthread_attr_destroy(&attributes);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    crew_count = count;
    return 0;
}

int clinux_crew_start(int32_t index, int wake) {
    if (index < 0 || index >= crew_count) return -1;
    int idle = 0;
    if (!atomic_compare_exchange_strong(&crew[index].busy, &idle, 1)) return -1;
    // An end that nobody waited for.
    while (sem_trywait(&crew[index].done) == 0) {}
    crew[index].wake = wake;
    return sem_post(&crew[index].go);
}

int clinux_crew_idle(int32_t index) {
    return index >= 0 && index < crew_count && atomic_load(&crew[index].busy) == 0;
}

int clinux_crew_wait(int32_t index, int64_t until) {
    if (index < 0 || index >= crew_count) return 1;
    struct timespec limit = {until / 1000, (until % 1000) * 1000000L};
    while (atomic_load(&crew[index].busy)) {
        if (sem_clockwait(&crew[index].done, CLOCK_MONOTONIC, &limit) < 0 && errno != EINTR) {
            return atomic_load(&crew[index].busy) == 0;
        }
    }
    return 1;
}

int clinux_watch(const int32_t *descriptors, uint8_t *ready, int count, int time) {
    struct pollfd list[80];
    if (count > 80) count = 80;
    for (int index = 0; index < count; index++) {
        list[index] = (struct pollfd){.fd = descriptors[index], .events = POLLIN};
        ready[index] = 0;
    }
    int result = poll(list, (nfds_t)count, time);
    if (result <= 0) return result;
    for (int index = 0; index < count; index++) ready[index] = list[index].revents != 0;
    return result;
}

int clinux_event_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clinux_event_clear(int descriptor) {
    uint64_t value;
    if (read(descriptor, &value, sizeof value) < 0) {}
}

long clinux_plain_read(int descriptor, void *bytes, size_t count) {
    long result;
    do result = read(descriptor, bytes, count);
    while (result < 0 && errno == EINTR);
    return result;
}

void clinux_plain_close(int descriptor) { close(descriptor); }

long clinux_uevent_take(int descriptor, void *buffer, size_t size) {
    long count;
    do count = clinux_uevent_receive(descriptor, buffer, size);
    while (count < 0 && errno == EINTR);
    if (count >= 0) return count;
    return errno == ENOBUFS ? -2 : -1;
}

int clinux_accept_peer(int listener, uint32_t *user) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) return -1;
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
        close(descriptor);
        return -1;
    }
    *user = peer.uid;
    return descriptor;
}

long clinux_answer(int socket, const void *bytes, size_t count) {
    return send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}
