/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/lower.h"

#include "graph/op.h"
#include "ops/depthwise_block.h"

#include <string.h>

enum { LAYER_RESIDUAL = 3, LAYER_INPUTS = 4 };
enum { NORM_BIAS = 2, NORM_GRAD_X = 1, NORM_GRAD_BIAS = 5, NORM_GRAD_INPUTS = 6 };
enum { MAX_INPUTS = 8 };

static gboolean is_op(const XgNode *node, const char *op)
{
    return strcmp(node->op->id, op) == 0;
}

static gboolean has_residual(const XgNode *layer)
{
    return layer->input_count > LAYER_RESIDUAL && layer->inputs[LAYER_RESIDUAL] != NULL;
}

/* The name of an activation that can be merged, of which `node` is the operator with that ending
 * ("/1" or "_grad/1"), or NULL. */
static const char *activation_of(const XgNode *node, const char *ending)
{
    static const char *const names[] = {"relu", "relu6", "silu", "hardswish", "gelu"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(node->op->id, names[i]) &&
            strcmp(node->op->id + strlen(names[i]), ending) == 0)
            return names[i];
    return NULL;
}

/* ---- Uses ---------------------------------------------------------------------------------- */

/* Per value id: how many nodes and results use it; with room for the outputs of every node made
 * anew once. */
static guint *count_uses(const XgLowered *lowered)
{
    const XgNetwork *network = lowered->network;
    gsize room = network->values->len + 1;
    for (guint i = 0; i < network->nodes->len; i++)
        room += (gsize) ((const XgNode *) network->nodes->pdata[i])->output_count;
    guint *uses = g_new0(guint, room);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL)
                uses[node->inputs[k]->id]++;
    }
    g_autoptr(GPtrArray) results = xg_lowered_results(lowered);
    for (guint i = 0; i < results->len; i++)
        uses[((const XgValue *) results->pdata[i])->id]++;
    return uses;
}

/* ---- Merging ------------------------------------------------------------------------------- */

/* The engine's score of a node; 0 without an engine. */
static int score(const XgProgramSpec *spec, const XgNode *node)
{
    const XgEngineHandle *engine = spec->engine;
    if (engine == NULL || engine->table == NULL)
        return 0;
    XgNodeView *view = xg_node_view_new(node, spec->max_batch, NULL, NULL);
    const int found = engine->table->score(engine->self, xg_node_view_info(view));
    xg_node_view_free(view);
    return found;
}

static gboolean engine_can(const XgProgramSpec *spec, const XgNode *before, const XgNode *merged)
{
    return score(spec, before) == 0 || score(spec, merged) > 0;
}

static void copy_inputs(const XgNode *node, XgValue *inputs[MAX_INPUTS])
{
    g_assert(node->input_count <= MAX_INPUTS);
    memset(inputs, 0, sizeof(XgValue *) * MAX_INPUTS);
    memcpy(inputs, node->inputs, sizeof(XgValue *) * (gsize) node->input_count);
}

/* `node` again with other inputs and another activation. */
static XgNode *remake(XgLowered *lowered, const XgNode *node, XgValue *const *inputs, int count,
                      const char *activation, GError **error)
{
    g_autofree XgAttr *attributes =
        g_memdup2(node->attributes, sizeof(XgAttr) * (gsize) node->attribute_count);
    for (int i = 0; i < node->attribute_count; i++)
        if (strcmp(attributes[i].name, "activation") == 0)
            attributes[i].s = activation;
    XgNode *made = xg_network_add_node(lowered->network, node->op->id, node->name, inputs, count,
                                       attributes, node->attribute_count, error);
    if (made != NULL)
        made->block = node->block;
    return made;
}

/* Puts `merged`, made of `before`, in the place of `last`, whose work it does. */
static void replace(XgLowered *lowered, guint *uses, const XgNode *before, const XgNode *last,
                    XgNode *merged)
{
    for (int i = 0; i < before->output_count; i++) {
        XgValue *old = i == 0 ? last->outputs[0] : before->outputs[i];
        uses[merged->outputs[i]->id] = uses[old->id];
        xg_lowered_replace(lowered, old, merged->outputs[i]);
    }
    lowered->fused++;
}

/* The same, unless the engine cannot. */
static void take_over(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                      const XgNode *before, const XgNode *last, XgNode *merged)
{
    if (engine_can(spec, before, merged))
        replace(lowered, uses, before, last, merged);
}

static gboolean can_take_activation(const XgNode *node)
{
    return (xg_node_is_layer(node) || is_op(node, "add/1") || is_op(node, "batch_norm/1") ||
            is_op(node, "batch_norm_train/1")) &&
           strcmp(xg_node_string(node, "activation"), "none") == 0;
}

