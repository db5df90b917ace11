/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Vision transformers (Dosovitskiy et al. 2021) with timm's or torchvision's names; blocks: stem
 * (patches, class token, position), block1 to block12 or 24, the last with the final
 * normalisation. Only the class token is read at the end, so the last block follows the other
 * tokens no further than its attention: the same numbers for less work. */
#include <string.h>
#include <xenograft/backbone.h>
#include <xenograft/draft/names.h>

/* Names and initialisations of a library. */
typedef struct {
    const char *embedding, *patches, *token, *position;
    const char *block, *norm1, *qkv, *qkv_weight, *qkv_bias, *mixed, *norm2, *wide, *narrow;
    const char *norm, *head;
    const char *patches_init, *qkv_init, *mixed_init, *mlp_init, *head_init;
} Names;

typedef struct {
    const Names *names;
    int64_t depth, heads, features, patch;
    const XgInputSize *size;
    const XgWeightsFamily *families;
    const XgNameMap *maps;
} Variant;

static const Names timm = {
    "patch_embed", "proj", "cls_token", "pos_embed", "blocks.", "norm1", "attn.qkv", "weight",
    "bias", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2", "norm", "head",
    "lecun_uniform", "trunc_normal:0.02", "trunc_normal:0.02", "trunc_normal:0.02",
    "trunc_normal:0.02",
};
static const Names torchvision = {
    NULL, "conv_proj", "class_token", "encoder.pos_embedding", "encoder.layers.encoder_layer_",
    "ln_1", "self_attention", "in_proj_weight", "in_proj_bias", "self_attention.out_proj", "ln_2",
    "mlp.0", "mlp.3", "encoder.ln", "heads.head",
    "lecun_normal", "xavier_uniform", "lecun_uniform", "xavier_uniform", "zeros",
};

static const double eps = 1e-6;

/* The class token of each sequence: [N,T,F] to [N,F]. */
static XgValue *class_token(XgGraph *g, XgValue *x, int64_t features)
{
    return xg_reshape(g, xg_slice(g, x, 1, 0, 1), &features, 1);
}

static XgValue *block(XgGraph *g, XgValue *x, const Variant *v, int last)
{
    const Names *n = v->names;
    XgValue *y = xg_linear(g, xg_layer_norm(g, x, n->norm1, eps), n->qkv, 3 * v->features,
                           .weight_name = n->qkv_weight, .bias_name = n->qkv_bias,
                           .init = n->qkv_init);
    y = xg_attention(g, y, v->heads);
    if (last) {
        x = class_token(g, x, v->features);
        y = class_token(g, y, v->features);
    }
    x = xg_add(g, xg_linear(g, y, n->mixed, v->features, .init = n->mixed_init), x);
    y = xg_linear(g, xg_layer_norm(g, x, n->norm2, eps), n->wide, 4 * v->features,
                  .init = n->mlp_init);
    return xg_add(g, xg_linear(g, xg_gelu(g, y), n->narrow, v->features, .init = n->mlp_init), x);
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    const Names *n = v->names;
    const int64_t tokens[] = {-1, v->features};
    if (n->embedding)
        xg_push(g, n->embedding);
    XgValue *x = xg_conv2d(g, xg_input(g), n->patches, v->features, .kernel = v->patch,
                           .stride = v->patch, .init = n->patches_init);
    x = xg_reshape(g, x, tokens, 2);
    if (n->embedding)
        xg_pop(g);
    x = xg_class_token(g, x, n->token);
    x = xg_block(g, xg_position(g, x, n->position), "stem");
    for (int64_t i = 0; i < v->depth; i++) {
        xg_push_index(g, n->block, i);
        x = block(g, x, v, i == v->depth - 1);
        xg_pop(g);
        if (i == v->depth - 1)
            x = xg_tag(g, xg_layer_norm(g, x, n->norm, eps), "features");
        xg_block_index(g, x, "block", i + 1);
    }
    xg_tag(g, xg_linear(g, x, n->head, xg_classes(g), .init = n->head_init), "logits");
    return XG_OK;
}

static const XgInputSize by_16 = {3, 224, 32, 1024, 16}, by_32 = {3, 224, 64, 1024, 32};

#define SWAG {"swag", "torchvision SWAG weights, end to end or linear (CC-BY-NC 4.0)",            \
        XG_BICUBIC, XG_RGB, 224, 1.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}
