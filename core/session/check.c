/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include "base/json.h"

#include <string.h>

/* What `check` found out of one phase. */
typedef struct {
    const XgPhase *phase;
    XgPhaseFacts facts;
    XgPhaseEstimate estimate;
    double seconds; /* of all its epochs; the frozen part once, or as often as images change */
} PhaseReport;

/* Images that pass the frozen part: each once and once more for each view that is kept, or at
 * each epoch. */
static double frozen_runs(const XgTrainerSpec *spec, const XgPhaseEstimate *estimate, double epochs)
{
    const XgTrainAugmentation *augmentation = spec->augmentation;
    const double trained = (double) spec->train_count;
    if (estimate->streamed)
        return epochs * (trained + (double) spec->validation_count);
    const double again = augmentation == NULL      ? 0.0
                         : augmentation->views > 0 ? (double) augmentation->views
                                                   : epochs;
    return (double) spec->item_count + again * trained;
}

static gboolean estimate_phase(XgStudy *study, guint index, PhaseReport *report, GError **error)
{
    const XgTrainerSpec spec = xg_study_trainer_spec(study);
    report->phase = study->plan->phases->pdata[index];
    if (!xg_train_estimate(&spec, index, &report->estimate, error))
        return FALSE;
    xg_phase_facts(report->phase, study->network, &report->facts);
    const XgPhaseEstimate *e = &report->estimate;
    const double trained = (double) spec.train_count, validated = (double) spec.validation_count;
    const double epochs = (double) report->phase->epochs;
    report->seconds = e->frozen_seconds_per_image * frozen_runs(&spec, e, epochs) +
                      epochs * (e->training_seconds_per_image * trained +
                                e->evaluation_seconds_per_image * validated);
    return TRUE;
}

static double mebibytes(gsize bytes)
{
    return (double) bytes / (1 << 20);
}

static void phase_text(GString *text, const PhaseReport *report)
{
    const XgPhaseEstimate *e = &report->estimate;
    g_string_append_printf(
        text,
        "phase %s\n"
        "  trained blocks      %s\n"
        "  trained parameters  %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " (%.2f %%)\n"
        "  trained layers      %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " (fine-tuning ratio %.3f)\n"
        "  frozen part         %u kernels (%u on reference kernels), %u batch norms folded, %u "
        "operators fused, arena %.1f MiB, %.1f ms per image, %" G_GINT64_FORMAT
        " values per image %s\n"
        "  training program    %u kernels (%u on reference kernels), arena %.1f MiB, scratch %.1f "
        "MiB, %.2f ms per image, %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " images of a batch at once, %u kernels compute again\n"
        "  batch norm          %s\n"
        "  planned memory      %.1f MiB\n"
        "  estimated time      %.0f s at most (%" G_GINT64_FORMAT " epochs)\n",
        report->phase->name, report->facts.blocks, report->facts.trained_elements,
        report->facts.all_elements,
        100.0 * (double) report->facts.trained_elements /
            (double) MAX(report->facts.all_elements, 1),
        report->facts.trained_layers, report->facts.all_layers,
        (double) report->facts.trained_layers / (double) MAX(report->facts.all_layers, 1),
        e->frozen.nodes, e->frozen.reference_nodes, e->frozen.folded, e->frozen.fused,
        mebibytes(e->frozen.arena_bytes), 1e3 * e->frozen_seconds_per_image, e->boundary_elements,
        e->streamed ? "computed at each pass" : "kept", e->training.nodes,
        e->training.reference_nodes, mebibytes(e->training.arena_bytes),
        mebibytes(e->training.scratch_bytes), 1e3 * e->training_seconds_per_image, e->training_rows,
        report->phase->batch_size, e->training.again, xg_phase_bn_name(report->phase),
        mebibytes(e->peak_bytes), report->seconds, report->phase->epochs);
}

