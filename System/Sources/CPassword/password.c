// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "CPassword.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

// crypt_rn keeps the password and what it computes in this structure: 32 KiB, too much for a stack of unknown size.
static struct crypt_data *new_room(void) { return calloc(1, sizeof(struct crypt_data)); }

static void forget(struct crypt_data *room) {
    explicit_bzero(room, sizeof *room);
    free(room);
}

int cpassword_hash(const char *password, const char *random, int random_count, char *hash, size_t space) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    // Count 0: libxcrypt's own choice of cost, the one of Debian's logins.
    if (crypt_gensalt_rn("$y$", 0, random, random_count, setting, sizeof setting) == NULL) return -1;
    struct crypt_data *room = new_room();
    if (room == NULL) return -1;
    const char *result = crypt_rn(password, setting, room, sizeof *room);
    int length = -1;
    if (result != NULL && strlen(result) < space) {
        length = (int)strlen(result);
        memcpy(hash, result, (size_t)length + 1);
    }
    forget(room);
    return length;
}

int cpassword_check(const char *password, const char *hash) {
    struct crypt_data *room = new_room();
    if (room == NULL) return -1;
    const char *result = crypt_rn(password, hash, room, sizeof *room);
    int equal = -1;
    if (result != NULL) {
        size_t length = strlen(hash);
        unsigned char difference = strlen(result) != length;
        if (strlen(result) == length)
            for (size_t index = 0; index < length; index++) difference |= (unsigned char)(result[index] ^ hash[index]);
        equal = difference == 0;
    }
    forget(room);
    return equal;
}
