// SPDX-License-Identifier: GPL-3.0-or-later
#include "capabilities.h"
#include <sys/prctl.h>

int clinux_clear_ambient_capabilities(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); }
