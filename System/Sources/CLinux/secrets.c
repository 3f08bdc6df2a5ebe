// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "secrets.h"

#include <string.h>
#include <sys/mman.h>

void *clinux_secret_pages(size_t size) {
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    // There is no swap in the system; should there ever be some, these pages do not go there. A page that is not what it should
    // be takes no secret: whoever asks is told, as when there is no memory.
    if (mlock(pages, size) == 0 && madvise(pages, size, MADV_DONTDUMP) == 0 && madvise(pages, size, MADV_WIPEONFORK) == 0)
        return pages;
    munmap(pages, size);
    return NULL;
}

void clinux_secret_free(void *pages, size_t size) {
    explicit_bzero(pages, size);
    munmap(pages, size);
}
