// SPDX-License-Identifier: GPL-3.0-or-later
// Memory for secrets.
#pragma once

#include <stddef.h>

// Pages of their own, filled with zeros: not in a core dump, not in a child after fork(2), and locked (mlock(2)). NULL when
// there is no memory that is all this, such as when RLIMIT_MEMLOCK is used up.
void *clinux_secret_pages(size_t size);
// Overwrites them in a way that the compiler cannot leave out, and gives them back.
void clinux_secret_free(void *pages, size_t size);
