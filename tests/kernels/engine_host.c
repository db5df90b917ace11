/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "engine_host.h"

#include <check.h>
#include <dlfcn.h>
#include <string.h>

static XgPool *pool_of(const XgHost *host)
{
    return ((const EngineHost *) host)->pool;
}

static int32_t count_threads(const XgHost *host)
{
    return xg_pool_threads(pool_of(host));
}

typedef struct {
    void (*func)(void *data, int64_t begin, int64_t end, int32_t worker);
    void *data;
} Call;

static void call(void *data, gint64 begin, gint64 end, int worker)
{
    const Call *c = data;
    c->func(c->data, begin, end, worker);
}

static void run_static(const XgHost *host, int64_t count, int64_t grain,
                       void (*func)(void *, int64_t, int64_t, int32_t), void *data)
{
    Call c = {func, data};
    xg_pool_run(pool_of(host), count, grain, call, &c);
}

static void run_dynamic(const XgHost *host, int64_t count, int64_t grain,
                        void (*func)(void *, int64_t, int64_t, int32_t), void *data)
{
    Call c = {func, data};
    xg_pool_run_dynamic(pool_of(host), count, grain, call, &c);
}

static const char *get_string(const XgHost *host, const char *name)
{
    if (strcmp(name, "winograd") == 0)
        return ((const EngineHost *) host)->winograd;
    if (strcmp(name, "precision") == 0)
        return ((const EngineHost *) host)->bf16 ? "bf16" : "fp32";
    ck_assert_str_eq(name, "instructions");
    return ((const EngineHost *) host)->instructions;
}

static const void *get_interface(const XgHost *host, const char *id)
{
    static const XgThreadsApi threads = {count_threads, run_static, run_dynamic};
    static const XgParamsApi params = {.get_string = get_string};
    (void) host;
    if (strcmp(id, XG_THREADS_INTERFACE) == 0)
        return &threads;
    return strcmp(id, XG_PARAMS_INTERFACE) == 0 ? &params : NULL;
}

static void record_failure(const XgHost *host, XgStatus status, const char *text)
{
    EngineHost *engine = (EngineHost *) (void *) host;
    (void) status;
    g_strlcpy(engine->failure, text, sizeof engine->failure);
}

/* Left open: some libraries behind an engine cannot be unloaded. */
const XgComponent *engine_host_component(const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const XgModule *(*entry)(void) = NULL;
    if (module != NULL)
        *(void **) &entry = dlsym(module, "xenograft_entry_v1");
    const XgComponent *component = entry != NULL ? entry()->components[0] : NULL;
    return component != NULL && strcmp(component->kind, XG_ENGINE_KIND) == 0 ? component : NULL;
}

int engine_host_has(const XgComponent *component, const char *parameter)
{
    for (const XgParam *param = component->params; param->name != NULL; param++)
        if (strcmp(param->name, parameter) == 0)
            return 1;
    return 0;
}

int engine_host_init(EngineHost *engine, const char *path, int threads, const char *instructions,
                     const char *winograd, int bf16)
{
    memset(engine, 0, sizeof *engine);
    engine->host = (XgHost){XG_ABI_MAJOR, XG_ABI_MINOR, get_interface, record_failure};
    engine->component = engine_host_component(path);
    ck_assert_msg(engine->component != NULL, "%s: no engine", path);
    engine->instructions = instructions;
    engine->winograd = winograd;
    engine->bf16 = bf16;
    engine->pool = xg_pool_new(threads);
    engine->table = engine->component->interface_table;
    if (engine->component->create(&engine->host, engine->component, &engine->self) == XG_OK)
        return 1;
    xg_pool_free(engine->pool);
    return 0;
}

void engine_host_clear(EngineHost *engine)
{
    engine->component->destroy(engine->self);
    xg_pool_free(engine->pool);
}
