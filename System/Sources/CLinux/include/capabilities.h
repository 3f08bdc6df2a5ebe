// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// prctl(2), PR_CAP_AMBIENT_CLEAR_ALL.
int clinux_clear_ambient_capabilities(void);
