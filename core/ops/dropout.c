/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Dropout (Srivastava et al. 2014), of elements or of whole images (stochastic depth, Huang et
 * al. 2016). Element or image i of a run at `step` is kept when
 * xg_rng_uniform(seed, stream + (step << 20), i) is at least the probability. */
#include "base/rng.h"
#include "ops/elementwise.h"

#include <string.h>

static const XgOpAttr plain_attrs[] = {{"probability", XG_ATTR_FLOAT, FALSE, 0, 0.5, NULL},
                                       {"per_image", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                       {NULL, 0, FALSE, 0, 0.0, NULL}};
static const XgOpAttr train_attrs[] = {{"probability", XG_ATTR_FLOAT, FALSE, 0, 0.5, NULL},
                                       {"per_image", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                       {"stream", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                       {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer_plain_shape(XgInfer *infer, GError **error)
{
    const double probability = xg_node_float(infer->node, "probability");
    if (!(probability >= 0.0 && probability < 1.0))
        return xg_error_set(error, XG_INVALID, "probability: expected from 0 to below 1, found %g",
                            probability);
    const XgShape *x = &infer->node->inputs[0]->shape;
    if (xg_node_int(infer->node, "per_image") != 0 && x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "per_image: expected [N,H,W,C], found %s", text);
    }
    infer->outputs[0] = *x;
    infer->output_count = 1;
    return TRUE;
}

/* The mask of whole images is [N,C], which multiplies as a squeezed image does. */
static gboolean infer_train(XgInfer *infer, GError **error)
{
    if (!infer_plain_shape(infer, error))
        return FALSE;
    const XgShape *rng = &infer->node->inputs[1]->shape;
    if (rng->rank != 1 || rng->dims[0] != 4) {
        g_autofree char *text = xg_shape_text(rng);
        return xg_error_set(error, XG_SHAPE, "rng: expected [4], found %s", text);
    }
    infer->outputs[1] = infer->outputs[0];
    if (xg_node_int(infer->node, "per_image") != 0)
        infer->outputs[1] = (XgShape){2, {XG_BATCH, infer->outputs[0].dims[3]}};
    infer->output_count = 2;
    return TRUE;
}

static gboolean gradient_plain(XgBackward *b)
{
    b->grad_inputs[0] = b->grad_outputs[0];
    return TRUE;
}

static gboolean gradient_train(XgBackward *b)
{
    XgValue *inputs[] = {b->grad_outputs[0], b->node->outputs[1]};
    b->grad_inputs[0] = xg_backward_node(b, "mul/1", inputs, 2, NULL, 0);
    return b->grad_inputs[0] != NULL;
}

static void reference_plain(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    if (run->outputs[0] != run->inputs[0])
        memcpy(run->outputs[0], run->inputs[0], sizeof(float) * (gsize) count);
}

static void reference_train(const XgNodeInfo *info, const XgRun *run)
{
    guint64 seed_and_step[2];
    memcpy(seed_and_step, run->inputs[1], sizeof seed_and_step);
    const guint64 stream = (guint64) xg_info_int(info, "stream") + (seed_and_step[1] << 20);
    const double probability = xg_info_float(info, "probability");
    const float kept = (float) (1.0 / (1.0 - probability));
    const gint64 units = xg_info_int(info, "per_image") != 0
                             ? run->batch
                             : xg_tensor_elements(info->inputs[0], run->batch);
    const gint64 size = xg_tensor_elements(info->inputs[0], run->batch) / MAX(units, 1);
    const gint64 masks = xg_tensor_elements(info->outputs[1], run->batch) / MAX(units, 1);
    for (gint64 i = 0; i < units; i++) {
        const double draw = xg_rng_uniform(seed_and_step[0], stream, (guint64) i);
        const float mask = draw >= probability ? kept : 0.0f;
        for (gint64 k = i * size; k < (i + 1) * size; k++)
            run->outputs[0][k] = run->inputs[0][k] * mask;
        for (gint64 k = i * masks; k < (i + 1) * masks; k++)
            run->outputs[1][k] = mask;
    }
}

const XgOp xg_op_dropout = {.id = "dropout/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .flags = XG_OP_IN_PLACE,
                            .attributes = plain_attrs,
                            .infer = infer_plain_shape,
                            .gradient = gradient_plain,
                            .reference = reference_plain};

const XgOp xg_op_dropout_train = {.id = "dropout_train/1",
                                  .min_data_inputs = 2,
                                  .max_data_inputs = 2,
                                  .attributes = train_attrs,
                                  .infer = infer_train,
                                  .gradient = gradient_train,
                                  .reference = reference_train};
