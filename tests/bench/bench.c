/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Prints images per second (median and best) and peak memory of a backbone on random numbers:
 * bench [--plugins DIR]... [--scanner FILE] BACKBONE infer|full|lean BATCH [SECONDS [profile]]
 * "lean" is full training that computes cheap values again instead of keeping them. */
#include "base/memory.h"
#include "base/rng.h"
#include "golden/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CLASSES 1000
#define WARM_UP_RUNS 2
#define LEAST_RUNS 5

typedef struct {
    XgProgram *program;
    gboolean training, lean;
    gint64 batch;
    float *images, *targets, *weights;
} Bench;

static gboolean all_trained(const XgValue *parameter G_GNUC_UNUSED, void *user G_GNUC_UNUSED)
{
    return TRUE;
}

static void fill(float *values, gint64 count)
{
    for (gint64 i = 0; i < count; i++)
        values[i] = (float) (xg_rng_uniform(1, 1, (guint64) i) * 4.0 - 2.0);
}

static gboolean run_once(Bench *bench, guint64 step, GError **error)
{
    const float *inputs[] = {bench->images};
    const float *logits;
    double loss;
    return bench->training ? xg_program_train(bench->program, bench->batch, inputs, bench->targets,
                                              bench->weights, step, &logits, &loss, error)
                           : xg_program_run(bench->program, bench->batch, inputs, &logits, error);
}

static gboolean prepare(Bench *bench, const Host *host, const XgNetwork *network, XgStore *store,
                        GError **error)
{
    XgValue *input = network->inputs->pdata[0];
    const XgProgramSpec spec = {
        .network = network,
        .store = store,
        .engine = host_engine(host),
        .max_batch = bench->batch,
        .inputs = &input,
        .input_count = 1,
        .outputs = &((XgNetwork *) network)->logits,
        .output_count = 1,
        .training = bench->training,
        .trained = bench->training ? all_trained : NULL,
        .bn = XG_BN_TRAIN,
        .lean = bench->lean,
    };
    const gint64 pixels = bench->batch * xg_shape_elements(&input->shape);
    bench->program = xg_program_new(&spec, error);
    bench->images = xg_aligned_alloc(sizeof(float) * (gsize) pixels, "images", error);
    bench->targets = g_new0(float, (gsize) (bench->batch * CLASSES));
    bench->weights = g_new(float, (gsize) bench->batch);
    if (bench->program == NULL || bench->images == NULL)
        return FALSE;
    fill(bench->images, pixels);
    for (gint64 i = 0; i < bench->batch; i++) {
        bench->targets[i * CLASSES + i % CLASSES] = 1.0f;
        bench->weights[i] = 1.0f / (float) bench->batch;
    }
    return TRUE;
}

static int compare(const void *a, const void *b)
{
    const double left = *(const double *) a, right = *(const double *) b;
    return left < right ? -1 : left > right;
}

static gboolean measure(Bench *bench, double seconds, double *median_s, double *best_s,
                        GError **error)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint64 i = 0; i < WARM_UP_RUNS; i++)
        if (!run_once(bench, i, error))
            return FALSE;
    g_free(xg_program_profile(bench->program));
    const gint64 started_us = g_get_monotonic_time();
    while (times->len < LEAST_RUNS ||
           g_get_monotonic_time() - started_us < (gint64) (seconds * G_USEC_PER_SEC)) {
        const gint64 before_us = g_get_monotonic_time();
        if (!run_once(bench, times->len, error))
            return FALSE;
        const double time_s = (double) (g_get_monotonic_time() - before_us) / G_USEC_PER_SEC;
        g_array_append_val(times, time_s);
    }
    qsort(times->data, times->len, sizeof(double), compare);
    *median_s = g_array_index(times, double, times->len / 2);
    *best_s = g_array_index(times, double, 0);
    return TRUE;
}

static gboolean bench_backbone(const Host *host, char **words, GError **error)
{
    const double seconds = words[3] ? g_ascii_strtod(words[3], NULL) : 4.0;
    const gboolean lean = strcmp(words[1], "lean") == 0;
    Bench bench = {.training = lean || strcmp(words[1], "full") == 0,
                   .lean = lean,
                   .batch = MAX(g_ascii_strtoll(words[2], NULL, 10), 1)};
    g_autoptr(XgNetwork) network = host_network(host, words[0], CLASSES, 0, error);
    g_autoptr(XgStore) store = network ? xg_store_new(network, network->logits, error) : NULL;
    double median_s, best_s;
    struct rusage usage;
    if (store == NULL || !xg_store_initialise(store, 1, error) ||
        !prepare(&bench, host, network, store, error) ||
        !measure(&bench, seconds, &median_s, &best_s, error))
        return FALSE;
    const XgProgramFacts facts = xg_program_facts(bench.program);
    getrusage(RUSAGE_SELF, &usage);
    printf("%s %s %" G_GINT64_FORMAT " %.2f %ld  # best %.2f, %.1f GFLOP/s, arena %.0f MiB, %u of "
           "%u kernels on the reference\n",
           words[0], words[1], bench.batch, (double) bench.batch / median_s, usage.ru_maxrss / 1024,
           (double) bench.batch / best_s, 1e-9 * facts.flops * (double) bench.batch / median_s,
           (double) facts.arena_bytes / (1 << 20), facts.reference_nodes, facts.nodes);
    if (words[3] != NULL && words[4] != NULL) {
        g_autofree char *profile = xg_program_profile(bench.program);
        fputs(profile, stdout);
    }
    xg_program_free(bench.program);
    xg_aligned_free(bench.images);
    g_free(bench.targets);
    g_free(bench.weights);
    return TRUE;
}

int main(int argc, char **argv)
{
    g_auto(GStrv) plugins = NULL;
    g_autofree char *scanner = NULL;
    int threads = 2;
    const GOptionEntry entries[] = {
        {"plugins", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &plugins, "folder of plugins", "DIR"},
        {"scanner", 0, 0, G_OPTION_ARG_FILENAME, &scanner, "xenograft-scan", "FILE"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "worker threads", "N"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context =
        g_option_context_new("BACKBONE infer|full|lean BATCH [SECONDS [profile]]");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 4) {
        fprintf(stderr, "bench: %s\n", error ? error->message : "BACKBONE infer|full BATCH");
        return 2;
    }
    const HostOptions options = {"openblas", threads, (const char *const *) plugins, scanner};
    g_autoptr(Host) host = host_new(&options, &error);
    if (host == NULL || !bench_backbone(host, argv + 1, &error)) {
        fprintf(stderr, "bench: %s\n", error->message);
        return 1;
    }
    return 0;
}
