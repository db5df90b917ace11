/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/kernel.h"

#include "ops/depthwise_block.h"

#include <string.h>

static gboolean engine_failed(const XgKernel *kernel, const XgEngineHandle *engine, XgStatus status,
                              GError **error)
{
    g_autofree char *text = engine->failure ? engine->failure(engine->user) : NULL;
    return xg_error_set(error, status < 0 ? status : XG_PLUGIN, "%s (%s): %s", kernel->node->name,
                        kernel->node->op->id, text ? text : "the engine failed");
}

static gboolean has_engine(const XgEngineHandle *engine)
{
    return engine != NULL && engine->table != NULL;
}

static void release(XgKernel *kernel, const XgEngineHandle *engine)
{
    if (kernel->prepared != NULL)
        engine->table->release(engine->self, kernel->prepared);
    kernel->prepared = NULL;
}

static guint64 output_size(const XgKernel *kernel, int output)
{
    const XgNodeInfo *info = xg_node_view_info(kernel->view);
    return sizeof(float) * (guint64) xg_tensor_elements(info->outputs[output], info->max_batch);
}

/* Reference kernels compute every output; those that nobody needs go into the scratch. */
static void prepare_reference(XgKernel *kernel)
{
    for (int k = 0; k < kernel->node->output_count; k++)
        kernel->scratch_size += kernel->lanes[0].outputs[k] == NULL ? output_size(kernel, k) : 0;
}

static void run_reference(const XgKernel *kernel, const XgKernelLane *lane, gint64 batch,
                          void *scratch)
{
    float *outputs[G_N_ELEMENTS(((XgInfer *) NULL)->outputs)];
    char *rest = scratch;
    for (int k = 0; k < kernel->node->output_count; k++) {
        outputs[k] = lane->outputs[k];
        if (outputs[k] == NULL) {
            outputs[k] = (float *) rest;
            rest += output_size(kernel, k);
        }
    }
    const XgRun run = {batch, lane->inputs, outputs, NULL};
    kernel->node->op->reference(xg_node_view_info(kernel->view), &run);
}

static gboolean has_constant(const XgNodeInfo *info)
{
    for (int k = 0; k < info->input_count; k++)
        if (info->inputs[k] != NULL && info->inputs[k]->constant != NULL)
            return TRUE;
    return FALSE;
}

gboolean xg_kernel_prepare(XgKernel *kernel, const XgKernelValues *values,
                           const XgEngineHandle *engine, GError **error)
{
    release(kernel, engine);
    xg_node_view_free(kernel->view);
    kernel->view =
        xg_node_view_new(kernel->node, kernel->max_batch, values->constants, values->strides);
    xg_node_view_set_alone(kernel->view, kernel->lane_count > 1);
    kernel->scratch_size = kernel->packed = 0;
    const XgNodeInfo *info = xg_node_view_info(kernel->view);
    kernel->constant = has_constant(info);
    if (kernel->idle)
        return TRUE;
    if (!has_engine(engine) || engine->table->score(engine->self, info) <= 0) {
        prepare_reference(kernel);
        return TRUE;
    }
    const XgStatus status =
        engine->table->prepare(engine->self, info, &kernel->prepared, &kernel->scratch_size);
    if (status != XG_OK || kernel->prepared == NULL) {
        kernel->prepared = NULL;
        return engine_failed(kernel, engine, status, error);
    }
    if (engine->table->packed != NULL)
        kernel->packed = engine->table->packed(engine->self, kernel->prepared);
    return TRUE;
}

static void lane_init(XgKernelLane *lane, const XgNode *node, const XgKernelValues *values,
                      gsize offset)
{
    lane->inputs = g_new0(const float *, (gsize) MAX(node->input_count, 1));
    lane->outputs = g_new0(float *, (gsize) MAX(node->output_count, 1));
    for (int k = 0; k < node->output_count; k++) {
        float *place = values->places[node->outputs[k]->id];
        lane->outputs[k] = place ? place + offset / sizeof(float) : NULL;
    }
}

XgKernel *xg_kernel_new(const XgNode *node, gint64 max_batch, int lanes,
                        const XgKernelValues *values, gboolean idle, const XgEngineHandle *engine,
                        GError **error)
{
    XgKernel *kernel = g_new0(XgKernel, 1);
    kernel->node = node;
    kernel->max_batch = max_batch;
    kernel->idle = idle;
    kernel->lane_count = lanes;
    kernel->lanes = g_new0(XgKernelLane, (gsize) lanes);
    for (int i = 0; i < lanes; i++)
        lane_init(&kernel->lanes[i], node, values, (gsize) i * values->lane_bytes);
    if (!xg_kernel_prepare(kernel, values, engine, error)) {
        xg_kernel_free(kernel, engine);
        return NULL;
    }
    return kernel;
}

