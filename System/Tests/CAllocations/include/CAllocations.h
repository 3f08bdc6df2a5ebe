// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// How often this thread has called malloc, calloc, realloc, posix_memalign or aligned_alloc.
long allocations_of_thread(void);
