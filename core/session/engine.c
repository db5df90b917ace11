/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include <string.h>
#include <xenograft/draft/engine.h>

static const char *last_failure(void *user)
{
    XgSessionEngine *engine = user;
    g_autoptr(GError) error = NULL;
    xg_instance_error(engine->instance, XG_PLUGIN, &error);
    g_free(engine->failure);
    engine->failure = g_strdup(error->message);
    return engine->failure;
}

/* The engine that suits this processor best, the first by id among equals; NULL: none does. */
static XgInstance *best_engine(XgSession *session, char **reason)
{
    XgInstance *best = NULL;
    int best_suits = 0;
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, XG_ENGINE_KIND, entry)) != NULL) {
        if (entry->shadowed_by != NULL)
            continue;
        g_autoptr(GError) failure = NULL;
        XgInstance *instance =
            xg_registry_create(session->registry, XG_ENGINE_KIND, entry->id, NULL, &failure);
        if (instance == NULL) {
            xg_session_warn(session, "%s", failure->message);
            continue;
        }
        const XgEngine *table = xg_instance_table(instance);
        const int suits = table->suits(xg_instance_self(instance));
        if (suits > best_suits) {
            xg_instance_free(best);
            best = instance;
            best_suits = suits;
        } else {
            xg_instance_free(instance);
        }
    }
    *reason = best ? g_strdup_printf("suits this processor best (%d of 100)", best_suits)
                   : g_strdup("no installed engine suits this processor");
    return best;
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
        engine->instance = best_engine(session, &engine->reason);
        if (engine->instance == NULL)
            xg_session_warn(session, "%s: the slow reference kernels are used", engine->reason);
    } else {
        engine->instance = xg_registry_create(session->registry, XG_ENGINE_KIND, id, params, error);
        engine->reason = g_strdup("chosen by the study");
        if (engine->instance == NULL)
            return NULL;
    }
    xg_session_show_warnings(session);
    engine->handle.pool = session->pool;
    const XgEntry *entry = engine->instance ? xg_instance_entry(engine->instance) : NULL;
    if (entry != NULL) {
        engine->handle.table = xg_instance_table(engine->instance);
        engine->handle.self = xg_instance_self(engine->instance);
        engine->handle.failure = last_failure;
        engine->handle.user = engine;
    }
    engine->identity =
        g_strdup_printf("%s %s, %d threads", entry ? entry->id : "reference",
                        entry ? entry->version : XG_VERSION, xg_pool_threads(session->pool));
    return g_steal_pointer(&engine);
}

void xg_session_engine_free(XgSessionEngine *engine)
{
    if (engine == NULL)
        return;
    xg_instance_free(engine->instance);
    g_free(engine->failure);
    g_free(engine->identity);
    g_free(engine->reason);
    g_free(engine);
}
