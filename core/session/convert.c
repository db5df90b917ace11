/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include "model/writer.h"

#include <string.h>

/* A file on its way to published names. */
typedef struct {
    const XgConversion *wanted;
    XgWeightsFile *file;
    XgSessionBackbone *backbone;
    XgNetwork *network;
    XgStore *store;
    XgMatch *match;
    GPtrArray *lines; /* of char *: auxiliary heads that the file lacks */
} Conversion;

static void conversion_clear(Conversion *c)
{
    xg_match_free(c->match);
    g_ptr_array_unref(c->lines);
    xg_store_free(c->store);
    xg_network_free(c->network);
    xg_session_backbone_free(c->backbone);
    xg_weights_file_close(c->file);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Conversion, conversion_clear)

static gboolean build(Conversion *c, gint64 classes, GError **error)
{
    g_clear_pointer(&c->store, xg_store_free);
    g_clear_pointer(&c->network, xg_network_free);
    g_ptr_array_set_size(c->lines, 0);
    c->network = xg_session_backbone_build(c->backbone, classes, error);
    c->store =
        c->network ? xg_session_store_for(c->backbone, c->network, c->file, c->lines, error) : NULL;
    return c->store != NULL;
}

/* Classes of the head in the file; `otherwise` when it has none. */
static gint64 classes_of_file(const Conversion *c, gint64 otherwise)
{
    const char *head = xg_network_head_name(c->network);
    g_autofree char *name = head ? g_strconcat(head, ".weight", NULL) : NULL;
    const XgTensorSource *source = c->file->tensors;
    for (gsize i = 0; name != NULL && i < source->count; i++) {
        XgWeightInfo info = {0};
        if (source->info(source->user, i, &info, NULL) && strcmp(info.name, name) == 0 &&
            info.rank >= 1 && info.dims[0] >= 1)
            return info.dims[0];
    }
    return otherwise;
}

/* Everything in the file has its place in the network, as it is. */
static gboolean check_match(const Conversion *c, GError **error)
{
    const XgMatchRow *row;
    if (!xg_match_check(c->match, FALSE, error))
        return FALSE;
    for (guint i = 0; (row = xg_match_row(c->match, i)) != NULL; i++) {
        if (row->state == XG_MATCH_RESIZED)
            return xg_error_set(error, XG_SHAPE,
                                "%s: %s: is for another image size; name it with -s size=PX",
                                c->file->path, row->name);
        if (row->state == XG_MATCH_HEAD && row->in_file)
            return xg_error_set(error, XG_SHAPE,
                                "%s: %s: does not fit the head of %" G_GINT64_FORMAT " classes",
                                c->file->path, row->name, c->network->info.classes);
    }
    return TRUE;
}

static gboolean check_licence(const char *licence, GError **error)
{
    const char *const allowed = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.+:() ";
    return (*licence && strspn(licence, allowed) == strlen(licence)) ||
           xg_error_set(error, XG_INVALID,
                        "--licence: expected an SPDX expression such as BSD-3-Clause, found \"%s\"",
                        licence);
}

/* The parameters of the backbone that were given, a line each. */
static char *settings_text(const Conversion *c)
{
    const XgParamSet *params = xg_instance_params(c->backbone->instance);
    GString *text = g_string_new(NULL);
    for (const XgParam *p = xg_param_set_table(params); p->name != NULL; p++)
        if (xg_param_set_is_set(params, p->name))
            g_string_append_printf(text, "%s%s=%s", text->len > 0 ? "\n" : "", p->name,
                                   xg_param_set_text(params, p->name));
    return g_string_free(text, FALSE);
}