void xg_kernel_free(XgKernel *kernel, const XgEngineHandle *engine)
{
    if (kernel == NULL)
        return;
    release(kernel, engine);
    xg_node_view_free(kernel->view);
    for (int i = 0; i < kernel->lane_count; i++) {
        g_free(kernel->lanes[i].inputs);
        g_free(kernel->lanes[i].outputs);
    }
    g_free(kernel->lanes);
    g_free(kernel);
}

gboolean xg_kernel_run(XgKernel *kernel, int lane_index, const XgEngineHandle *engine, gint64 batch,
                       void *scratch, GError **error)
{
    XgKernelLane *lane = &kernel->lanes[lane_index];
    if (kernel->idle)
        return TRUE;
    const XgRun run = {batch, lane->inputs, lane->outputs, scratch};
    const gint64 started_us = g_get_monotonic_time();
    XgStatus status = XG_OK;
    if (kernel->prepared != NULL)
        status = engine->table->run(engine->self, kernel->prepared, &run);
    else
        run_reference(kernel, lane, batch, scratch);
    lane->seconds += (double) (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
    lane->runs++;
    return status == XG_OK || engine_failed(kernel, engine, status, error);
}

double xg_kernel_take_seconds(XgKernel *kernel, guint64 *runs)
{
    double seconds = 0.0;
    *runs = 0;
    for (int i = 0; i < kernel->lane_count; i++) {
        seconds += kernel->lanes[i].seconds;
        *runs += kernel->lanes[i].runs;
        kernel->lanes[i].seconds = 0.0;
        kernel->lanes[i].runs = 0;
    }
    return seconds / kernel->lane_count;
}

static gboolean is_block(const XgNode *node)
{
    return strcmp(node->op->id, "depthwise_block/1") == 0;
}

static double pixels_of(const XgValue *map)
{
    return (double) map->shape.dims[1] * (double) map->shape.dims[2];
}

/* Multiplications and additions of a weight that is used at every pixel; NULL: none. */
static double weight_flops(const XgValue *weight, double pixels)
{
    return weight ? 2.0 * pixels * (double) xg_shape_elements(&weight->shape) : 0.0;
}

static double block_flops(const XgNode *node)
{
    const double in = pixels_of(node->inputs[XG_BLOCK_X]), out = pixels_of(node->outputs[0]);
    return weight_flops(node->inputs[XG_BLOCK_EXPANSION], in) +
           weight_flops(node->inputs[XG_BLOCK_DEPTHWISE], out) +
           weight_flops(node->inputs[XG_BLOCK_PROJECTION], out);
}

double xg_node_inner_floats(const XgNode *node)
{
    if (!is_block(node))
        return 0.0;
    const double channels = (double) node->inputs[XG_BLOCK_DEPTHWISE]->shape.dims[0];
    const double in = pixels_of(node->inputs[XG_BLOCK_X]), out = pixels_of(node->outputs[0]);
    return (node->inputs[XG_BLOCK_EXPANSION] ? in * channels : 0.0) +
           (node->inputs[XG_BLOCK_PROJECTION] ? out * channels : 0.0);
}

double xg_node_flops(const XgNode *node)
{
    const char *op = node->op->id;
    const gboolean forward = xg_node_is_layer(node);
    const gboolean to_input =
        g_str_has_prefix(op, "conv2d_grad_input") || g_str_has_prefix(op, "linear_grad_input");
    const gboolean to_weight =
        g_str_has_prefix(op, "conv2d_grad_weight") || g_str_has_prefix(op, "linear_grad_weight");
    if (is_block(node))
        return block_flops(node);
    if (!forward && !to_input && !to_weight)
        return 0.0;
    const XgShape *positions = forward ? &node->outputs[0]->shape : &node->inputs[0]->shape;
    const XgShape *weight = to_weight ? &node->outputs[0]->shape : &node->inputs[1]->shape;
    return 2.0 * (double) xg_shape_elements(positions) * (double) xg_shape_elements(weight) /
           (double) weight->dims[0];
}
