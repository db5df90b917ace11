/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_BYTES 4096
/* The most that readers give for a name alone. */
#define NAME_SCORE 20

/* Under this key a reader tells in one line where it found the tensors and how it named them. */
#define NOTE_KEY "xenograft.note"

/* ---- The source that core sees ------------------------------------------------------------- */

static const XgWeights *table_of(const XgWeightsFile *file)
{
    return xg_instance_table(file->instance);
}

static gboolean told(const XgWeightsFile *file, XgStatus status, GError **error)
{
    return xg_instance_error(file->instance, status, error);
}

static gboolean on_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    const XgWeightsFile *file = user;
    return told(file,
                table_of(file)->info(xg_instance_self(file->instance), file->file, index, info),
                error);
}

static gboolean on_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    const XgWeightsFile *file = user;
    return told(
        file,
        table_of(file)->read(xg_instance_self(file->instance), file->file, index, values, count),
        error);
}

static const char *on_metadata(void *user, const char *key)
{
    const XgWeightsFile *file = user;
    const XgWeights *table = table_of(file);
    return table->metadata ? table->metadata(xg_instance_self(file->instance), file->file, key)
                           : NULL;
}

/* ---- Opening ------------------------------------------------------------------------------- */

static gboolean read_head(const char *path, guint8 *head, gsize *size, GError **error)
{
    FILE *stream = g_file_test(path, G_FILE_TEST_IS_DIR) ? NULL : fopen(path, "rbe");
    if (stream == NULL)
        return xg_error_set(error, XG_IO, "%s: %s", path,
                            g_file_test(path, G_FILE_TEST_IS_DIR) ? "is a folder"
                                                                  : g_strerror(errno));
    *size = fread(head, 1, HEAD_BYTES, stream);
    fclose(stream);
    return TRUE;
}

static XgInstance *choose_reader(XgSession *session, const char *path, GError **error)
{
    guint8 head[HEAD_BYTES];
    gsize size = 0;
    if (!read_head(path, head, &size, error))
        return NULL;
    const char *other = xg_not_weights(head, size);
    if (other != NULL) {
        xg_error_set(error, XG_FORMAT, "%s: not a weights file: %s", path, other);
        return NULL;
    }
    XgInstance *best = NULL;
    int best_score = 0;
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, XG_WEIGHTS_KIND, entry)) != NULL) {
        g_autoptr(XgInstance) instance =
            entry->shadowed_by
                ? NULL
                : xg_registry_create(session->registry, XG_WEIGHTS_KIND, entry->id, NULL, NULL);
        if (instance == NULL)
            continue;
        const XgWeights *table = xg_instance_table(instance);
        const int score = table->probe(xg_instance_self(instance), path, head, size);
        if (score > best_score) {
            xg_instance_free(best);
            best = g_steal_pointer(&instance);
            best_score = score;
        }
    }
    xg_session_show_warnings(session);
    if (best == NULL || (best_score <= NAME_SCORE && xg_is_text(head, size))) {
        xg_instance_free(best);
        best = NULL;
        g_autofree char *why = xg_unknown_weights(session, path, head, size);
        xg_error_set(error, XG_FORMAT, "%s: not a weights file: %s", path, why);
    }
    return best;
}

/* What the reader did to the names, then what a map did; NULL when neither did anything. */
static char *describe_names(const XgWeightsFile *file, const char *mapped)
{
    const char *note = file->source.metadata(file->source.user, NOTE_KEY);
    if (note == NULL || mapped == NULL)
        return g_strdup(note ? note : mapped);
    return g_strdup_printf("%s; %s", note, mapped);
}

XgWeightsFile *xg_weights_file_open(XgSession *session, const char *path, GError **error)
{
    XgInstance *instance = choose_reader(session, path, error);
    if (instance == NULL)
        return NULL;
    g_autoptr(XgWeightsFile) file = g_new0(XgWeightsFile, 1);
    file->instance = instance;
    file->path = g_strdup(path);
    const XgWeights *table = table_of(file);
    void *self = xg_instance_self(instance);
    if (!told(file, table->open(self, path, &file->file), error))
        return NULL;
    file->source = (XgTensorSource){.path = file->path,
                                    .count = table->count(self, file->file),
                                    .info = on_info,
                                    .read = on_read,
                                    .metadata = on_metadata,
                                    .user = file};
    file->tensors = &file->source;
    file->names = describe_names(file, NULL);
    return g_steal_pointer(&file);
}

