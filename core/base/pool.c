/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

/* Some 50 us: longer than the gap between two layers, shorter than what a user would notice. */
enum { SPINS = 2000 };

typedef struct Job {
    XgPoolFunc func;
    void *data;
    gint64 count;
    gint64 grain;
    gint64 pieces; /* 0: dynamic */
} Job;

typedef struct Worker {
    atomic_llong next; /* piece of the worker's share of a dynamic job */
    gint64 end;
    XgPool *pool;
    pthread_t id;
    int number;
    char apart[64]; /* the next one's `next` is in another cache line */
} Worker;

struct XgPool {
    int threads;
    int spins;
    Worker *workers; /* [threads]; the first is the caller */
    pthread_mutex_t lock;
    pthread_cond_t started;
    pthread_cond_t finished;
    Job job; /* written while `busy` is 0 */
    atomic_bool stop;
    atomic_uint round;   /* grows with each job */
    atomic_int busy;     /* workers that have not done the job yet */
    atomic_int sleepers; /* workers that wait on `started` */
    atomic_bool waiting; /* the caller waits on `finished` */
};

/* Which pool this thread does a job for at the moment. */
static _Thread_local const XgPool *current_pool;

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static gint64 units_of(gint64 count, gint64 grain)
{
    return count / grain + (count % grain != 0);
}

static void static_piece(const Job *job, gint64 piece, int worker)
{
    const gint64 units = units_of(job->count, job->grain);
    const gint64 each = units / job->pieces, more = units % job->pieces;
    const gint64 first = piece * each + MIN(piece, more);
    const gint64 last = first + each + (piece < more);
    const gint64 end = last == units ? job->count : last * job->grain;
    job->func(job->data, first * job->grain, end, worker);
}

/* Each worker has a contiguous share of the pieces, and helps with others' when it is done: what
 * it wrote in one job it mostly reads in the next, out of its own caches. */
static void dynamic_pieces(XgPool *pool, int worker)
{
    const Job *job = &pool->job;
    for (int i = 0; i < pool->threads; i++) {
        Worker *owner = &pool->workers[(worker + i) % pool->threads];
        gint64 piece;
        while ((piece = atomic_fetch_add(&owner->next, 1)) < owner->end) {
            const gint64 begin = piece * job->grain;
            job->func(job->data, begin, begin + MIN(job->grain, job->count - begin), worker);
        }
    }
}

static void share_out(XgPool *pool, gint64 units)
{
    const gint64 each = units / pool->threads, more = units % pool->threads;
    gint64 first = 0;
    for (int i = 0; i < pool->threads; i++) {
        atomic_store(&pool->workers[i].next, first);
        first += each + (i < more);
        pool->workers[i].end = first;
    }
}

static void do_share(XgPool *pool, int worker)
{
    const Job *job = &pool->job;
    const XgPool *outer = current_pool;
    current_pool = pool;
    if (job->pieces > 0) {
        if (worker < job->pieces)
            static_piece(job, worker, worker);
    } else {
        dynamic_pieces(pool, worker);
    }
    current_pool = outer;
}

static void await_round(XgPool *pool, unsigned seen)
{
    for (int spin = 0; spin < pool->spins; spin++) {
        if (atomic_load_explicit(&pool->round, memory_order_acquire) != seen)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->round) == seen)
        pthread_cond_wait(&pool->started, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *data)
{
    const Worker *self = data;
    XgPool *pool = self->pool;
    for (unsigned seen = 0;; seen++) {
        await_round(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        do_share(pool, self->number);
        if (atomic_fetch_sub(&pool->busy, 1) == 1 && atomic_load(&pool->waiting)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void start_round(XgPool *pool)
{
    atomic_fetch_add(&pool->round, 1);
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->started);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void await_workers(XgPool *pool)
{
    for (int spin = 0; spin < pool->spins; spin++) {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->waiting, TRUE);
    while (atomic_load(&pool->busy) > 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    atomic_store(&pool->waiting, FALSE);
    pthread_mutex_unlock(&pool->lock);
}

static int usable_processors(void)
{
    for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
        cpu_set_t *set = CPU_ALLOC(capacity);
        const size_t size = CPU_ALLOC_SIZE(capacity);
        const int got = set ? sched_getaffinity(0, size, set) : -1;
        const int found = got == 0 ? CPU_COUNT_S(size, set) : 0;
        const gboolean too_small = set && got != 0 && errno == EINVAL;
        CPU_FREE(set);
        if (!too_small)
            return found > 0 ? found : (int) g_get_num_processors();
    }
    return (int) g_get_num_processors();
}

/* Signals are the caller's business, so the workers block them all. */
static void start_workers(XgPool *pool)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 1; i < pool->threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        if (pthread_create(&pool->workers[i].id, NULL, work, &pool->workers[i]) != 0)
            pool->threads = i;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

XgPool *xg_pool_new(int threads)
{
    const int usable = usable_processors();
    XgPool *pool = g_new0(XgPool, 1);
    pool->threads = threads > 0 ? threads : usable;
    pool->spins = pool->threads <= usable ? SPINS : 0;
    pool->workers = g_new0(Worker, (gsize) pool->threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->started, NULL);
    pthread_cond_init(&pool->finished, NULL);
    start_workers(pool);
    return pool;
}

void xg_pool_free(XgPool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->stop, TRUE);
    start_round(pool);
    for (int i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i].id, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->started);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool->workers);
    g_free(pool);
}

int xg_pool_threads(const XgPool *pool)
{
    return pool->threads;
}

/* The whole job on the calling thread, in pieces of its grain. */
static void do_alone(XgPool *pool, const Job *job)
{
    const XgPool *outer = current_pool;
    current_pool = pool;
    for (gint64 begin = 0; begin < job->count; begin += MIN(job->grain, job->count - begin))
        job->func(job->data, begin, begin + MIN(job->grain, job->count - begin), 0);
    current_pool = outer;
}

static void run_job(XgPool *pool, Job job)
{
    pool->job = job;
    share_out(pool, units_of(job.count, job.grain));
    atomic_store(&pool->busy, pool->threads - 1);
    start_round(pool);
    do_share(pool, 0);
    await_workers(pool);
}

void xg_pool_run(XgPool *pool, gint64 count, gint64 grain, XgPoolFunc func, void *data)
{
    if (count <= 0)
        return;
    grain = MAX(grain, 1);
    const gint64 units = units_of(count, grain);
    const gint64 pieces = MIN(units, pool->threads);
    if (current_pool == pool || pieces == 1)
        do_alone(pool, &(Job){func, data, count, count, 1});
    else
        run_job(pool, (Job){func, data, count, grain, pieces});
}

void xg_pool_run_dynamic(XgPool *pool, gint64 count, gint64 grain, XgPoolFunc func, void *data)
{
    if (count <= 0)
        return;
    grain = MIN(MAX(grain, 1), count);
    const Job job = {func, data, count, grain, 0};
    if (current_pool == pool || pool->threads == 1 || grain == count)
        do_alone(pool, &job);
    else
        run_job(pool, job);
}