static void phase_json(JsonBuilder *builder, const PhaseReport *report)
{
    const XgPhaseEstimate *e = &report->estimate;
    json_builder_begin_object(builder);
    xg_json_text(builder, "name", report->phase->name);
    xg_json_text(builder, "blocks", report->facts.blocks);
    xg_json_integer(builder, "trained_parameters", report->facts.trained_elements);
    xg_json_integer(builder, "parameters", report->facts.all_elements);
    xg_json_integer(builder, "trained_layers", report->facts.trained_layers);
    xg_json_integer(builder, "layers", report->facts.all_layers);
    xg_json_integer(builder, "boundary_values", e->boundary_elements);
    xg_json_integer(builder, "frozen_arena_bytes", (gint64) e->frozen.arena_bytes);
    xg_json_integer(builder, "training_arena_bytes", (gint64) e->training.arena_bytes);
    xg_json_integer(builder, "scratch_bytes", (gint64) e->training.scratch_bytes);
    xg_json_integer(builder, "batch_size", report->phase->batch_size);
    xg_json_integer(builder, "images_at_once", e->training_rows);
    xg_json_integer(builder, "kernels_again", e->training.again);
    xg_json_integer(builder, "planned_bytes", (gint64) e->peak_bytes);
    xg_json_text(builder, "batch_norm", xg_phase_bn_name(report->phase));
    xg_json_number(builder, "fine_tuning_ratio",
                   (double) report->facts.trained_layers /
                       (double) MAX(report->facts.all_layers, 1));
    xg_json_number(builder, "frozen_seconds_per_image", e->frozen_seconds_per_image);
    xg_json_number(builder, "training_seconds_per_image", e->training_seconds_per_image);
    xg_json_number(builder, "evaluation_seconds_per_image", e->evaluation_seconds_per_image);
    json_builder_set_member_name(builder, "outputs_kept");
    json_builder_add_boolean_value(builder, !e->streamed);
    xg_json_integer(builder, "epochs", report->phase->epochs);
    xg_json_number(builder, "estimated_seconds", report->seconds);
    json_builder_end_object(builder);
}

static void data_text(GString *text, const XgStudy *study)
{
    g_string_append_printf(text, "data  %u images, %u classes:", study->dataset->items->len,
                           study->dataset->class_count);
    g_autofree guint *sizes = xg_dataset_class_sizes(study->dataset);
    for (guint k = 0; k < study->dataset->class_count; k++)
        g_string_append_printf(text, " %s %u%s", study->dataset->class_names[k], sizes[k],
                               k == study->positive ? " (positive)" : "");
    g_string_append(text, "\nsplit ");
    for (int part = 0; part < XG_PARTS; part++)
        g_string_append_printf(text, " %s %u", xg_part_name(part), study->split->parts[part]->len);
    g_string_append_printf(
        text,
        "\nimages %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
        "x%" G_GINT64_FORMAT " px, %u grey, %u colour (%u of them grey in every pixel), "
        "%u of 16 bit\n",
        study->check->min_width_px, study->check->min_height_px, study->check->max_width_px,
        study->check->max_height_px, study->check->grey, study->check->colour, study->check->plain,
        study->check->deep);
    g_string_append_printf(text,
                           "input  %" G_GINT64_FORMAT " channels (channels = %s; published weights "
                           "have %" G_GINT64_FORMAT ")\n",
                           study->backbone->channels,
                           xg_resolved_text(study->resolved, "data", "channels"),
                           study->backbone->size->channels);
    g_string_append_printf(text, "preprocessing  %s\naugmentation  %s\nengine  %s: %s\n\n",
                           study->preprocess_text, study->augment_text, study->engine->identity,
                           study->engine->reason);
    g_string_append_printf(text, "%s\n", study->plan_text);
}

static void data_json(JsonBuilder *builder, const XgStudy *study)
{
    xg_json_integer(builder, "images", study->dataset->items->len);
    xg_json_integer(builder, "channels", study->backbone->channels);
    xg_json_begin_object(builder, "split");
    for (int part = 0; part < XG_PARTS; part++)
        xg_json_integer(builder, xg_part_name(part), study->split->parts[part]->len);
    json_builder_end_object(builder);
    xg_json_text(builder, "engine", study->engine->identity);
    xg_json_text(builder, "augmentation", study->augment_text);
    xg_json_text(builder, "plan", study->plan_text);
}

