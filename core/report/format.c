/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/format.h"

#include "base/text.h"

#include <math.h>

const XgHeadline xg_headlines[] = {
    {"accuracy", "accuracy", G_STRUCT_OFFSET(XgMetrics, accuracy)},
    {"balanced_accuracy", "balanced accuracy", G_STRUCT_OFFSET(XgMetrics, balanced_accuracy)},
    {"auc", "AUC", G_STRUCT_OFFSET(XgMetrics, auc)},
    {"sensitivity", "sensitivity", G_STRUCT_OFFSET(XgMetrics, sensitivity)},
    {"specificity", "specificity", G_STRUCT_OFFSET(XgMetrics, specificity)},
    {"macro_f1", "macro F1", G_STRUCT_OFFSET(XgMetrics, macro_f1)},
    {NULL, NULL, 0},
};

const XgScore *xg_headline_score(const XgHeadline *headline, const XgMetrics *metrics)
{
    return (const XgScore *) ((const char *) metrics + headline->offset);
}

XgPart xg_headline_part(const XgRecord *record)
{
    if (record->parts[XG_PART_TEST].metrics)
        return XG_PART_TEST;
    return record->parts[XG_PART_VALIDATION].metrics ? XG_PART_VALIDATION : XG_PARTS;
}

char *xg_format_number(double value)
{
    return isfinite(value) ? xg_text_from_double(value) : g_strdup("");
}

char *xg_format_fixed(double value, int digits)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE + 310];
    char format[] = {'%', '.', (char) ('0' + digits), 'f', 0};
    if (isnan(value))
        return g_strdup("undefined");
    return g_strdup(g_ascii_formatd(text, sizeof text, format, value));
}

char *xg_format_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GString *line = g_string_new(NULL);
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        const gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(line, g_unichar_iscntrl(c) ? 0xFFFD : c);
    }
    return g_string_free(line, FALSE);
}

char *xg_format_interval(const XgInterval *interval)
{
    g_autofree char *low = xg_format_fixed(interval->low, 4);
    g_autofree char *high = xg_format_fixed(interval->high, 4);
    return isnan(interval->low) ? g_steal_pointer(&low) : g_strconcat(low, " to ", high, NULL);
}

const char *xg_intervals_by(const XgRecordPart *part)
{
    return part->patient_names ? "by patient" : "by image";
}

char *xg_undefined_lines(const XgRecordPart *part)
{
    GString *lines = g_string_new(NULL);
    for (const XgHeadline *h = xg_headlines; h->key; h++) {
        const XgScore *score = xg_headline_score(h, part->metrics);
        const XgInterval *interval = &part->intervals[h - xg_headlines];
        if (score->reason) {
            g_autofree char *reason = xg_format_line(score->reason);
            g_string_append_printf(lines, "%s is undefined: %s\n", h->name, reason);
        } else if (interval->reason) {
            g_string_append_printf(lines, "%s has no interval: %s\n", h->name, interval->reason);
        }
    }
    return g_string_free(lines, FALSE);
}
