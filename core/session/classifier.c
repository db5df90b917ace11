/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include <math.h>
#include <string.h>

#define TENSOR_PREFIX XG_CLASSIFIER_SCOPE "."
#define STATE_KEY "xenograft.strategy_state"

/* A file's header holds the state's wide numbers: readers refuse headers of 100 MB. */
#define MAX_STATE_TEXT (64 << 20)

gboolean xg_study_has_classifier(const XgStudy *study)
{
    return study->plan->head == XG_HEAD_CLASSIFIER;
}

static XgValue *tap_of(const XgStudy *study)
{
    return g_hash_table_lookup(study->network->taps, study->plan->tap);
}

gboolean xg_study_place_classifier(XgStudy *study, GError **error)
{
    const XgStrategy *table = xg_instance_table(study->strategy);
    if (table->fit == NULL || table->predict == NULL || table->save == NULL || table->load == NULL)
        return xg_error_set(error, XG_PLUGIN,
                            "[strategy] %s: a classifier needs fit, predict, save and load",
                            xg_instance_entry(study->strategy)->id);
    if (study->plan->phases->len > 0)
        return TRUE;
    XgValue *tap = tap_of(study);
    xg_network_prune(study->network, &tap, 1);
    study->network->logits = tap;
    return TRUE;
}

/* ---- Fitting ------------------------------------------------------------------------------- */

typedef struct {
    XgFit face; /* first member */
    XgStudy *study;
} Fit;

static int32_t on_cancelled(const XgFit *fit)
{
    const XgSession *session = ((const Fit *) fit)->study->session;
    return session->events != NULL && session->events->interrupted != NULL &&
           g_atomic_int_get(session->events->interrupted) != 0;
}

static void on_progress(const XgFit *fit, double part)
{
    const XgSessionProgress progress = {
        .activity = "fitting", .done = (gint64) (1000.0 * CLAMP(part, 0.0, 1.0)), .total = 1000};
    xg_session_tell(((const Fit *) fit)->study->session, &progress);
}

static void on_note(const XgFit *fit, const char *text)
{
    xg_study_note(((const Fit *) fit)->study, "classifier", text);
}

typedef struct {
    float *values;
    int32_t *labels, *groups;
} Part;

static void part_clear(Part *part)
{
    g_free(part->values);
    g_free(part->labels);
    g_free(part->groups);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Part, part_clear)

/* Patients as numbers, in order of first appearance. */
static int32_t *number_groups(const XgStudy *study, XgPart part)
{
    if (!study->dataset->has_patients)
        return NULL;
    const guint count = study->split->parts[part]->len;
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    int32_t *groups = g_new(int32_t, MAX(count, 1));
    for (guint i = 0; i < count; i++) {
        const XgItem *item = xg_dataset_item(study->dataset, (guint) study->items[part][i]);
        const char *patient = item->patient ? item->patient : item->name;
        if (!g_hash_table_contains(numbers, patient))
            g_hash_table_insert(numbers, (void *) patient,
                                GUINT_TO_POINTER(g_hash_table_size(numbers)));
        groups[i] = (int32_t) GPOINTER_TO_UINT(g_hash_table_lookup(numbers, patient));
    }
    return groups;
}

static XgFeatures fill_part(const XgStudy *study, XgPart index, gsize columns, Part *part)
{
    const gsize rows = study->split->parts[index]->len;
    part->values = g_new(float, MAX(rows * columns, 1));
    part->labels = g_new(int32_t, MAX(rows, 1));
    part->groups = number_groups(study, index);
    for (gsize i = 0; i < rows; i++) {
        const guint64 item = study->items[index][i];
        memcpy(part->values + i * columns, study->feature_rows + item * columns,
               sizeof(float) * columns);
        part->labels[i] = study->labels[item];
    }
    return (XgFeatures){(gint64) rows, (gint64) columns, part->values, part->labels, part->groups};
}

/* The training part's views, one after another. What is known of one image's patient holds for all
 * its views, and where no patients are known the views of an image are a group: inner folds must
 * keep them together. */
