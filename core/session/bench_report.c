/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/bench.h"

#include "base/json.h"

#include <string.h>

/* All nodes of one operator. Seconds are of one run of the whole. */
typedef struct {
    const char *op;
    guint nodes, reference_nodes;
    double seconds, flops;
} OpTime;

static int compare_ops(const void *a, const void *b)
{
    const double left = ((const OpTime *) a)->seconds, right = ((const OpTime *) b)->seconds;
    return left > right ? -1 : left < right;
}

static int compare_nodes(const void *a, const void *b)
{
    const double left = ((const XgNodeTime *) a)->seconds;
    const double right = ((const XgNodeTime *) b)->seconds;
    return left > right ? -1 : left < right;
}

/* Operators by time, the slowest first. */
static GArray *sum_operators(const XgBench *bench)
{
    GArray *ops = g_array_new(FALSE, FALSE, sizeof(OpTime));
    for (guint i = 0; i < bench->nodes->len; i++) {
        const XgNodeTime *node = &g_array_index(bench->nodes, XgNodeTime, i);
        guint k = 0;
        while (k < ops->len && strcmp(g_array_index(ops, OpTime, k).op, node->op) != 0)
            k++;
        if (k == ops->len) {
            const OpTime fresh = {.op = node->op};
            g_array_append_val(ops, fresh);
        }
        OpTime *op = &g_array_index(ops, OpTime, k);
        op->nodes++;
        op->reference_nodes += node->reference;
        op->seconds += node->seconds / bench->runs;
        op->flops += node->flops;
    }
    g_array_sort(ops, compare_ops);
    return ops;
}

/* The slowest nodes; seconds are of one run. */
static GArray *slowest_nodes(const XgBench *bench)
{
    GArray *nodes = g_array_copy(bench->nodes);
    for (guint i = 0; i < nodes->len; i++)
        g_array_index(nodes, XgNodeTime, i).seconds /= bench->runs;
    g_array_sort(nodes, compare_nodes);
    g_array_set_size(nodes, (guint) MIN((gint64) nodes->len, bench->wish->slowest));
    return nodes;
}

static double mean_s(const XgBench *bench)
{
    return bench->total_s / bench->runs;
}

/* What a run spends outside of all kernels: copies, the loss, the optimiser. */
static double outside_s(const XgBench *bench, const GArray *ops)
{
    double seconds = mean_s(bench);
    for (guint i = 0; i < ops->len; i++)
        seconds -= g_array_index(ops, OpTime, i).seconds;
    return MAX(seconds, 0.0);
}

static double images_per_second(const XgBench *bench, double seconds)
{
    return (double) bench->wish->batch / seconds;
}

static double gflops(const XgBench *bench, double flops, double seconds)
{
    return seconds > 0.0 ? 1e-9 * flops * images_per_second(bench, seconds) : 0.0;
}

/* ---- Text ----------------------------------------------------------------------------------- */

static double mebibytes(double bytes)
{
    return bytes / (1 << 20);
}

static void row_text(GString *text, const XgBench *bench, double seconds, double flops,
                     const char *name)
{
    g_string_append_printf(text, "%9.3f  %5.1f %%  %7.1f  %s", 1e3 * seconds,
                           100.0 * seconds / mean_s(bench), gflops(bench, flops, seconds), name);
}

static void profile_text(GString *text, const XgBench *bench)
{
    g_autoptr(GArray) ops = sum_operators(bench);
    g_autoptr(GArray) nodes = slowest_nodes(bench);
    g_string_append(text, "\n   ms/run    share  GFLOP/s  operator\n");
    for (guint i = 0; i < ops->len; i++) {
        const OpTime *op = &g_array_index(ops, OpTime, i);
        row_text(text, bench, op->seconds, op->flops, op->op);
        g_string_append_printf(text, ", %u node%s", op->nodes, op->nodes == 1 ? "" : "s");
        if (op->reference_nodes > 0)
            g_string_append_printf(text, ", %u of them reference kernels", op->reference_nodes);
        g_string_append_c(text, '\n');
    }
    row_text(text, bench, outside_s(bench, ops), 0.0, "outside of kernels\n");
    g_string_append_printf(text, "\n   ms/run    share  GFLOP/s  the %u slowest nodes\n",
                           nodes->len);
    for (guint i = 0; i < nodes->len; i++) {
        const XgNodeTime *node = &g_array_index(nodes, XgNodeTime, i);
        row_text(text, bench, node->seconds, node->flops, node->node);
        g_string_append_printf(text, " (%s)%s\n", node->op,
                               node->reference ? ", reference kernel" : "");
    }
}

