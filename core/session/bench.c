/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Images per second of a backbone with random weights. */
#include "session/bench.h"

#include "base/peak.h"
#include "train/random_batch.h"
#include "train/repeat.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

#define WARM_UP_RUNS 2
#define LEAST_RUNS 3
#define BATCH_MAX 4096
#define THREADS_MAX 1024
#define SECONDS_MAX 3600
/* Of the processor's own rate, before and after the runs. */
#define PEAK_SECONDS 0.15
#define SEED 1

/* What is run again and again: a program for evaluation, or a training step. */
typedef struct {
    XgSession *session;
    XgSessionBackbone *backbone;
    XgSessionEngine *engine;
    XgNetwork *network;
    XgStore *store;
    XgProgram *program; /* of infer and features */
    XgRandomBatch *images;
    XgInstance *strategy; /* of partial and full */
    XgTrainPlan *plan;
    XgFeatureStore *no_features;
    XgTrainerSpec trainer;
    XgTrainRepeat *training;
} Subject;

static void subject_clear(Subject *s)
{
    xg_train_repeat_free(s->training);
    xg_feature_store_free(s->no_features);
    xg_train_plan_free(s->plan);
    xg_instance_free(s->strategy);
    xg_random_batch_free(s->images);
    xg_program_free(s->program);
    xg_store_free(s->store);
    xg_network_free(s->network);
    xg_session_engine_free(s->engine);
    xg_session_backbone_free(s->backbone);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subject, subject_clear)

static gboolean check_wish(const XgBenchWish *wish, GError **error)
{
    const char *const modes[] = {"infer", "features", "partial", "full", NULL};
    if (!g_strv_contains(modes, wish->mode))
        return xg_error_set(error, XG_INVALID,
                            "mode: expected infer, features, partial or full, found \"%s\"",
                            wish->mode);
    const struct {
        const char *name;
        gint64 value, least, most;
    } numbers[] = {{"batch", wish->batch, 1, BATCH_MAX},
                   {"threads", wish->threads, 0, THREADS_MAX},
                   {"memory", wish->memory_limit, 0, G_MAXINT64},
                   {"slowest", wish->slowest, 0, G_MAXINT64}};
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most)
            return xg_error_set(error, XG_INVALID,
                                "%s: expected a whole number from %" G_GINT64_FORMAT
                                " to %" G_GINT64_FORMAT ", found %" G_GINT64_FORMAT,
                                numbers[i].name, numbers[i].least, numbers[i].most,
                                numbers[i].value);
    if (!(wish->seconds >= 0.0 && wish->seconds <= SECONDS_MAX))
        return xg_error_set(error, XG_INVALID, "seconds: expected 0 to %d, found %g", SECONDS_MAX,
                            wish->seconds);
    return TRUE;
}

static gboolean trains(const XgBenchWish *wish)
{
    return strcmp(wish->mode, "partial") == 0 || strcmp(wish->mode, "full") == 0;
}

/* ---- What is measured ----------------------------------------------------------------------- */

static gboolean make_network(Subject *s, XgBench *bench, GError **error)
{
    const XgBenchWish *wish = bench->wish;
    bench->classes = XG_BENCH_CLASSES;
    s->backbone = xg_session_backbone_from(s->session, wish->backbone, wish->settings,
                                           &bench->classes, error);
    if (s->backbone == NULL)
        return FALSE;
    bench->size_px = s->backbone->size_px;
    bench->channels = s->backbone->channels;
    s->network = xg_session_backbone_build(s->backbone, bench->classes, error);
    s->store = s->network ? xg_store_new(s->network, s->network->logits, error) : NULL;
    if (s->store == NULL || !xg_store_initialise(s->store, SEED, error))
        return FALSE;
    g_auto(GStrv) engine = g_strsplit(wish->engine, ":", -1);
    g_autoptr(XgParamSet) params = NULL;
    if (engine[0] != NULL && engine[1] != NULL) {
        params = xg_session_params(s->session, XG_ENGINE_KIND, engine[0],
                                   (const char *const *) engine + 1, error);
        if (params == NULL)
            return FALSE;
    }
    s->engine = xg_session_engine_new(s->session, engine[0] ? engine[0] : "", (int) wish->threads,
                                      params, error);
    if (s->engine == NULL)
        return FALSE;
    bench->engine = s->engine->identity;
    bench->threads = xg_pool_threads(s->session->pool);
    return TRUE;
}

static gboolean make_evaluation(Subject *s, XgBench *bench, GError **error)
{
    XgValue *input = s->network->inputs->pdata[0];
    XgValue *output = strcmp(bench->wish->mode, "features") == 0
                          ? g_hash_table_lookup(s->network->taps, "features")
                          : s->network->logits;
    const XgProgramSpec spec = {
        .network = s->network,
        .store = s->store,
        .engine = &s->engine->handle,
        .max_batch = bench->wish->batch,
        .inputs = &input,
        .input_count = 1,
        .outputs = &output,
        .output_count = 1,
        .memory_limit = (gsize) bench->wish->memory_limit,
        .take = TRUE,
    };
    bench->rows = bench->wish->batch;
    s->program = xg_program_new(&spec, error);
    s->images = s->program ? xg_random_batch_new(&input, 1, bench->rows, error) : NULL;
    return s->images != NULL;
}