static const XgWeightsFamily augreg[] = {
    {"augreg", "timm augreg ImageNet-21k and ImageNet-1k weights (Apache-2.0)", XG_BICUBIC, XG_RGB,
     248, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {"deit", "DeiT and DINO (Apache-2.0) and MAE weights (CC-BY-NC 4.0) under timm's names",
     XG_BICUBIC, XG_RGB, 256, 1.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}, {0}};
static const XgWeightsFamily b_16[] = {XG_FAMILY_TORCHVISION, SWAG, {0}};
static const XgWeightsFamily x_32[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily l_16[] = {
    {"torchvision", "torchvision ImageNet-1k weights (BSD-3-Clause)", XG_BILINEAR, XG_RGB, 242, 1.0,
     {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}, SWAG, {0}};

#define TO_BLOCK "encoder.layers.encoder_layer_{1}."
static const XgNameRule old_rules[] = {
    {"*.mlp.linear_1.*", "{1}.mlp.0.{2}", 0, 0, 0}, {"*.mlp.linear_2.*", "{1}.mlp.3.{2}", 0, 0, 0},
    {0}};
static const XgNameRule timm_rules[] = {
    {"cls_token", "class_token", 0, 0, 0}, {"pos_embed", "encoder.pos_embedding", 0, 0, 0},
    {"patch_embed.proj.*", "conv_proj.{1}", 0, 0, 0},
    {"blocks.#.norm#.*", TO_BLOCK "ln_{2}.{3}", 0, 0, 0},
    {"blocks.#.attn.qkv.*", TO_BLOCK "self_attention.in_proj_{2}", 0, 0, 0},
    {"blocks.#.attn.proj.*", TO_BLOCK "self_attention.out_proj.{2}", 0, 0, 0},
    {"blocks.#.mlp.fc1.*", TO_BLOCK "mlp.0.{2}", 0, 0, 0},
    {"blocks.#.mlp.fc2.*", TO_BLOCK "mlp.3.{2}", 0, 0, 0},
    {"norm.*", "encoder.ln.{1}", 0, 0, 0}, {"head.*", "heads.head.{1}", 0, 0, 0},
    {NULL, "their images are prepared in another way: choose vit_base_patch16_224 or "
           "vit_large_patch16_224", 0, 0, 0}};
#define BLOCK "encoder.layers.encoder_layer_#."
static const XgNameRule torchvision_rules[] = {
    {"class_token", "cls_token", 0, 0, 0}, {"encoder.pos_embedding", "pos_embed", 0, 0, 0},
    {"conv_proj.*", "patch_embed.proj.{1}", 0, 0, 0},
    {BLOCK "ln_#.*", "blocks.{1}.norm{2}.{3}", 0, 0, 0},
    {BLOCK "self_attention.in_proj_*", "blocks.{1}.attn.qkv.{2}", 0, 0, 0},
    {BLOCK "self_attention.out_proj.*", "blocks.{1}.attn.proj.{2}", 0, 0, 0},
    {BLOCK "mlp.0.*", "blocks.{1}.mlp.fc1.{2}", 0, 0, 0},
    {BLOCK "mlp.3.*", "blocks.{1}.mlp.fc2.{2}", 0, 0, 0},
    {BLOCK "mlp.linear_#.*", "blocks.{1}.mlp.fc{2}.{3}", 0, 0, 0},
    {"encoder.ln.*", "norm.{1}", 0, 0, 0}, {"heads.head.*", "head.{1}", 0, 0, 0},
    {NULL, "their images are prepared in another way: choose vit_b_16 or vit_l_16", 0, 0, 0}};
#define OLD_NAMES {"torchvision-0.12", "torchvision's published files, of 2022", old_rules}
static const XgNameMap x_16_maps[] = {
    OLD_NAMES, {"timm", "timm's files, for its own backbones", timm_rules}, {0}};
static const XgNameMap x_32_maps[] = {OLD_NAMES, {0}};
static const XgNameMap timm_maps[] = {
    {"torchvision", "torchvision's files, for its own backbones", torchvision_rules}, {0}};
static const XgNameMap *maps(void *self) { return ((const Variant *) self)->maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

static const XgInputSize *input_size(void *self) { return ((const Variant *) self)->size; }
static const XgWeightsFamily *families(void *self) { return ((const Variant *) self)->families; }
static const XgBackbone table = {build, input_size, families};

#define VIT(name, summary_, ...)                                                                  \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Dosovitskiy, Beyer, Kolesnikov, Weissenborn, Zhai et al.: An Image is "      \
                    "Worth 16x16 Words: Transformers for Image Recognition at Scale. ICLR 2021, " \
                    "arXiv:2010.11929; timm weights: Steiner et al.: How to train your ViT? "     \
                    "TMLR 2022, arXiv:2106.10270",                                                \
        .get_interface = get_interface, .interface_table = &table,                                \
        .data = &(const Variant){__VA_ARGS__}}

VIT(vit_tiny_patch16_224, "vision transformer Ti/16, timm names", &timm, 12, 3, 192, 16, &by_16,
    augreg, timm_maps);
VIT(vit_small_patch16_224, "vision transformer S/16, timm names", &timm, 12, 6, 384, 16, &by_16,
    augreg, timm_maps);
VIT(vit_base_patch16_224, "vision transformer B/16, timm names", &timm, 12, 12, 768, 16, &by_16,
    augreg, timm_maps);
VIT(vit_large_patch16_224, "vision transformer L/16, timm names", &timm, 24, 16, 1024, 16, &by_16,
    augreg, timm_maps);
VIT(vit_b_16, "vision transformer B/16, torchvision names", &torchvision, 12, 12, 768, 16, &by_16,
    b_16, x_16_maps);
VIT(vit_b_32, "vision transformer B/32, torchvision names", &torchvision, 12, 12, 768, 32, &by_32,
    x_32, x_32_maps);
VIT(vit_l_16, "vision transformer L/16, torchvision names", &torchvision, 24, 16, 1024, 16, &by_16,
    l_16, x_16_maps);
VIT(vit_l_32, "vision transformer L/32, torchvision names", &torchvision, 24, 16, 1024, 32, &by_32,
    x_32, x_32_maps);

XG_MODULE("vit", "1.0.0", &vit_tiny_patch16_224, &vit_small_patch16_224, &vit_base_patch16_224,
          &vit_large_patch16_224, &vit_b_16, &vit_b_32, &vit_l_16, &vit_l_32)
