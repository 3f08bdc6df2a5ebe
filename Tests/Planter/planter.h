// SPDX-License-Identifier: GPL-3.0-or-later
// A program that fills memory of every kind with a marker, so that what is left after the machine's end can be counted.
//
// It reads what to plant from its standard input (never from its command line), a line each:
//
//     METHOD NAME COUNT MARKER [PATH]
//
// and plants COUNT records: the marker and the record's number in 8 hexadecimal digits. Markers are letters and digits, because
// names and terminals take nothing else. A marker of 56 bytes gives records of 64, none of which lies across two pages.
// For each line it tells what came of it, and "end" after the last:
//
//     planted <tab> NAME <tab> how many
//     failed <tab> NAME <tab> how many before the error <tab> the error's name
//
// "planter decrypt" reads one such line whose METHOD does not matter, whose MARKER is a key of 64 hexadecimal digits and whose PATH
// is a disk, opens that as an encrypted one, and tells the path of what is in it.
// "planter damage DISK" writes to a disk, the firmware and the clock.
// "planter halt" keeps the disk that "decrypt" has opened from reading and writing.
// "planter stuck FOLDER" mounts a file system that never answers.
//
// Processes that hold what they planted stay behind until they are killed. For tests only, compiled by them, never in an image.
#ifndef PLANTER_H
#define PLANTER_H

#include <stddef.h>
#include <stdint.h>

struct crop {
    char method[24];
    char name[48];
    char marker[80];
    char path[256];
    uint32_t count;
    // How many were planted so far.
    uint32_t done;
};

// The length of one record.
size_t record_size(const struct crop *crop);
// Writes the record of this number, without a zero byte at its end.
void record(const struct crop *crop, uint32_t number, char *bytes);
// Fills memory with the next records, as many as fit and are wanted.
void fill(struct crop *crop, void *memory, size_t size);

// Each returns 0, or an error number. What they open and map stays open and mapped: the process holds it.
int plant_heap(struct crop *crop);
int plant_stack(struct crop *crop);
int plant_mapping(struct crop *crop);
int plant_locked(struct crop *crop);
int plant_system_v(struct crop *crop);
int plant_memory_file(struct crop *crop);
int plant_file(struct crop *crop);
int plant_deleted_file(struct crop *crop);
int plant_pipe(struct crop *crop);
int plant_unix_socket(struct crop *crop);
int plant_tcp_socket(struct crop *crop);
int plant_socket_name(struct crop *crop);
int plant_key(struct crop *crop);
int plant_persistent_key(struct crop *crop);
int plant_posix_queue(struct crop *crop);
int plant_terminal(struct crop *crop);
int plant_clipboard(struct crop *crop);
int plant_pseudo_terminal(struct crop *crop);
// These become another program, "hold", whose arguments or environment are the records: they return only after a failure,
// and tell their success through the descriptor before.
int plant_arguments(struct crop *crop, int report);
int plant_environment(struct crop *crop, int report);

// Opens a disk with AES-128-XTS and tells its path.
int open_encrypted(const struct crop *crop);
// Suspends what that has opened, without writing out anything and without freezing its file system: who reads or writes waits.
int halt_encrypted(void);

// Mounts a file system that never answers, which a process that stays behind holds.
int mount_stuck(const char *folder);

// Writes to a disk, the firmware's variables and the hardware clock.
int damage(const char *disk);

// Tells the parent how many were planted, and the error number.
void tell(int report, const struct crop *crop, int error);

#endif
