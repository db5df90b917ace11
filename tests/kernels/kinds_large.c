/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Single images whose results are larger than the caches, which engines may write in other ways. */
#include "draft.h"

enum { HEIGHT = 520, WIDTH = 512, CHANNELS = 32 };

static void window(Draft *d, gint64 stride)
{
    draft_attr(d, "kernel_h", 3);
    draft_attr(d, "kernel_w", 3);
    draft_attr(d, "stride_h", stride);
    draft_attr(d, "stride_w", stride);
    draft_attr(d, "pad_top", 1);
    draft_attr(d, "pad_bottom", 1);
    draft_attr(d, "pad_left", 1);
    draft_attr(d, "pad_right", 1);
    draft_attr(d, "groups", CHANNELS);
}

static void pointwise(Draft *d)
{
    d->out->max_batch = 1;
    draft_attr(d, "out_channels", CHANNELS);
    draft_activation(d);
    draft_input(d, map(HEIGHT, WIDTH, 5), VALUES_ANY);
    d->constant[1] = TRUE;
    draft_parameter(d, (XgShape){4, {CHANNELS, 1, 1, 5}}, VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_finish(d, "conv2d/1");
}

static void depthwise(Draft *d)
{
    d->out->max_batch = 1;
    draft_attr(d, "out_channels", CHANNELS);
    window(d, 1);
    draft_activation(d);
    draft_input(d, map(HEIGHT, WIDTH, CHANNELS), VALUES_ANY);
    draft_parameter(d, (XgShape){4, {CHANNELS, 3, 3, 1}}, VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_finish(d, "conv2d/1");
}

static void depthwise_grad_input(Draft *d)
{
    d->out->max_batch = 1;
    window(d, 2);
    draft_attr(d, "in_h", HEIGHT);
    draft_attr(d, "in_w", WIDTH);
    draft_attr(d, "in_channels", CHANNELS);
    draft_input(d, map(HEIGHT / 2, WIDTH / 2, CHANNELS), VALUES_ANY);
    draft_parameter(d, (XgShape){4, {CHANNELS, 3, 3, 1}}, VALUES_ANY);
    draft_finish(d, "conv2d_grad_input/1");
}

static void batch_norm_train(Draft *d)
{
    d->out->max_batch = 1;
    draft_activation(d);
    draft_input(d, map(HEIGHT, WIDTH, CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_POSITIVE);
    draft_finish(d, "batch_norm_train/1");
}

static void batch_norm_train_grad(Draft *d)
{
    d->out->max_batch = 1;
    draft_activation(d);
    draft_input(d, map(HEIGHT, WIDTH, CHANNELS), VALUES_ANY);
    draft_input(d, map(HEIGHT, WIDTH, CHANNELS), VALUES_WIDE);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_parameter(d, vector(CHANNELS), VALUES_POSITIVE);
    draft_parameter(d, vector(CHANNELS), VALUES_ANY);
    draft_finish(d, "batch_norm_train_grad/1");
}

const DraftKind large_kinds[] = {pointwise, depthwise, depthwise_grad_input, batch_norm_train,
                                 batch_norm_train_grad, NULL};
