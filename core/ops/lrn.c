/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Local response normalisation across channels (Krizhevsky, Sutskever and Hinton 2012):
 * y = x / (k + alpha / size * sum of squares over the window) ^ beta. */
#include "ops/elementwise.h"

#include <math.h>

static const XgOpAttr attrs[] = {{"size", XG_ATTR_INT, FALSE, 5, 0.0, NULL},
                                 {"alpha", XG_ATTR_FLOAT, FALSE, 0, 1e-4, NULL},
                                 {"beta", XG_ATTR_FLOAT, FALSE, 0, 0.75, NULL},
                                 {"k", XG_ATTR_FLOAT, FALSE, 0, 1.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

typedef struct {
    gint64 size, channels;
    double alpha, beta, k;
} Response;

static gboolean infer(XgInfer *infer, GError **error)
{
    if (xg_node_int(infer->node, "size") < 1)
        return xg_error_set(error, XG_INVALID, "size: expected at least 1, found %" G_GINT64_FORMAT,
                            xg_node_int(infer->node, "size"));
    return xg_elementwise_infer(infer, error);
}

static gboolean gradient(XgBackward *b)
{
    XgValue *inputs[] = {b->grad_outputs[0], b->node->inputs[0]};
    b->grad_inputs[0] =
        xg_backward_node(b, "lrn_grad/1", inputs, 2, b->node->attributes, b->node->attribute_count);
    return b->grad_inputs[0] != NULL;
}

static Response response(const XgNodeInfo *info)
{
    const XgTensor *x = info->inputs[0];
    return (Response){xg_info_int(info, "size"), x->dims[x->rank - 1], xg_info_float(info, "alpha"),
                      xg_info_float(info, "beta"), xg_info_float(info, "k")};
}

/* k + alpha / size * sum of squares around channel c; the window starts size/2 channels before. */
static double denominator(const Response *r, const float *x, gint64 c)
{
    const gint64 begin = MAX(c - r->size / 2, 0);
    const gint64 end = MIN(c - r->size / 2 + r->size, r->channels);
    double squares = 0.0;
    for (gint64 i = begin; i < end; i++)
        squares += (double) x[i] * (double) x[i];
    return r->k + r->alpha / (double) r->size * squares;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const Response r = response(info);
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / r.channels;
    for (gint64 row = 0; row < rows; row++) {
        const float *x = run->inputs[0] + row * r.channels;
        for (gint64 c = 0; c < r.channels; c++)
            run->outputs[0][row * r.channels + c] =
                (float) ((double) x[c] * pow(denominator(&r, x, c), -r.beta));
    }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const Response r = response(info);
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / r.channels;
    for (gint64 row = 0; row < rows; row++) {
        const float *dy = run->inputs[0] + row * r.channels;
        const float *x = run->inputs[1] + row * r.channels;
        float *dx = run->outputs[0] + row * r.channels;
        for (gint64 c = 0; c < r.channels; c++) {
            double sum = 0.0;
            for (gint64 o = MAX(c - r.size + 1 + r.size / 2, 0);
                 o <= MIN(c + r.size / 2, r.channels - 1); o++)
                sum += (double) dy[o] * (double) x[o] * pow(denominator(&r, x, o), -r.beta - 1.0);
            dx[c] = (float) ((double) dy[c] * pow(denominator(&r, x, c), -r.beta) -
                             2.0 * r.alpha * r.beta / (double) r.size * (double) x[c] * sum);
        }
    }
}

const XgOp xg_op_lrn = {.id = "lrn/1",
                        .min_data_inputs = 1,
                        .max_data_inputs = 1,
                        .attributes = attrs,
                        .infer = infer,
                        .gradient = gradient,
                        .reference = reference};

const XgOp xg_op_lrn_grad = {.id = "lrn_grad/1",
                             .min_data_inputs = 2,
                             .max_data_inputs = 2,
                             .flags = XG_OP_INTERNAL,
                             .attributes = attrs,
                             .infer = xg_elementwise_infer,
                             .reference = reference_grad};