gboolean xg_weights_file_hash(XgWeightsFile *file, GError **error)
{
    if (file->sha256 == NULL)
        file->sha256 = xg_file_sha256(file->path, error);
    return file->sha256 != NULL;
}

void xg_weights_file_close(XgWeightsFile *file)
{
    if (file == NULL)
        return;
    xg_named_tensors_free(file->named);
    if (file->file != NULL)
        table_of(file)->close(xg_instance_self(file->instance), file->file);
    xg_instance_free(file->instance);
    g_free(file->path);
    g_free(file->sha256);
    g_free(file->names);
    g_free(file);
}

const char *xg_weights_file_licence(const XgWeightsFile *file)
{
    const XgTensorSource *source = &file->source;
    const char *licence = source->metadata(source->user, "licence");
    return licence ? licence : source->metadata(source->user, "license");
}

gboolean xg_weights_file_rename(XgWeightsFile *file, XgInstance *backbone, const XgStore *store,
                                GError **error)
{
    const XgNames *names = xg_instance_interface(backbone, XG_NAMES_INTERFACE);
    const XgNameMap *maps = names ? names->maps(xg_instance_self(backbone)) : NULL;
    const char *id = xg_instance_entry(backbone)->id;
    g_autoptr(GError) failure = NULL;
    XgNamedTensors *named = xg_named_tensors_new(&file->source, maps, store, &failure);
    if (named == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&failure), "%s: ", id);
        return FALSE;
    }
    g_clear_pointer(&file->named, xg_named_tensors_free);
    file->named = named;
    file->tensors = xg_named_tensors_source(named);
    g_autofree char *mapped = xg_named_tensors_describe(named, id);
    g_free(file->names);
    file->names = describe_names(file, mapped);
    return TRUE;
}

static const XgWeightsFamily *family_of(const XgSessionBackbone *backbone, const char *id)
{
    const XgWeightsFamily *family = backbone->table->families(xg_instance_self(backbone->instance));
    while (id != NULL && family != NULL && family->id != NULL && strcmp(family->id, id) != 0)
        family++;
    return id != NULL && family != NULL && family->id != NULL ? family : NULL;
}

const char *xg_weights_file_family(const XgWeightsFile *file, const XgSessionBackbone *backbone)
{
    const XgNameMap *map = file->named ? xg_named_tensors_map(file->named) : NULL;
    const XgWeightsFamily *family = family_of(backbone, map ? map->id : NULL);
    if (family == NULL)
        family = family_of(backbone, file->source.metadata(file->source.user, XG_FAMILY_KEY));
    return family ? family->id : NULL;
}

/* A converted file is for a backbone with the parameters that it was converted with. */
static gboolean check_settings(const XgWeightsFile *file, const XgSessionBackbone *backbone,
                               GError **error)
{
    const XgTensorSource *source = &file->source;
    const char *text = source->metadata(source->user, XG_SETTINGS_KEY);
    const char *id = source->metadata(source->user, XG_BACKBONE_KEY);
    const XgParamSet *params = xg_instance_params(backbone->instance);
    if (text == NULL || id == NULL || strcmp(id, xg_instance_entry(backbone->instance)->id) != 0)
        return TRUE;
    g_auto(GStrv) settings = g_strsplit(text, "\n", -1);
    for (char **setting = settings; *setting != NULL; setting++) {
        char *equals = strchr(*setting, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        const char *value = xg_param_set_text(params, *setting);
        if (value != NULL && strcmp(value, equals + 1) != 0)
            return xg_error_set(error, XG_INVALID,
                                "%s: was converted for %s = %s, found %s = %s in the study",
                                file->path, *setting, equals + 1, *setting, value);
    }
    return TRUE;
}

gboolean xg_weights_file_check_family(const XgWeightsFile *file, const XgSessionBackbone *backbone,
                                      GError **error)
{
    const char *family = xg_weights_file_family(file, backbone);
    const gboolean renamed = file->named && xg_named_tensors_map(file->named) != NULL;
    if (family == NULL || strcmp(backbone->family->id, family) == 0)
        return check_settings(file, backbone, error);
    g_autofree char *origin = renamed ? g_strdup_printf("its tensors have the %s names", family)
                                      : g_strdup_printf("was converted from %s weights", family);
    return xg_error_set(error, XG_INVALID,
                        "%s: %s, but images would be prepared for %s weights: set weights_family "
                        "= %s",
                        file->path, origin, backbone->family->id, family);
}
