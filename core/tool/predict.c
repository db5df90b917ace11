/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <stdio.h>

typedef struct {
    gboolean json;
    gboolean started;
    gboolean failed;
} Output;

static void on_result(const XgPrediction *p, void *user)
{
    Output *out = user;
    if (p->error != NULL) {
        fprintf(stderr, "xenograft: %s\n", p->error);
        out->failed = TRUE;
        return;
    }
    g_autofree char *text = xg_prediction_format(p, out->json, !out->started);
    out->started = TRUE;
    if (print_text(text) != EXIT_DONE)
        out->failed = TRUE;
}

int command_predict(int argc, char **argv)
{
    Output out = {0};
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &out.json, "print JSON lines instead of CSV", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("predict", entries, &argc, &argv, 2, -1);
    if (status >= 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    const gboolean done =
        session && xg_session_predict(session, argv[1], (const char *const *) argv + 2, on_result,
                                      &out, &error);
    if (!done)
        return report_error(error, EXIT_WRONG_INPUT);
    return out.failed ? EXIT_WORK_FAILED : EXIT_DONE;
}