static gboolean fuse_activation(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                                const XgNode *node, GError **error)
{
    const char *activation = activation_of(node, "/1");
    const XgNode *before = activation ? node->inputs[0]->producer : NULL;
    if (before == NULL || !can_take_activation(before) || uses[node->inputs[0]->id] != 1)
        return TRUE;
    XgNode *merged =
        remake(lowered, before, before->inputs, before->input_count, activation, error);
    if (merged != NULL)
        take_over(lowered, spec, uses, before, node, merged);
    return merged != NULL;
}

/* The operand of an addition whose layer can take the other one as its residual; -1: none. */
static int residual_side(const XgNode *add, const guint *uses)
{
    int side = -1;
    if (!xg_shape_equal(&add->inputs[0]->shape, &add->inputs[1]->shape) ||
        add->inputs[0] == add->inputs[1])
        return -1;
    for (int i = 0; i < 2; i++) {
        const XgNode *layer = add->inputs[i]->producer;
        if (layer == NULL || !xg_node_is_layer(layer) || uses[add->inputs[i]->id] != 1 ||
            strcmp(xg_node_string(layer, "activation"), "none") != 0 ||
            has_residual(layer))
            continue;
        if (side < 0 || layer->id > add->inputs[side]->producer->id)
            side = i;
    }
    return side;
}

static gboolean fuse_addition(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                              const XgNode *node, GError **error)
{
    const int side = is_op(node, "add/1") ? residual_side(node, uses) : -1;
    if (side < 0)
        return TRUE;
    const XgNode *layer = node->inputs[side]->producer;
    XgValue *inputs[MAX_INPUTS];
    copy_inputs(layer, inputs);
    inputs[LAYER_RESIDUAL] = node->inputs[1 - side];
    XgNode *merged =
        remake(lowered, layer, inputs, LAYER_INPUTS, xg_node_string(node, "activation"), error);
    if (merged != NULL)
        take_over(lowered, spec, uses, layer, node, merged);
    return merged != NULL;
}

/* The batch norm whose result goes into the activation that `slope` is the gradient of, or NULL. */
static const XgNode *norm_before(const XgNode *slope)
{
    const XgNode *node = slope->inputs[1]->producer;
    if (node != NULL && activation_of(node, "/1") != NULL)
        node = node->inputs[0]->producer;
    return node != NULL && is_op(node, "batch_norm_train/1") ? node : NULL;
}

/* The gradient of an activation goes into that of the batch norm before it, which computes again
 * what the activation was given: so no value but the norm's input is kept for both. */
static gboolean fuse_norm_gradient(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                                   const XgNode *node, GError **error)
{
    const XgNode *slope = node->inputs[0] ? node->inputs[0]->producer : NULL;
    const char *activation = slope != NULL ? activation_of(slope, "_grad/1") : NULL;
    if (!is_op(node, "batch_norm_train_grad/1") || activation == NULL ||
        uses[node->inputs[0]->id] != 1)
        return TRUE;
    const XgNode *norm = norm_before(slope);
    if (norm == NULL || norm->inputs[0] != node->inputs[NORM_GRAD_X])
        return TRUE;
    XgValue *inputs[MAX_INPUTS];
    copy_inputs(node, inputs);
    inputs[0] = slope->inputs[0];
    inputs[NORM_GRAD_BIAS] = norm->inputs[NORM_BIAS];
    XgNode *merged = remake(lowered, node, inputs, NORM_GRAD_INPUTS, activation, error);
    if (merged != NULL)
        take_over(lowered, spec, uses, node, node, merged);
    return merged != NULL;
}

/* ---- Depthwise blocks ---------------------------------------------------------------------- */

static gboolean is_depthwise(const XgNode *node)
{
    const XgShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
    return is_op(node, "conv2d/1") && xg_node_int(node, "groups") > 1 &&
           xg_node_int(node, "groups") == x->dims[3] && x->dims[3] == y->dims[3] &&
           !has_residual(node);
}

static gboolean is_pointwise(const XgNode *node)
{
    const XgShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
    return is_op(node, "conv2d/1") && xg_node_int(node, "groups") == 1 &&
           xg_node_int(node, "kernel_h") == 1 && xg_node_int(node, "kernel_w") == 1 &&
           x->dims[1] == y->dims[1] && x->dims[2] == y->dims[2];
}

/* The pointwise convolution whose result nobody but the depthwise one reads, or NULL. */
static const XgNode *expansion_of(const XgNode *depthwise, const guint *uses)
{
    const XgNode *node = depthwise->inputs[0]->producer;
    return node != NULL && uses[depthwise->inputs[0]->id] == 1 && is_pointwise(node) &&
                   !has_residual(node)
               ? node
               : NULL;
}

