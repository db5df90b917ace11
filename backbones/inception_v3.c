/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Inception v3 (Szegedy et al. 2016) with torchvision's names; blocks: stem, then one per Inception
 * module. The auxiliary head's 5x5 window needs the 17x17 map of 299 pixels: below that there is
 * none. Keras' has neither that head nor dropout nor scales in its norms, and averages no padding.
 */
#include <xenograft/draft/keras.h>

typedef struct { int32_t keras; } Variant;

static XgValue *norm_relu(XgGraph *g, XgValue *x)
{
    const XgBatchNorm o = {.eps = 1e-3, .no_scale = xg_published_keras(g->host)};
    return xg_relu(g, xg_batch_norm_with(g, x, "bn", &o));
}

/* One convolution: windows height x width; stride 2 pads nothing. */
static XgValue *windows(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                        int64_t width, int64_t stride, const char *init)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel_h = height, .kernel_w = width, .stride = stride,
                  .pad_h = stride == 1 ? height / 2 : 0, .pad_w = stride == 1 ? width / 2 : 0,
                  .no_bias = 1, .init = init);
    x = norm_relu(g, x);
    xg_pop(g);
    return x;
}

static XgValue *unit(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                     int64_t width)
{
    return windows(g, x, name, channels, height, width, 1, "normal:0.1");
}

static XgValue *halve(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    return windows(g, x, name, channels, 3, 3, 2, "normal:0.1");
}

/* The 3x3 of the stem without padding. */
static XgValue *valid(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel = 3, .no_bias = 1, .init = "normal:0.1");
    x = norm_relu(g, x);
    xg_pop(g);
    return x;
}

static XgValue *pooled(XgGraph *g, XgValue *x, int64_t channels)
{
    x = xg_avg_pool(g, x, .kernel = 3, .stride = 1, .pad = 1,
                    .exclude_pad = xg_published_keras(g->host));
    return unit(g, x, "branch_pool", channels, 1, 1);
}

