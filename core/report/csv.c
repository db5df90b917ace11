/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/format.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

void xg_format_csv_field(GString *csv, const char *text, gboolean last)
{
    const char *field = text ? text : "";
    const gsize length = strlen(field);
    const gboolean quote = length && (strpbrk(field, ",\"\r\n") || strchr(" \t", field[0]) ||
                                      strchr(" \t", field[length - 1]));
    if (quote)
        g_string_append_c(csv, '"');
    for (const char *p = field; *p; p++) {
        if (*p == '"')
            g_string_append_c(csv, '"');
        g_string_append_c(csv, *p);
    }
    if (quote)
        g_string_append_c(csv, '"');
    g_string_append_c(csv, last ? '\n' : ',');
}

static void add_number(GString *csv, double value, gboolean last)
{
    g_autofree char *text = xg_format_number(value);
    xg_format_csv_field(csv, text, last);
}

static void add_integer(GString *csv, gint64 value, gboolean last)
{
    g_autofree char *text = value < 0 ? NULL : g_strdup_printf("%" G_GINT64_FORMAT, value);
    xg_format_csv_field(csv, text, last);
}

static void add_predictions(GString *csv, const XgRecord *record, XgPart part)
{
    const XgRecordPart *of = &record->parts[part];
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    for (gsize i = 0; of->probabilities && i < of->count; i++) {
        xg_format_csv_field(csv, of->paths[i], FALSE);
        xg_format_csv_field(csv, of->patient_names ? of->patient_names[i] : NULL, FALSE);
        xg_format_csv_field(csv, xg_part_name(part), FALSE);
        xg_format_csv_field(csv, record->class_names[of->labels[i]], FALSE);
        for (gsize c = 0; c < record->classes; c++) {
            g_ascii_formatd(number, sizeof number, "%.9g",
                            (double) of->probabilities[i * record->classes + c]);
            xg_format_csv_field(csv, number, c + 1 == record->classes);
        }
    }
}

char *xg_report_predictions_csv(const XgRecord *record)
{
    GString *csv = g_string_new("path,patient,split,label,");
    for (gsize c = 0; c < record->classes; c++) {
        g_autofree char *name = g_strconcat("prob:", record->class_names[c], NULL);
        xg_format_csv_field(csv, name, c + 1 == record->classes);
    }
    for (int part = 0; part < XG_PARTS; part++)
        add_predictions(csv, record, (XgPart) part);
    return g_string_free(csv, FALSE);
}

char *xg_report_history_csv(const XgRecord *record)
{
    GString *csv = g_string_new("phase,epoch,learning_rate,train_loss,validation_loss,"
                                "validation_accuracy,validation_balanced_accuracy,"
                                "validation_auc,best\n");
    for (guint i = 0; i < record->history->len; i++) {
        const XgRecordEpoch *row = record->history->pdata[i];
        xg_format_csv_field(csv, row->phase, FALSE);
        add_integer(csv, row->epoch, FALSE);
        add_number(csv, row->learning_rate, FALSE);
        add_number(csv, row->train_loss, FALSE);
        add_number(csv, row->validation_loss, FALSE);
        add_number(csv, row->validation_accuracy, FALSE);
        add_number(csv, row->validation_balanced_accuracy, FALSE);
        add_number(csv, row->validation_auc, FALSE);
        xg_format_csv_field(csv, row->best ? "1" : "0", TRUE);
    }
    return g_string_free(csv, FALSE);
}

static const char *component_id(const XgRecord *record, const char *role)
{
    for (guint i = 0; i < record->components->len; i++) {
        const XgRecordComponent *component = record->components->pdata[i];
        if (strcmp(component->role, role) == 0)
            return component->id;
    }
    return NULL;
}

char *xg_report_study_row_csv(const XgRecord *record)
{
    GString *csv = g_string_new("study,model,accuracy,auc,sensitivity,specificity,transfer_type,"
                                "fine_tuning_ratio,modality,subject,data_quantity,classes,"
                                "hardware,time_s\n");
    const XgMetrics *metrics = record->parts[XG_PART_TEST].metrics;
    gint64 images = 0;
    double seconds = 0;
    for (int part = 0; part < XG_PARTS; part++)
        images += (gint64) record->parts[part].count;
    for (guint i = 0; i < record->timings->len; i++)
        seconds += ((const XgRecordTiming *) record->timings->pdata[i])->seconds;
    xg_format_csv_field(csv, record->study_name, FALSE);
    xg_format_csv_field(csv, component_id(record, "backbone"), FALSE);
    add_number(csv, metrics ? metrics->accuracy.value : NAN, FALSE);
    add_number(csv, metrics ? metrics->auc.value : NAN, FALSE);
    add_number(csv, metrics ? metrics->sensitivity.value : NAN, FALSE);
    add_number(csv, metrics ? metrics->specificity.value : NAN, FALSE);
    xg_format_csv_field(csv, record->transfer_type, FALSE);
    add_number(csv, xg_record_fine_tuning_ratio(record), FALSE);
    xg_format_csv_field(csv, record->modality, FALSE);
    xg_format_csv_field(csv, record->subject, FALSE);
    add_integer(csv, images, FALSE);
    add_integer(csv, (gint64) record->classes, FALSE);
    xg_format_csv_field(csv, record->hardware, FALSE);
    add_number(csv, seconds, TRUE);
    return g_string_free(csv, FALSE);
}
