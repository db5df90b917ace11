/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What an engine's reduced precision does to the result. */
#include "session/classifier.h"

#include <math.h>
#include <string.h>

/* The test part's probabilities by the engine with full precision. */
static gboolean score_exactly(XgStudy *study, float *probabilities, GError **error)
{
    const guint64 *items = study->items[XG_PART_TEST];
    const gsize count = study->split->parts[XG_PART_TEST]->len;
    g_autoptr(XgSessionEngine) exact =
        xg_session_engine_exact(study->session, study->engine, error);
    if (exact == NULL)
        return FALSE;
    XgFeatureStore *features = xg_study_uncached_features(study, exact->identity);
    XgTrainerSpec spec = xg_study_trainer_spec(study);
    spec.engine = &exact->handle;
    spec.features = features;
    const gboolean good =
        xg_study_has_classifier(study)
            ? xg_study_classify_items(study, &spec, items, count, probabilities, error)
            : xg_train_predict(&spec, items, count, probabilities, error);
    xg_feature_store_free(features);
    return good;
}

static XgMetrics *metrics_of(XgStudy *study, gsize count, const int *labels,
                             const float *probabilities, GError **error)
{
    const XgPredictionSet set = {.count = count,
                                 .classes = study->dataset->class_count,
                                 .labels = labels,
                                 .probabilities = probabilities,
                                 .class_names = (const char *const *) study->dataset->class_names,
                                 .positive = study->positive};
    return xg_metrics_new(&set, error);
}

static void append_score(GString *text, const char *name, const XgScore *rounded,
                         const XgScore *exact)
{
    if (isfinite(rounded->value) && isfinite(exact->value))
        g_string_append_printf(text, "; %s %.4f (fp32: %.4f)", name, rounded->value, exact->value);
}

static gboolean note(XgStudy *study, gsize count, const int *labels, const float *rounded,
                     const float *exact, GError **error)
{
    const gsize classes = study->dataset->class_count;
    g_autoptr(XgMetrics) with = metrics_of(study, count, labels, rounded, error);
    g_autoptr(XgMetrics) without = with ? metrics_of(study, count, labels, exact, error) : NULL;
    if (without == NULL)
        return FALSE;
    gsize changed = 0;
    double largest = 0.0;
    for (gsize i = 0; i < count; i++) {
        const float *a = rounded + i * classes, *b = exact + i * classes;
        changed += xg_argmax(a, classes) != xg_argmax(b, classes);
        for (gsize k = 0; k < classes; k++)
            largest = MAX(largest, fabs((double) a[k] - (double) b[k]));
    }
    g_autofree char *first =
        g_strdup_printf("bf16 beside fp32, test part: %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                        " images get another class, probabilities differ by up to %.4f",
                        changed, count, largest);
    GString *text = g_string_new(first);
    append_score(text, "accuracy", &with->accuracy, &without->accuracy);
    append_score(text, "balanced accuracy", &with->balanced_accuracy, &without->balanced_accuracy);
    append_score(text, "AUC", &with->auc, &without->auc);
    xg_study_note(study, "precision", text->str);
    g_string_free(text, TRUE);
    return TRUE;
}

static gboolean is_rounded(const XgStudy *study)
{
    const XgParamSet *params = study->engine_params;
    const char *precision = params ? xg_param_set_text(params, "precision") : NULL;
    return study->engine->instance != NULL && precision != NULL && strcmp(precision, "fp32") != 0;
}

gboolean xg_study_note_precision(XgStudy *study, const float *probabilities, GError **error)
{
    const gsize count = study->split->parts[XG_PART_TEST]->len;
    const gsize classes = study->dataset->class_count;
    if (!is_rounded(study) || count == 0)
        return TRUE;
    g_autofree float *rounded = g_new(float, count *classes);
    g_autofree float *exact = g_new(float, count *classes);
    g_autofree int *labels = g_new(int, count);
    for (gsize i = 0; i < count; i++) {
        const guint64 item = study->items[XG_PART_TEST][i];
        labels[i] = study->labels[item];
        memcpy(rounded + i * classes, probabilities + item * classes, sizeof(float) * classes);
    }
    return score_exactly(study, exact, error) && note(study, count, labels, rounded, exact, error);
}
