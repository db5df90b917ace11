/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

int command_weights(int argc, char **argv)
{
    gboolean json = FALSE;
    g_autofree char *backbone = NULL;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
                                    {"match", 0, 0, G_OPTION_ARG_STRING, &backbone,
                                     "show which tensors of that backbone match", "BACKBONE"},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("weights", entries, &argc, &argv, 1, 1);
    if (status >= 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    g_autofree char *text =
        session ? xg_session_weights(session, argv[1], backbone, json, &error) : NULL;
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}
