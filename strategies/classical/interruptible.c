/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "classical.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef struct {
    void (*work)(void *data);
    void *data;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int over;      /* under lock */
    int completed; /* work() returned; read after joining */
    atomic_int stop, thousandths;
} Job;

static _Thread_local Job *running;

void classical_stop_point(const char *text)
{
    (void) text;
    if (running != NULL && atomic_load_explicit(&running->stop, memory_order_relaxed))
        pthread_exit(NULL);
}

void classical_progress(double part)
{
    if (running != NULL)
        atomic_store_explicit(&running->thousandths, (int) (1000.0 * part), memory_order_relaxed);
    classical_stop_point(NULL);
}

static void say_over(void *data)
{
    Job *job = data;
    pthread_mutex_lock(&job->lock);
    job->over = 1;
    pthread_cond_signal(&job->ended);
    pthread_mutex_unlock(&job->lock);
}

static void *run(void *data)
{
    Job *job = data;
    pthread_cleanup_push(say_over, job);
    running = job;
    job->work(job->data);
    job->completed = 1;
    pthread_cleanup_pop(1);
    return NULL;
}

/* Asks the host twenty times a second, and tells it about progress. */
static void wait_for(Job *job, const XgFit *fit)
{
    int told = 0;
    pthread_mutex_lock(&job->lock);
    while (!job->over) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 50000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&job->ended, &job->lock, &until);
        const int done = atomic_load_explicit(&job->thousandths, memory_order_relaxed);
        if (done != told)
            fit->progress(fit, 1e-3 * (told = done));
        if (fit->cancelled(fit))
            atomic_store_explicit(&job->stop, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&job->lock);
}

XgStatus classical_interruptible(const XgHost *host, const XgFit *fit, void (*work)(void *data),
                                 void *data)
{
    Job job = {.work = work, .data = data};
    pthread_condattr_t clock;
    pthread_t thread;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&job.lock, NULL);
    pthread_cond_init(&job.ended, &clock);
    pthread_condattr_destroy(&clock);
    const int error = pthread_create(&thread, NULL, run, &job);
    if (error == 0) {
        wait_for(&job, fit);
        pthread_join(thread, NULL);
    }
    pthread_mutex_destroy(&job.lock);
    pthread_cond_destroy(&job.ended);
    if (error != 0)
        return xg_fail(host, XG_IO, "no thread for the classifier: error %d", error);
    return job.completed ? XG_OK : classical_cancelled(host);
}
