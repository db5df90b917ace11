/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

int command_check(int argc, char **argv)
{
    gboolean json = FALSE, force = FALSE;
    g_auto(GStrv) overrides = NULL;
    g_autofree char *preview = NULL;
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &overrides, "override a setting of the study",
         "SECTION.KEY=VALUE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
        {"preview", 0, 0, G_OPTION_ARG_FILENAME, &preview,
         "write what the network sees of some images", "FILE.png"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &force, "let --preview write over its file", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("check", entries, &argc, &argv, 1, 1);
    if (status >= 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(interruptible_events(), &error);
    g_autoptr(XgStudy) study =
        session ? xg_study_open(session, argv[1], (const char *const *) overrides, &error) : NULL;
    const gboolean shown =
        study && (preview == NULL || xg_study_preview(study, preview, force, &error));
    g_autofree char *text = shown ? xg_study_check(study, json, &error) : NULL;
    terminal_finish();
    return text ? print_text(text) : report_error(error, EXIT_WRONG_INPUT);
}
