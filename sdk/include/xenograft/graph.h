/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file graph.h
 * Interface `xenograft.graph/1`: describes a network as a graph of operators.
 *
 * Values are NHWC: images are [N, height, width, channels], token sequences [N, tokens,
 * features], vectors [N, features]. N, the batch, is always the first dimension and is not
 * known while a graph is built. Operators are data: op() takes the operator's versioned name and
 * attributes, so a new operator changes nothing here. Errors are sticky: after a bad call the
 * result is a poisoned value, later calls with it do nothing, and the host reports the first
 * error with the node's name and shapes. A backbone therefore checks nothing.
 *
 * A parameter's name is its node's scoped name, a dot and the parameter's own name
 * ("layer1.0.conv1.weight"): the names of the published state dict. All calls: [main].
 */
#ifndef XENOGRAFT_GRAPH_H
#define XENOGRAFT_GRAPH_H

#include <xenograft/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_GRAPH_INTERFACE "xenograft.graph/1"

/** The batch dimension in a shape that is asked for. */
#define XG_BATCH ((int64_t) -1)
#define XG_MAX_RANK 6

/** A value of a graph; owned by the graph. */
typedef struct XgValue XgValue;

typedef struct XgGraph XgGraph;

/** The functions of a graph. IMMUTABLE. */
typedef struct XgGraphApi {
    /** 1 when the host knows the operator ("conv2d/1"). */
    int32_t (*has_op)(XgGraph *graph, const char *op);
    /** The network's input [N, info("height"), info("width"), info("channels")]. */
    XgValue *(*input)(XgGraph *graph);
    /** Adds a node named `name` in the current scope and gives its first output. `name` may be
     *  NULL for operators without parameters. Attributes not given take the operator's default. */
    XgValue *(*op)(XgGraph *graph, const char *op, const char *name, XgValue *const *inputs,
                   int32_t input_count, const XgAttr *attributes, int32_t attribute_count);
    /** Opens and closes a name scope: names below get `name` and a dot in front. */
    void (*push)(XgGraph *graph, const char *name);
    void (*pop)(XgGraph *graph);
    /** Marks a value:
     *   "block:NAME"  the block NAME ends here: it owns the nodes that this value needs and that
     *                 no earlier block owns; blocks are listed from the input upwards;
     *   "features"    the default feature vector, [N, F];
     *   "tap:NAME"    a further feature vector, [N, F];
     *   "logits"      the result, [N, classes];
     *   "aux:WEIGHT"  further logits [N, classes] whose loss counts WEIGHT, training only. */
    void (*tag)(XgGraph *graph, XgValue *value, const char *tag);
    /** What the network is built for: "classes", "height", "width", "channels"; 0 if unknown. */
    int64_t (*info)(XgGraph *graph, const char *key);
    /** The value's rank and dimensions (dims[0] is XG_BATCH); 0 for a poisoned value. */
    int32_t (*shape)(XgGraph *graph, const XgValue *value, int64_t dims[XG_MAX_RANK]);
    /** Makes the graph fail with that text, unless it has failed already; gives a poisoned
     *  value. */
    XgValue *(*fail)(XgGraph *graph, XgStatus status, const char *text);
} XgGraphApi;

/** A graph under construction. IMMUTABLE; made by the host, valid during `build`. */
struct XgGraph {
    const XgGraphApi *api;
    const XgHost *host; /**< of the component that builds: for xg_param_int() and its like */
};

/* ---- Scopes, tags, facts ------------------------------------------------------------------ */

XG_UNUSED static inline XgValue *xg_input(XgGraph *g)
{
    return g->api->input(g);
}

XG_UNUSED static inline void xg_push(XgGraph *g, const char *name)
{
    g->api->push(g, name);
}

/** Opens the scope `prefix` followed by a number: xg_push_index(g, "", 3) opens "3". */
XG_UNUSED static inline void xg_push_index(XgGraph *g, const char *prefix, int64_t index)
{
    char name[64];
    snprintf(name, sizeof name, "%s%lld", prefix, (long long) index);
    g->api->push(g, name);
}

