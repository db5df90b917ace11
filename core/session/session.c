/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include <string.h>
#include <xenograft/draft/engine.h>
#include "train/plan.h"

const char *xg_version(void)
{
    return XG_VERSION;
}

void xg_session_line(const XgSession *session, const char *format, ...)
{
    if (session->events == NULL || session->events->line == NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    session->events->line(text, session->events->user);
}

void xg_session_warn(const XgSession *session, const char *format, ...)
{
    if (session->events == NULL || session->events->warning == NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    session->events->warning(text, session->events->user);
}

void xg_session_tell(const XgSession *session, const XgSessionProgress *progress)
{
    if (session->events != NULL && session->events->progress != NULL)
        session->events->progress(progress, session->events->user);
}

void xg_session_show_warnings(XgSession *session)
{
    const char *const *warnings = xg_registry_warnings(session->registry);
    for (; warnings[session->warnings_shown] != NULL; session->warnings_shown++)
        xg_session_warn(session, "%s", warnings[session->warnings_shown]);
}

/* ---- xenograft.threads/1 ------------------------------------------------------------------- */

typedef struct {
    void (*func)(void *data, int64_t begin, int64_t end, int32_t worker);
    void *data;
} Piece;

static void run_piece(void *data, gint64 begin, gint64 end, int worker)
{
    const Piece *piece = data;
    piece->func(piece->data, begin, end, worker);
}

static XgPool *pool_of(const XgHost *host)
{
    const XgSession *session = xg_host_data(host, XG_THREADS_INTERFACE);
    return session->pool;
}

static int32_t threads_count(const XgHost *host)
{
    return xg_pool_threads(pool_of(host));
}

static void threads_run(const XgHost *host, int64_t count, int64_t grain,
                        void (*func)(void *data, int64_t begin, int64_t end, int32_t worker),
                        void *data)
{
    Piece piece = {func, data};
    xg_pool_run(pool_of(host), count, grain, run_piece, &piece);
}

static void threads_run_dynamic(const XgHost *host, int64_t count, int64_t grain,
                                void (*func)(void *data, int64_t begin, int64_t end,
                                             int32_t worker),
                                void *data)
{
    Piece piece = {func, data};
    xg_pool_run_dynamic(pool_of(host), count, grain, run_piece, &piece);
}

static const XgThreadsApi threads_api = {threads_count, threads_run, threads_run_dynamic};

/* ---- Sessions ------------------------------------------------------------------------------ */

XgSession *xg_session_new(const XgSessionEvents *events, GError **error)
{
    g_autoptr(XgSession) session = g_new0(XgSession, 1);
    session->events = events;
    session->registry = xg_registry_new(NULL, error);
    if (session->registry == NULL)
        return NULL;
    xg_registry_add_interface(session->registry, XG_THREADS_INTERFACE, &threads_api, session);
    xg_registry_add_interface(session->registry, XG_GRAPH_INTERFACE, xg_graph_api(), session);
    xg_registry_add_interface(session->registry, XG_PLAN_INTERFACE, xg_plan_api(), session);
    xg_session_show_warnings(session);
    return g_steal_pointer(&session);
}

void xg_session_free(XgSession *session)
{
    if (session == NULL)
        return;
    xg_registry_free(session->registry);
    xg_pool_free(session->pool);
    g_free(session);
}

XgParamSet *xg_session_params(XgSession *session, const char *kind, const char *id,
                              const char *const *settings, GError **error)
{
    const XgEntry *entry = xg_registry_find(session->registry, kind, id, error);
    if (entry == NULL)
        return NULL;
    g_autoptr(XgParamSet) params = xg_param_set_new(entry->params);
    for (const char *const *setting = settings; setting != NULL && *setting != NULL; setting++) {
        g_auto(GStrv) parts = g_strsplit(*setting, "=", 2);
        if (g_strv_length(parts) != 2) {
            xg_error_set(error, XG_INVALID, "expected KEY=VALUE, found \"%s\"", *setting);
            return NULL;
        }
        if (!xg_param_set_parse(params, parts[0], parts[1], error)) {
            g_prefix_error(error, "%s: ", id);
            return NULL;
        }
    }
    return g_steal_pointer(&params);
}

XgInstance *xg_session_instance(XgSession *session, const char *kind, const char *id,
                                const char *const *settings, GError **error)
{
    g_autoptr(XgParamSet) params = xg_session_params(session, kind, id, settings, error);
    if (params == NULL)
        return NULL;
    XgInstance *instance = xg_registry_create(session->registry, kind, id, params, error);
    xg_session_show_warnings(session);
    return instance;
}
