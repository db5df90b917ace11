/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <stdio.h>
#include <string.h>

int command_show(int argc, char **argv)
{
    gboolean json = FALSE, table = FALSE;
    g_autofree char *graph = NULL;
    g_auto(GStrv) settings = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
        {"table", 0, 0, G_OPTION_ARG_NONE, &table, "all backbones in one table, instead of ID",
         NULL},
        {"graph", 0, 0, G_OPTION_ARG_STRING, &graph, "print a backbone's graph", "text|dot"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &settings,
         "a parameter of the component, or classes=N, size=PX, channels=N", "KEY=VALUE"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("show", entries, &argc, &argv, 0, 1);
    if (status >= 0)
        return status;
    if ((argc == 2) == table || (table && graph != NULL)) {
        fputs("xenograft: usage: xenograft show ID or xenograft show --table\n", stderr);
        return EXIT_WRONG_INPUT;
    }
    XgShowForm form = json ? XG_SHOW_JSON : XG_SHOW_TEXT;
    if (graph != NULL && strcmp(graph, "text") != 0 && strcmp(graph, "dot") != 0) {
        fprintf(stderr, "xenograft: --graph: expected text or dot, found \"%s\"\n", graph);
        return EXIT_WRONG_INPUT;
    }
    if (graph != NULL)
        form = strcmp(graph, "dot") == 0 ? XG_SHOW_GRAPH_DOT : XG_SHOW_GRAPH_TEXT;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    const char *const *given = (const char *const *) settings;
    g_autofree char *text = session == NULL ? NULL
                            : table         ? xg_session_table(session, json, given, &error)
                                    : xg_session_show(session, argv[1], form, given, &error);
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}