XG_UNUSED static inline void xg_pop(XgGraph *g)
{
    g->api->pop(g);
}

XG_UNUSED static inline XgValue *xg_tag(XgGraph *g, XgValue *value, const char *tag)
{
    g->api->tag(g, value, tag);
    return value;
}

/** Ends the block `name` at `value`. */
XG_UNUSED static inline XgValue *xg_block(XgGraph *g, XgValue *value, const char *name)
{
    char tag[80];
    snprintf(tag, sizeof tag, "block:%s", name);
    return xg_tag(g, value, tag);
}

/** Ends the block `prefix` followed by a number at `value`. */
XG_UNUSED static inline XgValue *xg_block_index(XgGraph *g, XgValue *value, const char *prefix,
                                                int64_t index)
{
    char tag[80];
    snprintf(tag, sizeof tag, "block:%s%lld", prefix, (long long) index);
    return xg_tag(g, value, tag);
}

XG_UNUSED static inline int64_t xg_classes(XgGraph *g)
{
    return g->api->info(g, "classes");
}

/** Dimension `axis` of a value: 1 height, 2 width, 3 channels of an image; 0 if there is none. */
XG_UNUSED static inline int64_t xg_dim(XgGraph *g, const XgValue *value, int32_t axis)
{
    int64_t dims[XG_MAX_RANK];
    const int32_t rank = g->api->shape(g, value, dims);
    return axis >= 0 && axis < rank ? dims[axis] : 0;
}

/* ---- Attributes ---------------------------------------------------------------------------- */

/** Collects attributes; zero and NULL mean "the operator's default". */
typedef struct XgAttrs_ {
    XgAttr list[24];
    int32_t count;
} XgAttrs_;

XG_UNUSED static inline void xg_add_int_(XgAttrs_ *a, const char *name, int64_t value)
{
    if (value != 0)
        a->list[a->count++] = xg_attr_int(name, value);
}

XG_UNUSED static inline void xg_add_float_(XgAttrs_ *a, const char *name, double value)
{
    if (value != 0)
        a->list[a->count++] = xg_attr_float(name, value);
}

XG_UNUSED static inline void xg_add_string_(XgAttrs_ *a, const char *name, const char *value)
{
    if (value)
        a->list[a->count++] = xg_attr_string(name, value);
}

XG_UNUSED static inline XgValue *xg_op1_(XgGraph *g, const char *op, const char *name, XgValue *x,
                                         const XgAttrs_ *a)
{
    return g->api->op(g, op, name, &x, 1, a->list, a->count);
}

XG_UNUSED static inline XgValue *xg_plain_(XgGraph *g, const char *op, XgValue *x)
{
    return g->api->op(g, op, NULL, &x, 1, NULL, 0);
}

/* ---- Operators ----------------------------------------------------------------------------- */

/**
 * 2-D convolution ("conv2d/1"), [N,H,W,C] to [N,H',W',out_channels]. Parameters `weight`
 * (published shape [out, C/groups, kernel_h, kernel_w]) and `bias` ([out], unless no_bias).
 * H' = floor((H + pad_top + pad_bottom - dilation*(kernel_h-1) - 1) / stride) + 1.
 */
typedef struct XgConv2d {
    int64_t out_channels; /**< required */
    int64_t kernel;       /**< height and width; default 1 */
    int64_t kernel_h, kernel_w;   /**< each instead of `kernel` */
    int64_t stride;               /**< default 1 */
    int64_t stride_h, stride_w;   /**< each instead of `stride` */
    int64_t dilation;             /**< default 1 */
    int64_t pad;                  /**< zeros on every side; default 0 */
    int64_t pad_h, pad_w;         /**< each pair of sides, instead of `pad` */
    int64_t pad_top, pad_bottom, pad_left, pad_right; /**< one side, added to `pad` */
    int64_t groups;      /**< default 1; `in channels` of them: depthwise */
    int32_t no_bias;     /**< 1: no `bias` parameter */
    int32_t reserved_;
    const char *init;    /**< of `weight`; see xg_linear(); default "he_normal_fan_out" */
} XgConv2d;

