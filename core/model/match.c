/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/match.h"

#include "base/memory.h"
#include "model/input.h"

#include <math.h>
#include <string.h>

struct XgMatch {
    char *path;
    GPtrArray *rows; /* of XgMatchRow */
    guint counts[XG_MATCH_STATES];
};

const char *xg_match_state_name(XgMatchState state)
{
    static const char *const names[] = {"matched", "head",     "ignored", "resized",
                                        "adapted", "reshaped", "missing", "unexpected"};
    return names[state];
}

const char *xg_dtype_name(int dtype)
{
    static const char *const names[] = {"?", "F32", "F16", "BF16", "F64", "I64"};
    return dtype >= XG_DTYPE_F32 && dtype <= XG_DTYPE_I64 ? names[dtype] : "?";
}

static void row_free(void *data)
{
    XgMatchRow *row = data;
    g_free(row->name);
    g_free(row);
}

/* ---- Comparing ----------------------------------------------------------------------------- */

typedef struct {
    XgMatch *match;
    const XgMatchHeads *heads;
    GHashTable *of_file; /* name -> XgMatchRow, not yet placed */
} Comparison;

static gboolean below(const char *name, const char *scope)
{
    const gsize length = scope ? strlen(scope) : 0;
    return length > 0 && strncmp(name, scope, length) == 0 && name[length] == '.';
}

static gboolean of_head(const Comparison *c, const XgMatchRow *row)
{
    const XgMatchHeads *heads = c->heads;
    gboolean found = below(row->name, heads->native) || below(row->name, heads->placed);
    for (int i = 0; heads->auxiliaries != NULL && heads->auxiliaries[i] != NULL; i++)
        found = found || below(row->name, heads->auxiliaries[i]);
    return found || (!row->in_network && heads->spare != NULL &&
                     g_strv_contains(heads->spare, row->name));
}

static gboolean same_shape(const XgMatchRow *row, int first_dim)
{
    if (row->found.rank != row->expected.rank)
        return FALSE;
    for (int i = first_dim; i < row->expected.rank; i++)
        if (row->found.dims[i] != row->expected.dims[i])
            return FALSE;
    return TRUE;
}

/* Whether the tensor is a position embedding that fits when it is resized. */
static gboolean resizable(XgMatchRow *row)
{
    if (!row->in_network || row->stored->layout != XG_LAYOUT_GRID || !row->in_file ||
        row->found.rank != 3)
        return FALSE;
    const XgShape found = {3, {row->found.dims[0], row->found.dims[1], row->found.dims[2]}};
    return xg_position_grids(&found, &row->expected, &row->grids);
}

/* Whether the tensor belongs to a marked convolution and has the published channels. */
static gboolean adaptable(const XgMatchRow *row)
{
    const int64_t *found = row->found.dims;
    const gint64 *expected = row->expected.dims;
    return row->in_network && row->in_file && row->stored->input != NULL && row->found.rank == 4 &&
           row->expected.rank == 4 && found[0] == expected[0] && found[2] == expected[2] &&
           found[3] == expected[3] && found[1] == row->stored->input->rule->published;
}

static XgMatchState state_of(const Comparison *c, XgMatchRow *row)
{
    if (row->in_network && row->in_file && same_shape(row, 0))
        return XG_MATCH_MATCHED;
    if (resizable(row))
        return XG_MATCH_RESIZED;
    if (adaptable(row))
        return XG_MATCH_ADAPTED;
    if (of_head(c, row) && (!row->in_network || !row->in_file || same_shape(row, 1)))
        return XG_MATCH_HEAD;
    if (row->in_network)
        return row->in_file ? XG_MATCH_RESHAPED : XG_MATCH_MISSING;
    return g_str_has_suffix(row->name, ".num_batches_tracked") ? XG_MATCH_IGNORED
                                                               : XG_MATCH_UNEXPECTED;
}

static void place(Comparison *c, XgMatchRow *row)
{
    row->state = state_of(c, row);
    c->match->counts[row->state]++;
    g_ptr_array_add(c->match->rows, row);
}

/* A row for each tensor of the file, in its order. */
static GPtrArray *list_file(const XgTensorSource *source, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    for (gsize i = 0; i < source->count; i++) {
        XgWeightInfo info = {0};
        if (!source->info(source->user, i, &info, error))
            return NULL;
        if (info.name == NULL || info.rank < 0 || info.rank > 8) {
            xg_error_set(error, XG_PLUGIN, "%s: tensor %" G_GSIZE_FORMAT " makes no sense",
                         source->path, i);
            return NULL;
        }
        XgMatchRow *row = g_new0(XgMatchRow, 1);
        row->name = g_utf8_make_valid(info.name, -1);
        row->in_file = TRUE;
        row->found = info;
        row->found.name = row->name;
        row->index = i;
        g_ptr_array_add(rows, row);
    }
    return g_steal_pointer(&rows);
}

