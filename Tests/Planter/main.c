// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "planter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
    uint32_t done;
    int error;
};

static const struct method {
    const char *name;
    int (*plant)(struct crop *);
} methods[] = {
    {"heap", plant_heap},
    {"stack", plant_stack},
    {"mapping", plant_mapping},
    {"locked", plant_locked},
    {"system-v", plant_system_v},
    {"memory-file", plant_memory_file},
    {"file", plant_file},
    {"deleted-file", plant_deleted_file},
    {"pipe", plant_pipe},
    {"unix-socket", plant_unix_socket},
    {"tcp-socket", plant_tcp_socket},
    {"socket-name", plant_socket_name},
    {"key", plant_key},
    {"persistent-key", plant_persistent_key},
    {"posix-queue", plant_posix_queue},
    {"terminal", plant_terminal},
    {"clipboard", plant_clipboard},
    {"pseudo-terminal", plant_pseudo_terminal},
    // The same as the heap; what becomes of the process makes the difference.
    {"killed", plant_heap},
    {"stopped", plant_heap},
    {"stubborn", plant_heap},
};

size_t record_size(const struct crop *crop) { return strlen(crop->marker) + 8; }

void record(const struct crop *crop, uint32_t number, char *bytes) {
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(crop->marker);
    memcpy(bytes, crop->marker, length);
    for (int i = 0; i < 8; i++) bytes[length + i] = digits[number >> (28 - 4 * i) & 15];
}

void fill(struct crop *crop, void *memory, size_t size) {
    size_t step = record_size(crop);
    for (char *at = memory; size >= step && crop->done < crop->count; at += step, size -= step)
        record(crop, crop->done++, at);
}

void tell(int report, const struct crop *crop, int error) {
    struct report answer = {crop->done, error};
    if (write(report, &answer, sizeof answer) != sizeof answer) _exit(1);
}

static void wait_for_the_end(void) {
    for (;;) pause();
}

static void hold(struct crop *crop, int report) {
    setsid();
    // The caller waits for the end of what we write.
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++) dup2(nothing, i);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    struct rlimit locked = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &locked);
    if (strcmp(crop->method, "arguments") == 0) {
        tell(report, crop, plant_arguments(crop, report));
        _exit(1);
    }
    if (strcmp(crop->method, "environment") == 0) {
        tell(report, crop, plant_environment(crop, report));
        _exit(1);
    }
    int error = EINVAL;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(crop->method, methods[i].name) == 0) error = methods[i].plant(crop);
    if (strcmp(crop->method, "stubborn") == 0)
        for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
    tell(report, crop, error);
    close(report);
    if (error && crop->done == 0) _exit(1);
    if (strcmp(crop->method, "killed") == 0) raise(SIGKILL);
    if (strcmp(crop->method, "stopped") == 0) raise(SIGSTOP);
    wait_for_the_end();
}

static void plant(struct crop *crop) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        hold(crop, ends[1]);
    }
    close(ends[1]);
    struct report answer = {0, child < 0 ? errno : ECHILD};
    // One that dies before it has told anything ends the pipe.
    ssize_t count = read(ends[0], &answer, sizeof answer);
    close(ends[0]);
    if (count != sizeof answer) answer.error = ECHILD;
    if (child > 0 && strcmp(crop->method, "killed") == 0) waitpid(child, NULL, 0);
    if (answer.error)
        printf("failed\t%s\t%u\t%s\n", crop->name, answer.done, strerrorname_np(answer.error));
    else
        printf("planted\t%s\t%u\n", crop->name, answer.done);
    fflush(stdout);
}

static int read_crop(const char *line, struct crop *crop) {
    memset(crop, 0, sizeof *crop);
    int fields = sscanf(line, "%23s %47s %u %79s %255s", crop->method, crop->name, &crop->count, crop->marker, crop->path);
    return fields >= 4 && strlen(crop->marker) >= 8 && strlen(crop->marker) <= 64;
}

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    if (count > 1 && strcmp(words[1], "hold") == 0) wait_for_the_end();
    if (count == 3 && strcmp(words[1], "stuck") == 0) {
        int error = mount_stuck(words[2]);
        if (error) fprintf(stderr, "planter: %s\n", strerror(error));
        return error != 0;
    }
    if (count == 2 && strcmp(words[1], "halt") == 0) {
        int error = halt_encrypted();
        if (error) fprintf(stderr, "planter: %s\n", strerror(error));
        return error != 0;
    }
    if (count == 3 && strcmp(words[1], "damage") == 0) {
        int error = damage(words[2]);
        if (error) fprintf(stderr, "planter: %s\n", strerror(error));
        return error != 0;
    }
    const char *mode = count == 2 ? words[1] : "";
    int is_decrypting = strcmp(mode, "decrypt") == 0;
    if (!is_decrypting && strcmp(mode, "plant") != 0) {
        fprintf(stderr,
                "planter plant     plants what its standard input lists: METHOD NAME COUNT MARKER [PATH]\n"
                "planter decrypt   opens an encrypted disk: METHOD NAME 0 KEY PATH\n"
                "planter damage DISK   writes to a disk, the firmware and the clock\n"
                "planter halt      keeps what was opened from reading and writing\n"
                "planter stuck FOLDER   mounts a file system that never answers\n");
        return 2;
    }
    char line[512];
    struct crop crop;
    while (fgets(line, sizeof line, stdin)) {
        if (line[strspn(line, " \n")] == 0) continue;
        if (!read_crop(line, &crop)) {
            fprintf(stderr, "planter: a line is not METHOD NAME COUNT MARKER [PATH], or its marker has not 8 to 64 bytes\n");
            return 2;
        }
        if (is_decrypting) {
            int error = open_encrypted(&crop);
            if (error) fprintf(stderr, "planter: %s\n", strerror(error));
            return error != 0;
        }
        plant(&crop);
    }
    puts("end");
    return 0;
}
