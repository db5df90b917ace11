/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "host.h"

#include <string.h>

struct Host {
    XgRegistry *registry;
    XgPool *pool;
    XgInstance *engine; /* NULL: reference kernels */
    XgEngineHandle handle;
    GPtrArray *backbones; /* of XgInstance: networks read their hosts */
};

typedef struct {
    void (*func)(void *data, int64_t begin, int64_t end, int32_t worker);
    void *data;
} Loop;

static void run_part(void *data, gint64 begin, gint64 end, int worker)
{
    const Loop *loop = data;
    loop->func(loop->data, begin, end, worker);
}

static XgPool *pool_of(const XgHost *host)
{
    return xg_host_data(host, XG_THREADS_INTERFACE);
}

static int32_t count(const XgHost *host)
{
    return xg_pool_threads(pool_of(host));
}

static void run(const XgHost *host, int64_t items, int64_t grain,
                void (*func)(void *data, int64_t begin, int64_t end, int32_t worker), void *data)
{
    xg_pool_run(pool_of(host), items, grain, run_part, &(Loop){func, data});
}

static void run_dynamic(const XgHost *host, int64_t items, int64_t grain,
                        void (*func)(void *data, int64_t begin, int64_t end, int32_t worker),
                        void *data)
{
    xg_pool_run_dynamic(pool_of(host), items, grain, run_part, &(Loop){func, data});
}

static const XgThreadsApi threads = {count, run, run_dynamic};

static char *engine_failure(void *user)
{
    const Host *host = user;
    g_autoptr(GError) error = NULL;
    xg_instance_error(host->engine, XG_PLUGIN, &error);
    return g_strdup(error->message);
}

static XgInstance *new_instance(const Host *host, const char *kind, const char *id,
                                const char *const *settings, GError **error)
{
    const XgEntry *entry = xg_registry_find(host->registry, kind, id, error);
    if (entry == NULL)
        return NULL;
    g_autoptr(XgParamSet) set = xg_param_set_new(entry->params);
    for (; settings != NULL && *settings != NULL; settings++) {
        g_auto(GStrv) pair = g_strsplit(*settings, "=", 2);
        if (!xg_param_set_parse(set, pair[0], pair[1], error))
            return NULL;
    }
    return xg_param_set_complete(set, error)
               ? xg_registry_create(host->registry, kind, id, set, error)
               : NULL;
}

static gboolean open_engine(Host *host, const char *wanted, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(wanted, ":", -1);
    host->handle.pool = host->pool;
    if (strcmp(wanted, "reference") == 0)
        return TRUE;
    host->engine =
        new_instance(host, XG_ENGINE_KIND, parts[0], (const char *const *) parts + 1, error);
    if (host->engine == NULL)
        return FALSE;
    host->handle.table = xg_instance_table(host->engine);
    host->handle.self = xg_instance_self(host->engine);
    host->handle.failure = engine_failure;
    host->handle.user = host;
    return TRUE;
}

Host *host_new(const HostOptions *options, GError **error)
{
    g_autoptr(Host) host = g_new0(Host, 1);
    const XgRegistryOptions found = {
        .scanner = options->scanner, .search_path = options->plugins, .cache_file = ""};
    host->backbones = g_ptr_array_new_with_free_func((GDestroyNotify) xg_instance_free);
    host->pool = xg_pool_new(options->threads);
    host->registry = xg_registry_new(&found, error);
    if (host->registry == NULL)
        return NULL;
    xg_registry_add_interface(host->registry, XG_THREADS_INTERFACE, &threads, host->pool);
    xg_registry_add_interface(host->registry, XG_GRAPH_INTERFACE, xg_graph_api(), NULL);
    return open_engine(host, options->engine, error) ? g_steal_pointer(&host) : NULL;
}

void host_free(Host *host)
{
    if (host == NULL)
        return;
    g_ptr_array_unref(host->backbones);
    xg_instance_free(host->engine);
    xg_registry_free(host->registry);
    xg_pool_free(host->pool);
    g_free(host);
}

XgRegistry *host_registry(const Host *host)
{
    return host->registry;
}

const XgEngineHandle *host_engine(const Host *host)
{
    return &host->handle;
}

XgNetwork *host_variant(const Host *host, const char *backbone, const char *const *settings,
                        gint64 classes, gint64 size_px, const XgNameMap **maps, GError **error)
{
    XgInstance *instance = new_instance(host, XG_BACKBONE_KIND, backbone, settings, error);
    if (instance == NULL)
        return NULL;
    const XgNames *names = xg_instance_interface(instance, XG_NAMES_INTERFACE);
    *maps = names ? names->maps(xg_instance_self(instance)) : NULL;
    g_ptr_array_add(host->backbones, instance);
    const XgBackbone *table = xg_instance_table(instance);
    const XgInputSize *size = table->input_size(xg_instance_self(instance));
    const gint64 side = size_px > 0 ? size_px : size->size_px;
    const XgNetworkInfo info = {
        .classes = classes, .height_px = side, .width_px = side, .channels = size->channels};
    XgNetwork *network = xg_network_build(table, xg_instance_self(instance),
                                          xg_instance_host(instance), &info, error);
    if (network == NULL)
        g_prefix_error(error, "%s: ", backbone);
    return network;
}

XgNetwork *host_network(const Host *host, const char *backbone, gint64 classes, gint64 size_px,
                        GError **error)
{
    const XgNameMap *maps;
    return host_variant(host, backbone, NULL, classes, size_px, &maps, error);
}
