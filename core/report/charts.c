/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/html.h"
#include "report/format.h"
#include "report/svg.h"

#include <math.h>
#include <string.h>

/* The points of one class as two columns, owned by `columns`. */
static XgSvgSeries roc_series(const XgPredictionSet *set, const XgMetrics *metrics, gsize c,
                              GPtrArray *columns)
{
    g_autoptr(GArray) curve = xg_roc_curve(set, c);
    double *x = g_new(double, curve->len + 1), *y = g_new(double, curve->len + 1);
    g_autofree char *auc = xg_format_fixed(metrics->per_class[c].auc.value, 3);
    char *name = g_strdup_printf("%s (AUC %s)", set->class_names[c], auc);
    for (guint i = 0; i < curve->len; i++) {
        const XgRocPoint *point = &g_array_index(curve, XgRocPoint, i);
        x[i] = point->false_positive_rate;
        y[i] = point->true_positive_rate;
    }
    g_ptr_array_add(columns, x);
    g_ptr_array_add(columns, y);
    g_ptr_array_add(columns, name);
    return (XgSvgSeries){name, x, y, curve->len};
}

void xg_html_append_roc(GString *page, const XgRecord *record, XgPart part)
{
    const XgPredictionSet set = xg_record_predictions(record, part);
    const XgMetrics *metrics = record->parts[part].metrics;
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(g_free);
    XgSvgSeries series[XG_SVG_SERIES];
    gsize count = 0;
    if (record->classes == 2)
        series[count++] = roc_series(&set, metrics, record->positive, columns);
    for (gsize c = 0; record->classes > 2 && c < record->classes && count < XG_SVG_SERIES; c++)
        series[count++] = roc_series(&set, metrics, c, columns);
    const XgSvgChart chart = {
        .id = "roc",
        .title = "Receiver operating characteristic",
        .description = "True positive rate over false positive rate, one class against the rest; "
                       "the dashed diagonal is chance.",
        .x_label = "false positive rate (1 - specificity)",
        .y_label = "true positive rate (sensitivity)",
        .x_high = 1,
        .y_high = 1,
        .diagonal = TRUE,
        .series = series,
        .series_count = count,
    };
    xg_svg_append(page, &chart);
    if (record->classes > 2 && count < record->classes)
        g_string_append_printf(page, "<p>Curves of the first %zu of %zu classes.</p>\n", count,
                               record->classes);
}

/* Where the axis of losses ends at the latest. */
static const double LOSS_SHOWN = 1e12;

/* The history as columns over all epochs, and where phases begin. */
typedef struct {
    gsize count;
    double *epoch;
    double *values[5]; /* train loss, validation loss, accuracy, balanced accuracy, AUC */
    double *marks;
    gsize mark_count;
    double loss_high;
} Curves;

static void curves_clear(Curves *curves)
{
    for (gsize i = 0; i < G_N_ELEMENTS(curves->values); i++)
        g_free(curves->values[i]);
    g_free(curves->epoch);
    g_free(curves->marks);
}

static void curves_init(Curves *curves, const XgRecord *record)
{
    const gsize n = record->history->len;
    *curves = (Curves){.count = n, .epoch = g_new(double, n + 1), .marks = g_new(double, n + 1)};
    for (gsize i = 0; i < G_N_ELEMENTS(curves->values); i++)
        curves->values[i] = g_new(double, n + 1);
    for (gsize i = 0; i < n; i++) {
        const XgRecordEpoch *row = record->history->pdata[i];
        const double values[] = {row->train_loss, row->validation_loss, row->validation_accuracy,
                                 row->validation_balanced_accuracy, row->validation_auc};
        curves->epoch[i] = (double) (i + 1);
        for (gsize j = 0; j < G_N_ELEMENTS(values); j++)
            curves->values[j][i] = values[j];
        for (gsize j = 0; j < 2; j++)
            if (isfinite(values[j]))
                curves->loss_high = fmin(fmax(curves->loss_high, values[j]), LOSS_SHOWN);
        if (i && strcmp(row->phase, ((XgRecordEpoch *) record->history->pdata[i - 1])->phase) != 0)
            curves->marks[curves->mark_count++] = (double) i + 0.5;
    }
}

void xg_html_append_learning_curves(GString *page, const XgRecord *record)
{
    Curves curves;
    curves_init(&curves, record);
    const gsize n = curves.count;
    const XgSvgSeries losses[] = {{"training loss", curves.epoch, curves.values[0], n},
                                  {"validation loss", curves.epoch, curves.values[1], n}};
    const XgSvgSeries scores[] = {
        {"validation accuracy", curves.epoch, curves.values[2], n},
        {"validation balanced accuracy", curves.epoch, curves.values[3], n},
        {"validation AUC", curves.epoch, curves.values[4], n}};
    XgSvgChart chart = {
        .id = "loss",
        .title = "Loss by epoch",
        .description = "Training and validation loss; dashed vertical lines separate phases. The "
                       "numbers are in history.csv.",
        .x_label = "epoch, over all phases",
        .y_label = "loss",
        .x_low = 1,
        .x_high = n > 1 ? (double) n : 2,
        .x_whole = TRUE,
        .y_high = curves.loss_high > 0 ? curves.loss_high * 1.05 : 1,
        .marks = curves.marks,
        .mark_count = curves.mark_count,
        .series = losses,
        .series_count = G_N_ELEMENTS(losses),
    };
    xg_svg_append(page, &chart);
    chart.id = "scores";
    chart.title = "Validation scores by epoch";
    chart.description = "Accuracy, balanced accuracy and AUC of the validation part. The numbers "
                        "are in history.csv.";
    chart.y_label = "score";
    chart.y_high = 1;
    chart.series = scores;
    chart.series_count = G_N_ELEMENTS(scores);
    xg_svg_append(page, &chart);
    curves_clear(&curves);
}
