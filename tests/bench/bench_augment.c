/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Images per second of processor time of each augmentation on one thread: bench_augment IMAGE
 * [SIZE_PX]. */
#include "data/augment.h"

#include "../unit/reader_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xenograft/backbone.h>

typedef struct {
    const char *name;
    XgAugment augment;
} Case;

#define NONE .scale = {1, 1}, .crop_area = {0.08, 1}, .crop_aspect = {0.75, 4.0 / 3.0}, .border = 1

static const Case cases[] = {
    {"none of them (resize, crop)", {NONE}},
    {"flips", {NONE, .flip_horizontal = 0.5, .flip_vertical = 0.5}},
    {"rotate 15, translate 0.1", {NONE, .rotate_deg = 15, .translate = 0.1}},
    {"crop random", {NONE, .crop = XG_CROP_RANDOM}},
    {"crop resized", {NONE, .crop = XG_CROP_RESIZED}},
    {"brightness, contrast", {NONE, .brightness = 0.2, .contrast = 0.2}},
    {"gamma", {NONE, .gamma = 0.2}},
    {"blur 2", {NONE, .blur_px = 2}},
    {"noise", {NONE, .noise = 0.05}},
    {"cutout", {NONE, .cutout = 0.25}},
    {"flip, rotate, crop resized, tones",
     {.flip_horizontal = 0.5,
      .rotate_deg = 15,
      .scale = {0.9, 1.1},
      .crop = XG_CROP_RESIZED,
      .crop_area = {0.5, 1},
      .crop_aspect = {0.75, 4.0 / 3.0},
      .border = 1,
      .brightness = 0.2,
      .contrast = 0.2}},
};

int main(int argc, char **argv)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    const gint64 size = argc > 2 ? atoi(argv[2]) : 224;
    const XgPreprocess p = {.resize_px = size * 256 / 224,
                            .size_px = size,
                            .channels = 3,
                            .interpolation = XG_BILINEAR,
                            .channel_order = XG_RGB,
                            .scale = 1,
                            .mean = {0.485, 0.456, 0.406},
                            .std = {0.229, 0.224, 0.225}};
    if (argc < 2 || !xg_preprocess_check(&p, &error) ||
        !xg_image_read(plugin_reader(), argv[1], &image, &error)) {
        fprintf(stderr, "bench_augment IMAGE [SIZE_PX]: %s\n", error ? error->message : "usage");
        return 2;
    }
    g_autofree float *out = g_new(float, xg_preprocess_length(&p));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const clock_t start = clock();
        guint64 count = 0;
        while (clock() - start < CLOCKS_PER_SEC)
            if (!xg_augment_image(&cases[i].augment, 1, count++, &p, &image, out, &error)) {
                fprintf(stderr, "%s\n", error->message);
                return 1;
            }
        const double seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
        printf("%-36s %7.0f images/s\n", cases[i].name, (double) count / seconds);
    }
    return 0;
}
