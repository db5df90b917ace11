/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/html.h"

#include "report/format.h"
#include "report/report.h"
#include "report/svg.h"

#include <math.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#5c6670;--line:#d5dae0;"
    "--shade:37 99 235;--warn:#9a4b00;"
    "--c0:#1d5fd1;--c1:#c2410c;--c2:#0f7b55;--c3:#7c3aed;--c4:#a16207;--c5:#be185d;--c6:#0e7490;"
    "--c7:#57534e}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14171a;--soft:#a3adb8;"
    "--line:#39414a;--shade:96 145 255;--warn:#ffb066;"
    "--c0:#7fb0ff;--c1:#ff9b6b;--c2:#5fd3a5;--c3:#c0a1ff;--c4:#e5c35c;--c5:#ff8fc0;--c6:#67d0e6;"
    "--c7:#c2bdb8}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:62rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2rem 0 .5rem}\n"
    "p.sub{color:var(--soft);margin:.2rem 0 1rem}\n"
    ".table{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0 1rem}\n"
    "caption{text-align:left;color:var(--soft);font-size:.9rem;padding:.2rem 0}\n"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid var(--line);text-align:left;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere;vertical-align:top}\n"
    "thead th{border-bottom:2px solid var(--line)}tbody th{font-weight:500}\n"
    ".confusion td{text-align:right;background:rgb(var(--shade) / calc(var(--share) * 55%))}\n"
    ".notes li{margin:.25rem 0}.notes strong{color:var(--warn)}\n"
    "pre{overflow-x:auto;padding:.5rem .75rem;border:1px solid var(--line)}\n"
    "figure{display:inline-block;width:28rem;max-width:100%;margin:.5rem .5rem .5rem 0;"
    "vertical-align:top}\n"
    ".chart{width:100%;height:auto}figcaption,svg text{font-size:.8rem}.chart text{font-size:12px;"
    "fill:var(--soft)}.key{white-space:nowrap;margin-right:.75rem}\n"
    "svg path{fill:none;stroke-width:2;stroke-linejoin:round}.axis{stroke:var(--soft)}"
    ".grid{stroke:var(--line);stroke-width:.5}.mark{stroke:var(--soft);stroke-dasharray:3 4}\n"
    "path.s0{stroke:var(--c0)}path.s1{stroke:var(--c1);stroke-dasharray:7 3}"
    "path.s2{stroke:var(--c2);stroke-dasharray:2 3}path.s3{stroke:var(--c3);"
    "stroke-dasharray:9 3 2 3}path.s4{stroke:var(--c4)}path.s5{stroke:var(--c5);"
    "stroke-dasharray:7 3}path.s6{stroke:var(--c6);stroke-dasharray:2 3}"
    "path.s7{stroke:var(--c7);stroke-dasharray:9 3 2 3}\n"
    "circle.s0{fill:var(--c0)}circle.s1{fill:var(--c1)}circle.s2{fill:var(--c2)}"
    "circle.s3{fill:var(--c3)}circle.s4{fill:var(--c4)}circle.s5{fill:var(--c5)}"
    "circle.s6{fill:var(--c6)}circle.s7{fill:var(--c7)}\n"
    "@media print{body{margin:0;max-width:none;font-size:10pt}section,figure{break-inside:avoid}"
    "pre{white-space:pre-wrap}}\n";

static void append_cells(GString *page, const char *first, const char *first_tag,
                         const char *other_tag, va_list args)
{
    g_string_append_printf(page, "<%s>", first_tag);
    xg_markup_append(page, first);
    g_string_append(page, "</th>");
    for (const char *text; (text = va_arg(args, const char *));) {
        g_string_append_printf(page, "<%s>", other_tag);
        xg_markup_append(page, text);
        g_string_append_printf(page, "</%.2s>", other_tag);
    }
}

void xg_html_table_begin(GString *page, const char *caption, ...)
{
    va_list args;
    g_string_append(page, "<div class=\"table\"><table><caption>");
    xg_markup_append(page, caption);
    g_string_append(page, "</caption>\n<thead><tr>");
    va_start(args, caption);
    const char *first = va_arg(args, const char *);
    append_cells(page, first, "th scope=\"col\"", "th scope=\"col\"", args);
    va_end(args);
    g_string_append(page, "</tr></thead>\n<tbody>\n");
}