static void place_network(Comparison *c, const XgStore *store)
{
    for (guint i = 0; i < xg_store_count(store); i++) {
        const XgStored *stored = xg_store_get(store, i);
        XgMatchRow *row = NULL;
        if (!g_hash_table_steal_extended(c->of_file, stored->name, NULL, (gpointer *) &row)) {
            row = g_new0(XgMatchRow, 1);
            row->name = g_strdup(stored->name);
        }
        row->in_network = TRUE;
        row->stored = stored;
        row->expected = xg_stored_published_shape(stored);
        place(c, row);
    }
}

XgMatch *xg_match_new(const XgStore *store, const char *native_head, const char *new_head,
                      const XgTensorSource *source, GError **error)
{
    const XgMatchHeads heads = {.native = native_head, .placed = new_head};
    return xg_match_new_with(store, &heads, source, error);
}

XgMatch *xg_match_new_with(const XgStore *store, const XgMatchHeads *heads,
                           const XgTensorSource *source, GError **error)
{
    g_autoptr(GPtrArray) found = list_file(source, error);
    if (found == NULL)
        return NULL;
    XgMatch *match = g_new0(XgMatch, 1);
    match->path = g_strdup(source->path);
    match->rows = g_ptr_array_new_with_free_func(row_free);
    g_autoptr(GHashTable) of_file = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < found->len; i++) {
        XgMatchRow *row = found->pdata[i];
        if (!g_hash_table_contains(of_file, row->name))
            g_hash_table_insert(of_file, row->name, row);
    }
    Comparison c = {match, heads, of_file};
    place_network(&c, store);
    g_ptr_array_set_free_func(found, NULL);
    for (guint i = 0; i < found->len; i++) {
        XgMatchRow *row = found->pdata[i];
        if (!row->in_network)
            place(&c, row);
    }
    return match;
}

void xg_match_free(XgMatch *match)
{
    if (match == NULL)
        return;
    g_ptr_array_unref(match->rows);
    g_free(match->path);
    g_free(match);
}

guint xg_match_count(const XgMatch *match, XgMatchState state)
{
    return match->counts[state];
}

const XgMatchRow *xg_match_row(const XgMatch *match, guint index)
{
    return index < match->rows->len ? match->rows->pdata[index] : NULL;
}

/* ---- Telling ------------------------------------------------------------------------------- */

