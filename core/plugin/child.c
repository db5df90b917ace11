/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

enum { OUTPUT_LIMIT = 16 << 20 };

static int start(const char *const *argv, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    const int failure =
        posix_spawn(pid, argv[0], &actions, &attributes, (char *const *) argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Until its end, the deadline (FALSE) or the limit. */
static gboolean collect(int fd, gint64 deadline, GString *output)
{
    char buffer[16384];
    while (output->len < OUTPUT_LIMIT) {
        const gint64 left = deadline - g_get_monotonic_time();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            return FALSE;
        if (poll(&wait, 1, (int) (left / 1000) + 1) <= 0)
            continue;
        const ssize_t got = read(fd, buffer, sizeof buffer);
        if (got == 0 || (got < 0 && errno != EINTR))
            return TRUE;
        g_string_append_len(output, buffer, MAX(got, 0));
    }
    return TRUE;
}

static gboolean ended(pid_t pid, gint64 deadline, int *status)
{
    for (;;) {
        const pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return TRUE;
        if (g_get_monotonic_time() >= deadline)
            return FALSE;
        g_usleep(500);
    }
}

gboolean xg_child_run(const char *const *argv, int timeout_ms, GString *output, int *status,
                      gboolean *in_time, GError **error)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return xg_error_set(error, XG_IO, "%s: cannot be started: %s", argv[0], g_strerror(errno));
    const int failure = start(argv, ends[1], &pid);
    close(ends[1]);
    if (failure) {
        close(ends[0]);
        return xg_error_set(error, XG_IO, "%s: cannot be started: %s", argv[0],
                            g_strerror(failure));
    }
    const gint64 deadline = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
    *status = 0;
    *in_time = collect(ends[0], deadline, output) && ended(pid, deadline, status);
    close(ends[0]);
    if (!*in_time) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        while (waitpid(pid, status, 0) < 0 && errno == EINTR)
            continue;
    }
    return TRUE;
}
