/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fine-tuning of the top of a pretrained network (Yosinski et al., "How transferable are
 * features in deep neural networks?", 2014). */
#include <stdlib.h>
#include <string.h>

#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"unfreeze", XG_PARAM_STRING_LIST, 0, "1", NULL, NULL, NULL, NULL,
     "what is trained besides the head: block names (with * and ?), a number of top blocks (2), "
     "or the part of all blocks counted from the top (0.5)"},
    {"bn", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation of the trained blocks"},
    XG_TRAINING_PARAMS("20", "1e-3", "sgd"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

/* How many top blocks "2" or "0.5" means; -1 when `text` is a block's name. */
static int64_t top_blocks(const char *text, int64_t blocks)
{
    if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text))
        return -1;
    const char *point = strchr(text, '.');
    if (point == NULL)
        return strtoll(text, NULL, 10);
    double ratio = (double) strtoll(text, NULL, 10), digit = 0.1;
    for (const char *c = point + 1; *c >= '0' && *c <= '9'; c++, digit /= 10)
        ratio += digit * (*c - '0');
    return ratio <= 1.0 ? (int64_t) (ratio * (double) blocks + 0.5) : -1;
}

static XgStatus unfreeze(XgPlan *p, XgPhase *phase, const char *text)
{
    char pattern[160];
    const int64_t blocks = p->api->info(p, "blocks");
    const int64_t top = top_blocks(text, blocks);
    if (top > blocks)
        return xg_fail(p->host, XG_INVALID, "unfreeze: expected at most %lld blocks, found \"%s\"",
                       (long long) blocks, text);
    if (top < 0) {
        snprintf(pattern, sizeof pattern, "block:%s", text);
        p->api->train(phase, pattern, 1.0);
    }
    for (int64_t i = blocks - top; top > 0 && i < blocks; i++) {
        snprintf(pattern, sizeof pattern, "block:%s", p->api->block_name(p, i));
        p->api->train(phase, pattern, 1.0);
    }
    return XG_OK;
}

static XgStatus plan(void *self, XgPlan *p)
{
    uint64_t count = 0;
    const char *const *texts = xg_param_strings(p->host, "unfreeze", &count);
    XgPhase *phase = xg_plan_phase(p, "top");
    (void) self;
    xg_phase_training(p, phase);
    xg_phase_set(p, phase, "bn", xg_param_string(p->host, "bn"));
    xg_phase_train(p, phase, "head");
    for (uint64_t i = 0; i < count; i++) {
        const XgStatus status = unfreeze(p, phase, texts[i]);
        if (status != XG_OK)
            return status;
    }
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent partial = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "partial",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "fine-tuning of the top blocks, the rest frozen",
    .doc =
        "The head and the chosen blocks are trained from the pretrained weights. What lies below "
        "the lowest of them is computed once per image and cached.",
    .citation = "Yosinski et al. 2014, arXiv:1411.1792",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("partial", "1.0.0", &partial)
