/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file html.h  Parts of the HTML report. [any] */
#ifndef XG_REPORT_HTML_H
#define XG_REPORT_HTML_H

#include "report/record.h"

G_BEGIN_DECLS

/** All before the first paragraph: document head, style, the title as heading. */
void xg_html_page_begin(GString *page, const char *title);
void xg_html_page_end(GString *page);

/** The curves of an evaluated part: of the positive class of two, of each class of more. */
void xg_html_append_roc(GString *page, const XgRecord *record, XgPart part);

/** Loss and validation scores over the epochs; the history must not be empty. */
void xg_html_append_learning_curves(GString *page, const XgRecord *record);

/** The sections on how the result came about: data, plan, components, settings, machine. */
void xg_html_append_methods(GString *page, const XgRecord *record);

/** `<table>` with a caption and a header row: column names, ended by NULL. */
void xg_html_table_begin(GString *page, const char *caption, ...) G_GNUC_NULL_TERMINATED;
/** A row: the first text is the row's header; ended by NULL. */
void xg_html_table_row(GString *page, const char *header, ...) G_GNUC_NULL_TERMINATED;
void xg_html_table_end(GString *page);

G_END_DECLS

#endif
