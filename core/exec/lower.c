/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/lower.h"

#include "graph/op.h"

#include <string.h>

static void fold_free(void *data)
{
    XgFold *fold = data;
    g_free(fold->weight);
    g_free(fold->bias);
    g_free(fold->scale);
    g_free(fold->shift);
    g_free(fold->mean);
    g_free(fold->variance);
    g_free(fold);
}

void xg_lowered_free(XgLowered *lowered)
{
    if (lowered == NULL)
        return;
    xg_network_free(lowered->network);
    g_ptr_array_unref(lowered->inputs);
    g_ptr_array_unref(lowered->outputs);
    g_array_unref(lowered->wanted);
    g_ptr_array_unref(lowered->folds);
    g_free(lowered);
}

GPtrArray *xg_lowered_results(const XgLowered *lowered)
{
    GPtrArray *results = g_ptr_array_new();
    for (guint i = 0; i < lowered->outputs->len; i++)
        g_ptr_array_add(results, lowered->outputs->pdata[i]);
    if (lowered->loss != NULL)
        g_ptr_array_add(results, lowered->loss);
    for (guint i = 0; i < lowered->wanted->len; i++) {
        g_ptr_array_add(results, g_array_index(lowered->wanted, XgWanted, i).gradient);
    }
    return results;
}

void xg_lowered_replace(XgLowered *lowered, XgValue *from, XgValue *to)
{
    xg_network_replace_value(lowered->network, from, to);
    for (guint i = 0; i < lowered->outputs->len; i++)
        if (lowered->outputs->pdata[i] == from)
            lowered->outputs->pdata[i] = to;
    for (guint i = 0; i < lowered->wanted->len; i++) {
        XgWanted *wanted = &g_array_index(lowered->wanted, XgWanted, i);
        if (wanted->gradient == from)
            wanted->gradient = to;
    }
}

/* ---- Extraction ---------------------------------------------------------------------------- */

/* Whether the spec's inputs determine an auxiliary output and something below its head is
 * trained. */
static gboolean counts(const XgProgramSpec *spec, guint index)
{
    const XgNetwork *network = spec->network;
    XgValue *value = g_array_index(network->auxiliaries, XgAuxiliary, index).logits;
    g_autofree guint8 *needed =
        xg_network_needed(network, &value, 1, spec->inputs, spec->input_count);
    for (guint i = 0; i < network->inputs->len; i++) {
        const XgValue *input = network->inputs->pdata[i];
        gboolean given = !needed[input->id];
        for (int k = 0; k < spec->input_count; k++)
            given = given || spec->inputs[k] == input;
        if (!given)
            return FALSE;
    }
    g_autoptr(XgCut) cut = xg_cut_new(network, value, spec->trained, spec->user, spec->bn);
    g_autofree guint8 *head = xg_network_auxiliary_head(network, index);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        if (cut->live[i] && !head[node->outputs[0]->id])
            return TRUE;
    }
    return FALSE;
}

/* The spec's outputs, and in training the auxiliary logits that matter. */
static GPtrArray *all_outputs(const XgProgramSpec *spec)
{
    GPtrArray *outputs = g_ptr_array_new();
    for (int i = 0; i < spec->output_count; i++)
        g_ptr_array_add(outputs, spec->outputs[i]);
    for (guint i = 0; spec->training && i < spec->network->auxiliaries->len; i++) {
        XgValue *logits = g_array_index(spec->network->auxiliaries, XgAuxiliary, i).logits;
        if (counts(spec, i))
            g_ptr_array_add(outputs, logits);
    }
    return outputs;
}

static XgLowered *extract(const XgProgramSpec *spec, XgValue ***map, GError **error)
{
    g_autoptr(XgLowered) lowered = g_new0(XgLowered, 1);
    g_autoptr(GPtrArray) outputs = all_outputs(spec);
    lowered->inputs = g_ptr_array_new();
    lowered->outputs = g_ptr_array_new();
    lowered->folds = g_ptr_array_new_with_free_func(fold_free);
    lowered->wanted = g_array_new(FALSE, TRUE, sizeof(XgWanted));
    lowered->network =
        xg_network_extract(spec->network, spec->inputs, spec->input_count,
                           (XgValue *const *) outputs->pdata, (int) outputs->len, map, error);
    if (lowered->network == NULL)
        return NULL;
    for (int i = 0; i < spec->input_count; i++)
        g_ptr_array_add(lowered->inputs, (*map)[spec->inputs[i]->id]);
    for (int i = 0; i < spec->output_count; i++)
        g_ptr_array_add(lowered->outputs, (*map)[spec->outputs[i]->id]);
    return g_steal_pointer(&lowered);
}

