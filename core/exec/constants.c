/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/constants.h"

#include "base/memory.h"

enum { WEIGHT, BIAS, PARTS };

/* The values of a fold; NULL: not there. */
typedef struct {
    const XgFold *fold;
    float *parts[PARTS];
    gboolean computed;
} Folded;

struct XgConstants {
    XgStore *store;
    const float **values, **constants;
    Folded *folded;
    guint count;
    guint *fold_of;    /* per value id: index + 1 of its fold; 0: none */
    GHashTable *users; /* name of a stored weight -> how many nodes read it still */
    gboolean take;
};

static Folded *fold_of(const XgConstants *constants, const XgValue *value)
{
    const guint index = value ? constants->fold_of[value->id] : 0;
    return index > 0 ? &constants->folded[index - 1] : NULL;
}

/* The stored parameter that a value has its numbers from; NULL: none, or several. */
static const char *stored_name(const XgConstants *constants, const XgValue *value)
{
    const Folded *folded = fold_of(constants, value);
    if (folded != NULL)
        return value == folded->fold->folded_weight ? folded->fold->weight : NULL;
    return value != NULL && value->kind == XG_VALUE_PARAMETER ? value->name : NULL;
}

static guint users_of(const XgConstants *constants, const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(constants->users, name));
}

static void count_users(XgConstants *constants, const XgLowered *lowered)
{
    const GPtrArray *nodes = lowered->network->nodes;
    for (guint i = 0; i < nodes->len; i++) {
        const XgNode *node = nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++) {
            const char *name = stored_name(constants, node->inputs[k]);
            if (name != NULL)
                g_hash_table_insert(constants->users, (void *) name,
                                    GUINT_TO_POINTER(users_of(constants, name) + 1));
        }
    }
}

static const XgValue *value_of(const Folded *folded, int part)
{
    return part == WEIGHT ? folded->fold->folded_weight : folded->fold->folded_bias;
}

XgConstants *xg_constants_new(const XgLowered *lowered, XgStore *store, const float **values,
                              const float **constants, gboolean take)
{
    XgConstants *made = g_new0(XgConstants, 1);
    made->store = store;
    made->values = values;
    made->constants = constants;
    made->take = take;
    made->count = lowered->folds->len;
    made->folded = g_new0(Folded, made->count + 1);
    made->fold_of = g_new0(guint, lowered->network->values->len + 1);
    made->users = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < made->count; i++) {
        made->folded[i].fold = lowered->folds->pdata[i];
        for (int part = 0; part < PARTS; part++)
            made->fold_of[value_of(&made->folded[i], part)->id] = i + 1;
    }
    count_users(made, lowered);
    return made;
}

void xg_constants_free(XgConstants *constants)
{
    if (constants == NULL)
        return;
    for (guint i = 0; i < constants->count; i++)
        for (int part = 0; part < PARTS; part++)
            xg_aligned_free(constants->folded[i].parts[part]);
    g_hash_table_unref(constants->users);
    g_free(constants->folded);
    g_free(constants->fold_of);
    g_free(constants);
}

gboolean xg_constants_is_folded(const XgConstants *constants, const XgValue *value)
{
    return fold_of(constants, value) != NULL;
}

static gsize part_size(const Folded *folded, int part)
{
    return sizeof(float) * (gsize) xg_shape_elements(&value_of(folded, part)->shape);
}

static gboolean compute(XgConstants *constants, Folded *folded, GError **error)
{
    for (int part = 0; part < PARTS; part++) {
        const XgValue *value = value_of(folded, part);
        if (folded->parts[part] == NULL)
            folded->parts[part] = xg_aligned_alloc(part_size(folded, part), value->name, error);
        if (folded->parts[part] == NULL)
            return FALSE;
        constants->values[value->id] = constants->constants[value->id] = folded->parts[part];
    }
    xg_fold_compute(folded->fold, constants->store, folded->parts[WEIGHT], folded->parts[BIAS]);
    folded->computed = TRUE;
    return TRUE;
}

gboolean xg_constants_need(XgConstants *constants, const XgNode *node, GError **error)
{
    for (int k = 0; k < node->input_count; k++) {
        Folded *folded = fold_of(constants, node->inputs[k]);
        if (folded != NULL && !folded->computed && !compute(constants, folded, error))
            return FALSE;
    }
    return TRUE;
}

static void free_part(XgConstants *constants, Folded *folded, const XgValue *value)
{
    const int part = value == value_of(folded, WEIGHT) ? WEIGHT : BIAS;
    xg_aligned_free(folded->parts[part]);
    folded->parts[part] = NULL;
    folded->computed = FALSE;
    constants->values[value->id] = constants->constants[value->id] = NULL;
}

/* One reader less; the last one lets the store drop the values. */
static void let_go(XgConstants *constants, const XgValue *value)
{
    Folded *folded = fold_of(constants, value);
    const char *name = constants->take ? stored_name(constants, value) : NULL;
    if (folded != NULL)
        free_part(constants, folded, value);
    if (name == NULL)
        return;
    const guint rest = users_of(constants, name) - 1;
    g_hash_table_insert(constants->users, (void *) name, GUINT_TO_POINTER(rest));
    if (rest == 0)
        xg_stored_drop(xg_store_find(constants->store, name));
}

void xg_constants_settle(XgConstants *constants, XgKernel *kernel)
{
    const XgNode *node = kernel->node;
    for (int k = 0; k < node->input_count; k++)
        if ((kernel->packed >> k & 1) != 0) {
            for (int i = 0; i < kernel->lane_count; i++)
                kernel->lanes[i].inputs[k] = NULL;
            let_go(constants, node->inputs[k]);
        }
}

void xg_constants_forget(XgConstants *constants)
{
    for (guint i = 0; i < constants->count; i++)
        constants->folded[i].computed = FALSE;
}

gsize xg_constants_size(const XgConstants *constants)
{
    gsize size = 0;
    for (guint i = 0; i < constants->count; i++)
        for (int part = 0; part < PARTS; part++)
            size += constants->folded[i].parts[part] ? part_size(&constants->folded[i], part) : 0;
    return size;
}
