/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/comparison.h"
#include "session/grid.h"

static gboolean sum_up(XgGridPlan *plan, XgComparison *comparison, guint *failed, GError **error)
{
    for (guint i = 0; i < plan->cells->len; i++) {
        const XgGridCell *cell = plan->cells->pdata[i];
        *failed += cell->failure != NULL;
        if (!xg_comparison_add(comparison, cell->backbone->text, cell->strategy->text, cell->name,
                               cell->folder, cell->failure, plan->seed, error))
            return FALSE;
    }
    return xg_comparison_finish(comparison, error);
}

char *xg_session_compare(XgSession *session, const XgGrid *grid, guint *failed, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *started = g_date_time_format_iso8601(now);
    g_autoptr(XgGridPlan) plan = xg_grid_plan(session, grid, error);
    g_autoptr(XgComparison) comparison = xg_comparison_new();
    *failed = 0;
    if (plan == NULL || !xg_grid_run(session, plan, grid, error) ||
        !sum_up(plan, comparison, failed, error))
        return NULL;
    const XgSeriesHead head = {.program_version = XG_VERSION,
                               .study = plan->study,
                               .study_file = plan->study_file,
                               .started = started};
    if (!xg_comparison_write(comparison, &head, plan->output, error))
        return NULL;
    g_autofree char *text = xg_comparison_text(comparison);
    return g_strdup_printf("%s\nresult folder: %s\n", text, plan->output);
}
