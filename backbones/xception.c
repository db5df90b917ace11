/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Xception (Chollet 2017) with the names of Cadene's and timm's files (timm: legacy_xception);
 * blocks: stem, block1 to block12, last (the two separable convolutions of the exit flow).
 * Keras' has another epsilon and pads the pooling right and below. */
#include <xenograft/draft/keras.h>

typedef struct { int32_t keras; } Variant;

static XgValue *norm(XgGraph *g, XgValue *x, const Variant *v, const char *name)
{
    return xg_batch_norm_with(g, x, name, &(XgBatchNorm){.eps = v->keras ? 1e-3 : 0});
}

static XgValue *conv_bn(XgGraph *g, XgValue *x, const Variant *v, int64_t index, int64_t channels,
                        int64_t stride)
{
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) index);
    snprintf(bn, sizeof bn, "bn%d", (int) index);
    x = xg_conv2d(g, x, conv, channels, .kernel = 3, .stride = stride, .no_bias = 1);
    return xg_relu(g, norm(g, x, v, bn));
}

static XgValue *separable(XgGraph *g, XgValue *x, const Variant *v, const char *name,
                          const char *bn, int64_t channels)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv1", xg_dim(g, x, 3), .kernel = 3, .pad = 1,
                  .groups = xg_dim(g, x, 3), .no_bias = 1);
    x = xg_conv2d(g, x, "pointwise", channels, .no_bias = 1);
    xg_pop(g);
    return norm(g, x, v, bn);
}

static XgValue *pool(XgGraph *g, XgValue *x, const Variant *v)
{
    const int64_t height = xg_dim(g, x, 1), width = xg_dim(g, x, 2);
    if (!v->keras)
        return xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = 1);
    return xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad_top = xg_same_pad(height, 3, 2, 0),
                       .pad_bottom = xg_same_pad(height, 3, 2, 1),
                       .pad_left = xg_same_pad(width, 3, 2, 0),
                       .pad_right = xg_same_pad(width, 3, 2, 1));
}

/* The separable convolutions are numbered with the rectifiers between them as "rep.0", ... */
static XgValue *residual(XgGraph *g, XgValue *x, const Variant *v, int64_t index,
                         const int64_t *channels, int64_t count)
{
    const int64_t out = channels[count - 1];
    XgValue *y = x, *skip = x;
    int64_t layer = 0;
    xg_push_index(g, "block", index);
    for (int64_t i = 0; i < count; i++) {
        char conv[16], bn[16];
        if (index > 1 || i > 0) {
            y = xg_relu(g, y);
            layer++;
        }
        snprintf(conv, sizeof conv, "rep.%d", (int) layer++);
        snprintf(bn, sizeof bn, "rep.%d", (int) layer++);
        y = separable(g, y, v, conv, bn, channels[i]);
    }
    if (out != xg_dim(g, x, 3)) {
        y = pool(g, y, v);
        skip = xg_conv2d(g, x, "skip", out, .stride = 2, .no_bias = 1);
        skip = norm(g, skip, v, "skipbn");
    }
    y = xg_add(g, y, skip);
    xg_pop(g);
    return xg_block_index(g, y, "block", index);
}

static XgStatus build(void *self, XgGraph *g)
{
    static const int64_t entry[3][2] = {{128, 128}, {256, 256}, {728, 728}};
    static const int64_t middle[3] = {728, 728, 728}, last[2] = {728, 1024};
    const Variant *v = self;
    XgValue *x = conv_bn(g, xg_input(g), v, 1, 32, 2);
    x = xg_block(g, conv_bn(g, x, v, 2, 64, 1), "stem");
    for (int64_t i = 0; i < 3; i++)
        x = residual(g, x, v, i + 1, entry[i], 2);
    for (int64_t i = 4; i <= 11; i++)
        x = residual(g, x, v, i, middle, 3);
    x = residual(g, x, v, 12, last, 2);
    x = xg_relu(g, separable(g, x, v, "conv3", "bn3", 1536));
    x = xg_block(g, xg_relu(g, separable(g, x, v, "conv4", "bn4", 2048)), "last");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 71, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's legacy_xception and Cadene's xception, ImageNet-1k (MIT, from Keras)",
     XG_BICUBIC, XG_RGB, 333, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_TF(299), {0}};
static int is_keras(const Variant *v) { return v->keras; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
static const XgBackbone table = {build, input_size, families};
XG_PUBLISHED_CREATE(Variant)
static const XgParam params[] = {XG_PUBLISHED_PARAM("timm"), {0}};

/* Three rules for a separable convolution and its norm; `last` is the name's last wildcard. */
#define SEPARABLE(from, conv, bn, last)                                                           \
    {from ".depthwise.*", conv ".conv1." last, 0, 0, 0},                                          \
    {from ".pointwise.*", conv ".pointwise." last, 0, 0, 0}, {from "_bn.*", bn "." last, 0, 0, 0}
#define KERAS_RULES                                                                               \
    {"block1_conv#.*", "conv{1}.{2}", 0, 0, 0}, {"block1_conv#_bn.*", "bn{1}.{2}", 0, 0, 0},      \
    {"conv2d_3.*", "block12.skip.{1}", 0, 0, 0}, {"conv2d_#.*", "block{1+1}.skip.{2}", 0, 0, 0},  \
    {"batch_normalization_3.*", "block12.skipbn.{1}", 0, 0, 0},                                   \
    {"batch_normalization_#.*", "block{1+1}.skipbn.{2}", 0, 0, 0},                                \
    SEPARABLE("block2_sepconv1", "block1.rep.0", "block1.rep.1", "{1}"),                          \
    SEPARABLE("block2_sepconv2", "block1.rep.3", "block1.rep.4", "{1}"),                          \
    SEPARABLE("block14_sepconv#", "conv{1+2}", "bn{1+2}", "{2}"),                                 \
    SEPARABLE("block#_sepconv1", "block{1-1}.rep.1", "block{1-1}.rep.2", "{2}"),                  \
    SEPARABLE("block#_sepconv2", "block{1-1}.rep.4", "block{1-1}.rep.5", "{2}"),                  \
    SEPARABLE("block#_sepconv3", "block{1-1}.rep.7", "block{1-1}.rep.8", "{2}"),                  \
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

static const XgComponent xception = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "xception",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Xception: depthwise separable convolutions with residuals, 36 layers",
    .citation = "Chollet: Xception: Deep Learning with Depthwise Separable Convolutions. CVPR "
                "2017, doi:10.1109/CVPR.2017.195, arXiv:1610.02357",
    .params = params,
    .create = create,
    .get_interface = get_interface,
    .interface_table = &table,
    .data = (const Variant[2]){{0}, {1}},
};

XG_MODULE("xception", "1.0.0", &xception)
