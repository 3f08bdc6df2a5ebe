// SPDX-License-Identifier: GPL-3.0-or-later
// Stands before the C library's functions, in the test program only.
#include "CAllocations.h"

#include <errno.h>
#include <stddef.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static __thread long count;

long allocations_of_thread(void) { return count; }

void *malloc(size_t size) { count++; return __libc_malloc(size); }

void *calloc(size_t number, size_t size) { count++; return __libc_calloc(number, size); }

void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }

void *aligned_alloc(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    *result = __libc_memalign(alignment, size);
    return *result == NULL ? ENOMEM : 0;
}
