/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/writer.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/match.h"

#include <string.h>

enum { HEADER_ALIGNMENT = 8, LARGEST_RANK = 8, PIECE = 4096 };

typedef struct {
    char *name;
    int dtype;
    int rank;
    gint64 dims[LARGEST_RANK];
    gint64 count;
    const void *data;       /* NULL: */
    const XgStored *stored; /* brought into published order when it is written */
} Entry;

struct XgTensorWriter {
    GPtrArray *entries;  /* of Entry */
    GPtrArray *metadata; /* key, value, key, value, ... */
};

static void entry_free(void *data)
{
    Entry *entry = data;
    g_free(entry->name);
    g_free(entry);
}

static gsize element_bytes(int dtype)
{
    return dtype == XG_DTYPE_F64 || dtype == XG_DTYPE_I64 ? 8 : 4;
}

XgTensorWriter *xg_tensor_writer_new(void)
{
    XgTensorWriter *writer = g_new(XgTensorWriter, 1);
    writer->entries = g_ptr_array_new_with_free_func(entry_free);
    writer->metadata = g_ptr_array_new_with_free_func(g_free);
    return writer;
}

void xg_tensor_writer_free(XgTensorWriter *writer)
{
    if (writer == NULL)
        return;
    g_ptr_array_unref(writer->entries);
    g_ptr_array_unref(writer->metadata);
    g_free(writer);
}

void xg_tensor_writer_metadata(XgTensorWriter *writer, const char *key, const char *value)
{
    for (guint i = 0; i < writer->metadata->len; i += 2)
        if (strcmp(writer->metadata->pdata[i], key) == 0) {
            g_free(writer->metadata->pdata[i + 1]);
            writer->metadata->pdata[i + 1] = g_strdup(value);
            return;
        }
    g_ptr_array_add(writer->metadata, g_strdup(key));
    g_ptr_array_add(writer->metadata, g_strdup(value));
}

void xg_tensor_writer_add(XgTensorWriter *writer, const char *name, int dtype, int rank,
                          const gint64 *dims, const void *data)
{
    g_assert(dtype == XG_DTYPE_F32 || element_bytes(dtype) == 8);
    g_assert(rank >= 0 && rank <= LARGEST_RANK);
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry){.name = g_strdup(name), .dtype = dtype, .rank = rank, .data = data};
    for (int i = 0; i < rank; i++)
        entry->dims[i] = dims[i];
    const gboolean counted = xg_size_product(entry->dims, (gsize) rank, &entry->count);
    g_assert(counted);
    g_ptr_array_add(writer->entries, entry);
}

void xg_tensor_writer_add_stored(XgTensorWriter *writer, const XgStored *stored)
{
    const XgShape shape = xg_stored_published_shape(stored);
    const gboolean plain = stored->layout != XG_LAYOUT_OHWI;
    xg_tensor_writer_add(writer, stored->name, XG_DTYPE_F32, shape.rank, shape.dims,
                         plain ? stored->values : NULL);
    Entry *entry = writer->entries->pdata[writer->entries->len - 1];
    entry->stored = plain ? NULL : stored;
}

void xg_tensor_writer_add_store(XgTensorWriter *writer, const XgStore *store)
{
    for (guint i = 0; i < xg_store_count(store); i++)
        xg_tensor_writer_add_stored(writer, xg_store_get(store, i));
}

/* ---- Header -------------------------------------------------------------------------------- */

static gboolean append_string(GString *json, const char *text, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        g_autofree char *quoted = xg_text_quoted(text);
        return xg_error_set(error, XG_INVALID, "%s is not UTF-8", quoted);
    }
    g_string_append_c(json, '"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(json, "\\%c", *p);
        else if ((guchar) *p < 0x20)
            g_string_append_printf(json, "\\u%04x", (guint) *p);
        else
            g_string_append_c(json, *p);
    }
    g_string_append_c(json, '"');
    return TRUE;
}

