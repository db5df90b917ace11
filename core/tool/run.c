/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

int command_run(int argc, char **argv)
{
    gboolean resume = FALSE;
    g_auto(GStrv) overrides = NULL;
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &overrides, "override a setting of the study",
         "SECTION.KEY=VALUE"},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &resume, "go on with an interrupted run", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    const int status = parse_options("run", entries, &argc, &argv, 1, 1);
    if (status >= 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgSession) session = xg_session_new(interruptible_events(), &error);
    g_autoptr(XgStudy) study =
        session ? xg_study_open(session, argv[1], (const char *const *) overrides, &error) : NULL;
    if (study == NULL || !xg_study_prepare(study, &error))
        return report_error(error, EXIT_WRONG_INPUT);
    if (!xg_study_run(study, resume, &error))
        return report_error(error, g_error_matches(error, XG_ERROR, INVALID_INPUT)
                                       ? EXIT_WRONG_INPUT
                                       : EXIT_WORK_FAILED);
    terminal_finish();
    return print_text(xg_study_summary(study));
}
