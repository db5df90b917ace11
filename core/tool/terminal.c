/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 24
#define REDRAW_US (G_USEC_PER_SEC / 10)

static struct {
    gboolean drawn;
    gint64 last_draw_us;
} bar;

int print_text(const char *text)
{
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "xenograft: standard output: %s\n", g_strerror(errno));
        return EXIT_WORK_FAILED;
    }
    return EXIT_DONE;
}

static void print_lines(const char *prefix, const char *text)
{
    terminal_finish();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if ((*line)[0] != '\0')
            fprintf(stderr, "%s%s\n", prefix, *line);
}

int report_error(const GError *error, int status)
{
    print_lines("xenograft: ", error->message);
    return g_error_matches(error, XG_ERROR, CANCELLED) ? EXIT_INTERRUPTED : status;
}

void terminal_finish(void)
{
    if (bar.drawn)
        fputs("\r\033[K", stderr);
    bar.drawn = FALSE;
}

static void on_progress(const XgSessionProgress *p, void *user G_GNUC_UNUSED)
{
    if (!isatty(STDERR_FILENO) || p->total <= 0)
        return;
    const gint64 now = g_get_monotonic_time();
    if (bar.drawn && p->done < p->total && now - bar.last_draw_us < REDRAW_US)
        return;
    bar.last_draw_us = now;
    bar.drawn = TRUE;
    const int filled = (int) (BAR_WIDTH * p->done / p->total);
    char blocks[BAR_WIDTH + 1];
    memset(blocks, ' ', BAR_WIDTH);
    memset(blocks, '=', (gsize) CLAMP(filled, 0, BAR_WIDTH));
    blocks[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-16s [%s] %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, p->activity,
            blocks, p->done, p->total);
    if (p->cached > 0)
        fprintf(stderr, "  %" G_GINT64_FORMAT " from the cache", p->cached);
    if (p->epochs > 0)
        fprintf(stderr, "  %s, epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                p->phase ? p->phase : "", p->epoch, p->epochs);
    fflush(stderr);
}

static void on_line(const char *text, void *user G_GNUC_UNUSED)
{
    print_lines("", text);
}

static void on_warning(const char *text, void *user G_GNUC_UNUSED)
{
    print_lines("xenograft: warning: ", text);
}

const XgSessionEvents *terminal_events(void)
{
    static XgSessionEvents events = {
        .progress = on_progress, .line = on_line, .warning = on_warning};
    return &events;
}

static gint interrupted;

static void on_signal(int number G_GNUC_UNUSED)
{
    g_atomic_int_set(&interrupted, 1);
}

const XgSessionEvents *interruptible_events(void)
{
    static XgSessionEvents events;
    events = *terminal_events();
    events.interrupted = &interrupted;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &events;
}