static gboolean append_metadata(GString *json, const GPtrArray *metadata, GError **error)
{
    g_string_append(json, "\"__metadata__\":{");
    for (guint i = 0; i < metadata->len; i += 2) {
        if (i > 0)
            g_string_append_c(json, ',');
        if (!append_string(json, metadata->pdata[i], error))
            return FALSE;
        g_string_append_c(json, ':');
        if (!append_string(json, metadata->pdata[i + 1], error))
            return FALSE;
    }
    g_string_append_c(json, '}');
    return TRUE;
}

static gboolean append_entry(GString *json, const Entry *entry, gint64 *offset, GError **error)
{
    const gint64 begin = *offset;
    if (!append_string(json, entry->name, error))
        return FALSE;
    g_string_append_printf(json, ":{\"dtype\":\"%s\",\"shape\":[", xg_dtype_name(entry->dtype));
    for (int i = 0; i < entry->rank; i++)
        g_string_append_printf(json, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", entry->dims[i]);
    *offset += entry->count * (gint64) element_bytes(entry->dtype);
    g_string_append_printf(json, "],\"data_offsets\":[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]}",
                           begin, *offset);
    return TRUE;
}

static GString *make_header(const XgTensorWriter *writer, const GPtrArray *entries, GError **error)
{
    GString *json = g_string_new("{");
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    gint64 offset = 0;
    gboolean good = writer->metadata->len == 0 || append_metadata(json, writer->metadata, error);
    for (guint i = 0; good && i < entries->len; i++) {
        const Entry *entry = entries->pdata[i];
        if (!g_hash_table_add(names, entry->name))
            good = xg_error_set(error, XG_INVALID, "%s: the name occurs twice", entry->name);
        if (json->len > 1)
            g_string_append_c(json, ',');
        good = good && append_entry(json, entry, &offset, error);
    }
    g_string_append_c(json, '}');
    while (json->len % HEADER_ALIGNMENT != 0)
        g_string_append_c(json, ' ');
    if (!good)
        g_string_free(json, TRUE);
    return good ? json : NULL;
}

/* ---- Values -------------------------------------------------------------------------------- */

/* Writes elements little-endian, whatever this machine's order. */
static gboolean write_values(XgFileWriter *file, const void *data, gsize count, gsize bytes,
                             GError **error)
{
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
        return xg_file_writer_write(file, data, count * bytes, error);
    guint8 piece[PIECE];
    const guint8 *from = data;
    for (gsize done = 0, n; done < count; done += n) {
        n = MIN(count - done, PIECE / bytes);
        for (gsize i = 0; i < n * bytes; i++)
            piece[i] = from[done * bytes + i / bytes * bytes + (bytes - 1 - i % bytes)];
        if (!xg_file_writer_write(file, piece, n * bytes, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_entry(XgFileWriter *file, const Entry *entry, GError **error)
{
    const gsize count = (gsize) entry->count, bytes = element_bytes(entry->dtype);
    if (entry->stored == NULL)
        return count == 0 || write_values(file, entry->data, count, bytes, error);
    float *values = xg_aligned_alloc(count * bytes, entry->name, error);
    if (values == NULL)
        return FALSE;
    xg_stored_export(entry->stored, values);
    const gboolean good = write_values(file, values, count, bytes, error);
    xg_aligned_free(values);
    return good;
}

gboolean xg_tensor_writer_save(XgTensorWriter *writer, const char *path, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    for (gsize bytes = 8; bytes >= 4; bytes -= 4)
        for (guint i = 0; i < writer->entries->len; i++)
            if (element_bytes(((Entry *) writer->entries->pdata[i])->dtype) == bytes)
                g_ptr_array_add(entries, writer->entries->pdata[i]);
    g_autoptr(GString) header = make_header(writer, entries, error);
    if (header == NULL) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    g_autoptr(XgFileWriter) file = xg_file_writer_new(path, error);
    const guint64 size = GUINT64_TO_LE((guint64) header->len);
    gboolean good = file != NULL && xg_file_writer_write(file, &size, sizeof size, error) &&
                    xg_file_writer_write(file, header->str, header->len, error);
    for (guint i = 0; good && i < entries->len; i++)
        good = write_entry(file, entries->pdata[i], error);
    return good && xg_file_writer_commit(g_steal_pointer(&file), error);
}