/* ---- Modes --------------------------------------------------------------------------------- */

static XgValue *rng_input(XgLowered *lowered)
{
    const XgShape shape = {1, {4}};
    if (lowered->rng == NULL)
        lowered->rng = xg_network_add_input(lowered->network, "rng", &shape);
    return lowered->rng;
}

/* The place of a node in the network that it was copied from: the random numbers of a dropout are
 * the same however much of the network a program has. */
static guint original_index(const XgNetwork *network, XgValue *const *map, const XgNode *copy)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        if (map[node->outputs[0]->id] == copy->outputs[0])
            return i;
    }
    g_assert_not_reached();
}

static gboolean lower_dropout(XgLowered *lowered, XgNode *node, gboolean active, guint stream,
                              GError **error)
{
    const double probability = xg_node_float(node, "probability");
    if (!active || probability <= 0.0) {
        xg_lowered_replace(lowered, node->outputs[0], node->inputs[0]);
        return TRUE;
    }
    XgValue *inputs[] = {node->inputs[0], rng_input(lowered)};
    const XgAttr attributes[] = {xg_attr_float("probability", probability),
                                 xg_attr_int("per_image", xg_node_int(node, "per_image")),
                                 xg_attr_int("stream", stream)};
    XgNode *made = xg_network_add_node(lowered->network, "dropout_train/1", node->name, inputs, 2,
                                       attributes, 3, error);
    if (made == NULL)
        return FALSE;
    made->block = node->block;
    xg_lowered_replace(lowered, node->outputs[0], made->outputs[0]);
    return TRUE;
}

static gboolean lower_batch_norm(XgLowered *lowered, XgNode *node, GError **error)
{
    XgNode *made =
        xg_network_add_node(lowered->network, "batch_norm_train/1", node->name, node->inputs,
                            node->input_count, node->attributes, node->attribute_count, error);
    if (made == NULL)
        return FALSE;
    made->block = node->block;
    xg_lowered_replace(lowered, node->outputs[0], made->outputs[0]);
    return TRUE;
}

/* Dropout disappears or becomes active, batch norm gets its training form, block by block. */
static gboolean set_modes(XgLowered *lowered, const XgProgramSpec *spec, XgValue *const *map,
                          GError **error)
{
    g_autofree guint8 *blocks = xg_trained_blocks(lowered->network, spec->trained, spec->user);
    const guint count = lowered->network->nodes->len;
    for (guint i = 0; i < count; i++) {
        XgNode *node = lowered->network->nodes->pdata[i];
        const gboolean trained = spec->training && blocks[node->block + 1];
        if (xg_node_is_dropout(node)) {
            if (!lower_dropout(lowered, node, trained, original_index(spec->network, map, node),
                               error))
                return FALSE;
        } else if (trained && spec->bn != XG_BN_FROZEN && xg_node_is_batch_norm(node)) {
            if (!lower_batch_norm(lowered, node, error))
                return FALSE;
        }
    }
    xg_network_sort(lowered->network);
    return TRUE;
}

/* ---- Loss and gradients -------------------------------------------------------------------- */

static XgValue *add_loss(XgLowered *lowered, XgValue *logits, double focal_gamma, GError **error)
{
    XgValue *inputs[] = {logits, lowered->targets};
    const XgAttr gamma = xg_attr_float("gamma", focal_gamma);
    XgNode *node = xg_network_add_node(lowered->network, "cross_entropy/1", "loss", inputs, 2,
                                       &gamma, 1, error);
    return node ? node->outputs[0] : NULL;
}

/* loss + weight * auxiliary loss */
static XgValue *add_auxiliary(XgLowered *lowered, XgValue *loss, const XgAuxiliary *head,
                              double focal_gamma, GError **error)
{
    XgValue *auxiliary = add_loss(lowered, head->logits, focal_gamma, error);
    if (auxiliary == NULL)
        return NULL;
    const XgAttr factor = xg_attr_float("factor", head->weight);
    XgNode *scaled = xg_network_add_node(lowered->network, "scale/1", "auxiliary", &auxiliary, 1,
                                         &factor, 1, error);
    if (scaled == NULL)
        return NULL;
    XgValue *terms[] = {loss, scaled->outputs[0]};
    XgNode *sum = xg_network_add_node(lowered->network, "add/1", "loss", terms, 2, NULL, 0, error);
    return sum ? sum->outputs[0] : NULL;
}