XG_UNUSED static inline XgValue *xg_conv2d_with(XgGraph *g, XgValue *x, const char *name,
                                                const XgConv2d *o)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "out_channels", o->out_channels);
    xg_add_int_(&a, "kernel_h", o->kernel_h ? o->kernel_h : o->kernel);
    xg_add_int_(&a, "kernel_w", o->kernel_w ? o->kernel_w : o->kernel);
    xg_add_int_(&a, "stride_h", o->stride_h ? o->stride_h : o->stride);
    xg_add_int_(&a, "stride_w", o->stride_w ? o->stride_w : o->stride);
    xg_add_int_(&a, "dilation", o->dilation);
    xg_add_int_(&a, "pad_top", (o->pad_h ? o->pad_h : o->pad) + o->pad_top);
    xg_add_int_(&a, "pad_bottom", (o->pad_h ? o->pad_h : o->pad) + o->pad_bottom);
    xg_add_int_(&a, "pad_left", (o->pad_w ? o->pad_w : o->pad) + o->pad_left);
    xg_add_int_(&a, "pad_right", (o->pad_w ? o->pad_w : o->pad) + o->pad_right);
    xg_add_int_(&a, "groups", o->groups);
    xg_add_int_(&a, "no_bias", o->no_bias);
    xg_add_string_(&a, "init", o->init);
    return xg_op1_(g, "conv2d/1", name, x, &a);
}

/**
 * Fully connected ("linear/1"), the last dimension from F to out_features. Parameters `weight`
 * [out, F] and `bias` [out]. Initialisations: "he_normal_fan_out", "he_normal_fan_in",
 * "he_uniform_fan_in" (He et al. 2015), "xavier_uniform", "xavier_normal" (Glorot and Bengio
 * 2010), "normal:STD", "trunc_normal:STD" (cut at two standard deviations), "lecun_uniform"
 * (uniform within 1/sqrt(fan_in)), "lecun_uniform_fan_out" (within 1/sqrt(fan_out)),
 * "lecun_normal" (deviation 1/sqrt(fan_in)), "zeros", "ones". Biases start at zero.
 */
typedef struct XgLinear {
    int64_t out_features; /**< required */
    int32_t no_bias;
    int32_t reserved_;
    const char *weight_name; /**< default "weight" */
    const char *bias_name;   /**< default "bias" */
    const char *init;        /**< default "xavier_uniform" */
} XgLinear;

XG_UNUSED static inline XgValue *xg_linear_with(XgGraph *g, XgValue *x, const char *name,
                                                const XgLinear *o)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "out_features", o->out_features);
    xg_add_int_(&a, "no_bias", o->no_bias);
    xg_add_string_(&a, "weight_name", o->weight_name);
    xg_add_string_(&a, "bias_name", o->bias_name);
    xg_add_string_(&a, "init", o->init);
    return xg_op1_(g, "linear/1", name, x, &a);
}

/**
 * Batch normalisation over all but the last dimension ("batch_norm/1", Ioffe and Szegedy 2015).
 * Parameters `weight`, `bias`, buffers `running_mean`, `running_var` (each [C]). In training
 * running = (1 - momentum) * running + momentum * batch, the variance unbiased.
 */
typedef struct XgBatchNorm {
    double eps;      /**< default 1e-5 */
    double momentum; /**< default 0.1 */
    int32_t no_affine; /**< 1: neither `weight` nor `bias` */
    int32_t no_scale;  /**< 1: no `weight` */
} XgBatchNorm;

XG_UNUSED static inline XgValue *xg_batch_norm_with(XgGraph *g, XgValue *x, const char *name,
                                                    const XgBatchNorm *o)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_float_(&a, "eps", o->eps);
    xg_add_float_(&a, "momentum", o->momentum);
    xg_add_int_(&a, "no_affine", o->no_affine);
    xg_add_int_(&a, "no_scale", o->no_scale);
    return xg_op1_(g, "batch_norm/1", name, x, &a);
}

