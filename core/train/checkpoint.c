/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/writer.h"
#include "train/run.h"
#include "train/strategy_state.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* The metadata key under which a checkpoint keeps its state, a GLib key file. */
#define STATE_KEY "xenograft.checkpoint"

/* ---- State as text ------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    gsize offset;
    enum { WHOLE, REAL, FLAG } type;
} Field;

#define FIELD(member, type)                                                                        \
    {                                                                                              \
#member, G_STRUCT_OFFSET(XgTrainState, member), type                                       \
    }
static const Field fields[] = {
    FIELD(epoch, WHOLE),       FIELD(step, WHOLE),        FIELD(loss_sum, REAL),
    FIELD(rate_scale, REAL),   FIELD(last_rate, REAL),    FIELD(best_epoch, WHOLE),
    FIELD(best_score, REAL),   FIELD(best_loss, REAL),    FIELD(kept_phase, WHOLE),
    FIELD(kept_epoch, WHOLE),  FIELD(kept_score, REAL),   FIELD(kept_loss, REAL),
    FIELD(total_steps, WHOLE), FIELD(stop_phase, FLAG),   FIELD(stop_training, FLAG),
    FIELD(next_phase, WHOLE),  FIELD(plateau_best, REAL), FIELD(plateau_bad, WHOLE),
};

static void put_field(GKeyFile *file, const Field *field, const XgTrainState *state)
{
    const void *at = (const char *) state + field->offset;
    if (field->type == REAL)
        g_key_file_set_double(file, "state", field->name, *(const double *) at);
    else if (field->type == WHOLE)
        g_key_file_set_int64(file, "state", field->name, *(const gint64 *) at);
    else
        g_key_file_set_boolean(file, "state", field->name, *(const gboolean *) at);
}

static gboolean get_field(GKeyFile *file, const Field *field, XgTrainState *state, GError **error)
{
    GError *missing = NULL;
    void *at = (char *) state + field->offset;
    if (field->type == REAL)
        *(double *) at = g_key_file_get_double(file, "state", field->name, &missing);
    else if (field->type == WHOLE)
        *(gint64 *) at = g_key_file_get_int64(file, "state", field->name, &missing);
    else
        *(gboolean *) at = g_key_file_get_boolean(file, "state", field->name, &missing);
    if (missing == NULL)
        return TRUE;
    g_propagate_error(error, missing);
    return FALSE;
}

/* Columns of a history row in a checkpoint. */
enum { ROW_COLUMNS = 10 };

static void put_history(GKeyFile *file, const GPtrArray *history)
{
    for (guint i = 0; i < history->len; i++) {
        const XgHistoryRow *row = history->pdata[i];
        double columns[ROW_COLUMNS] = {(double) row->phase_index,
                                       (double) row->epoch,
                                       row->learning_rate,
                                       row->train_loss,
                                       row->validation_loss,
                                       row->validation_accuracy,
                                       row->validation_balanced_accuracy,
                                       row->validation_auc,
                                       row->best,
                                       row->seconds};
        g_autofree char *key = g_strdup_printf("%u", i);
        g_key_file_set_double_list(file, "history", key, columns, ROW_COLUMNS);
    }
}

static void put_notes(GKeyFile *file, const GPtrArray *notes)
{
    if (notes->len > 0)
        g_key_file_set_string_list(file, "run", "notes", (const char *const *) notes->pdata,
                                   notes->len);
}

/* What the strategy said before the interruption belongs to the record too. */
static void get_notes(XgTrainRun *run, GKeyFile *file)
{
    g_auto(GStrv) notes = g_key_file_get_string_list(file, "run", "notes", NULL, NULL);
    for (char **note = notes; note != NULL && *note != NULL; note++) {
        g_ptr_array_add(run->notes, g_strdup(*note));
        if (run->spec->note != NULL)
            run->spec->note(*note, run->spec->user);
    }
}

static gboolean save_strategy(const XgTrainRun *run, GKeyFile *file, GError **error)
{
    const XgStrategy *strategy = run->spec->strategy;
    if (strategy == NULL || strategy->save == NULL)
        return TRUE;
    g_autoptr(XgStrategyState) state = xg_strategy_state_new();
    const XgStatus status = strategy->save(run->spec->strategy_self, &state->face);
    if (!xg_run_strategy_ok(run, status, "save", error))
        return FALSE;
    xg_strategy_state_write(state, file, FALSE);
    return TRUE;
}

