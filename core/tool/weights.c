/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <stdio.h>
#include <string.h>

static int convert(int argc, char **argv)
{
    g_autofree char *backbone = NULL, *licence = NULL;
    g_auto(GStrv) settings = NULL;
    gboolean force = FALSE;
    const GOptionEntry entries[] = {
        {"backbone", 'b', 0, G_OPTION_ARG_STRING, &backbone, "whose names are written", "BACKBONE"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &settings,
         "a parameter of the backbone, or size=PX, channels=N", "KEY=VALUE"},
        {"licence", 0, 0, G_OPTION_ARG_STRING, &licence,
         "licence of the weights; otherwise what the file says", "SPDX"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &force, "write over OUT", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("weights convert", entries, &argc, &argv, 2, 2);
    if (status >= 0)
        return status;
    if (backbone == NULL) {
        fputs("xenograft: weights convert: --backbone BACKBONE is missing\n", stderr);
        return EXIT_WRONG_INPUT;
    }
    const XgConversion wanted = {.in = argv[1],
                                 .out = argv[2],
                                 .backbone = backbone,
                                 .settings = (const char *const *) settings,
                                 .licence = licence,
                                 .force = force};
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    g_autofree char *text = session ? xg_session_convert(session, &wanted, &error) : NULL;
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}

int command_weights(int argc, char **argv)
{
    gboolean json = FALSE;
    g_autofree char *backbone = NULL;
    g_auto(GStrv) settings = NULL;
    if (argc > 1 && strcmp(argv[1], "convert") == 0)
        return convert(argc - 1, argv + 1);
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
        {"match", 0, 0, G_OPTION_ARG_STRING, &backbone, "show which tensors of that backbone match",
         "BACKBONE"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &settings,
         "with --match: a parameter of the backbone, or size=PX, channels=N, classes=N",
         "KEY=VALUE"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("weights", entries, &argc, &argv, 1, 1);
    if (status >= 0)
        return status;
    if (settings != NULL && backbone == NULL) {
        fputs("xenograft: weights: --set needs --match BACKBONE\n", stderr);
        return EXIT_WRONG_INPUT;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(terminal_events(), &error);
    g_autofree char *text = session
                                ? xg_session_weights(session, argv[1], backbone,
                                                     (const char *const *) settings, json, &error)
                                : NULL;
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}