static gboolean fill_views(XgStudy *study, const XgTrainerSpec *spec, gsize columns, Part *part,
                           XgFeatures *features, GError **error)
{
    const gsize views = (gsize) study->augmentation.views, rows = spec->train_count;
    g_autofree int32_t *groups = number_groups(study, XG_PART_TRAINING);
    gsize count;
    if (!g_size_checked_mul(&count, views * columns, rows) ||
        !(part->values = g_try_new(float, MAX(count, 1))))
        return xg_error_set(error, XG_NOMEM,
                            "no memory for %" G_GSIZE_FORMAT " views of %" G_GSIZE_FORMAT
                            " feature vectors",
                            views, rows);
    part->labels = g_new(int32_t, MAX(views * rows, 1));
    part->groups = g_new(int32_t, MAX(views * rows, 1));
    for (gsize view = 0; view < views; view++) {
        if (!xg_train_view_features(spec, (gint64) view, tap_of(study),
                                    part->values + view * rows * columns, error))
            return FALSE;
        for (gsize i = 0; i < rows; i++) {
            part->labels[view * rows + i] = study->labels[spec->train_items[i]];
            part->groups[view * rows + i] = groups ? groups[i] : (int32_t) i;
        }
    }
    *features = (XgFeatures){(gint64) (views * rows), (gint64) columns, part->values, part->labels,
                             part->groups};
    return TRUE;
}

gboolean xg_study_fit_classifier(XgStudy *study, GError **error)
{
    const XgTrainerSpec spec = xg_study_trainer_spec(study);
    const XgStrategy *table = xg_instance_table(study->strategy);
    XgValue *tap = tap_of(study);
    const gsize columns = (gsize) xg_shape_elements(&tap->shape);
    g_autofree float *rows = g_try_new(float, spec.item_count *columns);
    if (rows == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for %" G_GSIZE_FORMAT " feature vectors",
                            spec.item_count);
    if (!xg_train_features(&spec, tap, spec.items, spec.item_count, rows, error))
        return FALSE;
    g_free(study->feature_rows);
    study->feature_rows = g_steal_pointer(&rows);
    g_auto(Part) training = {0}, validation = {0};
    XgFeatures train;
    if (!study->augmented || study->augmentation.views == 0)
        train = fill_part(study, XG_PART_TRAINING, columns, &training);
    else if (!fill_views(study, &spec, columns, &training, &train, error))
        return FALSE;
    const Fit fit = {{.train = train,
                      .validation = fill_part(study, XG_PART_VALIDATION, columns, &validation),
                      .classes = study->dataset->class_count,
                      .seed = spec.seed,
                      .threads = xg_pool_threads(study->session->pool),
                      .cancelled = on_cancelled,
                      .progress = on_progress,
                      .note = on_note},
                     study};
    const XgStatus status = table->fit(xg_instance_self(study->strategy), &fit.face);
    return xg_instance_error(study->strategy, status, error);
}

/* ---- Predicting ---------------------------------------------------------------------------- */

/* Rows of finite numbers of at least 0 that sum to 1, or close to it. */
static gboolean check_probabilities(const XgInstance *strategy, gint64 rows, gsize classes,
                                    float *probabilities, GError **error)
{
    for (gint64 i = 0; i < rows; i++) {
        float *row = probabilities + (gsize) i * classes;
        double sum = 0.0;
        gboolean good = TRUE;
        for (gsize k = 0; k < classes; k++) {
            good = good && row[k] >= 0.0f && isfinite(row[k]);
            sum += (double) row[k];
        }
        if (!good || fabs(sum - 1.0) > 1e-3)
            return xg_error_set(error, XG_PLUGIN,
                                "strategy %s, predict: row %" G_GINT64_FORMAT
                                ": expected probabilities that sum to 1, found a sum of %g",
                                xg_instance_entry(strategy)->id, i, sum);
    }
    return TRUE;
}

gboolean xg_classifier_predict(XgInstance *strategy, gint64 rows, gint64 columns,
                               const float *values, gsize classes, float *probabilities,
                               GError **error)
{
    const XgStrategy *table = xg_instance_table(strategy);
    const XgFeatures features = {rows, columns, values, NULL, NULL};
    for (gsize i = 0; i < (gsize) rows * classes; i++)
        probabilities[i] = NAN;
    const XgStatus status = table->predict(xg_instance_self(strategy), &features, probabilities);
    return xg_instance_error(strategy, status, error) &&
           check_probabilities(strategy, rows, classes, probabilities, error);
}

gboolean xg_study_classify(XgStudy *study, float *probabilities, GError **error)
{
    return xg_classifier_predict(study->strategy, study->dataset->items->len,
                                 xg_shape_elements(&tap_of(study)->shape), study->feature_rows,
                                 study->dataset->class_count, probabilities, error);
}

