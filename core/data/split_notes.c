/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/split.h"

enum { NAMES_SHOWN = 10 };

static void add_names(GString *line, const XgDataset *dataset, const GArray *set)
{
    for (guint i = 0; i < set->len; i++)
        g_string_append_printf(line, "%s%s", i ? " = " : "",
                               xg_dataset_item(dataset, g_array_index(set, guint, i))->name);
}

static char *duplicates_note(const XgSplit *split, const XgDataset *dataset)
{
    GString *line = g_string_new(NULL);
    g_string_printf(line, "%u files in %u sets of equal content%s: ", split->duplicate_files,
                    split->duplicates->len,
                    split->crossing_duplicates ? "" : ", each kept in one part");
    for (guint s = 0; s < split->duplicates->len && s < NAMES_SHOWN; s++) {
        g_string_append(line, s ? "; " : "");
        add_names(line, dataset, g_ptr_array_index(split->duplicates, s));
    }
    if (split->duplicates->len > NAMES_SHOWN)
        g_string_append_printf(line, "; and %u more", split->duplicates->len - NAMES_SHOWN);
    return g_string_free(line, FALSE);
}

static char *contradictions_note(const XgSplit *split, const XgDataset *dataset)
{
    GString *line = g_string_new(NULL);
    g_string_printf(
        line, "%u sets of equal files have contradicting labels: ", split->contradicting->len);
    for (guint s = 0; s < split->contradicting->len && s < NAMES_SHOWN; s++) {
        g_string_append(line, s ? "; " : "");
        add_names(
            line, dataset,
            g_ptr_array_index(split->duplicates, g_array_index(split->contradicting, guint, s)));
    }
    if (split->contradicting->len > NAMES_SHOWN)
        g_string_append_printf(line, "; and %u more", split->contradicting->len - NAMES_SHOWN);
    return g_string_free(line, FALSE);
}

static char *crossing_note(const XgSplit *split)
{
    GString *line = g_string_new(NULL);
    g_string_printf(line, "%u patients have images in more than one part of the given split: ",
                    split->crossing_patients->len);
    for (guint i = 0; i < split->crossing_patients->len && i < NAMES_SHOWN; i++)
        g_string_append_printf(line, "%s%s", i ? ", " : "",
                               (const char *) split->crossing_patients->pdata[i]);
    if (split->crossing_patients->len > NAMES_SHOWN)
        g_string_append_printf(line, " and %u more", split->crossing_patients->len - NAMES_SHOWN);
    return g_string_free(line, FALSE);
}

char **xg_split_notes(const XgSplit *split, const XgDataset *dataset)
{
    GPtrArray *notes = g_ptr_array_new();
    if (split->duplicates->len > 0)
        g_ptr_array_add(notes, duplicates_note(split, dataset));
    if (split->contradicting->len > 0)
        g_ptr_array_add(notes, contradictions_note(split, dataset));
    if (split->crossing_duplicates > 0)
        g_ptr_array_add(notes,
                        g_strdup_printf("%u sets of equal files have files in more than one part "
                                        "of the given split",
                                        split->crossing_duplicates));
    if (split->crossing_patients->len > 0)
        g_ptr_array_add(notes, crossing_note(split));
    g_ptr_array_add(notes, NULL);
    return (char **) g_ptr_array_free(notes, FALSE);
}