char *xg_bench_text(const XgBench *b)
{
    GString *text = g_string_new(NULL);
    const double rate = gflops(b, b->facts.flops, b->median_s);
    g_string_append_printf(text,
                           "%s  %" G_GINT64_FORMAT " px, %" G_GINT64_FORMAT
                           " channels, %" G_GINT64_FORMAT " classes, random weights and images\n"
                           "mode      %s, batches of %" G_GINT64_FORMAT "\n",
                           b->wish->backbone, b->size_px, b->channels, b->classes, b->wish->mode,
                           b->wish->batch);
    if (b->blocks != NULL)
        g_string_append_printf(text, "trains    %s; %" G_GINT64_FORMAT " given values per image\n",
                               b->blocks, b->boundary_elements);
    if (b->rows < b->wish->batch)
        g_string_append_printf(text, "          %" G_GINT64_FORMAT " images at once\n", b->rows);
    if (b->facts.again > 0)
        g_string_append_printf(text, "          %u kernels compute again, %.3f GFLOP per image\n",
                               b->facts.again, 1e-9 * b->facts.again_flops);
    g_string_append_printf(
        text,
        "engine    %s; %u kernels, %u of them reference kernels\n"
        "images/s  %.2f median, %.2f best of %u runs\n"
        "rate      %.3f GFLOP per image, %.1f GFLOP/s\n"
        "peak      %.1f GFLOP/s (%s multiply-adds, %" G_GINT64_FORMAT
        " threads), of which %.3f are reached\n"
        "memory    %.1f MiB resident at most; arena %.1f MiB, scratch and folded weights %.1f "
        "MiB\n",
        b->engine, b->facts.nodes, b->facts.reference_nodes, images_per_second(b, b->median_s),
        images_per_second(b, b->best_s), b->runs, 1e-9 * b->facts.flops, rate, 1e-9 * b->peak_flops,
        b->vectors, b->threads, 1e9 * rate / b->peak_flops,
        mebibytes((double) b->peak_memory_bytes), mebibytes((double) b->facts.arena_bytes),
        mebibytes((double) b->facts.scratch_bytes));
    if (b->nodes != NULL)
        profile_text(text, b);
    return g_string_free(text, FALSE);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void row_json(JsonBuilder *builder, const XgBench *bench, double seconds, double flops)
{
    xg_json_number(builder, "seconds", seconds);
    xg_json_number(builder, "share", seconds / mean_s(bench));
    xg_json_number(builder, "gflops", gflops(bench, flops, seconds));
}

static void profile_json(JsonBuilder *builder, const XgBench *bench)
{
    g_autoptr(GArray) ops = sum_operators(bench);
    g_autoptr(GArray) nodes = slowest_nodes(bench);
    xg_json_begin_object(builder, "profile");
    xg_json_begin_array(builder, "operators");
    for (guint i = 0; i < ops->len; i++) {
        const OpTime *op = &g_array_index(ops, OpTime, i);
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "operator", op->op);
        xg_json_integer(builder, "nodes", op->nodes);
        xg_json_integer(builder, "reference_nodes", op->reference_nodes);
        row_json(builder, bench, op->seconds, op->flops);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    xg_json_number(builder, "outside_seconds", outside_s(bench, ops));
    xg_json_begin_array(builder, "slowest");
    for (guint i = 0; i < nodes->len; i++) {
        const XgNodeTime *node = &g_array_index(nodes, XgNodeTime, i);
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "node", node->node);
        xg_json_text(builder, "operator", node->op);
        json_builder_set_member_name(builder, "reference");
        json_builder_add_boolean_value(builder, node->reference);
        row_json(builder, bench, node->seconds, node->flops);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

char *xg_bench_json(const XgBench *b)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    const double rate = gflops(b, b->facts.flops, b->median_s);
    xg_json_begin_object(builder, NULL);
    xg_json_text(builder, "backbone", b->wish->backbone);
    xg_json_integer(builder, "size_px", b->size_px);
    xg_json_integer(builder, "channels", b->channels);
    xg_json_integer(builder, "classes", b->classes);
    xg_json_text(builder, "mode", b->wish->mode);
    xg_json_integer(builder, "batch", b->wish->batch);
    xg_json_integer(builder, "images_at_once", b->rows);
    xg_json_text(builder, "trained_blocks", b->blocks);
    xg_json_integer(builder, "boundary_values", b->boundary_elements);
    xg_json_text(builder, "engine", b->engine);
    xg_json_integer(builder, "threads", b->threads);
    xg_json_integer(builder, "kernels", b->facts.nodes);
    xg_json_integer(builder, "reference_kernels", b->facts.reference_nodes);
    xg_json_integer(builder, "kernels_again", b->facts.again);
    xg_json_number(builder, "gflop_again_per_image", 1e-9 * b->facts.again_flops);
    xg_json_integer(builder, "runs", b->runs);
    xg_json_number(builder, "mean_seconds", mean_s(b));
    xg_json_number(builder, "images_per_second", images_per_second(b, b->median_s));
    xg_json_number(builder, "best_images_per_second", images_per_second(b, b->best_s));
    xg_json_number(builder, "gflop_per_image", 1e-9 * b->facts.flops);
    xg_json_number(builder, "gflops", rate);
    xg_json_text(builder, "vectors", b->vectors);
    xg_json_number(builder, "peak_gflops", 1e-9 * b->peak_flops);
    xg_json_number(builder, "peak_fraction", 1e9 * rate / b->peak_flops);
    xg_json_integer(builder, "peak_memory_bytes", b->peak_memory_bytes);
    xg_json_integer(builder, "arena_bytes", (gint64) b->facts.arena_bytes);
    xg_json_integer(builder, "scratch_bytes", (gint64) b->facts.scratch_bytes);
    if (b->nodes != NULL)
        profile_json(builder, b);
    json_builder_end_object(builder);
    return xg_json_finish(builder, TRUE);
}