/** Normalisation over the last dimension ("layer_norm/1"): `weight`, `bias`; eps 1e-5 if 0. */
XG_UNUSED static inline XgValue *xg_layer_norm(XgGraph *g, XgValue *x, const char *name, double eps)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_float_(&a, "eps", eps);
    return xg_op1_(g, "layer_norm/1", name, x, &a);
}

XG_UNUSED static inline XgValue *xg_relu(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "relu/1", x);
}

XG_UNUSED static inline XgValue *xg_relu6(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "relu6/1", x);
}

/** x * Phi(x), with the error function, not an approximation. */
XG_UNUSED static inline XgValue *xg_gelu(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "gelu/1", x);
}

XG_UNUSED static inline XgValue *xg_sigmoid(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "sigmoid/1", x);
}

XG_UNUSED static inline XgValue *xg_silu(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "silu/1", x);
}

/** relu6(x + 3) / 6 */
XG_UNUSED static inline XgValue *xg_hardsigmoid(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "hardsigmoid/1", x);
}

/** x * relu6(x + 3) / 6 */
XG_UNUSED static inline XgValue *xg_hardswish(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "hardswish/1", x);
}

/** Softmax over the last dimension. */
XG_UNUSED static inline XgValue *xg_softmax(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "softmax/1", x);
}

/** Pooling windows ("max_pool/1", "avg_pool/1"). */
typedef struct XgPool2d {
    int64_t kernel;             /**< required unless both below are given */
    int64_t kernel_h, kernel_w;
    int64_t stride;             /**< default: the kernel */
    int64_t stride_h, stride_w;
    int64_t pad;                /**< every side; max: -infinity, average: zeros; default 0 */
    int64_t pad_h, pad_w;
    int64_t pad_top, pad_bottom, pad_left, pad_right; /**< one side, added to `pad` */
    int32_t ceil_mode;          /**< 1: the last window may hang over, if it starts inside */
    int32_t exclude_pad;        /**< average: 1: divide by the real elements only */
} XgPool2d;

XG_UNUSED static inline XgValue *xg_pool2d_with(XgGraph *g, const char *op, XgValue *x,
                                                const XgPool2d *o)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "kernel_h", o->kernel_h ? o->kernel_h : o->kernel);
    xg_add_int_(&a, "kernel_w", o->kernel_w ? o->kernel_w : o->kernel);
    xg_add_int_(&a, "stride_h", o->stride_h ? o->stride_h : o->stride);
    xg_add_int_(&a, "stride_w", o->stride_w ? o->stride_w : o->stride);
    xg_add_int_(&a, "pad_top", (o->pad_h ? o->pad_h : o->pad) + o->pad_top);
    xg_add_int_(&a, "pad_bottom", (o->pad_h ? o->pad_h : o->pad) + o->pad_bottom);
    xg_add_int_(&a, "pad_left", (o->pad_w ? o->pad_w : o->pad) + o->pad_left);
    xg_add_int_(&a, "pad_right", (o->pad_w ? o->pad_w : o->pad) + o->pad_right);
    xg_add_int_(&a, "ceil_mode", o->ceil_mode);
    xg_add_int_(&a, "exclude_pad", o->exclude_pad);
    return xg_op1_(g, op, NULL, x, &a);
}

/** Average pooling to a fixed size: window i of n covers floor(i*H/n) .. ceil((i+1)*H/n). */
XG_UNUSED static inline XgValue *xg_adaptive_avg_pool(XgGraph *g, XgValue *x, int64_t out_h,
                                                      int64_t out_w)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "out_h", out_h);
    xg_add_int_(&a, "out_w", out_w);
    return xg_op1_(g, "adaptive_avg_pool/1", NULL, x, &a);
}

/** Mean over height and width: [N,H,W,C] to [N,C]. */
XG_UNUSED static inline XgValue *xg_global_avg_pool(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "global_avg_pool/1", x);
}

