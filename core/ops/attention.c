/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Multi-head self-attention of packed queries, keys and values (Vaswani et al. 2017):
 * softmax(q k^T / sqrt(d)) v per head, d = F / heads; head h has columns h*d .. (h+1)*d of each. */
#include "graph/op.h"

#include <math.h>
#include <string.h>

static const XgOpAttr attrs[] = {{"heads", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *qkv = &infer->node->inputs[0]->shape;
    const gint64 heads = xg_node_int(infer->node, "heads");
    const gint64 packed = qkv->dims[qkv->rank - 1];
    if (qkv->rank < 3 || heads < 1 || packed % 3 != 0 || packed / 3 % heads != 0) {
        g_autofree char *text = xg_shape_text(qkv);
        return xg_error_set(error, XG_SHAPE,
                            "expected [N,..,T,3F] with F divisible by %" G_GINT64_FORMAT
                            " heads, found %s",
                            heads, text);
    }
    infer->outputs[0] = *qkv;
    infer->outputs[0].dims[qkv->rank - 1] = packed / 3;
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    infer->outputs[0] = infer->node->inputs[1]->shape;
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    XgValue *inputs[] = {b->grad_outputs[0], b->node->inputs[0]};
    const XgAttr heads = xg_attr_int("heads", xg_node_int(b->node, "heads"));
    b->grad_inputs[0] = xg_backward_node(b, "attention_grad/1", inputs, 2, &heads, 1);
    return b->grad_inputs[0] != NULL;
}

/* One head of one sequence: `stride` floats from token to token in q, k, v, which start at
 * `qkv`, `features` apart. */
typedef struct {
    const float *q, *k, *v;
    gint64 tokens, stride, width;
} Head;

static Head head_of(const float *qkv, gint64 sequence, gint64 head, gint64 heads, gint64 tokens,
                    gint64 features)
{
    const gint64 width = features / heads;
    const float *q = qkv + sequence * tokens * 3 * features + head * width;
    return (Head){q, q + features, q + 2 * features, tokens, 3 * features, width};
}

/* The attention of token i to every token. */
static void weights_of(const Head *h, gint64 i, double *weights)
{
    double largest = -INFINITY, sum = 0.0;
    for (gint64 j = 0; j < h->tokens; j++) {
        double dot = 0.0;
        for (gint64 c = 0; c < h->width; c++)
            dot += (double) h->q[i * h->stride + c] * (double) h->k[j * h->stride + c];
        weights[j] = dot / sqrt((double) h->width);
        largest = MAX(largest, weights[j]);
    }
    for (gint64 j = 0; j < h->tokens; j++)
        sum += weights[j] = exp(weights[j] - largest);
    for (gint64 j = 0; j < h->tokens; j++)
        weights[j] /= sum;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *qkv = info->inputs[0];
    const gint64 heads = xg_info_int(info, "heads"), features = qkv->dims[qkv->rank - 1] / 3;
    const gint64 tokens = qkv->dims[qkv->rank - 2];
    const gint64 sequences = xg_tensor_elements(qkv, run->batch) / (3 * features * tokens);
    g_autofree double *weights = g_new(double, (gsize) tokens);
    for (gint64 s = 0; s < sequences; s++)
        for (gint64 k = 0; k < heads; k++) {
            const Head h = head_of(run->inputs[0], s, k, heads, tokens, features);
            for (gint64 i = 0; i < tokens; i++) {
                float *y = run->outputs[0] + (s * tokens + i) * features + k * h.width;
                weights_of(&h, i, weights);
                for (gint64 c = 0; c < h.width; c++) {
                    double sum = 0.0;
                    for (gint64 j = 0; j < tokens; j++)
                        sum += weights[j] * (double) h.v[j * h.stride + c];
                    y[c] = (float) sum;
                }
            }
        }
}

/* Adds what token i of a head contributes to the gradients of q, k and v. */
static void token_gradient(const Head *h, gint64 i, const float *dy, const double *weights,
                           double *scores, double *dq, double *dk, double *dv)
{
    const double scale = 1.0 / sqrt((double) h->width);
    double mean = 0.0;
    for (gint64 j = 0; j < h->tokens; j++) {
        scores[j] = 0.0;
        for (gint64 c = 0; c < h->width; c++) {
            scores[j] += (double) dy[c] * (double) h->v[j * h->stride + c];
            dv[j * h->width + c] += weights[j] * (double) dy[c];
        }
        mean += scores[j] * weights[j];
    }
    for (gint64 j = 0; j < h->tokens; j++) {
        const double ds = weights[j] * (scores[j] - mean) * scale;
        for (gint64 c = 0; c < h->width; c++) {
            dq[i * h->width + c] += ds * (double) h->k[j * h->stride + c];
            dk[j * h->width + c] += ds * (double) h->q[i * h->stride + c];
        }
    }
}

static void store_head(const double *from, gint64 tokens, gint64 width, gint64 stride, float *to)
{
    for (gint64 t = 0; t < tokens; t++)
        for (gint64 c = 0; c < width; c++)
            to[t * stride + c] = (float) from[t * width + c];
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *qkv = info->inputs[1];
    const gint64 heads = xg_info_int(info, "heads"), features = qkv->dims[qkv->rank - 1] / 3;
    const gint64 tokens = qkv->dims[qkv->rank - 2], size = tokens * features / heads;
    const gint64 sequences = xg_tensor_elements(qkv, run->batch) / (3 * features * tokens);
    g_autofree double *weights = g_new(double, (gsize) (2 * tokens));
    g_autofree double *sums = g_new(double, (gsize) (3 * size));
    for (gint64 s = 0; s < sequences; s++)
        for (gint64 k = 0; k < heads; k++) {
            const Head h = head_of(run->inputs[1], s, k, heads, tokens, features);
            memset(sums, 0, sizeof(double) * (gsize) (3 * size));
            for (gint64 i = 0; i < tokens; i++) {
                weights_of(&h, i, weights);
                token_gradient(&h, i, run->inputs[0] + (s * tokens + i) * features + k * h.width,
                               weights, weights + tokens, sums, sums + size, sums + 2 * size);
            }
            float *to = run->outputs[0] + (h.q - run->inputs[1]);
            for (int part = 0; part < 3; part++)
                store_head(sums + part * size, tokens, h.width, h.stride, to + part * features);
        }
}

const XgOp xg_op_attention = {.id = "attention/1",
                              .min_data_inputs = 1,
                              .max_data_inputs = 1,
                              .attributes = attrs,
                              .infer = infer,
                              .gradient = gradient,
                              .reference = reference};

const XgOp xg_op_attention_grad = {.id = "attention_grad/1",
                                   .min_data_inputs = 2,
                                   .max_data_inputs = 2,
                                   .flags = XG_OP_INTERNAL,
                                   .attributes = attrs,
                                   .infer = infer_grad,
                                   .reference = reference_grad};