static void take_layer(const XgNode *layer, XgValue **weight_and_bias)
{
    weight_and_bias[0] = layer->inputs[1];
    weight_and_bias[1] = layer->input_count > 2 ? layer->inputs[2] : NULL;
}

/* One node for a depthwise convolution with those around it, `expansion` or `projection` of which
 * may be NULL; NULL: on error. */
static XgNode *make_block(XgLowered *lowered, const XgNode *expansion, const XgNode *depthwise,
                          const XgNode *projection, GError **error)
{
    const char *const op = "depthwise_block/1";
    XgValue *inputs[XG_BLOCK_INPUTS] = {expansion ? expansion->inputs[0] : depthwise->inputs[0]};
    XgAttr attributes[16];
    int count = 0;
    for (const XgOpAttr *a = xg_op_find(op)->attributes; a->name != NULL; a++)
        if (a->type == XG_ATTR_INT)
            attributes[count++] = xg_attr_int(a->name, xg_node_int(depthwise, a->name));
    attributes[count++] = xg_attr_string("activation", xg_node_string(depthwise, "activation"));
    take_layer(depthwise, inputs + XG_BLOCK_DEPTHWISE);
    if (expansion != NULL) {
        take_layer(expansion, inputs + XG_BLOCK_EXPANSION);
        attributes[count++] =
            xg_attr_string("expansion_activation", xg_node_string(expansion, "activation"));
    }
    if (projection != NULL) {
        take_layer(projection, inputs + XG_BLOCK_PROJECTION);
        if (has_residual(projection))
            inputs[XG_BLOCK_RESIDUAL] = projection->inputs[LAYER_RESIDUAL];
        attributes[count++] =
            xg_attr_string("projection_activation", xg_node_string(projection, "activation"));
    }
    XgNode *made = xg_network_add_node(lowered->network, op, depthwise->name, inputs,
                                       XG_BLOCK_INPUTS, attributes, count, error);
    if (made != NULL)
        made->block = depthwise->block;
    return made;
}

/* What lies between the convolutions of a block needs no memory; where that is worth it, an engine
 * scores the block no lower than its depthwise convolution. */
static gboolean fuse_block(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                           const XgNode *expansion, const XgNode *depthwise,
                           const XgNode *projection, GError **error)
{
    XgNode *merged = make_block(lowered, expansion, depthwise, projection, error);
    if (merged != NULL && score(spec, merged) >= score(spec, depthwise))
        replace(lowered, uses, depthwise, projection ? projection : depthwise, merged);
    return merged != NULL;
}

static gboolean fuse_projection(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                                const XgNode *node, GError **error)
{
    const XgNode *depthwise = is_pointwise(node) ? node->inputs[0]->producer : NULL;
    if (depthwise == NULL || uses[node->inputs[0]->id] != 1 || !is_depthwise(depthwise))
        return TRUE;
    return fuse_block(lowered, spec, uses, expansion_of(depthwise, uses), depthwise, node, error);
}

static gboolean fuse_expansion(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                               const XgNode *node, GError **error)
{
    const XgNode *expansion = is_depthwise(node) ? expansion_of(node, uses) : NULL;
    return expansion == NULL || fuse_block(lowered, spec, uses, expansion, node, NULL, error);
}

/* ---- Order --------------------------------------------------------------------------------- */

typedef gboolean (*FuseNode)(XgLowered *lowered, const XgProgramSpec *spec, guint *uses,
                             const XgNode *node, GError **error);

static gboolean fuse_all(XgLowered *lowered, const XgProgramSpec *spec, FuseNode fuse_node,
                         GError **error)
{
    g_autofree guint *uses = count_uses(lowered);
    const guint count = lowered->network->nodes->len;
    for (guint i = 0; i < count; i++)
        if (!fuse_node(lowered, spec, uses, lowered->network->nodes->pdata[i], error))
            return FALSE;
    xg_network_sort(lowered->network);
    g_autoptr(GPtrArray) results = xg_lowered_results(lowered);
    xg_network_prune(lowered->network, (XgValue *const *) results->pdata, (int) results->len);
    return TRUE;
}

gboolean xg_fuse(XgLowered *lowered, const XgProgramSpec *spec, GError **error)
{
    return fuse_all(lowered, spec, fuse_addition, error) &&
           (!spec->training || fuse_all(lowered, spec, fuse_norm_gradient, error)) &&
           fuse_all(lowered, spec, fuse_activation, error) &&
           fuse_all(lowered, spec, fuse_projection, error) &&
           fuse_all(lowered, spec, fuse_expansion, error);
}
