/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

typedef struct {
    char *mode, *engine;
    GStrv settings;
    gint64 batch, threads, memory_mib, slowest;
    double seconds;
    gboolean profile, json;
} Options;

static void options_clear(Options *o)
{
    g_free(o->mode);
    g_free(o->engine);
    g_strfreev(o->settings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static int bench(const Options *o, const char *backbone)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(interruptible_events(), &error);
    const XgBenchWish wish = {
        .backbone = backbone,
        .settings = (const char *const *) o->settings,
        .mode = o->mode ? o->mode : "infer",
        .engine = o->engine ? o->engine : "auto",
        .batch = o->batch,
        .threads = o->threads,
        .seconds = o->seconds,
        .memory_limit = CLAMP(o->memory_mib, -1, G_MAXINT64 >> 20) * (1 << 20),
        .slowest = o->profile ? o->slowest : 0,
    };
    g_autofree char *text = session ? xg_session_bench(session, &wish, o->json, &error) : NULL;
    if (text == NULL)
        return report_error(error, g_error_matches(error, XG_ERROR, INVALID_INPUT)
                                       ? EXIT_WRONG_INPUT
                                       : EXIT_WORK_FAILED);
    return print_text(text);
}

int command_bench(int argc, char **argv)
{
    g_auto(Options) o = {.batch = 32, .seconds = 4.0, .slowest = 10};
    const GOptionEntry entries[] = {
        {"mode", 'm', 0, G_OPTION_ARG_STRING, &o.mode,
         "what is run: inference (the default), up to the features, training of the top block or "
         "of all",
         "infer|features|partial|full"},
        {"batch", 'b', 0, G_OPTION_ARG_INT64, &o.batch, "images of a run; 32 by default", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT64, &o.threads, "else one per processor", "N"},
        {"engine", 0, 0, G_OPTION_ARG_STRING, &o.engine,
         "an engine, with parameters or without, reference, or auto (the default)",
         "ID[:KEY=VALUE]"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds,
         "how long runs are repeated; 4 by default", "S"},
        {"memory", 0, 0, G_OPTION_ARG_INT64, &o.memory_mib,
         "what training may plan to hold; else any", "MIB"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &o.settings,
         "a parameter of the backbone, or classes=N, size=PX, channels=N", "KEY=VALUE"},
        {"profile", 0, 0, G_OPTION_ARG_NONE, &o.profile, "time by operator, and the slowest nodes",
         NULL},
        {"slowest", 0, 0, G_OPTION_ARG_INT64, &o.slowest,
         "how many nodes of the profile; 10 by default", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "print JSON", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("bench", entries, &argc, &argv, 1, 1);
    return status >= 0 ? status : bench(&o, argv[1]);
}
