/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void read_all(hid_t file)
{
    Layers layers;
    Problem p = {XG_OK, ""};
    const int good = layers_read(file, &layers, &p);
    for (uint64_t i = 0; good && i < layers.count; i++) {
        const Tensor *t = &layers.tensors[i];
        float *values = malloc((size_t) t->facts.count * sizeof *values);
        const hid_t dataset = values ? h5_open_object(file, t->path, &p) : -1;
        if (dataset >= 0) {
            h5_read(dataset, t->path, values, &p);
            H5Oclose(dataset);
        }
        free(values);
    }
    layers_clear(&layers);
}

static void child(const char *path, const void *bytes, uint64_t size)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGXCPU, SIGTERM};
    const rlim_t seconds = (rlim_t) (5 + size / 10000000);
    const struct rlimit no_core = {0, 0}, processor = {seconds, seconds};
    Problem p = {XG_OK, ""};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        signal(fatal[i], SIG_DFL);
    signal(SIGINT, SIG_IGN);
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &processor);
    const hid_t file = path ? h5_open_file(path, &p) : h5_open_image(bytes, size, &p);
    if (file >= 0) {
        read_all(file);
        H5Fclose(file);
    }
    _exit(0);
}

int trial_survives(const char *path, const void *bytes, uint64_t size, Problem *p)
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0)
        child(path, bytes, size);
    if (pid < 0)
        return problem(p, XG_IO, "no process could be started: %s", strerror(errno));
    pid_t ended;
    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return problem(p, XG_IO, "a process could not be waited for: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
    const int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return problem(p, XG_FORMAT,
                   "expected an HDF5 file that libhdf5 can read, found one that makes it %s: the "
                   "file is damaged",
                   sig == SIGXCPU || sig == SIGKILL ? "run without an end" : "crash");
}
