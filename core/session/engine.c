/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include <string.h>
#include <xenograft/draft/engine.h>

static char *last_failure(void *user)
{
    const XgSessionEngine *engine = user;
    g_autoptr(GError) error = NULL;
    xg_instance_error(engine->instance, XG_PLUGIN, &error);
    return g_strdup(error->message);
}

int xg_session_engine_suits(XgSession *session, const XgEntry *entry)
{
    g_autoptr(GError) failure = NULL;
    if (session->pool == NULL)
        session->pool = xg_pool_new(1);
    XgInstance *instance =
        xg_registry_create(session->registry, XG_ENGINE_KIND, entry->id, NULL, &failure);
    if (instance == NULL) {
        xg_session_warn(session, "%s", failure->message);
        return 0;
    }
    const XgEngine *table = xg_instance_table(instance);
    const int suits = table->suits(xg_instance_self(instance));
    xg_instance_free(instance);
    return suits;
}

const XgEntry *xg_session_best_engine(XgSession *session, int *suits)
{
    const XgEntry *best = NULL, *entry = NULL;
    *suits = 0;
    while ((entry = xg_registry_next(session->registry, XG_ENGINE_KIND, entry)) != NULL) {
        const int found = entry->shadowed_by ? 0 : xg_session_engine_suits(session, entry);
        if (found <= *suits)
            continue;
        best = entry;
        *suits = found;
    }
    return best;
}

/* What `auto` stands for; no instance when nothing suits. */
static gboolean open_best(XgSession *session, XgSessionEngine *engine, GError **error)
{
    int suits;
    const XgEntry *best = xg_session_best_engine(session, &suits);
    if (best == NULL) {
        engine->reason = g_strdup("no installed engine suits this processor");
        xg_session_warn(session, "%s: the slow reference kernels are used", engine->reason);
        return TRUE;
    }
    engine->reason = g_strdup_printf("suits this processor best (%d of 100)", suits);
    engine->instance = xg_registry_create(session->registry, XG_ENGINE_KIND, best->id, NULL, error);
    return engine->instance != NULL;
}

/* "precision=bf16 winograd=all": what the study chose besides the defaults; it changes results.
 */
static char *settings_text(const XgParamSet *params)
{
    GString *text = g_string_new(NULL);
    const XgParam *param = params ? xg_param_set_table(params) : NULL;
    for (; param != NULL && param->name != NULL; param++) {
        const char *value = xg_param_set_text(params, param->name);
        if (value != NULL && g_strcmp0(value, param->default_value) != 0)
            g_string_append_printf(text, " %s=%s", param->name, value);
    }
    return g_string_free(text, FALSE);
}

static void name_engine(XgSession *session, XgSessionEngine *engine, const XgParamSet *params)
{
    engine->handle.pool = session->pool;
    const XgEntry *entry = engine->instance ? xg_instance_entry(engine->instance) : NULL;
    g_autofree char *settings = entry ? settings_text(params) : g_strdup("");
    if (entry != NULL) {
        engine->handle.table = xg_instance_table(engine->instance);
        engine->handle.self = xg_instance_self(engine->instance);
        engine->handle.failure = last_failure;
        engine->handle.user = engine;
    }
    engine->identity = g_strdup_printf("%s %s%s, %d threads", entry ? entry->id : "reference",
                                       entry ? entry->version : XG_VERSION, settings,
                                       xg_pool_threads(session->pool));
}

XgSessionEngine *xg_session_engine_exact(XgSession *session, const XgSessionEngine *engine,
                                         GError **error)
{
    g_autoptr(XgSessionEngine) exact = g_new0(XgSessionEngine, 1);
    exact->instance = xg_registry_create(session->registry, XG_ENGINE_KIND,
                                         xg_instance_entry(engine->instance)->id, NULL, error);
    if (exact->instance == NULL)
        return NULL;
    exact->reason = g_strdup("for comparison");
    name_engine(session, exact, NULL);
    return g_steal_pointer(&exact);
}

XgSessionEngine *xg_session_engine_new(XgSession *session, const char *id, int threads,
                                       const XgParamSet *params, GError **error)
{
    g_autoptr(XgSessionEngine) engine = g_new0(XgSessionEngine, 1);
    xg_pool_free(session->pool);
    session->pool = xg_pool_new(threads);
    if (strcmp(id, "reference") == 0) {
        engine->reason = g_strdup("chosen by the study: plain kernels, slow");
    } else if (strcmp(id, "auto") == 0) {
        if (!open_best(session, engine, error))
            return NULL;
    } else {
        engine->instance = xg_registry_create(session->registry, XG_ENGINE_KIND, id, params, error);
        engine->reason = g_strdup("chosen by the study");
        if (engine->instance == NULL)
            return NULL;
    }
    xg_session_show_warnings(session);
    name_engine(session, engine, params);
    return g_steal_pointer(&engine);
}

void xg_session_engine_free(XgSessionEngine *engine)
{
    if (engine == NULL)
        return;
    xg_instance_free(engine->instance);
    g_free(engine->identity);
    g_free(engine->reason);
    g_free(engine);
}