void xg_html_table_row(GString *page, const char *header, ...)
{
    va_list args;
    g_string_append(page, "<tr>");
    va_start(args, header);
    append_cells(page, header, "th scope=\"row\"", "td", args);
    va_end(args);
    g_string_append(page, "</tr>\n");
}

void xg_html_table_end(GString *page)
{
    g_string_append(page, "</tbody></table></div>\n");
}

void xg_html_page_begin(GString *page, const char *title)
{
    g_string_append(page,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                    "<meta http-equiv=\"Content-Security-Policy\" "
                    "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>");
    xg_markup_append(page, title);
    g_string_append_printf(page, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>",
                           style);
    xg_markup_append(page, title);
    g_string_append(page, "</h1>\n");
}

void xg_html_page_end(GString *page)
{
    g_string_append(page, "</main>\n</body>\n</html>\n");
}

static void append_head(GString *page, const XgRecord *record)
{
    xg_html_page_begin(page, record->study_name);
    g_string_append(page, "<p class=\"sub\">");
    for (guint i = 0; i < record->components->len; i++) {
        const XgRecordComponent *component = record->components->pdata[i];
        xg_markup_append(page, component->role);
        g_string_append(page, " ");
        xg_markup_append(page, component->id);
        g_string_append(page, ", ");
    }
    g_string_append_printf(page, "seed %" G_GUINT64_FORMAT ", xenograft ", record->seed);
    xg_markup_append(page, record->program_version);
    g_string_append(page, record->started ? ", started " : "");
    xg_markup_append(page, record->started);
    g_string_append(page, "</p>\n");
}

static char *shown(const XgScore *score)
{
    return xg_format_fixed(score->value, 4);
}

static void append_scores(GString *page, const XgRecord *record, XgPart part)
{
    const XgRecordPart *of = &record->parts[part];
    const gboolean intervals = of->clusters > 0;
    g_autofree char *caption =
        g_strdup_printf("Scores on the %s part, %zu images%s%s", xg_part_name(part), of->count,
                        intervals ? "; intervals " : "", intervals ? xg_intervals_by(of) : "");
    xg_html_table_begin(page, caption, "score", "result",
                        intervals ? "95 % interval" : "majority baseline",
                        intervals ? "majority baseline" : NULL, NULL);
    for (const XgHeadline *h = xg_headlines; h->key; h++) {
        g_autofree char *own = shown(xg_headline_score(h, of->metrics));
        g_autofree char *base = shown(xg_headline_score(h, of->baseline));
        g_autofree char *interval = xg_format_interval(&of->intervals[h - xg_headlines]);
        xg_html_table_row(page, h->name, own, intervals ? interval : base, intervals ? base : NULL,
                          NULL);
    }
    xg_html_table_end(page);
}

static void append_headline(GString *page, const XgRecord *record, XgPart part)
{
    append_scores(page, record, part);
    g_string_append(page, "<p>The majority baseline always says \xe2\x80\x9c");
    xg_markup_append(page, record->class_names[record->majority]);
    g_string_append(page, "\xe2\x80\x9d, the most frequent class in training. ");
    if (record->classes == 2) {
        g_string_append(page, "Sensitivity, specificity and AUC are those of \xe2\x80\x9c");
        xg_markup_append(page, record->class_names[record->positive]);
        g_string_append(page, "\xe2\x80\x9d.</p>\n");
    } else {
        g_string_append(page, "Sensitivity, specificity and AUC are means over the classes, each "
                              "against the rest.</p>\n");
    }
    g_autofree char *undefined = xg_undefined_lines(&record->parts[part]);
    if (*undefined) {
        g_auto(GStrv) lines = g_strsplit(g_strchomp(undefined), "\n", -1);
        g_string_append(page, "<ul class=\"notes\">\n");
        for (gsize i = 0; lines[i]; i++) {
            g_string_append(page, "<li>");
            xg_markup_append(page, lines[i]);
            g_string_append(page, "</li>\n");
        }
        g_string_append(page, "</ul>\n");
    }
}