/* What the phases and the classifier come to. */
typedef struct {
    gsize arena, planned;
    double seconds;
} Totals;

static void add_phase(Totals *totals, const PhaseReport *report)
{
    const XgPhaseEstimate *e = &report->estimate;
    totals->arena = MAX(totals->arena, MAX(e->frozen.arena_bytes, e->training.arena_bytes));
    totals->planned = MAX(totals->planned, e->peak_bytes);
    totals->seconds += report->seconds;
}

/* Feature vectors, and the matrix that the classifier learns from; what it does with them is its
 * own. */
static gboolean add_classifier(XgStudy *study, GString *text, JsonBuilder *builder, Totals *totals,
                               GError **error)
{
    XgPhaseEstimate e;
    const XgTrainerSpec spec = xg_study_trainer_spec(study);
    XgValue *tap = g_hash_table_lookup(study->network->taps, study->plan->tap);
    if (!xg_train_estimate_features(&spec, tap, &e, error))
        return FALSE;
    const double seconds = e.frozen_seconds_per_image * (double) spec.item_count;
    g_string_append_printf(
        text,
        "classifier\n"
        "  feature vectors     %" G_GINT64_FORMAT
        " values per image, %u kernels (%u on reference kernels), arena %.1f MiB, %.1f ms per "
        "image\n"
        "  planned memory      %.1f MiB\n"
        "  estimated time      %.0f s at most, and the classifier's own\n",
        e.boundary_elements, e.frozen.nodes, e.frozen.reference_nodes,
        mebibytes(e.frozen.arena_bytes), 1e3 * e.frozen_seconds_per_image, mebibytes(e.peak_bytes),
        seconds);
    xg_json_begin_object(builder, "classifier");
    xg_json_integer(builder, "feature_values", e.boundary_elements);
    xg_json_integer(builder, "frozen_arena_bytes", (gint64) e.frozen.arena_bytes);
    xg_json_integer(builder, "planned_bytes", (gint64) e.peak_bytes);
    xg_json_number(builder, "frozen_seconds_per_image", e.frozen_seconds_per_image);
    xg_json_number(builder, "estimated_seconds", seconds);
    json_builder_end_object(builder);
    totals->arena = MAX(totals->arena, e.frozen.arena_bytes);
    totals->planned = MAX(totals->planned, e.peak_bytes);
    totals->seconds += seconds;
    return TRUE;
}

char *xg_study_check(XgStudy *study, gboolean json, GError **error)
{
    if (!xg_study_prepare(study, error))
        return NULL;
    if (study->first != NULL)
        return xg_study_check(study->first, json, error);
    const guint runs = study->series ? study->series->runs->len : 1;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(GString) text = g_string_new(NULL);
    json_builder_begin_object(builder);
    data_text(text, study);
    data_json(builder, study);
    xg_json_begin_array(builder, "phases");
    Totals totals = {0};
    for (guint i = 0; i < study->plan->phases->len; i++) {
        PhaseReport report;
        if (!estimate_phase(study, i, &report, error))
            return NULL;
        phase_text(text, &report);
        phase_json(builder, &report);
        add_phase(&totals, &report);
        xg_phase_facts_clear(&report.facts);
    }
    json_builder_end_array(builder);
    if (xg_study_has_classifier(study) && !add_classifier(study, text, builder, &totals, error))
        return NULL;
    xg_json_integer(builder, "peak_arena_bytes", (gint64) totals.arena);
    xg_json_integer(builder, "planned_bytes", (gint64) totals.planned);
    xg_json_number(builder, "estimated_seconds", totals.seconds * runs);
    xg_json_integer(builder, "runs", runs);
    json_builder_end_object(builder);
    g_string_append_printf(text,
                           "peak planned memory %.1f MiB, besides the program itself and an image "
                           "being decoded per thread\nestimated time in all %.0f s at most",
                           mebibytes(totals.planned), totals.seconds * runs);
    if (runs > 1)
        g_string_append_printf(text, ", %u runs, of which this is the first", runs);
    g_string_append_c(text, '\n');
    if (!json)
        return g_string_free(g_steal_pointer(&text), FALSE);
    return xg_json_finish(builder, TRUE);
}
