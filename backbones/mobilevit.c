/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* MobileViT (Mehta and Rastegari 2022) with timm's names; blocks: stem, stage1 to stage5, last. A
 * stage's transformer relates the pixels that have the same place in their 2x2 patches. */
#include <xenograft/backbone.h>

typedef struct { int64_t expand, channels[5], width[3], last; } Variant;

static XgValue *conv(XgGraph *g, XgValue *x, const char *scope, XgConv2d o, int activated)
{
    o.pad = o.kernel / 2;
    o.no_bias = 1;
    xg_push(g, scope);
    x = xg_batch_norm(g, xg_conv2d_with(g, x, "conv", &o), "bn");
    x = activated ? xg_silu(g, x) : x;
    xg_pop(g);
    return x;
}

static XgValue *inverted_residual(XgGraph *g, XgValue *x, int64_t expand, int64_t out,
                                  int64_t stride)
{
    const int64_t in = xg_dim(g, x, 3), hidden = in * expand;
    const XgConv2d middle = {hidden, .kernel = 3, .stride = stride, .groups = hidden};
    XgValue *y = conv(g, x, "conv1_1x1", (XgConv2d){hidden, .kernel = 1}, 1);
    y = conv(g, conv(g, y, "conv2_kxk", middle, 1), "conv3_1x1", (XgConv2d){out, .kernel = 1}, 0);
    return stride == 1 && in == out ? xg_add(g, y, x) : y;
}

static XgValue *linear(XgGraph *g, XgValue *x, const char *name, int64_t features)
{
    return xg_linear(g, x, name, features, .init = "normal:0.01");
}

static XgValue *transformer(XgGraph *g, XgValue *x, int64_t width)
{
    XgValue *y = linear(g, xg_layer_norm(g, x, "norm1", 0), "attn.qkv", 3 * width);
    x = xg_add(g, linear(g, xg_attention(g, y, 4), "attn.proj", width), x);
    y = xg_silu(g, linear(g, xg_layer_norm(g, x, "norm2", 0), "mlp.fc1", 2 * width));
    return xg_add(g, linear(g, y, "mlp.fc2", width), x);
}

static XgValue *mobilevit(XgGraph *g, XgValue *x, int64_t width, int64_t depth)
{
    static const int64_t unfold[] = {0, 2, 4, 1, 3, 5}, fold[] = {0, 3, 1, 4, 2, 5};
    const int64_t h = xg_dim(g, x, 1), w = xg_dim(g, x, 2), channels = xg_dim(g, x, 3);
    const int64_t patches[] = {h / 2, 2, w / 2, 2, width}, places[] = {4, h * w / 4, width};
    const int64_t split[] = {2, 2, h / 2, w / 2, width}, map[] = {h, w, width};
    XgValue *y = conv(g, x, "conv_kxk", (XgConv2d){channels, .kernel = 3}, 1);
    y = xg_conv2d(g, y, "conv_1x1", width, .no_bias = 1);
    y = xg_permute(g, xg_reshape(g, y, patches, 5), unfold, 6);
    y = xg_reshape(g, y, places, 3);
    for (int64_t i = 0; i < depth; i++) {
        xg_push_index(g, "transformer.", i);
        y = transformer(g, y, width);
        xg_pop(g);
    }
    y = xg_reshape(g, xg_layer_norm(g, y, "norm", 0), split, 5);
    y = xg_reshape(g, xg_permute(g, y, fold, 6), map, 3);
    XgValue *sides[] = {x, conv(g, y, "conv_proj", (XgConv2d){channels, .kernel = 1}, 1)};
    y = xg_concat(g, sides, 2);
    return conv(g, y, "conv_fusion", (XgConv2d){channels, .kernel = 3}, 1);
}

static XgStatus build(void *self, XgGraph *g)
{
    static const int64_t units[] = {1, 3, 1, 1, 1}, depth[] = {2, 4, 3};
    const Variant *v = self;
    XgValue *x = conv(g, xg_input(g), "stem", (XgConv2d){16, .kernel = 3, .stride = 2}, 1);
    xg_block(g, x, "stem");
    for (int64_t s = 0; s < 5; s++) {
        xg_push_index(g, "stages.", s);
        for (int64_t i = 0; i < units[s]; i++) {
            xg_push_index(g, "", i);
            x = inverted_residual(g, x, v->expand, v->channels[s], i == 0 && s > 0 ? 2 : 1);
            xg_pop(g);
        }
        if (s >= 2) {
            xg_push(g, "1");
            x = mobilevit(g, x, v->width[s - 2], depth[s - 2]);
            xg_pop(g);
        }
        xg_pop(g);
        xg_block_index(g, x, "stage", s + 1);
    }
    x = conv(g, x, "final_conv", (XgConv2d){v->last, .kernel = 1}, 1);
    xg_block(g, x, "last");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, linear(g, x, "head.fc", xg_classes(g)), "logits");
    return XG_OK;
}

/* The last maps are cut into 2x2 patches too. */
static const XgInputSize size = {3, 256, 64, 1024, 64};
static const XgWeightsFamily list[] = {
    {"cvnets", "timm cvnets ImageNet-1k weights (Apple sample code licence)", XG_BICUBIC, XG_RGB,
     284, 1.0, {0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}}, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

#define MOBILEVIT(name, summary_, ...)                                                            \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Mehta, Rastegari: MobileViT: Light-weight, General-purpose, and "            \
                    "Mobile-friendly Vision Transformer. ICLR 2022, arXiv:2110.02178",            \
        .interface_table = &table, .data = &(const Variant){__VA_ARGS__}}

MOBILEVIT(mobilevit_xxs, "MobileViT, extra extra small: convolutions and transformers", 2,
          {16, 24, 48, 64, 80}, {64, 80, 96}, 320);
MOBILEVIT(mobilevit_xs, "MobileViT, extra small: convolutions and transformers", 4,
          {32, 48, 64, 80, 96}, {96, 120, 144}, 384);
MOBILEVIT(mobilevit_s, "MobileViT, small: convolutions and transformers", 4,
          {32, 64, 96, 128, 160}, {144, 192, 240}, 640);

XG_MODULE("mobilevit", "1.0.0", &mobilevit_xxs, &mobilevit_xs, &mobilevit_s)