/* The plan of a study with that strategy; the rate is so low that random weights stay finite. */
static gboolean make_plan(Subject *s, const XgBenchWish *wish, GError **error)
{
    g_autofree char *batch = g_strdup_printf("batch_size=%" G_GINT64_FORMAT, wish->batch);
    const char *const settings[] = {batch, "epochs=1", "learning_rate=1e-6", NULL};
    s->strategy = xg_session_instance(s->session, XG_STRATEGY_KIND, wish->mode, settings, error);
    if (s->strategy == NULL)
        return FALSE;
    const XgStrategy *table = xg_instance_table(s->strategy);
    s->plan = xg_train_plan_new(s->network, wish->batch, wish->batch, TRUE,
                                xg_instance_host(s->strategy));
    const XgStatus status = table->plan(xg_instance_self(s->strategy), &s->plan->plan);
    return xg_instance_error(s->strategy, status, error) && xg_train_plan_check(s->plan, error);
}

static gboolean make_training(Subject *s, XgBench *bench, GError **error)
{
    const XgFeatureSpec nothing_kept = {.item_count = 0};
    if (!make_plan(s, bench->wish, error))
        return FALSE;
    s->no_features = xg_feature_store_new(&nothing_kept);
    s->trainer = (XgTrainerSpec){.network = s->network,
                                 .store = s->store,
                                 .plan = s->plan,
                                 .engine = &s->engine->handle,
                                 .features = s->no_features,
                                 .classes = bench->classes,
                                 .seed = SEED,
                                 .memory_limit = (gsize) bench->wish->memory_limit};
    s->training = xg_train_repeat_new(&s->trainer, 0, error);
    if (s->training == NULL)
        return FALSE;
    XgPhaseFacts facts;
    xg_phase_facts(s->plan->phases->pdata[0], s->network, &facts);
    bench->blocks = g_steal_pointer(&facts.blocks);
    xg_phase_facts_clear(&facts);
    bench->rows = xg_train_repeat_rows(s->training);
    bench->boundary_elements = xg_train_repeat_elements(s->training);
    return TRUE;
}

/* ---- Measuring ------------------------------------------------------------------------------ */

static gboolean run_once(const Subject *s, const XgBench *bench, GError **error)
{
    const XgSessionEvents *events = s->session->events;
    const float *output;
    if (events != NULL && events->interrupted != NULL && g_atomic_int_get(events->interrupted) != 0)
        return xg_error_set(error, XG_CANCELLED, "interrupted");
    return s->training ? xg_train_repeat_step(s->training, error)
                       : xg_program_run(s->program, bench->wish->batch,
                                        (const float *const *) s->images->values, &output, error);
}

static int compare_times(const void *a, const void *b)
{
    const double left = *(const double *) a, right = *(const double *) b;
    return left < right ? -1 : left > right;
}

static gboolean measure(const Subject *s, XgBench *bench, GError **error)
{
    XgProgram *program = s->training ? xg_train_repeat_program(s->training) : s->program;
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
    for (int i = 0; i < WARM_UP_RUNS; i++)
        if (!run_once(s, bench, error))
            return FALSE;
    g_array_unref(xg_program_profile(program));
    while (times->len < LEAST_RUNS || bench->total_s < bench->wish->seconds) {
        const gint64 before_us = g_get_monotonic_time();
        if (!run_once(s, bench, error))
            return FALSE;
        const double time_s = (double) MAX(g_get_monotonic_time() - before_us, 1) / G_USEC_PER_SEC;
        bench->total_s += time_s;
        g_array_append_val(times, time_s);
    }
    qsort(times->data, times->len, sizeof(double), compare_times);
    bench->runs = times->len;
    bench->median_s = g_array_index(times, double, times->len / 2);
    bench->best_s = g_array_index(times, double, 0);
    bench->facts = xg_program_facts(program);
    if (bench->wish->slowest > 0)
        bench->nodes = xg_program_profile(program);
    return TRUE;
}

char *xg_session_bench(XgSession *session, const XgBenchWish *wish, gboolean json, GError **error)
{
    g_auto(Subject) s = {.session = session};
    XgBench bench = {.wish = wish};
    struct rusage usage;
    char *report = NULL;
    if (!check_wish(wish, error) || !make_network(&s, &bench, error) ||
        !(trains(wish) ? make_training(&s, &bench, error) : make_evaluation(&s, &bench, error)))
        return NULL;
    bench.vectors = xg_peak_vectors();
    bench.peak_flops = xg_peak_flops(session->pool, PEAK_SECONDS);
    if (measure(&s, &bench, error)) {
        bench.peak_flops = MAX(bench.peak_flops, xg_peak_flops(session->pool, PEAK_SECONDS));
        bench.peak_memory_bytes =
            getrusage(RUSAGE_SELF, &usage) == 0 ? (gint64) usage.ru_maxrss * 1024 : -1;
        report = json ? xg_bench_json(&bench) : xg_bench_text(&bench);
    }
    g_clear_pointer(&bench.nodes, g_array_unref);
    g_free(bench.blocks);
    return report;
}
