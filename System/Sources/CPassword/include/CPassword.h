// SPDX-License-Identifier: GPL-3.0-or-later
// libcrypt's password hashing: crypt(3) of libxcrypt, which every Debian login uses.
#pragma once

#include <stddef.h>

// Makes a new yescrypt setting with random bytes of the kernel (at least 16), then the hash of a password that ends with a
// zero byte. Returns the length of the hash without its end, -1 on failure.
int cpassword_hash(const char *password, const char *random, int random_count, char *hash, size_t room);
// Whether the password gives this hash. The comparison takes the same time wherever they differ. 1, 0, or -1 on failure.
int cpassword_check(const char *password, const char *hash);
