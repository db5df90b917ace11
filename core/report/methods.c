/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/format.h"
#include "report/html.h"
#include "report/svg.h"

#include <math.h>

static char *integer(gint64 value)
{
    return value < 0 ? g_strdup("not known") : g_strdup_printf("%" G_GINT64_FORMAT, value);
}

static void append_data(GString *page, const XgRecord *record)
{
    g_string_append(page, "<section>\n<h2>Data</h2>\n");
    xg_html_table_begin(page, "Images per class and part", "class", "training", "validation",
                        "test", NULL);
    for (gsize c = 0; c < record->classes; c++) {
        g_autofree char *train = integer(xg_record_class_count(record, XG_PART_TRAINING, c));
        g_autofree char *valid = integer(xg_record_class_count(record, XG_PART_VALIDATION, c));
        g_autofree char *test = integer(xg_record_class_count(record, XG_PART_TEST, c));
        xg_html_table_row(page, record->class_names[c], train, valid, test, NULL);
    }
    const XgRecordPart *parts = record->parts;
    g_autofree char *a = integer((gint64) parts[0].count), *b = integer((gint64) parts[1].count);
    g_autofree char *c = integer((gint64) parts[2].count), *d = integer(parts[0].patients);
    g_autofree char *e = integer(parts[1].patients), *f = integer(parts[2].patients);
    xg_html_table_row(page, "all images", a, b, c, NULL);
    xg_html_table_row(page, "patients", d, e, f, NULL);
    xg_html_table_end(page);
    g_string_append(page, "</section>\n");
}

static char *part_of(gint64 trained, gint64 all)
{
    g_autofree char *first = integer(trained), *second = integer(all);
    return g_strdup_printf("%s of %s", first, second);
}

static void append_plan(GString *page, const XgRecord *record)
{
    g_autofree char *ratio = xg_format_fixed(xg_record_fine_tuning_ratio(record), 3);
    g_autofree char *parameters = integer(record->parameters);
    g_autofree char *features = integer(record->feature_parameters);
    g_string_append(page, "<section>\n<h2>Plan</h2>\n");
    if (record->plan->len) {
        g_string_append(page, "<pre>");
        for (guint i = 0; i < record->plan->len; i++) {
            xg_markup_append(page, record->plan->pdata[i]);
            g_string_append_c(page, '\n');
        }
        g_string_append(page, "</pre>\n");
    }
    xg_html_table_begin(page, "Phases", "phase", "trained blocks", "trained parameters",
                        "trained layers", NULL);
    for (guint i = 0; i < record->phases->len; i++) {
        const XgRecordPhase *phase = record->phases->pdata[i];
        g_autofree char *elements = part_of(phase->trained_elements, phase->all_elements);
        g_autofree char *layers = part_of(phase->trained_layers, phase->all_layers);
        xg_html_table_row(page, phase->name, phase->blocks ? phase->blocks : "", elements, layers,
                          NULL);
    }
    xg_html_table_end(page);
    g_string_append_printf(page,
                           "<p>Parameters: %s, without the head %s. Fine-tuning ratio (trained "
                           "layers of all layers): %s.",
                           parameters, features, ratio);
    if (record->best_phase) {
        g_string_append(page, " Kept weights: phase ");
        xg_markup_append(page, record->best_phase);
        g_string_append_printf(page, ", epoch %" G_GINT64_FORMAT ".", record->best_epoch);
    }
    g_string_append(page, "</p>\n</section>\n");
}

static void append_components(GString *page, const XgRecord *record)
{
    g_string_append(page, "<section>\n<h2>Components</h2>\n");
    xg_html_table_begin(page, "What took part", "role", "component", "version", "licence",
                        "citation", NULL);
    for (guint i = 0; i < record->components->len; i++) {
        const XgRecordComponent *component = record->components->pdata[i];
        xg_html_table_row(page, component->role, component->id ? component->id : "",
                          component->version ? component->version : "",
                          component->licence ? component->licence : "",
                          component->citation ? component->citation : "", NULL);
    }
    xg_html_table_end(page);
    g_string_append(page, "</section>\n");
}

static void append_settings(GString *page, const XgRecord *record)
{
    g_string_append(page, "<section>\n<h2>Effective settings</h2>\n");
    xg_html_table_begin(page, "Every key of the study", "section", "key", "value", "from", NULL);
    for (guint i = 0; i < record->settings->len; i++) {
        const XgRecordSetting *setting = record->settings->pdata[i];
        xg_html_table_row(page, setting->section, setting->key, setting->value,
                          setting->set ? "study" : "default", NULL);
    }
    xg_html_table_end(page);
    g_string_append(page, "</section>\n");
}

static void append_machine(GString *page, const XgRecord *record)
{
    g_string_append(page, "<section>\n<h2>Machine and time</h2>\n");
    xg_html_table_begin(page, "Environment", "name", "value", NULL);
    xg_html_table_row(page, "hardware", record->hardware ? record->hardware : "not known", NULL);
    for (guint i = 0; i < record->environment->len; i++) {
        const XgRecordPair *pair = record->environment->pdata[i];
        xg_html_table_row(page, pair->name, pair->text ? pair->text : "", NULL);
    }
    if (record->peak_memory_bytes >= 0) {
        g_autofree char *peak =
            g_format_size_full((guint64) record->peak_memory_bytes, G_FORMAT_SIZE_IEC_UNITS);
        xg_html_table_row(page, "peak memory", peak, NULL);
    }
    xg_html_table_end(page);
    xg_html_table_begin(page, "Time", "activity", "seconds", NULL);
    for (guint i = 0; i < record->timings->len; i++) {
        const XgRecordTiming *timing = record->timings->pdata[i];
        g_autofree char *seconds = xg_format_fixed(timing->seconds, 2);
        xg_html_table_row(page, timing->name, seconds, NULL);
    }
    xg_html_table_end(page);
    g_string_append(page, "</section>\n");
}

void xg_html_append_methods(GString *page, const XgRecord *record)
{
    append_data(page, record);
    append_plan(page, record);
    append_components(page, record);
    append_settings(page, record);
    append_machine(page, record);
}
