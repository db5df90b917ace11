/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* weights-check [OPTIONS] BACKBONE FILE: a published file must fit the backbone completely. */
#include "host.h"
#include "model/match.h"

#include <xenograft/draft/weights.h>

#include <stdio.h>

typedef struct {
    XgInstance *reader;
    void *file;
} Open;

static gboolean on_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    const Open *o = user;
    const XgWeights *table = xg_instance_table(o->reader);
    return xg_instance_error(o->reader,
                             table->info(xg_instance_self(o->reader), o->file, index, info), error);
}

static gboolean on_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    const Open *o = user;
    const XgWeights *table = xg_instance_table(o->reader);
    return xg_instance_error(
        o->reader, table->read(xg_instance_self(o->reader), o->file, index, values, count), error);
}

static gboolean load(const Host *host, Open *o, const char *backbone, const char *path,
                     GError **error)
{
    o->reader =
        xg_registry_create(host_registry(host), XG_WEIGHTS_KIND, "safetensors", NULL, error);
    if (o->reader == NULL)
        return FALSE;
    const XgWeights *table = xg_instance_table(o->reader);
    void *self = xg_instance_self(o->reader);
    if (!xg_instance_error(o->reader, table->open(self, path, &o->file), error))
        return FALSE;
    const XgTensorSource source = {.path = path,
                                   .count = table->count(self, o->file),
                                   .info = on_info,
                                   .read = on_read,
                                   .user = o};
    g_autoptr(XgNetwork) network = host_network(host, backbone, 1000, 224, error);
    g_autoptr(XgStore) store = network ? xg_store_new(network, network->logits, error) : NULL;
    g_autoptr(XgMatch) match =
        store ? xg_match_new(store, xg_network_head_name(network), NULL, &source, error) : NULL;
    if (match == NULL)
        return FALSE;
    g_autofree char *text = xg_match_table(match, FALSE);
    printf("%s", text);
    return xg_match_check(match, FALSE, error) && xg_match_load(match, store, &source, error) &&
           (xg_match_count(match, XG_MATCH_MATCHED) == xg_store_count(store) ||
            xg_error_set(error, XG_SHAPE, "%s: not every tensor is matched", path));
}

int main(int argc, char **argv)
{
    HostOptions options = {.engine = "reference", .threads = 1};
    g_auto(GStrv) plugins = NULL;
    g_autofree char *scanner = NULL;
    const GOptionEntry entries[] = {
        {"plugins", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &plugins, "folder of plugins", "DIR"},
        {"scanner", 0, 0, G_OPTION_ARG_FILENAME, &scanner, "the xenograft-scan to use", "PROGRAM"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("BACKBONE FILE");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 3) {
        fprintf(stderr, "%s\n", error ? error->message : "a backbone and a file are needed");
        return 2;
    }
    options.plugins = (const char *const *) plugins;
    options.scanner = scanner;
    g_autoptr(Host) host = host_new(&options, &error);
    Open o = {NULL, NULL};
    const gboolean good = host != NULL && load(host, &o, argv[1], argv[2], &error);
    if (o.file != NULL)
        ((const XgWeights *) xg_instance_table(o.reader))
            ->close(xg_instance_self(o.reader), o.file);
    xg_instance_free(o.reader);
    if (!good)
        fprintf(stderr, "%s\n", error->message);
    return good ? 0 : 1;
}