static gboolean load_strategy(const XgTrainRun *run, GKeyFile *file, GError **error)
{
    const XgStrategy *strategy = run->spec->strategy;
    if (strategy == NULL || strategy->load == NULL)
        return TRUE;
    g_autoptr(XgStrategyState) state = xg_strategy_state_new();
    return xg_strategy_state_read(state, file, error) &&
           xg_run_strategy_ok(run, strategy->load(run->spec->strategy_self, &state->face), "load",
                              error);
}

static char *state_text(const XgTrainRun *run, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_key_file_set_string(file, "run", "identity", run->spec->identity);
    g_key_file_set_uint64(file, "run", "phase", run->state.phase);
    g_key_file_set_uint64(file, "run", "phases", run->spec->plan->phases->len);
    if (run->optimiser != NULL)
        g_key_file_set_int64(file, "run", "optimiser_steps", xg_optimiser_steps(run->optimiser));
    g_key_file_set_uint64(file, "run", "rows", run->result->history->len);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        put_field(file, &fields[i], &run->state);
    put_history(file, run->result->history);
    put_notes(file, run->notes);
    if (!save_strategy(run, file, error))
        return NULL;
    return g_key_file_to_data(file, NULL, NULL);
}

static XgHistoryRow *row_from_columns(const XgTrainRun *run, const double *columns)
{
    const GPtrArray *phases = run->spec->plan->phases;
    if (!(columns[0] >= 0 && columns[0] < phases->len))
        return NULL;
    XgHistoryRow *row = g_new0(XgHistoryRow, 1);
    row->phase_index = (gint64) columns[0];
    row->phase = g_strdup(((const XgPhase *) phases->pdata[row->phase_index])->name);
    row->epoch = (gint64) columns[1];
    row->learning_rate = columns[2];
    row->train_loss = columns[3];
    row->validation_loss = columns[4];
    row->validation_accuracy = columns[5];
    row->validation_balanced_accuracy = columns[6];
    row->validation_auc = columns[7];
    row->best = columns[8] != 0.0;
    row->seconds = columns[9];
    return row;
}

static gboolean get_history(XgTrainRun *run, GKeyFile *file, GError **error)
{
    const guint64 rows = g_key_file_get_uint64(file, "run", "rows", NULL);
    for (guint64 i = 0; i < rows; i++) {
        gsize count = 0;
        g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT, i);
        g_autofree double *columns = g_key_file_get_double_list(file, "history", key, &count, NULL);
        XgHistoryRow *row =
            columns != NULL && count == ROW_COLUMNS ? row_from_columns(run, columns) : NULL;
        if (row == NULL)
            return xg_error_set(error, XG_FORMAT, "%s: damaged history in the checkpoint",
                                run->spec->checkpoint->path);
        g_ptr_array_add(run->result->history, row);
    }
    return TRUE;
}

static gboolean check_state(const XgTrainRun *run, GKeyFile *file, GError **error)
{
    const XgTrainState *state = &run->state;
    const char *path = run->spec->checkpoint->path;
    const GPtrArray *phases = run->spec->plan->phases;
    const guint64 count = g_key_file_get_uint64(file, "run", "phases", NULL);
    if (count > phases->len)
        return xg_error_set(error, XG_UNSUPPORTED,
                            "%s: the strategy opened phases during the training, which cannot be "
                            "resumed: the plan has %u, the checkpoint %" G_GUINT64_FORMAT,
                            path, phases->len, count);
    const gint64 last = (gint64) phases->len - 1;
    if (count != phases->len || state->phase >= count || state->kept_phase < -1 ||
        state->kept_phase > last || state->next_phase < -1 || state->next_phase > last)
        return xg_error_set(error, XG_FORMAT, "%s: phases that the plan does not have", path);
    const XgPhase *phase = phases->pdata[state->phase];
    const gint64 images = (gint64) run->spec->train_count;
    if (state->epoch < 0 || state->epoch > phase->epochs || state->step < 0 ||
        state->step > images || state->best_epoch < 0 || state->best_epoch > state->epoch ||
        state->total_steps < 0)
        return xg_error_set(error, XG_FORMAT, "%s: epochs or steps that the plan does not have",
                            path);
    return TRUE;
}

