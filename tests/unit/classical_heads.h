/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file classical_heads.h  Drives the heads fitted on feature vectors as the host does. */
#ifndef XG_TEST_CLASSICAL_HEADS_H
#define XG_TEST_CLASSICAL_HEADS_H

#include "base/error.h"
#include "plugin/registry.h"
#include "train/strategy_state.h"

#include <xenograft/strategy.h>

#include <check.h>
#include <math.h>
#include <string.h>

static XgRegistry *registry;

static void open_registry(void)
{
    const char *const folders[] = {g_getenv("XG_TEST_STRATEGIES"), NULL};
    const XgRegistryOptions options = {
        .scanner = g_getenv("XG_TEST_SCANNER"), .search_path = folders, .cache_file = ""};
    g_autoptr(GError) error = NULL;
    registry = xg_registry_new(&options, &error);
    ck_assert_msg(registry != NULL, "%s", error ? error->message : "");
}

static void close_registry(void)
{
    xg_registry_free(registry);
}

/* A plugin whose library was not there at build time is not built. */
static gboolean have(const char *name)
{
    return xg_registry_find(registry, XG_STRATEGY_KIND, name, NULL) != NULL;
}

/* An instance with settings "key=value;...". */
static XgInstance *make_head(const char *name, const char *settings)
{
    g_autoptr(GError) error = NULL;
    const XgEntry *entry = xg_registry_find(registry, XG_STRATEGY_KIND, name, &error);
    ck_assert_msg(entry != NULL, "%s", error ? error->message : "");
    g_autoptr(XgParamSet) params = xg_param_set_new(entry->params);
    g_auto(GStrv) list = g_strsplit(settings, ";", -1);
    for (char **setting = list; *setting != NULL; setting++) {
        g_auto(GStrv) words = g_strsplit(*setting, "=", 2);
        const gboolean good = xg_param_set_parse(params, words[0], words[1], &error);
        ck_assert_msg(good, "%s: %s", *setting, error ? error->message : "");
    }
    XgInstance *head = xg_registry_create(registry, XG_STRATEGY_KIND, name, params, &error);
    ck_assert_msg(head != NULL, "%s", error ? error->message : "");
    return head;
}

/* What a fit tells the host, and when it is to stop. */
typedef struct {
    XgFit face; /* first member */
    GString *notes;
    int asked, stop_after; /* questions whether to stop; 0: never */
    double progress;
} Fit;

static int32_t on_cancelled(const XgFit *face)
{
    Fit *fit = (Fit *) (uintptr_t) face;
    return ++fit->asked >= fit->stop_after && fit->stop_after > 0;
}

static void on_progress(const XgFit *face, double part)
{
    Fit *fit = (Fit *) (uintptr_t) face;
    ck_assert_msg(part >= 0.0 && part <= 1.0, "progress %g", part);
    fit->progress = part;
}

static void on_note(const XgFit *face, const char *text)
{
    g_string_append_printf(((Fit *) (uintptr_t) face)->notes, "%s\n", text);
}

/* `values`, `labels` and `groups` (NULL: unknown) stay the caller's. */
static Fit new_fit(gint64 rows, gint64 columns, gint64 classes, const float *values,
                   const int32_t *labels, const int32_t *groups)
{
    return (Fit){.face = {.train = {rows, columns, values, labels, groups},
                          .validation = {0, columns, values, labels, groups},
                          .classes = classes,
                          .seed = 1,
                          .threads = 1,
                          .cancelled = on_cancelled,
                          .progress = on_progress,
                          .note = on_note},
                 .notes = g_string_new("")};
}

static void fit_clear(Fit *fit)
{
    g_string_free(fit->notes, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fit, fit_clear)

static XgStatus try_fit(XgInstance *head, Fit *fit, GError **error)
{
    const XgStrategy *table = xg_instance_table(head);
    const XgStatus status = table->fit(xg_instance_self(head), &fit->face);
    const gboolean good = xg_instance_error(head, status, error);
    ck_assert_msg(good == (status == XG_OK), "status %d", status);
    return status;
}

static void do_fit(XgInstance *head, Fit *fit)
{
    g_autoptr(GError) error = NULL;
    const XgStatus status = try_fit(head, fit, &error);
    ck_assert_msg(status == XG_OK, "%s", error ? error->message : "");
}

static XgStatus try_predict(XgInstance *head, gint64 rows, gint64 columns, const float *values,
                            float *probabilities, GError **error)
{
    const XgStrategy *table = xg_instance_table(head);
    const XgFeatures features = {rows, columns, values, NULL, NULL};
    const XgStatus status = table->predict(xg_instance_self(head), &features, probabilities);
    return xg_instance_error(head, status, error) ? XG_OK : status;
}

/* Each row of the result sums to 1 and has no negative number. */
G_GNUC_UNUSED static float *do_predict(XgInstance *head, gint64 rows, gint64 columns,
                                       gint64 classes, const float *values)
{
    g_autoptr(GError) error = NULL;
    float *probabilities = g_new(float, rows *classes);
    for (gint64 i = 0; i < rows * classes; i++)
        probabilities[i] = NAN;
    const XgStatus status = try_predict(head, rows, columns, values, probabilities, &error);
    ck_assert_msg(status == XG_OK, "%s", error ? error->message : "");
    for (gint64 i = 0; i < rows; i++) {
        double sum = 0.0;
        for (gint64 k = 0; k < classes; k++) {
            ck_assert_msg(probabilities[i * classes + k] >= 0.0f, "row %d", (int) i);
            sum += (double) probabilities[i * classes + k];
        }
        ck_assert_msg(fabs(sum - 1.0) < 1e-5, "row %d sums to %g", (int) i, sum);
    }
    return probabilities;
}

G_GNUC_UNUSED static XgStrategyState *do_save(XgInstance *head)
{
    XgStrategyState *state = xg_strategy_state_new();
    const XgStrategy *table = xg_instance_table(head);
    ck_assert_int_eq(table->save(xg_instance_self(head), &state->face), XG_OK);
    return state;
}

G_GNUC_UNUSED static XgStatus try_load(XgInstance *head, XgStrategyState *state, GError **error)
{
    const XgStrategy *table = xg_instance_table(head);
    const XgStatus status = table->load(xg_instance_self(head), &state->face);
    return xg_instance_error(head, status, error) ? XG_OK : status;
}

#endif
