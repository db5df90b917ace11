/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A study file of any bytes: what is read and holds no mistake must survive being written. */
#include "config/sections.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_round_trip(const XgStudyFile *file)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) values = xg_resolved_new();
    for (guint i = 0; i < xg_study_file_count(file); i++) {
        const XgStudyEntry *entry = xg_study_file_entry(file, i);
        xg_resolved_set(values, entry->section, entry->key, entry->value, entry->value, TRUE);
    }
    g_autofree char *text = xg_resolved_write(values, NULL, NULL);
    if (!text)
        return;
    g_autoptr(XgStudyFile) again =
        xg_study_file_parse("again.ini", "/", text, strlen(text), problems, NULL);
    g_assert_true(again && xg_problems_count(problems) == 0);
    g_assert_cmpuint(xg_study_file_count(again), ==, xg_study_file_count(file));
    for (guint i = 0; i < xg_study_file_count(file); i++) {
        const XgStudyEntry *entry = xg_study_file_entry(file, i);
        g_assert_cmpstr(xg_study_file_value(again, entry->section, entry->key), ==, entry->value);
    }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) resolved = xg_resolved_new();
    g_autoptr(XgStudyFile) file =
        xg_study_file_parse("study.ini", "/", (const char *) data, size, problems, NULL);
    if (!file)
        return 0;
    check_round_trip(file);
    xg_study_sections_validate(file, xg_section_names, problems);
    for (gsize i = 0; xg_section_names[i]; i++) {
        const XgParam *const tables[] = {xg_section_params(xg_section_names[i]), NULL};
        xg_study_section_validate(file, xg_section_names[i], tables, resolved, problems);
    }
    xg_sections_finish(file, resolved, problems);
    g_autofree char *text = xg_problems_text(problems);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    return 0;
}
