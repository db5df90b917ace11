/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* xenograft-scan FILE: says, as JSON, what a plugin file declares. Started by libxenograft. */
#include <stdlib.h>

#include "plugin/scan.h"

int main(int argc, char **argv)
{
    return argc == 2 ? xg_scan_child(argv[1]) : EXIT_FAILURE;
}
