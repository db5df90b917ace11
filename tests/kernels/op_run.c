/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "op_run.h"

#include <check.h>
#include <string.h>

void op_run_init(OpRun *run, gint64 batch)
{
    static const XgNetworkInfo info = {2, 8, 8, 3};
    run->network = xg_network_new(&info, NULL);
    run->batch = batch;
    run->memory = g_ptr_array_new_with_free_func(xg_aligned_free);
}

void op_run_clear(OpRun *run)
{
    g_ptr_array_unref(run->memory);
    xg_network_free(run->network);
}

gint64 op_run_count(const OpRun *run, const XgValue *value)
{
    const gint64 elements = xg_shape_elements(&value->shape);
    return value->shape.dims[0] == XG_BATCH ? elements * run->batch : elements;
}

/* The memory of a value, made when missing. */
static float *memory_of(OpRun *run, const XgValue *value)
{
    while (run->memory->len <= value->id)
        g_ptr_array_add(run->memory, NULL);
    float **place = (float **) &g_ptr_array_index(run->memory, value->id);
    if (!*place) {
        const gsize bytes = (gsize) op_run_count(run, value) * sizeof(float);
        *place = xg_aligned_alloc(bytes, "values", NULL);
        ck_assert_ptr_nonnull(*place);
        memset(*place, 0, bytes);
    }
    return *place;
}

XgValue *op_run_value(OpRun *run, const XgShape *shape, const float *data)
{
    g_autofree char *name = g_strdup_printf("v%u", run->network->values->len);
    XgValue *value = shape->dims[0] == XG_BATCH
                         ? xg_network_add_input(run->network, name, shape)
                         : xg_network_add_parameter(run->network, XG_VALUE_PARAMETER, name, shape,
                                                    XG_LAYOUT_PLAIN, "zeros");
    ck_assert_ptr_nonnull(value);
    float *memory = memory_of(run, value);
    if (data)
        memcpy(memory, data, (gsize) op_run_count(run, value) * sizeof(float));
    return value;
}

float *op_run_data(const OpRun *run, const XgValue *value)
{
    ck_assert_uint_lt(value->id, run->memory->len);
    return g_ptr_array_index(run->memory, value->id);
}

void op_run_differentiate(OpRun *run, const XgNode *node, XgValue *dy, const gboolean *wanted,
                          XgValue **gradients)
{
    GError *error = NULL;
    XgValue *grad_outputs[4] = {dy, NULL, NULL, NULL};
    gboolean asked[OP_RUN_MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++) {
        gradients[i] = NULL;
        asked[i] = node->inputs[i] && wanted[i];
    }
    ck_assert_msg(node->op->gradient != NULL, "%s has no gradient", node->op->id);
    XgBackward backward = {run->network, node, grad_outputs, gradients, asked, &error};
    ck_assert_msg(node->op->gradient(&backward), "%s: %s", node->op->id,
                  error ? error->message : "no message");
    for (int i = 0; i < node->input_count; i++)
        if (gradients[i])
            ck_assert_msg(xg_shape_equal(&gradients[i]->shape, &node->inputs[i]->shape),
                          "%s: the gradient of input %d has another shape", node->op->id, i);
}

static void compute_node(OpRun *run, const XgNode *node)
{
    const float *inputs[OP_RUN_MAX_INPUTS] = {NULL};
    float *outputs[4] = {NULL};
    ck_assert_int_le(node->input_count, OP_RUN_MAX_INPUTS);
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = node->inputs[i] ? memory_of(run, node->inputs[i]) : NULL;
    for (int i = 0; i < node->output_count; i++)
        outputs[i] = memory_of(run, node->outputs[i]);
    if (!node->op->reference) {
        memcpy(outputs[0], inputs[0], (gsize) op_run_count(run, node->outputs[0]) * sizeof(float));
        return;
    }
    XgNodeView *view = xg_node_view_new(node, run->batch, NULL, NULL);
    const XgRun one = {run->batch, inputs, outputs, NULL};
    node->op->reference(xg_node_view_info(view), &one);
    xg_node_view_free(view);
}

void op_run_compute(OpRun *run)
{
    for (guint i = 0; i < run->network->nodes->len; i++)
        compute_node(run, g_ptr_array_index(run->network->nodes, i));
}