static void add_metadata(const Conversion *c, XgTensorWriter *writer)
{
    const XgNameMap *map = xg_named_tensors_map(c->file->named);
    const char *found = xg_weights_file_licence(c->file);
    g_autofree char *name = g_path_get_basename(c->file->path);
    g_autofree char *source = g_utf8_make_valid(name, -1);
    g_autofree char *settings = settings_text(c);
    const char *family = xg_weights_file_family(c->file, c->backbone);
    g_autofree char *licence = g_utf8_make_valid(c->wanted->licence ? c->wanted->licence
                                                 : found            ? found
                                                                    : "unknown",
                                                 -1);
    const char *const pairs[][2] = {
        {"format", "pt"},
        {"licence", licence},
        {"xenograft.version", XG_VERSION},
        {XG_BACKBONE_KEY, xg_instance_entry(c->backbone->instance)->id},
        {XG_SETTINGS_KEY, settings},
        {"xenograft.source", source},
        {"xenograft.source_sha256", c->file->sha256},
        {"xenograft.source_format", xg_instance_entry(c->file->instance)->id},
        {"xenograft.source_names", map ? map->id : "published"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        xg_tensor_writer_metadata(writer, pairs[i][0], pairs[i][1]);
    if (family != NULL)
        xg_tensor_writer_metadata(writer, XG_FAMILY_KEY, family);
}

/* Adds what the file gave; returns how many tensors lost digits. */
static guint add_tensors(const Conversion *c, XgTensorWriter *writer)
{
    const XgMatchRow *row;
    guint rounded = 0;
    for (guint i = 0; (row = xg_match_row(c->match, i)) != NULL; i++)
        if (row->state == XG_MATCH_MATCHED) {
            xg_tensor_writer_add_stored(writer, xg_store_find(c->store, row->name));
            rounded += row->found.dtype == XG_DTYPE_F64 || row->found.dtype == XG_DTYPE_I64;
        }
    return rounded;
}

static char *report(const Conversion *c, guint rounded)
{
    g_autofree char *table = xg_match_table(c->match, FALSE);
    GString *text = g_string_new(NULL);
    if (c->file->names != NULL)
        g_string_append_printf(text, "names: %s\n", c->file->names);
    for (guint i = 0; i < c->lines->len; i++)
        g_string_append_printf(text, "%s\n", (const char *) c->lines->pdata[i]);
    g_string_append(text, table);
    if (rounded > 0)
        g_string_append_printf(text, "%u tensors of F64 or I64 rounded to F32\n", rounded);
    g_string_append_printf(text, "%s: %u tensors of %s, %" G_GINT64_FORMAT " classes\n",
                           c->wanted->out, xg_match_count(c->match, XG_MATCH_MATCHED),
                           xg_instance_entry(c->backbone->instance)->id, c->network->info.classes);
    return g_string_free(text, FALSE);
}

static gboolean open_all(Conversion *c, XgSession *session, GError **error)
{
    gint64 classes = 1000;
    c->file = xg_weights_file_open(session, c->wanted->in, error);
    c->backbone = c->file && xg_weights_file_hash(c->file, error)
                      ? xg_session_backbone_from(session, c->wanted->backbone, c->wanted->settings,
                                                 &classes, error)
                      : NULL;
    if (c->backbone == NULL || !build(c, classes, error))
        return FALSE;
    const gint64 found = classes_of_file(c, classes);
    return found == classes || build(c, found, error);
}

char *xg_session_convert(XgSession *session, const XgConversion *wanted, GError **error)
{
    g_auto(Conversion) c = {.wanted = wanted, .lines = g_ptr_array_new_with_free_func(g_free)};
    if (wanted->licence != NULL && !check_licence(wanted->licence, error))
        return NULL;
    if (!wanted->force && g_file_test(wanted->out, G_FILE_TEST_EXISTS)) {
        xg_error_set(error, XG_INVALID, "%s exists; --force writes over it", wanted->out);
        return NULL;
    }
    if (!open_all(&c, session, error))
        return NULL;
    c.match = xg_session_match(c.backbone, c.network, c.store, xg_network_head_name(c.network),
                               NULL, c.file->tensors, error);
    if (c.match == NULL || !check_match(&c, error) ||
        !xg_match_load(c.match, c.store, c.file->tensors, error))
        return NULL;
    g_autoptr(XgTensorWriter) writer = xg_tensor_writer_new();
    add_metadata(&c, writer);
    const guint rounded = add_tensors(&c, writer);
    return xg_tensor_writer_save(writer, wanted->out, error) ? report(&c, rounded) : NULL;
}