gboolean xg_study_classify_items(XgStudy *study, const XgTrainerSpec *spec, const guint64 *items,
                                 gsize count, float *probabilities, GError **error)
{
    XgValue *tap = tap_of(study);
    const gsize columns = (gsize) xg_shape_elements(&tap->shape);
    g_autofree float *rows = g_try_new(float, MAX(count, 1) * columns);
    if (rows == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for %" G_GSIZE_FORMAT " feature vectors",
                            count);
    return xg_train_features(spec, tap, items, count, rows, error) &&
           xg_classifier_predict(study->strategy, (gint64) count, (gint64) columns, rows,
                                 study->dataset->class_count, probabilities, error);
}

/* ---- Model files --------------------------------------------------------------------------- */

gboolean xg_study_save_classifier(XgStudy *study, XgTensorWriter *writer, XgStrategyState *state,
                                  GError **error)
{
    const XgStrategy *table = xg_instance_table(study->strategy);
    const XgStatus status = table->save(xg_instance_self(study->strategy), &state->face);
    if (!xg_instance_error(study->strategy, status, error))
        return FALSE;
    g_autoptr(GKeyFile) file = g_key_file_new();
    xg_strategy_state_write(state, file, TRUE);
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    if (strlen(text) > MAX_STATE_TEXT)
        return xg_error_set(error, XG_LIMIT,
                            "strategy %s: its state has more numbers of eight bytes than a model "
                            "file can hold; it should save floats",
                            xg_instance_entry(study->strategy)->id);
    xg_tensor_writer_metadata(writer, STATE_KEY, text);
    for (guint i = 0; i < state->tensors->len; i++) {
        const XgStateTensor *tensor = state->tensors->pdata[i];
        g_autofree char *name = g_strconcat(TENSOR_PREFIX, tensor->name, NULL);
        if (tensor->dtype == XG_DTYPE_F32)
            xg_tensor_writer_add(writer, name, tensor->dtype, tensor->rank, tensor->dims,
                                 tensor->values);
    }
    return TRUE;
}

static gboolean read_tensors(XgStrategyState *state, const XgTensorSource *source, GError **error)
{
    for (gsize i = 0; i < source->count; i++) {
        XgWeightInfo info;
        if (!source->info(source->user, i, &info, error))
            return FALSE;
        if (!g_str_has_prefix(info.name, TENSOR_PREFIX))
            continue;
        gsize count = 1;
        for (int k = 0; k < info.rank; k++)
            count *= (gsize) info.dims[k];
        g_autofree float *values = g_try_new(float, MAX(count, 1));
        if (values == NULL)
            return xg_error_set(error, XG_NOMEM, "%s: no memory", info.name);
        if (!source->read(source->user, i, values, count, error))
            return FALSE;
        xg_strategy_state_add(state, info.name + strlen(TENSOR_PREFIX), XG_DTYPE_F32, info.rank,
                              info.dims, g_steal_pointer(&values));
    }
    return TRUE;
}

static gboolean read_state(XgStrategyState *state, const XgTensorSource *source, GError **error)
{
    const char *text = source->metadata(source->user, STATE_KEY);
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (text == NULL)
        return xg_error_set(error, XG_FORMAT, "its classifier's state is missing");
    if (*text != '\0' && !g_key_file_load_from_data(file, text, (gsize) -1, 0, error))
        return FALSE;
    return xg_strategy_state_read(state, file, error) && read_tensors(state, source, error);
}

XgInstance *xg_saved_classifier_open(XgSession *session, const char *id,
                                     const char *const *settings, gsize classes,
                                     const XgTensorSource *source, GError **error)
{
    g_autoptr(XgStrategyState) state = xg_strategy_state_new();
    XgInstance *strategy = xg_session_instance(session, XG_STRATEGY_KIND, id, settings, error);
    if (strategy == NULL)
        return NULL;
    const XgStrategy *table = xg_instance_table(strategy);
    gboolean good = read_state(state, source, error);
    if (good && (table->load == NULL || table->predict == NULL))
        good = xg_error_set(error, XG_PLUGIN, "strategy %s: it is no classifier", id);
    if (good) {
        const gint64 count = (gint64) classes, one = 1;
        xg_strategy_state_add(state, XG_STATE_CLASSES, XG_DTYPE_I64, 1, &one,
                              g_memdup2(&count, sizeof count));
    }
    if (good)
        good = xg_instance_error(strategy, table->load(xg_instance_self(strategy), &state->face),
                                 error);
    if (!good)
        g_clear_pointer(&strategy, xg_instance_free);
    return strategy;
}
