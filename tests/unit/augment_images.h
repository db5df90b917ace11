/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file augment_images.h  Images of the tests of augmentation, and changes that change nothing. */
#ifndef XG_TEST_AUGMENT_IMAGES_H
#define XG_TEST_AUGMENT_IMAGES_H

#include "data/augment_draw.h"
#include "data/preprocess.h"
#include "reader_source.h"

#include <check.h>
#include <xenograft/backbone.h>

enum { SIZE = 24, LENGTH = 3 * SIZE * SIZE };

static const XgPreprocess preprocess = {.resize_px = 28,
                                        .size_px = SIZE,
                                        .channels = 3,
                                        .interpolation = XG_BILINEAR,
                                        .channel_order = XG_RGB,
                                        .scale = 1.0,
                                        .mean = {0.485, 0.456, 0.406},
                                        .std = {0.229, 0.224, 0.225}};

static const XgAugmentDraw nothing = {
    .scale = 1.0, .brightness = 1.0, .contrast = 1.0, .gamma = 1.0};

static XgAugment settings(void)
{
    XgAugment a;
    xg_augment_init(&a);
    return a;
}

static void read_image(const char *name, XgImage *image)
{
    g_autofree char *path = g_build_filename(XG_TEST_DATA, "images", name, NULL);
    ck_assert(xg_image_read(plugin_reader(), path, image, NULL));
}

#endif
