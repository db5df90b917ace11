/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <string.h>

/* "a,b" as two, and "id:key=x,y" as one: settings may hold commas. */
static GStrv split_items(char *const *texts)
{
    g_autoptr(GStrvBuilder) items = g_strv_builder_new();
    for (; texts != NULL && *texts != NULL; texts++) {
        g_auto(GStrv) parts =
            strchr(*texts, '=') ? g_strsplit(*texts, "\n", 1) : g_strsplit(*texts, ",", -1);
        for (char **part = parts; *part != NULL; part++)
            if (*g_strstrip(*part) != '\0')
                g_strv_builder_add(items, *part);
    }
    return g_strv_builder_end(items);
}

static void add_number(GStrvBuilder *overrides, const char *key, gint64 value)
{
    g_autofree char *text = g_strdup_printf("%s=%" G_GINT64_FORMAT, key, value);
    if (value > 0)
        g_strv_builder_add(overrides, text);
}

typedef struct {
    GStrv overrides, backbones, strategies, weights;
    char *output, *folds;
    gint64 seeds, jobs;
    gboolean resume;
} Options;

static void options_clear(Options *o)
{
    g_strfreev(o->overrides);
    g_strfreev(o->backbones);
    g_strfreev(o->strategies);
    g_strfreev(o->weights);
    g_free(o->output);
    g_free(o->folds);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static int compare(const Options *o, const char *study)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (o->overrides != NULL)
        g_strv_builder_addv(builder, (const char **) o->overrides);
    add_number(builder, "study.seeds", o->seeds);
    g_autofree char *folds = g_strconcat("data.folds=", o->folds, NULL);
    if (o->folds != NULL)
        g_strv_builder_add(builder, folds);
    g_auto(GStrv) overrides = g_strv_builder_end(builder);
    g_auto(GStrv) backbones = split_items(o->backbones);
    g_auto(GStrv) strategies = split_items(o->strategies);
    g_autofree char *program = g_file_read_link("/proc/self/exe", &error);
    g_autoptr(XgSession) session = program ? xg_session_new(interruptible_events(), &error) : NULL;
    const XgGrid grid = {.study = study,
                         .overrides = (const char *const *) overrides,
                         .backbones = (const char *const *) backbones,
                         .strategies = (const char *const *) strategies,
                         .weights = (const char *const *) o->weights,
                         .output = o->output,
                         .program = program,
                         .jobs = o->jobs,
                         .resume = o->resume};
    guint failed = 0;
    g_autofree char *text = session ? xg_session_compare(session, &grid, &failed, &error) : NULL;
    if (text == NULL)
        return report_error(error, g_error_matches(error, XG_ERROR, INVALID_INPUT)
                                       ? EXIT_WRONG_INPUT
                                       : EXIT_WORK_FAILED);
    terminal_finish();
    const int status = print_text(text);
    return status == EXIT_DONE && failed > 0 ? EXIT_WORK_FAILED : status;
}

int command_compare(int argc, char **argv)
{
    g_auto(Options) o = {.jobs = 1};
    const GOptionEntry entries[] = {
        {"backbones", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &o.backbones,
         "backbones, separated by commas; one with settings by itself", "ID,ID|ID:KEY=VALUE:..."},
        {"strategies", 't', 0, G_OPTION_ARG_STRING_ARRAY, &o.strategies, "strategies, the same way",
         "ID,ID|ID:KEY=VALUE:..."},
        {"weights", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &o.weights,
         "weights of a backbone; else BACKBONE.safetensors (.pth, ...) beside the study's",
         "BACKBONE=FILE"},
        {"seeds", 0, 0, G_OPTION_ARG_INT64, &o.seeds, "seeds from the study's on", "N"},
        {"folds", 0, 0, G_OPTION_ARG_STRING, &o.folds, "folds of a cross-validation, or patient",
         "N|patient"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT64, &o.jobs,
         "cells at the same time; they share threads and the memory limit", "N"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output,
         "folder of the results; else the study's output with -compare", "FOLDER"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &o.overrides, "override a setting of the study",
         "SECTION.KEY=VALUE"},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &o.resume, "go on with an interrupted comparison",
         NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("compare", entries, &argc, &argv, 1, 1);
    return status >= 0 ? status : compare(&o, argv[1]);
}