static void append_dims(GString *text, int rank, const int64_t *dims)
{
    for (int i = 0; i < rank; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", (gint64) dims[i]);
}

/* "; 3 input channels summed to 1, the shift of the normalisation in conv1.bias" */
static void append_adaptation(GString *text, const XgInputMark *mark)
{
    const gint64 published = mark->rule->published, channels = mark->rule->channels;
    g_string_append_printf(text, "; %" G_GINT64_FORMAT " input channels %s %" G_GINT64_FORMAT,
                           published, channels == 1 ? "summed to" : "repeated in turn for",
                           channels);
    if (channels > 1)
        g_string_append_printf(text, ", times %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, published,
                               channels);
    else if (mark->target != NULL)
        g_string_append_printf(text, ", the shift of the normalisation in %s", mark->target->name);
    else
        g_string_append(text, ", the shift of the normalisation left out");
}

/* "expected [64,64,3,3], found [64,64,1,1]" */
static void append_shapes(GString *text, const XgMatchRow *row)
{
    if (row->state == XG_MATCH_MATCHED) {
        g_string_append_printf(text, "%s [", xg_dtype_name(row->found.dtype));
        append_dims(text, row->found.rank, row->found.dims);
        g_string_append_c(text, ']');
        return;
    }
    if (row->in_network) {
        g_string_append(text, "expected [");
        append_dims(text, row->expected.rank, row->expected.dims);
        g_string_append(text, row->in_file ? "], found [" : "], not in the file");
    } else {
        g_string_append(text, "not in the network: [");
    }
    if (row->in_file) {
        append_dims(text, row->found.rank, row->found.dims);
        g_string_append_c(text, ']');
    }
    if (row->state == XG_MATCH_RESIZED)
        g_string_append_printf(text,
                               "; position embedding resized from %" G_GINT64_FORMAT
                               "x%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
                               row->grids.from, row->grids.from, row->grids.to, row->grids.to);
    if (row->state == XG_MATCH_ADAPTED)
        append_adaptation(text, row->stored->input);
    if (row->state == XG_MATCH_HEAD)
        g_string_append(text, row->in_network ? "; made new" : "; not used");
}

char *xg_match_table(const XgMatch *match, gboolean all)
{
    GString *text = g_string_new(NULL);
    int width = 0;
    for (guint i = 0; i < match->rows->len; i++)
        width = MAX(width, (int) strlen(((XgMatchRow *) match->rows->pdata[i])->name));
    for (guint i = 0; i < match->rows->len; i++) {
        const XgMatchRow *row = match->rows->pdata[i];
        if (!all && (row->state == XG_MATCH_MATCHED || row->state == XG_MATCH_IGNORED))
            continue;
        g_string_append_printf(text, "%-10s  %-*s  ", xg_match_state_name(row->state),
                               MIN(width, 60), row->name);
        append_shapes(text, row);
        g_string_append_c(text, '\n');
    }
    for (int s = 0; s < XG_MATCH_STATES; s++)
        if ((s != XG_MATCH_RESIZED && s != XG_MATCH_ADAPTED) || match->counts[s] > 0)
            g_string_append_printf(text, "%s%s %u", s > 0 ? ", " : "",
                                   xg_match_state_name((XgMatchState) s), match->counts[s]);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

gboolean xg_match_check(const XgMatch *match, gboolean allow, GError **error)
{
    const guint *counts = match->counts;
    const guint differing =
        counts[XG_MATCH_RESHAPED] + counts[XG_MATCH_MISSING] + counts[XG_MATCH_UNEXPECTED];
    if (counts[XG_MATCH_MATCHED] == 0)
        return xg_error_set(error, XG_SHAPE,
                            "%s: none of its %u tensors is one of the network's: these weights "
                            "are for another network",
                            match->path,
                            counts[XG_MATCH_HEAD] + counts[XG_MATCH_RESHAPED] +
                                counts[XG_MATCH_UNEXPECTED] + counts[XG_MATCH_IGNORED]);
    if (allow || differing == 0)
        return TRUE;
    guint i = 0;
    while (((XgMatchRow *) match->rows->pdata[i])->state < XG_MATCH_RESHAPED)
        i++;
    const XgMatchRow *row = match->rows->pdata[i];
    g_autoptr(GString) text = g_string_new(NULL);
    append_shapes(text, row);
    if (differing > 1)
        g_string_append_printf(text, "; and %u more tensors do not fit", differing - 1);
    return xg_error_set(error, XG_SHAPE, "%s: %s: %s", match->path, row->name, text->str);
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Elements that the file has of a tensor. */
static gint64 found_count(const XgMatchRow *row, const XgStored *stored)
{
    const XgPositionGrids *grids = &row->grids;
    if (row->state == XG_MATCH_RESIZED)
        return (grids->prefix + grids->from * grids->from) * grids->features;
    if (row->state == XG_MATCH_ADAPTED)
        return stored->count / stored->input->rule->channels * stored->input->rule->published;
    return stored->count;
}

static gboolean import_adapted(XgStored *stored, const float *found, GError **error)
{
    const XgInputRule *rule = stored->input->rule;
    const gint64 outs = stored->shape.dims[0];
    float *values = xg_aligned_alloc(sizeof(float) * (gsize) stored->count, stored->name, error);
    if (values == NULL)
        return FALSE;
    g_autofree double *shift = g_new(double, (gsize) outs);
    xg_input_adapt(rule, outs, stored->count / outs / rule->channels, found, values, shift);
    xg_stored_import(stored, values);
    xg_store_shift(stored, shift);
    xg_aligned_free(values);
    return TRUE;
}

static gboolean read_row(const XgMatchRow *row, XgStored *stored, const XgTensorSource *source,
                         GError **error)
{
    const gint64 count = found_count(row, stored);
    float *values = xg_aligned_alloc(sizeof(float) * (gsize) count, row->name, error);
    if (values == NULL)
        return FALSE;
    gboolean good = source->read(source->user, row->index, values, (gsize) count, error);
    for (gint64 i = 0; good && i < count; i++)
        if (!isfinite(values[i]))
            good = xg_error_set(error, XG_NUMERIC,
                                "%s: %s: element %" G_GINT64_FORMAT " is not a finite number",
                                source->path, row->name, i);
    if (good && row->state == XG_MATCH_RESIZED)
        xg_position_resize(&row->grids, values, stored->values);
    else if (good && row->state == XG_MATCH_ADAPTED)
        good = import_adapted(stored, values, error);
    else if (good)
        xg_stored_import(stored, values);
    xg_aligned_free(values);
    return good;
}

gboolean xg_match_load(const XgMatch *match, XgStore *store, const XgTensorSource *source,
                       GError **error)
{
    /* Adapted ones last: they change what others give. */
    for (int adapted = 0; adapted < 2; adapted++)
        for (guint i = 0; i < match->rows->len; i++) {
            const XgMatchRow *row = match->rows->pdata[i];
            const gboolean chosen =
                adapted ? row->state == XG_MATCH_ADAPTED
                        : row->state == XG_MATCH_MATCHED || row->state == XG_MATCH_RESIZED;
            if (chosen && !read_row(row, xg_store_find(store, row->name), source, error))
                return FALSE;
        }
    return TRUE;
}
