/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/match.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

struct XgMatch {
    char *path;
    GPtrArray *rows; /* of XgMatchRow */
    guint counts[XG_MATCH_STATES];
};

const char *xg_match_state_name(XgMatchState state)
{
    static const char *const names[] = {"matched",  "head",    "ignored",   "resized",
                                        "reshaped", "missing", "unexpected"};
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
    const char *native_head, *new_head;
    GHashTable *of_file; /* name -> XgMatchRow, not yet placed */
} Comparison;

static gboolean below(const char *name, const char *scope)
{
    const gsize length = scope ? strlen(scope) : 0;
    return length > 0 && strncmp(name, scope, length) == 0 && name[length] == '.';
}

static gboolean of_head(const Comparison *c, const char *name)
{
    return below(name, c->native_head) || below(name, c->new_head);
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
static gboolean resizable(XgMatchRow *row, XgLayout layout)
{
    if (layout != XG_LAYOUT_GRID || !row->in_file || row->found.rank != 3)
        return FALSE;
    const XgShape found = {3, {row->found.dims[0], row->found.dims[1], row->found.dims[2]}};
    return xg_position_grids(&found, &row->expected, &row->grids);
}

static XgMatchState state_of(const Comparison *c, XgMatchRow *row, XgLayout layout)
{
    if (row->in_network && row->in_file && same_shape(row, 0))
        return XG_MATCH_MATCHED;
    if (resizable(row, layout))
        return XG_MATCH_RESIZED;
    if (of_head(c, row->name) && (!row->in_network || !row->in_file || same_shape(row, 1)))
        return XG_MATCH_HEAD;
    if (row->in_network)
        return row->in_file ? XG_MATCH_RESHAPED : XG_MATCH_MISSING;
    return g_str_has_suffix(row->name, ".num_batches_tracked") ? XG_MATCH_IGNORED
                                                               : XG_MATCH_UNEXPECTED;
}

static void place(Comparison *c, XgMatchRow *row, XgLayout layout)
{
    row->state = state_of(c, row, layout);
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
        row->expected = xg_stored_published_shape(stored);
        place(c, row, stored->layout);
    }
}

XgMatch *xg_match_new(const XgStore *store, const char *native_head, const char *new_head,
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
    Comparison c = {match, native_head, new_head, of_file};
    place_network(&c, store);
    g_ptr_array_set_free_func(found, NULL);
    for (guint i = 0; i < found->len; i++) {
        XgMatchRow *row = found->pdata[i];
        if (!row->in_network)
            place(&c, row, XG_LAYOUT_PLAIN);
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
        if (s != XG_MATCH_RESIZED || match->counts[s] > 0)
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

static gboolean read_row(const XgMatchRow *row, XgStored *stored, const XgTensorSource *source,
                         GError **error)
{
    const XgPositionGrids *grids = &row->grids;
    const gboolean resized = row->state == XG_MATCH_RESIZED;
    const gint64 count =
        resized ? (grids->prefix + grids->from * grids->from) * grids->features : stored->count;
    float *values = xg_aligned_alloc(sizeof(float) * (gsize) count, row->name, error);
    if (values == NULL)
        return FALSE;
    gboolean good = source->read(source->user, row->index, values, (gsize) count, error);
    for (gint64 i = 0; good && i < count; i++)
        if (!isfinite(values[i]))
            good = xg_error_set(error, XG_NUMERIC,
                                "%s: %s: element %" G_GINT64_FORMAT " is not a finite number",
                                source->path, row->name, i);
    if (good && resized)
        xg_position_resize(grids, values, stored->values);
    else if (good)
        xg_stored_import(stored, values);
    xg_aligned_free(values);
    return good;
}

gboolean xg_match_load(const XgMatch *match, XgStore *store, const XgTensorSource *source,
                       GError **error)
{
    for (guint i = 0; i < match->rows->len; i++) {
        const XgMatchRow *row = match->rows->pdata[i];
        if ((row->state == XG_MATCH_MATCHED || row->state == XG_MATCH_RESIZED) &&
            !read_row(row, xg_store_find(store, row->name), source, error))
            return FALSE;
    }
    return TRUE;
}