/* 35x35 maps; the first module has fewer channels behind its pooling. */
static XgValue *module_5(XgGraph *g, XgValue *x, int64_t pool)
{
    XgValue *b[4];
    b[0] = unit(g, x, "branch1x1", 64, 1, 1);
    b[1] = unit(g, unit(g, x, "branch5x5_1", 48, 1, 1), "branch5x5_2", 64, 5, 5);
    b[2] = unit(g, unit(g, x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3);
    b[2] = unit(g, b[2], "branch3x3dbl_3", 96, 3, 3);
    b[3] = pooled(g, x, pool);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_6(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, x, "branch3x3", 384);
    b[1] = unit(g, unit(g, x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3);
    b[1] = halve(g, b[1], "branch3x3dbl_3", 96);
    b[2] = xg_max_pool(g, x, .kernel = 3, .stride = 2);
    return xg_concat(g, b, 3);
}

/* 17x17 maps with windows of 7 x 1 and 1 x 7; `width` channels inside. */
static XgValue *module_6(XgGraph *g, XgValue *x, int64_t width)
{
    XgValue *b[4];
    b[0] = unit(g, x, "branch1x1", 192, 1, 1);
    b[1] = unit(g, unit(g, x, "branch7x7_1", width, 1, 1), "branch7x7_2", width, 1, 7);
    b[1] = unit(g, b[1], "branch7x7_3", 192, 7, 1);
    b[2] = unit(g, unit(g, x, "branch7x7dbl_1", width, 1, 1), "branch7x7dbl_2", width, 7, 1);
    b[2] = unit(g, b[2], "branch7x7dbl_3", width, 1, 7);
    b[2] = unit(g, b[2], "branch7x7dbl_4", width, 7, 1);
    b[2] = unit(g, b[2], "branch7x7dbl_5", 192, 1, 7);
    b[3] = pooled(g, x, 192);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_7(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, unit(g, x, "branch3x3_1", 192, 1, 1), "branch3x3_2", 320);
    b[1] = unit(g, unit(g, x, "branch7x7x3_1", 192, 1, 1), "branch7x7x3_2", 192, 1, 7);
    b[1] = halve(g, unit(g, b[1], "branch7x7x3_3", 192, 7, 1), "branch7x7x3_4", 192);
    b[2] = xg_max_pool(g, x, .kernel = 3, .stride = 2);
    return xg_concat(g, b, 3);
}

/* 8x8 maps; two branches end with 1 x 3 beside 3 x 1. */
static XgValue *module_7(XgGraph *g, XgValue *x)
{
    XgValue *b[6];
    b[0] = unit(g, x, "branch1x1", 320, 1, 1);
    XgValue *y = unit(g, x, "branch3x3_1", 384, 1, 1);
    b[1] = unit(g, y, "branch3x3_2a", 384, 1, 3);
    b[2] = unit(g, y, "branch3x3_2b", 384, 3, 1);
    y = unit(g, unit(g, x, "branch3x3dbl_1", 448, 1, 1), "branch3x3dbl_2", 384, 3, 3);
    b[3] = unit(g, y, "branch3x3dbl_3a", 384, 1, 3);
    b[4] = unit(g, y, "branch3x3dbl_3b", 384, 3, 1);
    b[5] = pooled(g, x, 192);
    return xg_concat(g, b, 6);
}

static void auxiliary(XgGraph *g, XgValue *x)
{
    if (xg_dim(g, x, 1) < 17 || xg_dim(g, x, 2) < 17)
        return;
    x = xg_avg_pool(g, x, .kernel = 5, .stride = 3);
    xg_push(g, "AuxLogits");
    x = windows(g, x, "conv0", 128, 1, 1, 1, "normal:0.1");
    xg_push(g, "conv1");
    x = xg_conv2d(g, x, "conv", 768, .kernel = 5, .no_bias = 1, .init = "normal:0.01");
    x = norm_relu(g, x);
    xg_pop(g);
    x = xg_linear(g, xg_global_avg_pool(g, x), "fc", xg_classes(g), .init = "normal:0.001");
    xg_pop(g);
    xg_tag(g, x, "aux:0.4");
}

static XgStatus build(void *self, XgGraph *g)
{
    static const char *const names[] = {"Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a",
                                        "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
                                        "Mixed_7a", "Mixed_7b", "Mixed_7c"};
    /* of the pooling branch, or of the windows of 7 */
    static const int64_t channels[] = {32, 64, 64, 0, 128, 160, 160, 192};
    const Variant *v = self;
    XgValue *x = valid(g, halve(g, xg_input(g), "Conv2d_1a_3x3", 32), "Conv2d_2a_3x3", 32);
    x = unit(g, x, "Conv2d_2b_3x3", 64, 3, 3);
    x = unit(g, xg_max_pool(g, x, .kernel = 3, .stride = 2), "Conv2d_3b_1x1", 80, 1, 1);
    x = valid(g, x, "Conv2d_4a_3x3", 192);
    x = xg_block(g, xg_max_pool(g, x, .kernel = 3, .stride = 2), "stem");
    for (int i = 0; i < 11; i++) {
        xg_push(g, names[i]);
        x = i < 3    ? module_5(g, x, channels[i])
            : i == 3 ? reduction_6(g, x)
            : i < 8  ? module_6(g, x, channels[i])
            : i == 8 ? reduction_7(g, x)
                     : module_7(g, x);
        xg_pop(g);
        xg_block(g, x, names[i]);
        if (i == 7 && !v->keras)
            auxiliary(g, x);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    x = v->keras ? x : xg_dropout(g, x, 0.5);
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g), .init = "normal:0.1"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 75, 1024, 1};
/* torchvision gives these weights (p - mean) / std of ImageNet and its transform_input turns that
 * into x * std / 0.5 + (mean - 0.5) / 0.5 = (p - 0.5) / 0.5, channel by channel. */
static const XgWeightsFamily list[] = {
    {"torchvision", "torchvision ImageNet-1k weights (BSD-3-Clause), ported from TensorFlow; what "
     "its transform_input makes of pixels of 0..1 is -1..1",
     XG_BILINEAR, XG_RGB, 342, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_TF(299), {0}};
static int is_keras(const Variant *v) { return v->keras; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
static const XgBackbone table = {build, input_size, families};
XG_PUBLISHED_CREATE(Variant)
static const XgParam params[] = {XG_PUBLISHED_PARAM("torchvision"), {0}};

/* Keras numbers the convolutions in the order in which it makes them. */
#define LAYER(index, name)                                                                        \
    {"conv2d_" index ".*", name ".conv.{1}", 0, 0, 0},                                            \
    {"batch_normalization_" index ".*", name ".bn.{1}", 0, 0, 0}
#define MODULE_5(module, a, b, c, d, e, f, g)                                                     \
    LAYER(a, module ".branch1x1"), LAYER(b, module ".branch5x5_1"),                               \
    LAYER(c, module ".branch5x5_2"), LAYER(d, module ".branch3x3dbl_1"),                          \
    LAYER(e, module ".branch3x3dbl_2"), LAYER(f, module ".branch3x3dbl_3"),                       \
    LAYER(g, module ".branch_pool")
#define MODULE_6(module, a, b, c, d, e, f, g, h, i, j)                                            \
    LAYER(a, module ".branch1x1"), LAYER(b, module ".branch7x7_1"),                               \
    LAYER(c, module ".branch7x7_2"), LAYER(d, module ".branch7x7_3"),                             \
    LAYER(e, module ".branch7x7dbl_1"), LAYER(f, module ".branch7x7dbl_2"),                       \
    LAYER(g, module ".branch7x7dbl_3"), LAYER(h, module ".branch7x7dbl_4"),                       \
    LAYER(i, module ".branch7x7dbl_5"), LAYER(j, module ".branch_pool")
#define MODULE_7(module, a, b, c, d, e, f, g, h, i)                                               \
    LAYER(a, module ".branch1x1"), LAYER(b, module ".branch3x3_1"),                               \
    LAYER(c, module ".branch3x3_2a"), LAYER(d, module ".branch3x3_2b"),                           \
    LAYER(e, module ".branch3x3dbl_1"), LAYER(f, module ".branch3x3dbl_2"),                       \
    LAYER(g, module ".branch3x3dbl_3a"), LAYER(h, module ".branch3x3dbl_3b"),                     \
    LAYER(i, module ".branch_pool")
#define KERAS_RULES                                                                               \
    LAYER("0", "Conv2d_1a_3x3"), LAYER("1", "Conv2d_2a_3x3"), LAYER("2", "Conv2d_2b_3x3"),        \
    LAYER("3", "Conv2d_3b_1x1"), LAYER("4", "Conv2d_4a_3x3"),                                     \
    MODULE_5("Mixed_5b", "5", "6", "7", "8", "9", "10", "11"),                                    \
    MODULE_5("Mixed_5c", "12", "13", "14", "15", "16", "17", "18"),                               \
    MODULE_5("Mixed_5d", "19", "20", "21", "22", "23", "24", "25"),                               \
    LAYER("26", "Mixed_6a.branch3x3"), LAYER("27", "Mixed_6a.branch3x3dbl_1"),                    \
    LAYER("28", "Mixed_6a.branch3x3dbl_2"), LAYER("29", "Mixed_6a.branch3x3dbl_3"),               \
    MODULE_6("Mixed_6b", "30", "31", "32", "33", "34", "35", "36", "37", "38", "39"),             \
    MODULE_6("Mixed_6c", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49"),             \
    MODULE_6("Mixed_6d", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59"),             \
    MODULE_6("Mixed_6e", "60", "61", "62", "63", "64", "65", "66", "67", "68", "69"),             \
    LAYER("70", "Mixed_7a.branch3x3_1"), LAYER("71", "Mixed_7a.branch3x3_2"),                     \
    LAYER("72", "Mixed_7a.branch7x7x3_1"), LAYER("73", "Mixed_7a.branch7x7x3_2"),                 \
    LAYER("74", "Mixed_7a.branch7x7x3_3"), LAYER("75", "Mixed_7a.branch7x7x3_4"),                 \
    MODULE_7("Mixed_7b", "76", "77", "78", "79", "80", "81", "82", "83", "84"),                   \
    MODULE_7("Mixed_7c", "85", "86", "87", "88", "89", "90", "91", "92", "93"),                   \
    {"predictions.*", "fc.{1}", 0, 0, 0}
static const XgNameRule keras_rules[] = {KERAS_RULES, {0}};
static const XgNameRule refused_rules[] = {KERAS_RULES, XG_KERAS_REFUSED};
static const XgNameMap keras_maps[] = {{"keras", "files of keras.applications", keras_rules}, {0}};
static const XgNameMap usual_maps[] = {
    {"keras", "files of keras.applications, for published = keras", refused_rules}, {0}};
static const XgNameMap *maps(void *self) { return is_keras(self) ? keras_maps : usual_maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

static const XgComponent inception_v3 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "inception_v3",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Inception v3, 48 layers, one auxiliary head",
    .citation = "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture "
                "for Computer Vision. CVPR 2016, doi:10.1109/CVPR.2016.308, arXiv:1512.00567",
    .params = params,
    .create = create,
    .get_interface = get_interface,
    .interface_table = &table,
    .data = (const Variant[2]){{0}, {1}},
};

XG_MODULE("inception_v3", "1.0.0", &inception_v3)
