/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/format.h"
#include "report/report.h"

#include "base/file.h"

#include <string.h>

static void add_scores(GString *text, const XgRecord *record, XgPart part)
{
    const XgRecordPart *of = &record->parts[part];
    g_autofree char *undefined = xg_undefined_lines(of);
    g_autofree char *majority = xg_format_line(record->class_names[record->majority]);
    g_autofree char *positive = xg_format_line(record->class_names[record->positive]);
    g_string_append_printf(text, "%s: %zu images; majority baseline: always \"%s\"\n",
                           xg_part_name(part), of->count, majority);
    g_string_append_printf(text, "%-20s %10s  %-16s %10s\n", "", "result", "95 % interval",
                           "baseline");
    for (const XgHeadline *h = xg_headlines; h->key; h++) {
        g_autofree char *own = xg_format_fixed(xg_headline_score(h, of->metrics)->value, 4);
        g_autofree char *base = xg_format_fixed(xg_headline_score(h, of->baseline)->value, 4);
        g_autofree char *interval = xg_format_interval(&of->intervals[h - xg_headlines]);
        g_string_append_printf(text, "%-20s %10s  %-16s %10s\n", h->name, own, interval, base);
    }
    g_string_append_printf(text, "intervals: bootstrap %s, %d replicates\n", xg_intervals_by(of),
                           XG_BOOTSTRAP_REPLICATES);
    if (record->classes == 2)
        g_string_append_printf(text, "positive class: \"%s\"\n", positive);
    g_string_append(text, undefined);
    g_autofree char *notice =
        xg_metrics_notice(of->metrics, (const char *const *) record->class_names);
    if (notice != NULL)
        g_string_append_printf(text, "notice: %s\n", notice);
}

char *xg_report_summary(const XgRecord *record)
{
    GString *text = g_string_new(NULL);
    const XgPart part = xg_headline_part(record);
    if (part != XG_PARTS)
        add_scores(text, record, part);
    return g_string_free(text, FALSE);
}

gboolean xg_report_write(const XgRecord *record, const char *folder, GError **error)
{
    static const struct {
        const char *name;
        char *(*text)(const XgRecord *record);
    } files[] = {
        {"predictions.csv", xg_report_predictions_csv}, {"history.csv", xg_report_history_csv},
        {"study_row.csv", xg_report_study_row_csv},     {"report.html", xg_report_html},
        {"result.json", xg_report_result_json},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
        g_autofree char *text = files[i].text(record);
        if (!xg_file_replace(path, text, strlen(text), error))
            return FALSE;
    }
    return TRUE;
}
