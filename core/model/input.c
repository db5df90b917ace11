/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/input.h"

#include "base/error.h"
#include "graph/op.h"

#include <string.h>

enum { CONV_X, CONV_WEIGHT, CONV_BIAS };
#define NORM_MEAN 3

void xg_input_rule_init(XgInputRule *rule, gint64 published, const double *mean, const double *std,
                        gint64 channels)
{
    *rule = (XgInputRule){.published = published, .channels = channels};
    for (gint64 c = 0; c < XG_INPUT_CHANNELS_MAX; c++) {
        rule->published_mean[c] = rule->mean[c] = mean[c % published];
        rule->published_std[c] = rule->std[c] = std[c % published];
    }
    if (channels > 1)
        return;
    rule->mean[0] = rule->std[0] = 0.0;
    for (gint64 c = 0; c < published; c++) {
        rule->mean[0] += mean[c] / (double) published;
        rule->std[0] += std[c] / (double) published;
    }
}

static void sum_channels(const XgInputRule *rule, gint64 outs, gint64 area, const float *from,
                         float *to, double *shift)
{
    for (gint64 o = 0; o < outs; o++)
        for (gint64 k = 0; k < area; k++) {
            double sum = 0.0;
            for (gint64 c = 0; c < rule->published; c++) {
                const double w = (double) from[(o * rule->published + c) * area + k];
                sum += w * rule->std[0] / rule->published_std[c];
                shift[o] += w * (rule->mean[0] - rule->published_mean[c]) / rule->published_std[c];
            }
            to[o * area + k] = (float) sum;
        }
}

void xg_input_adapt(const XgInputRule *rule, gint64 outs, gint64 area, const float *from, float *to,
                    double *shift)
{
    const gint64 published = rule->published, channels = rule->channels;
    const double factor = (double) published / (double) channels;
    memset(shift, 0, sizeof(double) * (gsize) outs);
    if (channels == 1) {
        sum_channels(rule, outs, area, from, to, shift);
        return;
    }
    for (gint64 o = 0; o < outs; o++)
        for (gint64 n = 0; n < channels; n++)
            for (gint64 k = 0; k < area; k++)
                to[(o * channels + n) * area + k] =
                    (float) (factor * (double) from[(o * published + n % published) * area + k]);
}

/* ---- Marks --------------------------------------------------------------------------------- */

/* The batch normalisation that alone uses the value; NULL: there is none. */
static const XgNode *lone_norm(const XgNetwork *network, const XgValue *value)
{
    const XgNode *user = NULL;
    guint uses = 0;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] == value) {
                user = node;
                uses++;
            }
    }
    return uses == 1 && strcmp(user->op->id, "batch_norm/1") == 0 ? user : NULL;
}

static void mark(XgStore *store, const XgNetwork *network, const XgNode *conv,
                 const XgInputRule *rule)
{
    XgStored *weight = xg_store_find(store, conv->inputs[CONV_WEIGHT]->name);
    if (weight == NULL)
        return;
    XgInputMark *made = g_new0(XgInputMark, 1);
    made->rule = g_memdup2(rule, sizeof *rule);
    if (conv->input_count > CONV_BIAS && conv->inputs[CONV_BIAS] != NULL) {
        made->target = xg_store_find(store, conv->inputs[CONV_BIAS]->name);
    } else {
        const XgNode *norm = lone_norm(network, conv->outputs[0]);
        made->target = norm ? xg_store_find(store, norm->inputs[NORM_MEAN]->name) : NULL;
        made->subtracted = TRUE;
    }
    weight->input = made;
}

gboolean xg_store_adapt_input(XgStore *store, const XgNetwork *network, const XgInputRule *rule,
                              GError **error)
{
    const XgValue *input = network->inputs->pdata[0];
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        gboolean reads = FALSE;
        for (int k = 0; k < node->input_count; k++)
            reads = reads || node->inputs[k] == input;
        if (!reads)
            continue;
        if (strcmp(node->op->id, "conv2d/1") != 0 || xg_node_int(node, "groups") != 1) {
            g_autofree char *text = xg_node_text(node);
            return xg_error_set(error, XG_UNSUPPORTED,
                                "%s reads the images: only a convolution of one group can be "
                                "adapted to %" G_GINT64_FORMAT " channels",
                                text, rule->channels);
        }
        mark(store, network, node, rule);
    }
    return TRUE;
}

void xg_store_shift(const XgStored *weight, const double *shift)
{
    const XgInputMark *made = weight->input;
    for (gint64 i = 0; made->target != NULL && i < made->target->count; i++)
        made->target->values[i] += (float) (made->subtracted ? -shift[i] : shift[i]);
}