static void append_notes(GString *page, const XgRecord *record)
{
    if (!record->notes->len)
        return;
    g_string_append(page, "<section>\n<h2>Notes</h2>\n<ul class=\"notes\">\n");
    for (guint i = 0; i < record->notes->len; i++) {
        const XgRecordPair *note = record->notes->pdata[i];
        g_string_append(page, "<li><strong>");
        xg_markup_append(page, note->name);
        g_string_append(page, "</strong>: ");
        xg_markup_append(page, note->text);
        g_string_append(page, "</li>\n");
    }
    g_string_append(page, "</ul>\n</section>\n");
}

static void append_classes(GString *page, const XgRecord *record, const XgMetrics *metrics)
{
    xg_html_table_begin(page, "Each class against the rest", "class", "images", "sensitivity",
                        "specificity", "precision (PPV)", "F1", "AUC", NULL);
    for (gsize c = 0; c < record->classes; c++) {
        const XgClassScores *of = &metrics->per_class[c];
        g_autofree char *support = g_strdup_printf("%" G_GINT64_FORMAT, of->support);
        g_autofree char *sensitivity = shown(&of->sensitivity);
        g_autofree char *specificity = shown(&of->specificity);
        g_autofree char *precision = shown(&of->precision), *f1 = shown(&of->f1);
        g_autofree char *auc = shown(&of->auc);
        xg_html_table_row(page, record->class_names[c], support, sensitivity, specificity,
                          precision, f1, auc, NULL);
    }
    xg_html_table_end(page);
}

static void append_confusion(GString *page, const XgRecord *record, const XgMetrics *metrics)
{
    const gsize k = record->classes;
    g_string_append(page, "<div class=\"table\"><table class=\"confusion\"><caption>Confusion "
                          "matrix: rows are true classes, columns predicted ones; shaded by the "
                          "share of the row</caption>\n<thead><tr><th scope=\"col\">true class"
                          "</th>");
    for (gsize c = 0; c < k; c++) {
        g_string_append(page, "<th scope=\"col\">");
        xg_markup_append(page, record->class_names[c]);
        g_string_append(page, "</th>");
    }
    g_string_append(page, "</tr></thead>\n<tbody>\n");
    for (gsize row = 0; row < k; row++) {
        g_string_append(page, "<tr><th scope=\"row\">");
        xg_markup_append(page, record->class_names[row]);
        g_string_append(page, "</th>");
        for (gsize c = 0; c < k; c++) {
            const gint64 count = metrics->confusion[row * k + c];
            const gint64 support = MAX(metrics->per_class[row].support, 1);
            g_autofree char *share = xg_format_fixed((double) count / (double) support, 3);
            g_string_append_printf(page, "<td style=\"--share:%s\">%" G_GINT64_FORMAT "</td>",
                                   share, count);
        }
        g_string_append(page, "</tr>\n");
    }
    xg_html_table_end(page);
}

char *xg_report_html(const XgRecord *record)
{
    GString *page = g_string_new(NULL);
    const XgPart part = xg_headline_part(record);
    append_head(page, record);
    if (part != XG_PARTS) {
        g_string_append(page, "<section>\n<h2>Result</h2>\n");
        append_headline(page, record, part);
        for (int other = 0; other < XG_PARTS; other++)
            if (record->parts[other].metrics && other != (int) part)
                append_scores(page, record, (XgPart) other);
        g_string_append(page, "</section>\n");
    }
    append_notes(page, record);
    if (part != XG_PARTS) {
        const XgMetrics *metrics = record->parts[part].metrics;
        g_string_append(page, "<section>\n<h2>Classes</h2>\n");
        append_classes(page, record, metrics);
        append_confusion(page, record, metrics);
        xg_html_append_roc(page, record, part);
        g_string_append(page, "</section>\n");
    }
    if (record->history->len) {
        g_string_append(page, "<section>\n<h2>Learning curves</h2>\n");
        xg_html_append_learning_curves(page, record);
        g_string_append(page, "</section>\n");
    }
    xg_html_append_methods(page, record);
    xg_html_page_end(page);
    return g_string_free(page, FALSE);
}
