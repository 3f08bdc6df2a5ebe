// SPDX-License-Identifier: GPL-3.0-or-later
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

static int prepare(struct dm_ioctl *request, size_t size, const char *name) {
    memset(request, 0, size);
    // 4.0.0 is the interface; the kernel refuses another major number.
    request->version[0] = 4;
    request->data_size = (uint32_t)size;
    request->data_start = sizeof *request;
    if (strlen(name) >= sizeof request->name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request->name, name);
    return 0;
}

int clinux_dm_create(int control, const char *name, const char *uuid, uint32_t *minor_number) {
    struct dm_ioctl request;
    if (prepare(&request, sizeof request, name) < 0) return -1;
    if (strlen(uuid) >= sizeof request.uuid) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request.uuid, uuid);
    if (ioctl(control, DM_DEV_CREATE, &request) < 0) return -1;
    *minor_number = minor(request.dev);
    return 0;
}

int clinux_dm_load(int control, const char *name, uint64_t sectors, const char *target, const char *parameters) {
    size_t length = strlen(parameters) + 1;
    // Rounded up to 8 bytes, as the kernel aligns targets.
    size_t size = sizeof(struct dm_ioctl) + sizeof(struct dm_target_spec) + ((length + 7) & ~(size_t)7);
    struct dm_ioctl *request = calloc(1, size);
    if (request == NULL) return -1;
    int result = -1;
    struct dm_target_spec *specification = (struct dm_target_spec *)(request + 1);
    if (strlen(target) >= sizeof specification->target_type) {
        errno = ENAMETOOLONG;
    } else if (prepare(request, size, name) == 0) {
        request->target_count = 1;
        // Nothing that we map is ever written through the mapping.
        request->flags = DM_READONLY_FLAG;
        specification->length = sectors;
        specification->next = (uint32_t)(size - sizeof *request);
        strcpy(specification->target_type, target);
        memcpy(specification + 1, parameters, length);
        result = ioctl(control, DM_TABLE_LOAD, request);
    }
    int saved = errno;
    free(request);
    errno = saved;
    return result;
}

int clinux_dm_resume(int control, const char *name) {
    struct dm_ioctl request;
    if (prepare(&request, sizeof request, name) < 0) return -1;
    // DM_DEV_SUSPEND without the flag DM_SUSPEND_FLAG resumes.
    return ioctl(control, DM_DEV_SUSPEND, &request);
}

int clinux_dm_remove(int control, const char *name) {
    struct dm_ioctl request;
    if (prepare(&request, sizeof request, name) < 0) return -1;
    return ioctl(control, DM_DEV_REMOVE, &request);
}

int clinux_loop_free(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }

int clinux_loop_configure(int device, int file) {
    struct loop_config configuration;
    memset(&configuration, 0, sizeof configuration);
    configuration.fd = (uint32_t)file;
    configuration.block_size = 4096;
    configuration.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    return ioctl(device, LOOP_CONFIGURE, &configuration);
}