/** Local response normalisation across channels (Krizhevsky et al. 2012): x divided by
 *  (k + alpha/size * sum of squares over `size` neighbouring channels) ^ beta. */
XG_UNUSED static inline XgValue *xg_lrn(XgGraph *g, XgValue *x, int64_t size, double alpha,
                                        double beta, double k)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "size", size);
    xg_add_float_(&a, "alpha", alpha);
    xg_add_float_(&a, "beta", beta);
    xg_add_float_(&a, "k", k);
    return xg_op1_(g, "lrn/1", NULL, x, &a);
}

/** a + b or a * b, of equal shapes; or b of shape [N,1,1,C] or [N,C] against an image a. */
XG_UNUSED static inline XgValue *xg_add(XgGraph *g, XgValue *a, XgValue *b)
{
    XgValue *inputs[2];
    inputs[0] = a;
    inputs[1] = b;
    return g->api->op(g, "add/1", NULL, inputs, 2, NULL, 0);
}

XG_UNUSED static inline XgValue *xg_mul(XgGraph *g, XgValue *a, XgValue *b)
{
    XgValue *inputs[2];
    inputs[0] = a;
    inputs[1] = b;
    return g->api->op(g, "mul/1", NULL, inputs, 2, NULL, 0);
}

/** Multiplies by a constant ("scale/1"). */
XG_UNUSED static inline XgValue *xg_scale(XgGraph *g, XgValue *x, double factor)
{
    XgAttrs_ a;
    a.count = 0;
    a.list[a.count++] = xg_attr_float("factor", factor);
    return xg_op1_(g, "scale/1", NULL, x, &a);
}

/** Joins values along their last dimension (channels). */
XG_UNUSED static inline XgValue *xg_concat(XgGraph *g, XgValue *const *values, int32_t count)
{
    return g->api->op(g, "concat/1", NULL, values, count, NULL, 0);
}

/** Elements begin..end-1 of dimension `axis` (1 or more). */
XG_UNUSED static inline XgValue *xg_slice(XgGraph *g, XgValue *x, int64_t axis, int64_t begin,
                                          int64_t end)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "axis", axis);
    xg_add_int_(&a, "begin", begin);
    xg_add_int_(&a, "end", end);
    return xg_op1_(g, "slice/1", NULL, x, &a);
}

/** [N,H,W,C] to [N, C*H*W] in the published order: channel, row, column. */
XG_UNUSED static inline XgValue *xg_flatten(XgGraph *g, XgValue *x)
{
    return xg_plain_(g, "flatten/1", x);
}

/** Another shape for the same elements in memory order; `dims` without the batch, one may be
 *  -1. */
XG_UNUSED static inline XgValue *xg_reshape(XgGraph *g, XgValue *x, const int64_t *dims,
                                            int32_t count)
{
    XgAttrs_ a;
    a.count = 0;
    a.list[a.count++] = xg_attr_ints("dims", dims, count);
    return xg_op1_(g, "reshape/1", NULL, x, &a);
}

/** Dimension i of the result is dimension axes[i] of x; axes[0] is 0, the batch. */
XG_UNUSED static inline XgValue *xg_permute(XgGraph *g, XgValue *x, const int64_t *axes,
                                            int32_t count)
{
    XgAttrs_ a;
    a.count = 0;
    a.list[a.count++] = xg_attr_ints("axes", axes, count);
    return xg_op1_(g, "permute/1", NULL, x, &a);
}

/** Drops each element with that probability and scales the rest, in training only. */
XG_UNUSED static inline XgValue *xg_dropout(XgGraph *g, XgValue *x, double probability)
{
    XgAttrs_ a;
    a.count = 0;
    a.list[a.count++] = xg_attr_float("probability", probability);
    return xg_op1_(g, "dropout/1", NULL, x, &a);
}

/** Drops each whole image of [N,H,W,C] with that probability and scales the rest, in training
 *  only: stochastic depth before a residual is added (Huang et al. 2016). */
