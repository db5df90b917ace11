/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Offers an id that module "good" offers as well, and prints while it is loaded. */
#include <stdio.h>

#include "sample.h"

static int64_t sum(void *self)
{
    (void) self;
    return 2;
}

static const Sample sample = {sum, NULL};

static const XgComponent alpha = {
    .struct_size = sizeof(XgComponent),
    .kind = SAMPLE_KIND,
    .id = "alpha",
    .version = "9.0.0",
    .licence = "MIT",
    .summary = "another of that name",
    .interface_table = &sample,
};

__attribute__((constructor)) static void greet(void)
{
    printf("{\"error\": \"not an answer\"}\n");
    fflush(stdout);
}

XG_MODULE("second", "9.0.0", &alpha)
