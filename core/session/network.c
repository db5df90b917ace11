/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include <string.h>

static const XgWeightsFamily *find_family(const XgSessionBackbone *backbone, const char *id,
                                          GError **error)
{
    const XgWeightsFamily *families =
        backbone->table->families(xg_instance_self(backbone->instance));
    GString *known = g_string_new(NULL);
    const XgWeightsFamily *found = NULL;
    for (const XgWeightsFamily *f = families; f != NULL && f->id != NULL && found == NULL; f++) {
        if (id == NULL || *id == '\0' || strcmp(f->id, id) == 0)
            found = f;
        g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", f->id);
    }
    if (found == NULL)
        xg_error_set(error, XG_INVALID, "%s: weights_family: expected one of %s, found \"%s\"",
                     xg_instance_entry(backbone->instance)->id, known->str, id ? id : "");
    g_string_free(known, TRUE);
    return found;
}

static gboolean check_size(const XgSessionBackbone *backbone, gint64 size_px, GError **error)
{
    const XgInputSize *size = backbone->size;
    const gint64 step = MAX(size->step_px, 1);
    if (size_px == size->size_px || (size_px >= size->min_px && size_px <= size->max_px &&
                                     (size_px - size->min_px) % step == 0))
        return TRUE;
    return xg_error_set(error, XG_INVALID,
                        "%s: size: expected %" G_GINT64_FORMAT " px or from %" G_GINT64_FORMAT
                        " to %" G_GINT64_FORMAT " px in steps of %" G_GINT64_FORMAT
                        ", found %" G_GINT64_FORMAT,
                        xg_instance_entry(backbone->instance)->id, size->size_px, size->min_px,
                        size->max_px, step, size_px);
}

XgSessionBackbone *xg_session_backbone_new(XgInstance *instance, const char *family, gint64 size_px,
                                           GError **error)
{
    g_autoptr(XgSessionBackbone) backbone = g_new0(XgSessionBackbone, 1);
    backbone->instance = instance;
    backbone->table = xg_instance_table(instance);
    const char *id = xg_instance_entry(instance)->id;
    const XgBackbone *table = backbone->table;
    if (table->build == NULL || table->input_size == NULL || table->families == NULL) {
        xg_error_set(error, XG_PLUGIN, "%s: the backbone's table is incomplete", id);
        return NULL;
    }
    backbone->size = table->input_size(xg_instance_self(instance));
    if (backbone->size == NULL || backbone->size->size_px < 1 || backbone->size->size_px > 65536 ||
        (backbone->size->channels != 1 && backbone->size->channels != 3)) {
        xg_error_set(error, XG_PLUGIN, "%s: declares no usable input size", id);
        return NULL;
    }
    backbone->size_px = size_px > 0 ? size_px : backbone->size->size_px;
    backbone->channels = backbone->size->channels;
    backbone->family = find_family(backbone, family, error);
    if (backbone->family == NULL || !check_size(backbone, backbone->size_px, error))
        return NULL;
    return g_steal_pointer(&backbone);
}

void xg_session_backbone_free(XgSessionBackbone *backbone)
{
    if (backbone == NULL)
        return;
    xg_instance_free(backbone->instance);
    g_free(backbone);
}

/* What of the settings is the network's; the others are the component's. */
typedef struct {
    gint64 classes, size, channels;
    GPtrArray *rest;
} NetworkSettings;

static gboolean split_settings(const char *const *settings, NetworkSettings *split, GError **error)
{
    const struct {
        const char *prefix;
        gint64 maximum;
        gint64 *value;
    } own[] = {{"classes=", 1000000, &split->classes},
               {"size=", 65536, &split->size},
               {"channels=", XG_SESSION_CHANNELS_MAX, &split->channels}};
    for (; settings != NULL && *settings != NULL; settings++) {
        gsize k = 0;
        while (k < G_N_ELEMENTS(own) && !g_str_has_prefix(*settings, own[k].prefix))
            k++;
        if (k == G_N_ELEMENTS(own))
            g_ptr_array_add(split->rest, (void *) *settings);
        else if (!g_ascii_string_to_signed(*settings + strlen(own[k].prefix), 10, 1, own[k].maximum,
                                           own[k].value, NULL))
            return xg_error_set(error, XG_INVALID,
                                "expected a whole number from 1 to %" G_GINT64_FORMAT
                                ", found \"%s\"",
                                own[k].maximum, *settings);
    }
    g_ptr_array_add(split->rest, NULL);
    return TRUE;
}

XgSessionBackbone *xg_session_backbone_from(XgSession *session, const char *id,
                                            const char *const *settings, gint64 *classes,
                                            GError **error)
{
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    NetworkSettings split = {*classes, 0, 0, rest};
    if (!split_settings(settings, &split, error))
        return NULL;
    XgInstance *instance = xg_session_instance(session, XG_BACKBONE_KIND, id,
                                               (const char *const *) rest->pdata, error);
    XgSessionBackbone *backbone =
        instance ? xg_session_backbone_new(instance, NULL, split.size, error) : NULL;
    if (backbone == NULL)
        return NULL;
    if (split.channels > 0)
        backbone->channels = split.channels;
    *classes = split.classes;
    return backbone;
}

/* A backbone's build with what its plugin says when it fails. */
typedef struct {
    const XgSessionBackbone *backbone;
    GError *said;
} Build;

static XgStatus build(void *self, XgGraph *graph)
{
    Build *b = self;
    XgInstance *instance = b->backbone->instance;
    const XgStatus status = b->backbone->table->build(xg_instance_self(instance), graph);
    if (xg_instance_error(instance, status, &b->said))
        return XG_OK;
    graph->api->fail(graph, -b->said->code, b->said->message);
    return -b->said->code;
}

XgNetwork *xg_session_backbone_build(const XgSessionBackbone *backbone, gint64 classes,
                                     GError **error)
{
    const XgNetworkInfo info = {.classes = classes,
                                .height_px = backbone->size_px,
                                .width_px = backbone->size_px,
                                .channels = backbone->channels};
    const XgBackbone table = {.build = build};
    g_autoptr(GError) failure = NULL;
    Build b = {backbone, NULL};
    XgNetwork *network =
        xg_network_build(&table, &b, xg_instance_host(backbone->instance), &info, &failure);
    if (network == NULL && b.said != NULL && g_str_has_suffix(failure->message, b.said->message))
        g_propagate_error(error, g_steal_pointer(&b.said));
    else if (network == NULL)
        g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                                   "%s: ", xg_instance_entry(backbone->instance)->id);
    g_clear_error(&b.said);
    return network;
}
