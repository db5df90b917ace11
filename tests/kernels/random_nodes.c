/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "draft.h"

#include <check.h>
#include <math.h>
#include <string.h>

gint64 draft_int(Draft *d, int low, int high)
{
    return g_rand_int_range(d->rand, low, high + 1);
}

void draft_attr(Draft *d, const char *name, gint64 value)
{
    d->attributes[d->attribute_count++] = xg_attr_int(name, value);
}

void draft_named_activation(Draft *d, const char *attribute)
{
    static const char *const names[] = {"none", "relu", "relu6", "silu", "hardswish", "gelu"};
    d->attributes[d->attribute_count++] = xg_attr_string(attribute, names[draft_int(d, 0, 5)]);
}

void draft_activation(Draft *d)
{
    draft_named_activation(d, "activation");
}

void draft_input(Draft *d, XgShape shape, Values how)
{
    d->how[d->input_count] = how;
    d->inputs[d->input_count++] = xg_network_add_input(d->out->network, "x", &shape);
}

void draft_parameter(Draft *d, XgShape shape, Values how)
{
    g_autofree char *name = g_strdup_printf("p%d", d->input_count);
    d->how[d->input_count] = how;
    d->inputs[d->input_count++] = xg_network_add_parameter(d->out->network, XG_VALUE_PARAMETER,
                                                           name, &shape, XG_LAYOUT_PLAIN, "zeros");
}

void draft_none(Draft *d)
{
    d->inputs[d->input_count++] = NULL;
}

XgShape draft_map(Draft *d, int size, int channels)
{
    const gint64 c = draft_int(d, 1, channels);
    const gint64 w = draft_int(d, 1, size);
    const gint64 h = draft_int(d, 1, size);
    return map(h, w, c);
}

XgShape draft_shape(Draft *d)
{
    if (draft_int(d, 0, 1))
        return (XgShape){2, {XG_BATCH, draft_int(d, 1, 200)}};
    if (draft_int(d, 0, 1))
        return (XgShape){3, {XG_BATCH, draft_int(d, 1, 9), draft_int(d, 1, 70)}};
    return draft_map(d, 11, 70);
}

static gboolean takes(const XgOp *op, const char *attribute)
{
    for (const XgOpAttr *a = op->attributes; a && a->name; a++)
        if (strcmp(a->name, attribute) == 0)
            return TRUE;
    return FALSE;
}

void draft_finish(Draft *d, const char *op)
{
    GError *error = NULL;
    int count = 0;
    for (int i = 0; i < d->attribute_count; i++)
        if (takes(xg_op_find(op), d->attributes[i].name))
            d->attributes[count++] = d->attributes[i];
    d->attribute_count = count;
    d->out->node = xg_network_add_node(d->out->network, op, "node", d->inputs, d->input_count,
                                       d->attributes, d->attribute_count, &error);
    ck_assert_msg(d->out->node != NULL, "%s: %s", op, error ? error->message : "?");
}

static const DraftKind *const lists[] = {conv_kinds, value_kinds, map_kinds,
                                         block_kinds, wide_kinds, long_kinds};

/* The kind of that number, or NULL past the last; large ones count from LARGE_KIND on. */
static DraftKind find_kind(int number)
{
    if (number >= LARGE_KIND)
        return large_kinds[number - LARGE_KIND];
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const DraftKind *kind = lists[i]; *kind; kind++)
            if (number-- == 0)
                return *kind;
    return NULL;
}

static int count_from(int first)
{
    int count = 0;
    while (find_kind(first + count))
        count++;
    return count;
}

int random_node_kinds(void)
{
    return count_from(0);
}

int random_node_large_kinds(void)
{
    return count_from(LARGE_KIND);
}

static float draw_value(GRand *rand, Values how)
{
    const double x = g_rand_double_range(rand, -1.0, 1.0);
    switch (how) {
    case VALUES_POSITIVE:
        return (float) (0.1 + fabs(x));
    case VALUES_COARSE:
        return (float) (round(4.0 * x) / 4.0);
    case VALUES_WIDE:
        return (float) (8.0 * x);
    case VALUES_SHARE:
        return (float) (0.5 * fabs(x));
    case VALUES_ANY:
    default:
        return (float) x;
    }
}

/* Values of every input; the maxima of a pooling's gradient are computed. */
static void fill(Draft *d)
{
    RandomNode *out = d->out;
    const XgNodeInfo *info = xg_node_view_info(out->view);
    for (int i = 0; i < out->node->input_count; i++) {
        if (!info->inputs[i])
            continue;
        const gint64 count = xg_tensor_elements(info->inputs[i], out->max_batch);
        out->values[i] = xg_aligned_alloc((gsize) count * sizeof(float), "values", NULL);
        for (gint64 k = 0; k < count; k++)
            out->values[i][k] = draw_value(d->rand, d->how[i]);
        XgNode *producer = out->node->inputs[i]->producer;
        if (producer) {
            XgNodeView *view = xg_node_view_new(producer, out->max_batch, NULL, NULL);
            const float *const inputs[] = {out->values[1]};
            const XgRun run = {out->max_batch, inputs, &out->values[i], NULL};
            producer->op->reference(xg_node_view_info(view), &run);
            xg_node_view_free(view);
        }
        if (i == 0 && out->spoilt)
            out->values[0][draft_int(d, 0, (int) count - 1)] = NAN;
        if (d->constant[i])
            out->constants[out->node->inputs[i]->id] = out->values[i];
    }
}

void random_node_init(RandomNode *node, int kind, guint64 seed, gboolean spoilt)
{
    static const XgNetworkInfo info = {2, 8, 8, 3};
    memset(node, 0, sizeof *node);
    Draft draft = {.rand = g_rand_new_with_seed((guint32) seed), .out = node};
    node->spoilt = spoilt;
    node->network = xg_network_new(&info, NULL);
    node->max_batch = draft_int(&draft, 1, 4);
    find_kind(kind)(&draft);
    node->constants = g_new0(const float *, node->network->values->len);
    node->view = xg_node_view_new(node->node, node->max_batch, NULL, NULL);
    fill(&draft);
    xg_node_view_free(node->view);
    node->view = xg_node_view_new(node->node, node->max_batch, node->constants, NULL);
    g_rand_free(draft.rand);
}

XgNodeView *random_node_with_gaps(const RandomNode *node, guint64 seed)
{
    GRand *rand = g_rand_new_with_seed((guint32) seed);
    const GPtrArray *values = node->network->values;
    g_autofree gint64 *strides = g_new0(gint64, values->len);
    for (guint i = 0; i < values->len; i++) {
        const XgShape *shape = &((const XgValue *) values->pdata[i])->shape;
        const gint64 lines = (shape->dims[shape->rank - 1] + 15) / 16;
        if (shape->rank > 1 && shape->dims[0] == XG_BATCH && g_rand_boolean(rand))
            strides[i] = 16 * (lines + g_rand_int_range(rand, 0, 4));
    }
    g_rand_free(rand);
    return xg_node_view_new(node->node, node->max_batch, node->constants, strides);
}

void random_node_clear(RandomNode *node)
{
    xg_node_view_free(node->view);
    for (int i = 0; i < MAX_INPUTS; i++)
        xg_aligned_free(node->values[i]);
    g_free(node->constants);
    xg_network_free(node->network);
}