XG_UNUSED static inline XgValue *xg_stochastic_depth(XgGraph *g, XgValue *x, double probability)
{
    XgAttrs_ a;
    a.count = 0;
    a.list[a.count++] = xg_attr_float("probability", probability);
    xg_add_int_(&a, "per_image", 1);
    return xg_op1_(g, "dropout/1", NULL, x, &a);
}

/** Multi-head self-attention of packed queries, keys and values: [..., T, 3F] to [..., T, F],
 *  softmax(q k^T / sqrt(F/heads)) v per head; no parameters of its own. */
XG_UNUSED static inline XgValue *xg_attention(XgGraph *g, XgValue *qkv, int64_t heads)
{
    XgAttrs_ a;
    a.count = 0;
    xg_add_int_(&a, "heads", heads);
    return xg_op1_(g, "attention/1", NULL, qkv, &a);
}

/** Puts a learnt class token before the tokens ("class_token/1"): [N,T,F] to [N,T+1,F]; the
 *  parameter [1,1,F] has the scoped name `name` itself. */
XG_UNUSED static inline XgValue *xg_class_token(XgGraph *g, XgValue *x, const char *name)
{
    return g->api->op(g, "class_token/1", name, &x, 1, NULL, 0);
}

/** Adds a learnt position embedding ("position/1") [1,T,F] of the scoped name `name` itself. */
XG_UNUSED static inline XgValue *xg_position(XgGraph *g, XgValue *x, const char *name)
{
    return g->api->op(g, "position/1", name, &x, 1, NULL, 0);
}

#ifdef __cplusplus
}

/* C++ has no designated initialisers before C++20: fill the struct and pass it. */
inline XgValue *xg_conv2d(XgGraph *g, XgValue *x, const char *name, const XgConv2d &o)
{
    return xg_conv2d_with(g, x, name, &o);
}

inline XgValue *xg_linear(XgGraph *g, XgValue *x, const char *name, const XgLinear &o)
{
    return xg_linear_with(g, x, name, &o);
}

inline XgValue *xg_linear(XgGraph *g, XgValue *x, const char *name, int64_t out_features)
{
    XgLinear o = XgLinear();
    o.out_features = out_features;
    return xg_linear_with(g, x, name, &o);
}

inline XgValue *xg_batch_norm(XgGraph *g, XgValue *x, const char *name,
                              const XgBatchNorm &o = XgBatchNorm())
{
    return xg_batch_norm_with(g, x, name, &o);
}

inline XgValue *xg_max_pool(XgGraph *g, XgValue *x, const XgPool2d &o)
{
    return xg_pool2d_with(g, "max_pool/1", x, &o);
}

inline XgValue *xg_avg_pool(XgGraph *g, XgValue *x, const XgPool2d &o)
{
    return xg_pool2d_with(g, "avg_pool/1", x, &o);
}
#else

/** xg_conv2d(g, x, "conv1", 64, .kernel = 7, .stride = 2, .pad = 3) */
#define xg_conv2d(g, x, name, ...)                                                                \
    xg_conv2d_with(g, x, name, &(const XgConv2d){__VA_ARGS__, .reserved_ = 0})

/** xg_linear(g, x, "fc", 1000) */
#define xg_linear(g, x, name, ...)                                                                \
    xg_linear_with(g, x, name, &(const XgLinear){__VA_ARGS__, .reserved_ = 0})

/** xg_batch_norm(g, x, "bn1") or xg_batch_norm_with() for other settings than the default */
XG_UNUSED static inline XgValue *xg_batch_norm(XgGraph *g, XgValue *x, const char *name)
{
    const XgBatchNorm o = {0.0, 0.0, 0, 0};
    return xg_batch_norm_with(g, x, name, &o);
}

/** xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = 1) */
#define xg_max_pool(g, x, ...) xg_pool2d_with(g, "max_pool/1", x, &(const XgPool2d){__VA_ARGS__})

/** xg_avg_pool(g, x, .kernel = 2) */
#define xg_avg_pool(g, x, ...) xg_pool2d_with(g, "avg_pool/1", x, &(const XgPool2d){__VA_ARGS__})

#endif

#endif
