/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/grid.h"

#include "base/file.h"
#include "report/series.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_US (G_USEC_PER_SEC / 20)

static gboolean is_done(const XgGridCell *cell)
{
    g_autofree char *path = g_build_filename(cell->folder, "result.json", NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean interrupted(const XgSession *session)
{
    return session->events != NULL && session->events->interrupted != NULL &&
           g_atomic_int_get(session->events->interrupted) != 0;
}

/* Writes the cell's study, or sees that the one there is the same. */
static gboolean settle_file(const XgGridCell *cell, GError **error)
{
    g_autofree char *before = NULL;
    if (!g_file_get_contents(cell->file, &before, NULL, NULL))
        return xg_file_replace(cell->file, cell->text, strlen(cell->text), error);
    return strcmp(before, cell->text) == 0 ||
           xg_error_set(error, XG_INVALID,
                        "%s: the comparison was begun with other settings; go on with those, or "
                        "choose another folder",
                        cell->file);
}

static gboolean all_done(const XgGridPlan *plan)
{
    for (guint i = 0; i < plan->cells->len; i++)
        if (!is_done(plan->cells->pdata[i]))
            return FALSE;
    return TRUE;
}

static gboolean make_folder(const XgGridPlan *plan, const XgGrid *grid, GError **error)
{
    g_autofree char *result = g_build_filename(plan->output, "result.json", NULL);
    const gboolean there = g_file_test(plan->output, G_FILE_TEST_EXISTS);
    const gboolean whole = g_file_test(result, G_FILE_TEST_EXISTS) && all_done(plan);
    if (there && (whole || !grid->resume))
        return xg_error_set(error, XG_INVALID, "%s exists; %s", plan->output,
                            whole ? "a result is never overwritten: choose another folder "
                                    "(--output)"
                                  : "--resume goes on with it");
    if (!there && grid->resume)
        return xg_error_set(error, XG_INVALID,
                            "nothing to resume: there is no %s; run without --resume",
                            plan->output);
    if (g_mkdir_with_parents(plan->output, 0777) != 0)
        return xg_error_set(error, XG_IO, "%s: %s", plan->output, g_strerror(errno));
    for (guint i = 0; i < plan->cells->len; i++)
        if (!settle_file(plan->cells->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* In the child: signals of the terminal are for this process alone, which passes them on, and its
 * end ends the child. */
static void child_setup(gpointer data G_GNUC_UNUSED)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean start(XgGridCell *cell, const char *program, GError **error)
{
    g_autofree char *partial = g_strconcat(cell->folder, ".partial", NULL);
    const gboolean begun = g_file_test(partial, G_FILE_TEST_EXISTS);
    const char *argv[] = {program, "run", cell->file, begun ? "--resume" : NULL, NULL};
    g_autoptr(GError) failure = NULL;
    const int log = g_open(cell->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log < 0)
        return xg_error_set(error, XG_IO, "%s: %s", cell->log, g_strerror(errno));
    const gboolean good =
        g_spawn_async_with_fds(NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, child_setup,
                               NULL, &cell->process, -1, log, log, &failure);
    g_close(log, NULL);
    return good || xg_error_set(error, XG_IO, "%s: %s", program, failure->message);
}

/* The last complaint of a process. */
static char *last_complaint(const XgGridCell *cell, int status)
{
    g_autofree char *text = NULL;
    const char *found = NULL;
    g_auto(GStrv) lines = NULL;
    if (g_file_get_contents(cell->log, &text, NULL, NULL)) {
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line != NULL; line++)
            if (g_str_has_prefix(*line, "xenograft: ") &&
                !g_str_has_prefix(*line, "xenograft: warning: "))
                found = *line + strlen("xenograft: ");
    }
    return found                 ? g_strdup(found)
           : WIFSIGNALED(status) ? g_strdup_printf("ended by signal %d", WTERMSIG(status))
                                 : g_strdup_printf("exit status %d", WEXITSTATUS(status));
}

/* What a cell came to, in a line. */
static void tell(XgSession *session, const XgGridPlan *plan, const XgGridCell *cell, guint done)
{
    const char *place = cell->name;
    if (cell->failure != NULL) {
        xg_session_line(session, "%u of %u: %s failed: %s", done, plan->cells->len, place,
                        cell->failure);
        return;
    }
    g_autoptr(XgResult) result = xg_result_read(cell->folder, NULL);
    double accuracy = 0, seconds = 0;
    for (guint i = 0; result != NULL && i < result->runs->len; i++) {
        const XgRunResult *run = result->runs->pdata[i];
        const XgPredictionSet set = xg_result_predictions(result, run);
        g_autoptr(XgMetrics) metrics = xg_metrics_new(&set, NULL);
        accuracy += (metrics ? metrics->accuracy.value : 0) / result->runs->len;
        seconds += run->seconds;
    }
    xg_session_line(session, "%u of %u: %s, accuracy %.3f, %.1f s", done, plan->cells->len, place,
                    accuracy, seconds);
}

static void finish(XgGridCell *cell, int status)
{
    cell->process = 0;
    if (!is_done(cell))
        cell->failure = last_complaint(cell, status);
}

/* Reaps what has ended; how many. */
static guint reap(XgSession *session, XgGridPlan *plan, guint *done)
{
    guint ended = 0;
    for (guint i = 0; i < plan->cells->len; i++) {
        XgGridCell *cell = plan->cells->pdata[i];
        int status;
        if (cell->process == 0 || waitpid(cell->process, &status, WNOHANG) != cell->process)
            continue;
        finish(cell, status);
        ended++;
        (*done)++;
        if (!interrupted(session))
            tell(session, plan, cell, *done);
    }
    return ended;
}

static void stop_all(XgSession *session, XgGridPlan *plan, guint running)
{
    guint done = 0;
    for (guint i = 0; i < plan->cells->len; i++) {
        const XgGridCell *cell = plan->cells->pdata[i];
        if (cell->process != 0)
            kill(cell->process, SIGTERM);
    }
    while (running > 0) {
        running -= reap(session, plan, &done);
        g_usleep(POLL_US);
    }
}

gboolean xg_grid_run(XgSession *session, XgGridPlan *plan, const XgGrid *grid, GError **error)
{
    guint running = 0, done = 0;
    if (!make_folder(plan, grid, error))
        return FALSE;
    for (guint next = 0; next < plan->cells->len || running > 0;) {
        const XgSessionProgress progress = {
            .activity = "comparing", .done = done, .total = plan->cells->len};
        xg_session_tell(session, &progress);
        if (interrupted(session)) {
            stop_all(session, plan, running);
            return xg_error_set(error, XG_CANCELLED,
                                "interrupted; %s keeps what is finished, --resume goes on",
                                plan->output);
        }
        if (next < plan->cells->len && running < MAX(grid->jobs, 1)) {
            XgGridCell *cell = plan->cells->pdata[next++];
            if (is_done(cell)) {
                xg_session_line(session, "%u of %u: %s, finished before", ++done, plan->cells->len,
                                cell->name);
            } else if (start(cell, grid->program, error)) {
                running++;
            } else {
                stop_all(session, plan, running);
                return FALSE;
            }
            continue;
        }
        running -= reap(session, plan, &done);
        g_usleep(POLL_US);
    }
    return TRUE;
}
