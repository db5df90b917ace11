/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

int command_list(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("list", entries, &argc, &argv, 0, 1);
    if (status >= 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    g_autofree char *text =
        session ? xg_session_list(session, argc > 1 ? argv[1] : NULL, json, &error) : NULL;
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}