static gboolean get_state(XgTrainRun *run, GKeyFile *file, GError **error)
{
    const char *path = run->spec->checkpoint->path;
    g_autofree char *identity = g_key_file_get_string(file, "run", "identity", NULL);
    if (g_strcmp0(identity, run->spec->identity) != 0)
        return xg_error_set(error, XG_INVALID,
                            "%s is the checkpoint of another run: settings, images, weights, "
                            "engine or threads differ",
                            path);
    g_autoptr(GError) missing = NULL;
    const guint64 phase = g_key_file_get_uint64(file, "run", "phase", &missing);
    run->state.phase = (guint) MIN(phase, G_MAXUINT);
    for (gsize i = 0; i < G_N_ELEMENTS(fields) && missing == NULL; i++)
        get_field(file, &fields[i], &run->state, &missing);
    if (missing != NULL)
        return xg_error_set(error, XG_FORMAT, "%s: %s", path, missing->message);
    if (!check_state(run, file, error) || !get_history(run, file, error) ||
        !load_strategy(run, file, error))
        return FALSE;
    get_notes(run, file);
    return TRUE;
}

static GKeyFile *parse_state(const XgTrainRun *run, GError **error)
{
    const XgTensorSource *source = run->spec->checkpoint;
    const char *text = source->metadata(source->user, STATE_KEY);
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (text == NULL || !g_key_file_load_from_data(file, text, strlen(text), 0, NULL)) {
        xg_error_set(error, XG_FORMAT, "%s: not a checkpoint", source->path);
        return NULL;
    }
    return g_steal_pointer(&file);
}

/* ---- Tensors ------------------------------------------------------------------------------- */

static void add_tensor(XgTensorWriter *writer, const char *prefix, const char *name, gint64 count,
                       const float *values)
{
    g_autofree char *full = g_strconcat(prefix, name, NULL);
    xg_tensor_writer_add(writer, full, XG_DTYPE_F32, 1, &count, values);
}

static void add_snapshot(XgTensorWriter *writer, const char *prefix, const XgTrainRun *run,
                         const XgSnapshot *snapshot)
{
    for (guint i = 0; i < run->changing->len; i++) {
        const XgStored *stored = run->changing->pdata[i];
        const float *values = xg_snapshot_find(snapshot, stored->name);
        if (values != NULL)
            add_tensor(writer, prefix, stored->name, stored->count, values);
    }
}

/* The last one stays beside the new one, should that come to harm. */
static gboolean keep_previous(const char *path, GError **error)
{
    g_autofree char *previous = xg_checkpoint_previous(path);
    return g_rename(path, previous) == 0 || errno == ENOENT ||
           xg_error_set(error, XG_IO, "%s: cannot be renamed to %s: %s", path, previous,
                        g_strerror(errno));
}

char *xg_checkpoint_previous(const char *path)
{
    return g_strconcat(path, ".previous", NULL);
}

gboolean xg_checkpoint_save(XgTrainRun *run, GError **error)
{
    g_autoptr(XgTensorWriter) writer = xg_tensor_writer_new();
    g_autofree char *text = state_text(run, error);
    if (text == NULL)
        return FALSE;
    xg_tensor_writer_metadata(writer, STATE_KEY, text);
    for (guint i = 0; i < run->changing->len; i++) {
        const XgStored *stored = run->changing->pdata[i];
        add_tensor(writer, "model:", stored->name, stored->count, stored->values);
    }
    add_snapshot(writer, "best:", run, run->best);
    add_snapshot(writer, "kept:", run, run->kept);
    for (guint i = 0; i < run->phase_results->len; i++) {
        g_autofree char *prefix = g_strdup_printf("phase%u:", i);
        if (run->phase_results->pdata[i] != NULL)
            add_snapshot(writer, prefix, run, run->phase_results->pdata[i]);
    }
    const char *name;
    for (guint i = 0;
         run->optimiser != NULL && (name = xg_optimiser_state_name(run->optimiser, i)) != NULL;
         i++) {
        gint64 count;
        const float *values = xg_optimiser_state(run->optimiser, i, &count);
        add_tensor(writer, "optimiser:", name, count, values);
    }
    return keep_previous(run->spec->checkpoint_path, error) &&
           xg_tensor_writer_save(writer, run->spec->checkpoint_path, error);
}

/* Reads the tensor of that name, if there is one. */
static gboolean read_tensor(const XgTrainRun *run, const char *name, gint64 count, float *values,
                            gboolean *found, GError **error)
{
    const XgTensorSource *source = run->spec->checkpoint;
    *found = FALSE;
    for (gsize i = 0; i < source->count; i++) {
        XgWeightInfo info;
        if (!source->info(source->user, i, &info, error))
            return FALSE;
        if (strcmp(info.name, name) != 0)
            continue;
        if (info.dtype != XG_DTYPE_F32 || info.rank != 1 || info.dims[0] != count)
            return xg_error_set(error, XG_FORMAT, "%s: %s: expected %" G_GINT64_FORMAT " floats",
                                source->path, name, count);
        *found = TRUE;
        return source->read(source->user, i, values, (gsize) count, error);
    }
    return TRUE;
}

