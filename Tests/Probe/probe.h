// SPDX-License-Identifier: GPL-3.0-or-later
// A program that tries to get round the walls by every means that a program in the session may think of, and tells for each
// attempt what came of it, one line each:
//
//     OUTCOME <tab> milliseconds <tab> what was tried <tab> detail
//
// OUTCOME is "refused" (the kernel or the firewall said no), "sent" (nobody said no: whether something left the computer is
// for the capture outside to say), "answered" (somebody answered) or "changed" (a setting of the namespace was changed).
//
// It is for tests only, compiled by them, and never in an image.
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdint.h>

// Places in the testbed's network; see Sources/Testbed/Network/Address.swift.
#define ROUTER "192.0.2.1"
#define COMPUTER "192.0.2.10"
#define NOBODY "192.0.2.77"
#define RESOLVER "198.51.100.53"
#define RELAY "198.51.100.21"
#define AUTHORITY "198.51.100.11"
#define WEB "203.0.113.80"
// Tor's side of the session's link; see System/Sources/Walls.
#define TOR "10.77.0.1"
// The mark that the firewall gives to Tor's connections.
#define TOR_MARK 0x746f72

// Begins an attempt: takes the time.
void begin(void);
// Ends an attempt.
void tell(const char *outcome, const char *detail, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Ends an attempt that failed with an error number.
void refuse(int number, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Results of many like attempts, told as ranges: "raw protocols to X 0-255: EPERM".
struct range {
    const char *name;
    int first, last;
    char outcome[64];
    int open;
};
void range_add(struct range *range, int index, const char *outcome);
void range_end(struct range *range);
const char *error_name(int number);

// Names of interfaces, of this namespace and, as far as a program can guess them, of others.
extern const char *interfaces[64];
extern size_t interface_count;

void datagrams(void);
void streams(void);
void raw_sockets(void);
void families(void);
void frames(void);
void change(void);
void undo(void);
void escapes(void);
int control(int count, char **words);
int hardware_clock(void);
int lid(void);

// Messages that a program would send.
size_t dns_question(uint8_t *bytes, const char *name);
uint16_t checksum(const void *bytes, size_t count, uint32_t sum);
// Whether this is the real root, not that of a user namespace.
int is_real_root(void);

#endif