static gboolean append_losses(XgLowered *lowered, double focal_gamma, GError **error)
{
    XgValue *logits = lowered->outputs->pdata[0];
    const XgShape per_image = {1, {XG_BATCH}};
    lowered->targets = xg_network_add_input(lowered->network, "targets", &logits->shape);
    lowered->weights = xg_network_add_input(lowered->network, "weights", &per_image);
    lowered->loss = add_loss(lowered, logits, focal_gamma, error);
    const GArray *auxiliaries = lowered->network->auxiliaries;
    for (guint i = 0; i < auxiliaries->len && lowered->loss != NULL; i++) {
        const XgAuxiliary *a = &g_array_index(auxiliaries, XgAuxiliary, i);
        lowered->loss = add_auxiliary(lowered, lowered->loss, a, focal_gamma, error);
    }
    return lowered->loss != NULL;
}

static gboolean append_gradients(XgLowered *lowered, const XgProgramSpec *spec, GError **error)
{
    g_autoptr(GPtrArray) parameters = g_ptr_array_new();
    for (guint i = 0; i < lowered->network->values->len; i++) {
        XgValue *value = lowered->network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && spec->trained(value, spec->user))
            g_ptr_array_add(parameters, value);
    }
    g_autofree XgValue **gradients = g_new0(XgValue *, MAX(parameters->len, 1));
    if (!xg_network_backward(lowered->network, lowered->loss, lowered->weights,
                             (XgValue *const *) parameters->pdata, (int) parameters->len, gradients,
                             error))
        return FALSE;
    for (guint i = 0; i < parameters->len; i++) {
        const XgWanted wanted = {parameters->pdata[i], gradients[i]};
        if (wanted.gradient != NULL)
            g_array_append_val(lowered->wanted, wanted);
    }
    return TRUE;
}

/* The gradient of a batch norm of fixed statistics by its input does not depend on that input: when
 * nothing else is wanted, dy stands in for it and its memory is free after the forward pass. */
static void forget_norm_inputs(XgLowered *lowered)
{
    enum { DY, X };
    const GPtrArray *nodes = lowered->network->nodes;
    g_autofree guint8 *used = g_new0(guint8, lowered->network->values->len);
    for (guint i = 0; i < nodes->len; i++) {
        const XgNode *node = nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL)
                used[node->inputs[k]->id] = 1;
    }
    for (guint i = 0; i < lowered->wanted->len; i++)
        used[g_array_index(lowered->wanted, XgWanted, i).gradient->id] = 1;
    for (guint i = 0; i < nodes->len; i++) {
        XgNode *node = nodes->pdata[i];
        if (strcmp(node->op->id, "batch_norm_grad/1") == 0 && !used[node->outputs[1]->id] &&
            !used[node->outputs[2]->id])
            node->inputs[X] = node->inputs[DY];
    }
}

static void prune(XgLowered *lowered)
{
    g_autoptr(GPtrArray) results = xg_lowered_results(lowered);
    const GArray *auxiliaries = lowered->network->auxiliaries;
    for (guint i = 0; lowered->loss == NULL && i < auxiliaries->len; i++)
        g_ptr_array_add(results, g_array_index(auxiliaries, XgAuxiliary, i).logits);
    xg_network_prune(lowered->network, (XgValue *const *) results->pdata, (int) results->len);
}

XgLowered *xg_lower(const XgProgramSpec *spec, const XgAgain *again, GError **error)
{
    g_autofree XgValue **map = NULL;
    g_autoptr(XgLowered) lowered = extract(spec, &map, error);
    if (lowered == NULL || !set_modes(lowered, spec, map, error))
        return NULL;
    prune(lowered);
    if (!spec->plain && !xg_fold(lowered, spec, error))
        return NULL;
    if (spec->training && (!append_losses(lowered, spec->focal_gamma, error) ||
                           !append_gradients(lowered, spec, error)))
        return NULL;
    prune(lowered);
    if (spec->training && !spec->plain)
        forget_norm_inputs(lowered);
    if (!spec->plain && !xg_fuse(lowered, spec, error))
        return NULL;
    prune(lowered);
    if (spec->training && !xg_compute_again(lowered, again, error))
        return NULL;
    return g_steal_pointer(&lowered);
}
