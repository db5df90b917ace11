/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/lower.h"

#include "graph/op.h"

#include <math.h>
#include <string.h>

/* Inputs of batch_norm/1, conv2d/1 and linear/1. */
enum { IN_X, IN_WEIGHT, IN_BIAS, IN_MEAN, IN_VARIANCE };

/* In how many places a value is used, outputs of the program included. */
static guint use_count(const XgLowered *lowered, const XgValue *value)
{
    guint uses = 0;
    for (guint i = 0; i < lowered->network->nodes->len; i++) {
        const XgNode *node = lowered->network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            uses += node->inputs[k] == value;
    }
    for (guint i = 0; i < lowered->outputs->len; i++)
        uses += lowered->outputs->pdata[i] == value;
    for (guint i = 0; i < lowered->network->auxiliaries->len; i++)
        uses += g_array_index(lowered->network->auxiliaries, XgAuxiliary, i).logits == value;
    return uses;
}

/* In training a pair may be folded when none of its parameters is trained. */
static gboolean is_trained(const XgNode *node, const XgProgramSpec *spec)
{
    for (int k = 1; k < node->input_count && spec->training; k++)
        if (node->inputs[k] != NULL && node->inputs[k]->kind == XG_VALUE_PARAMETER &&
            spec->trained(node->inputs[k], spec->user))
            return TRUE;
    return FALSE;
}

static gboolean can_fold(const XgLowered *lowered, const XgProgramSpec *spec, const XgNode *norm)
{
    const XgNode *layer = norm->inputs[IN_X]->producer;
    return layer != NULL && xg_node_is_layer(layer) && !is_trained(norm, spec) &&
           !is_trained(layer, spec) && use_count(lowered, layer->outputs[0]) == 1;
}

static char *name_of(const XgNode *node, int input)
{
    const XgValue *value = input < node->input_count ? node->inputs[input] : NULL;
    return value ? g_strdup(value->name) : NULL;
}

/* The layer with its own folded parameters in place of the pair. */
static gboolean fold_pair(XgLowered *lowered, XgNode *norm, GError **error)
{
    XgNode *layer = norm->inputs[IN_X]->producer;
    const XgValue *weight = layer->inputs[IN_WEIGHT];
    const XgShape bias_shape = {1, {weight->shape.dims[0]}};
    XgFold *fold = g_new0(XgFold, 1);
    g_ptr_array_add(lowered->folds, fold);
    fold->weight = name_of(layer, IN_WEIGHT);
    fold->bias = name_of(layer, IN_BIAS);
    fold->scale = name_of(norm, IN_WEIGHT);
    fold->shift = name_of(norm, IN_BIAS);
    fold->mean = name_of(norm, IN_MEAN);
    fold->variance = name_of(norm, IN_VARIANCE);
    fold->epsilon = xg_node_float(norm, "eps");
    g_autofree char *weight_name = g_strconcat(layer->name, "/folded.weight", NULL);
    g_autofree char *bias_name = g_strconcat(layer->name, "/folded.bias", NULL);
    fold->folded_weight = xg_network_add_parameter(lowered->network, XG_VALUE_BUFFER, weight_name,
                                                   &weight->shape, weight->layout, "zeros");
    fold->folded_bias = xg_network_add_parameter(lowered->network, XG_VALUE_BUFFER, bias_name,
                                                 &bias_shape, XG_LAYOUT_PLAIN, "zeros");
    g_autofree XgAttr *attributes =
        g_memdup2(layer->attributes, sizeof(XgAttr) * (gsize) layer->attribute_count);
    for (int i = 0; i < layer->attribute_count; i++)
        if (strcmp(attributes[i].name, "no_bias") == 0)
            attributes[i].i = 0;
    XgValue *inputs[] = {layer->inputs[IN_X], fold->folded_weight, fold->folded_bias};
    XgNode *made = xg_network_add_node(lowered->network, layer->op->id, layer->name, inputs, 3,
                                       attributes, layer->attribute_count, error);
    if (made == NULL)
        return FALSE;
    made->block = layer->block;
    xg_lowered_replace(lowered, norm->outputs[0], made->outputs[0]);
    return TRUE;
}

gboolean xg_fold(XgLowered *lowered, const XgProgramSpec *spec, GError **error)
{
    const guint count = lowered->network->nodes->len;
    for (guint i = 0; i < count; i++) {
        XgNode *node = lowered->network->nodes->pdata[i];
        if (xg_node_is_batch_norm(node) && can_fold(lowered, spec, node) &&
            !fold_pair(lowered, node, error))
            return FALSE;
    }
    xg_network_sort(lowered->network);
    return TRUE;
}

static const float *values_of(const XgStore *store, const char *name)
{
    return name ? xg_store_find(store, name)->values : NULL;
}

void xg_fold_compute(const XgFold *fold, const XgStore *store, float *weight, float *bias)
{
    const float *from = values_of(store, fold->weight);
    const float *old_bias = values_of(store, fold->bias);
    const float *scale = values_of(store, fold->scale);
    const float *shift = values_of(store, fold->shift);
    const float *mean = values_of(store, fold->mean);
    const float *variance = values_of(store, fold->variance);
    const gint64 outs = fold->folded_bias->shape.dims[0];
    const gint64 row = xg_shape_elements(&fold->folded_weight->shape) / outs;
    for (gint64 o = 0; o < outs; o++) {
        const double s =
            (scale ? (double) scale[o] : 1.0) / sqrt((double) variance[o] + fold->epsilon);
        for (gint64 i = 0; i < row; i++)
            weight[o * row + i] = (float) ((double) from[o * row + i] * s);
        const double old = old_bias ? (double) old_bias[o] : 0.0;
        bias[o] = (float) ((old - (double) mean[o]) * s + (shift ? (double) shift[o] : 0.0));
    }
}
