// SPDX-License-Identifier: GPL-3.0-or-later
// Asks tor over its control socket, as root: which circuits carry which streams. The guest has no other tool for it.
#define _GNU_SOURCE
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Prints the lines of one reply; whether it was a good one.
static int reply(FILE *stream, int print) {
    char line[8192];
    int is_data = 0;
    while (fgets(line, sizeof line, stream)) {
        if (is_data && strcmp(line, ".\r\n") == 0) {
            is_data = 0;
            continue;
        }
        if (print) fputs(is_data ? line : line + 4, stdout);
        if (is_data) continue;
        if (line[3] == '+') is_data = 1;
        else if (line[3] == ' ') return line[0] == '2';
    }
    return 0;
}

int control(int count, char **words) {
    if (count < 2) return 2;
    uint8_t cookie[32];
    FILE *file = fopen(words[1], "r");
    if (!file || fread(cookie, 1, sizeof cookie, file) != sizeof cookie) {
        perror(words[1]);
        return 1;
    }
    fclose(file);
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    snprintf(place.sun_path, sizeof place.sun_path, "%s", words[0]);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, (struct sockaddr *)&place, sizeof place) != 0) {
        perror(words[0]);
        return 1;
    }
    // One for each direction: between reading and writing the same one, a socket would have to be sought in.
    FILE *stream = fdopen(dup(descriptor), "w"), *answers = fdopen(descriptor, "r");
    if (!stream || !answers) return 1;
    fputs("AUTHENTICATE ", stream);
    for (size_t i = 0; i < sizeof cookie; i++) fprintf(stream, "%02x", cookie[i]);
    fputs("\r\n", stream);
    fflush(stream);
    if (!reply(answers, 0)) {
        fputs("tor does not take the cookie\n", stderr);
        return 1;
    }
    int is_good = 1;
    for (int i = 2; i < count; i++) {
        fprintf(stream, "%s\r\n", words[i]);
        fflush(stream);
        is_good &= reply(answers, 1);
    }
    fclose(stream);
    fclose(answers);
    return is_good ? 0 : 1;
}