static gboolean require_tensor(const XgTrainRun *run, const char *prefix, const char *name,
                               gint64 count, float *values, GError **error)
{
    g_autofree char *full = g_strconcat(prefix, name, NULL);
    gboolean found;
    if (!read_tensor(run, full, count, values, &found, error))
        return FALSE;
    return found || xg_error_set(error, XG_FORMAT, "%s: tensor %s is missing",
                                 run->spec->checkpoint->path, full);
}

/* Fills a snapshot with the copies that the checkpoint has under that prefix: all or none. */
static gboolean load_snapshot(const XgTrainRun *run, const char *prefix, XgSnapshot *snapshot,
                              gboolean *any, GError **error)
{
    guint copies = 0;
    for (guint i = 0; i < run->changing->len; i++) {
        XgStored *stored = run->changing->pdata[i];
        g_autofree char *name = g_strconcat(prefix, stored->name, NULL);
        g_autofree float *values = g_try_new(float, (gsize) stored->count);
        gboolean found = FALSE;
        if (values == NULL)
            return xg_error_set(error, XG_NOMEM, "no memory for %s", name);
        if (!read_tensor(run, name, stored->count, values, &found, error))
            return FALSE;
        if (!found)
            continue;
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_ptr_array_add(one, stored);
        if (!xg_snapshot_take(snapshot, one, error))
            return FALSE;
        memcpy(xg_snapshot_find(snapshot, stored->name), values,
               sizeof(float) * (gsize) stored->count);
        copies++;
    }
    *any = copies > 0;
    return copies == 0 || copies == run->changing->len ||
           xg_error_set(error, XG_FORMAT, "%s: tensors %s* are not complete",
                        run->spec->checkpoint->path, prefix);
}

static gboolean load_phase_results(XgTrainRun *run, GError **error)
{
    for (guint i = 0; i < run->spec->plan->phases->len; i++) {
        g_autofree char *prefix = g_strdup_printf("phase%u:", i);
        XgSnapshot *snapshot = xg_snapshot_new();
        gboolean any = FALSE;
        const gboolean good = load_snapshot(run, prefix, snapshot, &any, error);
        if (!good || !any)
            g_clear_pointer(&snapshot, xg_snapshot_free);
        g_ptr_array_add(run->phase_results, snapshot);
        if (!good)
            return FALSE;
    }
    return TRUE;
}

gboolean xg_checkpoint_load(XgTrainRun *run, GError **error)
{
    g_autoptr(GKeyFile) file = parse_state(run, error);
    if (file == NULL || !get_state(run, file, error))
        return FALSE;
    gboolean best = FALSE, kept = FALSE;
    if (!load_snapshot(run, "best:", run->best, &best, error) ||
        !load_snapshot(run, "kept:", run->kept, &kept, error) || !load_phase_results(run, error))
        return FALSE;
    if (!best && run->state.best_epoch > 0)
        return xg_error_set(error, XG_FORMAT, "%s: tensors best:* are missing",
                            run->spec->checkpoint->path);
    for (guint i = 0; i < run->changing->len; i++) {
        XgStored *stored = run->changing->pdata[i];
        if (!require_tensor(run, "model:", stored->name, stored->count, stored->values, error))
            return FALSE;
    }
    return TRUE;
}

gboolean xg_checkpoint_load_optimiser(XgTrainRun *run, GError **error)
{
    if (run->state.epoch == 0 && run->state.step == 0)
        return TRUE;
    g_autoptr(GKeyFile) file = parse_state(run, error);
    if (file == NULL)
        return FALSE;
    xg_optimiser_set_steps(run->optimiser,
                           g_key_file_get_int64(file, "run", "optimiser_steps", NULL));
    const char *name;
    for (guint i = 0; (name = xg_optimiser_state_name(run->optimiser, i)) != NULL; i++) {
        gint64 count;
        float *values = xg_optimiser_state(run->optimiser, i, &count);
        if (!require_tensor(run, "optimiser:", name, count, values, error))
            return FALSE;
    }
    return TRUE;
}
