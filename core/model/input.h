/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file input.h
 * Published weights for a network that is built with another number of input channels: what its
 * first convolutions become. All: [main].
 */
#ifndef XG_MODEL_INPUT_H
#define XG_MODEL_INPUT_H

#include "model/store.h"

G_BEGIN_DECLS

enum { XG_INPUT_CHANNELS_MAX = 16 };

/** From `published` channels to `channels`, each value v entering as (v - mean) / std. */
struct XgInputRule {
    gint64 published, channels;
    double published_mean[XG_INPUT_CHANNELS_MAX], published_std[XG_INPUT_CHANNELS_MAX];
    double mean[XG_INPUT_CHANNELS_MAX], std[XG_INPUT_CHANNELS_MAX];
};

/**
 * The rule for weights of 1 or 3 channels with that normalisation. One channel is normalised by
 * the averages of the published means and deviations, more than one by the published ones in
 * turn. `channels` 1..XG_INPUT_CHANNELS_MAX.
 */
void xg_input_rule_init(XgInputRule *rule, gint64 published, const double *mean, const double *std,
                        gint64 channels);

/**
 * A convolution's weights [outs, published, area] for the rule's channels: `to` is
 * [outs, channels, area], shift [outs] what must be added to the result.
 *
 * One channel g in the place of the same g in each of three: W = sum of w_c * std / std_c, and
 * shift = sum over c and area of w_c * (mean - mean_c) / std_c. Then the results are the same but
 * for rounding wherever the window lies inside the image; padding, which is 0 behind the
 * normalisation, stands for another grey. Any other number N: W_n = w_(n mod P) * P / N and no
 * shift, timm's adapt_input_conv() (which also sums for one channel, but without std / std_c and
 * shift).
 */
void xg_input_adapt(const XgInputRule *rule, gint64 outs, gint64 area, const float *from, float *to,
                    double *shift);

/**
 * Marks the convolutions that read the network's input, so that their published weights are
 * adapted (see model/match.h) when they are loaded into the store. The shift goes into the bias;
 * without one, out of the running mean of the batch normalisation behind. XG_UNSUPPORTED when
 * something else than a convolution of one group reads the input.
 */
gboolean xg_store_adapt_input(XgStore *store, const XgNetwork *network, const XgInputRule *rule,
                              GError **error);

/** Adds a shift, one value an output, to where the mark of the weight says. */
void xg_store_shift(const XgStored *weight, const double *shift);

G_END_DECLS

#endif
