/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "exec/constants.h"
#include "exec/fit.h"
#include "exec/kernel.h"

#include <string.h>

/* Where an input of a kernel changes from run to run. */
typedef struct {
    const float **slot;
    int input; /* of the program; or one of the following */
} Patch;

enum { PATCH_TARGETS = -1, PATCH_WEIGHTS = -2 };

/* Evaluation passes so many rows at a time: activations stay in cache and the arena small. */
#define SLICE_ROWS 8

struct XgProgram {
    XgLowered *lowered;
    XgMemoryPlan *memory;
    XgStore *store;
    const XgEngineHandle *engine;
    gint64 max_batch;
    gint64 slice; /* rows that pass the kernels at once */
    gboolean training, take;
    XgTrained trained;
    void *user;
    guint64 seed;
    char *arena;
    void *scratch;
    gsize scratch_size, joined_bytes;
    XgConstants *folded;
    const float **values;    /* per value id: fixed address; NULL: given at each run */
    const float **constants; /* per value id: what engines may pack */
    float **joined;          /* per output: rows of all slices; NULL: a run has one slice */
    GPtrArray *kernels;      /* of XgKernel, in node order */
    GArray *patches;         /* of Patch */
    GHashTable *gradients;   /* parameter name -> const float */
    guint64 rng[2];          /* seed, step: what dropout reads */
};

/* ---- Addresses ----------------------------------------------------------------------------- */

static gboolean locate_parameters(XgProgram *program, GError **error)
{
    const XgNetwork *network = program->lowered->network;
    for (guint i = 0; i < network->values->len; i++) {
        XgValue *value = network->values->pdata[i];
        if ((value->kind != XG_VALUE_PARAMETER && value->kind != XG_VALUE_BUFFER) ||
            xg_constants_is_folded(program->folded, value))
            continue;
        const XgStored *stored = xg_store_find(program->store, value->name);
        if (stored == NULL || !xg_shape_equal(&stored->shape, &value->shape))
            return xg_error_set(error, XG_SHAPE, "%s: the store has no tensor of that shape",
                                value->name);
        program->values[i] = stored->values;
        if (value->kind == XG_VALUE_PARAMETER &&
            !(program->training && program->trained(value, program->user)))
            program->constants[i] = stored->values;
    }
    return TRUE;
}

static gboolean allocate_arena(XgProgram *program, GError **error)
{
    const XgNetwork *network = program->lowered->network;
    program->arena = xg_aligned_alloc(MAX(program->memory->size, 64), "activations", error);
    if (program->arena == NULL)
        return FALSE;
    for (guint i = 0; i < network->values->len; i++)
        if (program->memory->offsets[i] != XG_NOT_PLANNED)
            program->values[i] = (const float *) (program->arena + program->memory->offsets[i]);
    if (program->lowered->rng != NULL)
        program->values[program->lowered->rng->id] = (const float *) program->rng;
    return TRUE;
}

/* Views of program inputs have no memory of their own: the input they show; NULL for others. */
static const XgValue *shown_input(const XgProgram *program, const XgValue *value)
{
    const guint root = program->memory->root[value->id];
    const XgValue *shown = program->lowered->network->values->pdata[root];
    return shown->kind == XG_VALUE_INPUT ? shown : NULL;
}

static int input_index(const XgProgram *program, const XgValue *value)
{
    const XgLowered *lowered = program->lowered;
    const XgValue *shown = shown_input(program, value);
    if (shown == lowered->targets)
        return PATCH_TARGETS;
    if (shown == lowered->weights)
        return PATCH_WEIGHTS;
    for (guint i = 0; i < lowered->inputs->len; i++)
        if (lowered->inputs->pdata[i] == shown)
            return (int) i;
    g_assert_not_reached();
}

/* ---- Kernels ------------------------------------------------------------------------------- */

static XgKernelValues kernel_values(const XgProgram *program)
{
    return (XgKernelValues){(float *const *) program->values, program->constants,
                            program->memory->strides};
}

static gboolean make_kernel(XgProgram *program, const XgNode *node, GError **error)
{
    const XgKernelValues values = kernel_values(program);
    if (!xg_constants_need(program->folded, node, error))
        return FALSE;
    XgKernel *kernel = xg_kernel_new(node, program->slice, &values, program->memory->idle[node->id],
                                     program->engine, error);
    if (kernel == NULL)
        return FALSE;
    g_ptr_array_add(program->kernels, kernel);
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (input == NULL)
            continue;
        kernel->inputs[k] = program->values[input->id];
        if (kernel->inputs[k] == NULL) {
            const Patch patch = {&kernel->inputs[k], input_index(program, input)};
            g_array_append_val(program->patches, patch);
        }
    }
    xg_constants_settle(program->folded, kernel);
    program->scratch_size = MAX(program->scratch_size, (gsize) kernel->scratch_size);
    return TRUE;
}

static gboolean allocate_scratch(XgProgram *program, GError **error)
{
    xg_aligned_free(program->scratch);
    program->scratch = NULL;
    if (program->scratch_size == 0)
        return TRUE;
    program->scratch = xg_aligned_alloc(program->scratch_size, "scratch", error);
    return program->scratch != NULL;
}

static gboolean make_kernels(XgProgram *program, GError **error)
{
    const XgNetwork *network = program->lowered->network;
    program->kernels = g_ptr_array_new();
    program->patches = g_array_new(FALSE, FALSE, sizeof(Patch));
    for (guint i = 0; i < network->nodes->len; i++)
        if (!make_kernel(program, network->nodes->pdata[i], error))
            return FALSE;
    return allocate_scratch(program, error);
}

static void index_gradients(XgProgram *program)
{
    program->gradients = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < program->lowered->wanted->len; i++) {
        const XgWanted *wanted = &g_array_index(program->lowered->wanted, XgWanted, i);
        g_hash_table_insert(program->gradients, wanted->parameter->name,
                            (void *) program->values[wanted->gradient->id]);
    }
}

/* ---- Slices -------------------------------------------------------------------------------- */

/* Slices of one run are as even as can be. */
static gint64 slice_rows(gint64 batch, gboolean training)
{
    g_assert(batch >= 1);
    const gint64 slices = training ? 1 : (batch + SLICE_ROWS - 1) / SLICE_ROWS;
    return (batch + slices - 1) / slices;
}

static gsize row_bytes(const XgValue *value)
{
    return sizeof(float) * (gsize) xg_shape_elements(&value->shape);
}

static gboolean allocate_joined(XgProgram *program, GError **error)
{
    const GPtrArray *outputs = program->lowered->outputs;
    if (program->slice == program->max_batch)
        return TRUE;
    program->joined = g_new0(float *, outputs->len + 1);
    for (guint i = 0; i < outputs->len; i++) {
        gsize size;
        if (!g_size_checked_mul(&size, row_bytes(outputs->pdata[i]), (gsize) program->max_batch))
            return xg_error_set(error, XG_LIMIT, "the batch's results are too large");
        program->joined[i] = xg_aligned_alloc(size, "results", error);
        if (program->joined[i] == NULL)
            return FALSE;
        program->joined_bytes += size;
    }
    return TRUE;
}

static void free_joined(XgProgram *program)
{
    for (guint i = 0; program->joined != NULL && i < program->lowered->outputs->len; i++)
        xg_aligned_free(program->joined[i]);
    g_free(program->joined);
}

/* ---- Programs ------------------------------------------------------------------------------ */

XgProgram *xg_program_new(const XgProgramSpec *spec, GError **error)
{
    g_autoptr(XgProgram) program = g_new0(XgProgram, 1);
    program->store = spec->store;
    program->engine = spec->engine;
    program->max_batch = spec->max_batch;
    program->slice = slice_rows(spec->max_batch, spec->training);
    program->training = spec->training;
    program->take = spec->take;
    program->trained = spec->trained;
    program->seed = spec->seed;
    program->user = spec->user;
    XgProgramSpec sliced = *spec;
    sliced.max_batch = program->slice;
    if (!xg_fit(&sliced, &program->lowered, &program->memory, error))
        return NULL;
    const gsize count = MAX(program->lowered->network->values->len, 1);
    program->values = g_new0(const float *, count);
    program->constants = g_new0(const float *, count);
    program->folded = xg_constants_new(program->lowered, program->store, program->values,
                                       program->constants, spec->take);
    if (!locate_parameters(program, error) || !allocate_arena(program, error))
        return NULL;
    if (!allocate_joined(program, error) || !make_kernels(program, error))
        return NULL;
    index_gradients(program);
    program->trained = NULL;
    program->user = NULL;
    return g_steal_pointer(&program);
}

void xg_program_free(XgProgram *program)
{
    if (program == NULL)
        return;
    for (guint i = 0; program->kernels != NULL && i < program->kernels->len; i++)
        xg_kernel_free(program->kernels->pdata[i], program->engine);
    g_clear_pointer(&program->kernels, g_ptr_array_unref);
    g_clear_pointer(&program->patches, g_array_unref);
    g_clear_pointer(&program->gradients, g_hash_table_unref);
    xg_constants_free(program->folded);
    free_joined(program);
    xg_aligned_free(program->arena);
    xg_aligned_free(program->scratch);
    g_free(program->values);
    g_free(program->constants);
    xg_memory_plan_free(program->memory);
    xg_lowered_free(program->lowered);
    g_free(program);
}

static gboolean refresh_kernel(XgProgram *program, XgKernel *kernel, GError **error)
{
    const XgNode *node = kernel->node;
    const XgKernelValues values = kernel_values(program);
    if (!xg_constants_need(program->folded, node, error) ||
        !xg_kernel_prepare(kernel, &values, program->engine, error))
        return FALSE;
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k] != NULL && program->values[node->inputs[k]->id] != NULL)
            kernel->inputs[k] = program->values[node->inputs[k]->id];
    xg_constants_settle(program->folded, kernel);
    program->scratch_size = MAX(program->scratch_size, (gsize) kernel->scratch_size);
    return TRUE;
}

gboolean xg_program_refresh(XgProgram *program, GError **error)
{
    g_assert(!program->training && !program->take);
    xg_constants_forget(program->folded);
    for (guint i = 0; i < program->kernels->len; i++) {
        XgKernel *kernel = program->kernels->pdata[i];
        if (kernel->constant && !refresh_kernel(program, kernel, error))
            return FALSE;
    }
    return allocate_scratch(program, error);
}

/* ---- Running ------------------------------------------------------------------------------- */

static gboolean run_kernels(XgProgram *program, gint64 batch, const float *const *inputs,
                            const float *targets, const float *weights, GError **error)
{
    g_assert(batch >= 1 && batch <= program->slice);
    for (guint i = 0; i < program->patches->len; i++) {
        const Patch *patch = &g_array_index(program->patches, Patch, i);
        *patch->slot = patch->input == PATCH_TARGETS   ? targets
                       : patch->input == PATCH_WEIGHTS ? weights
                                                       : inputs[patch->input];
    }
    for (guint i = 0; i < program->kernels->len; i++)
        if (!xg_kernel_run(program->kernels->pdata[i], program->engine, batch, program->scratch,
                           error))
            return FALSE;
    return TRUE;
}

static void give_outputs(const XgProgram *program, const float *const *inputs,
                         const float **outputs)
{
    for (guint i = 0; i < program->lowered->outputs->len; i++) {
        const XgValue *value = program->lowered->outputs->pdata[i];
        outputs[i] = program->values[value->id];
        if (outputs[i] == NULL)
            outputs[i] = inputs[input_index(program, value)];
    }
}

static gboolean run_slice(XgProgram *program, gint64 rows, const float *const *inputs,
                          const float **outputs, GError **error)
{
    if (!run_kernels(program, rows, inputs, NULL, NULL, error))
        return FALSE;
    give_outputs(program, inputs, outputs);
    return TRUE;
}

static gboolean run_slices(XgProgram *program, gint64 batch, const float *const *inputs,
                           const float **outputs, GError **error)
{
    const GPtrArray *given = program->lowered->inputs, *wanted = program->lowered->outputs;
    g_autofree const float **from = g_new(const float *, given->len + 1);
    const gint64 slice = program->slice;
    for (gint64 begin = 0; begin < batch; begin += slice) {
        const gint64 rows = MIN(slice, batch - begin);
        for (guint i = 0; i < given->len; i++)
            from[i] = inputs[i] + (gsize) begin * row_bytes(given->pdata[i]) / sizeof(float);
        if (!run_slice(program, rows, from, outputs, error))
            return FALSE;
        for (guint i = 0; i < wanted->len; i++) {
            const gsize bytes = row_bytes(wanted->pdata[i]);
            memcpy((char *) program->joined[i] + (gsize) begin * bytes, outputs[i],
                   (gsize) rows * bytes);
        }
    }
    for (guint i = 0; i < wanted->len; i++)
        outputs[i] = program->joined[i];
    return TRUE;
}

gboolean xg_program_run(XgProgram *program, gint64 batch, const float *const *inputs,
                        const float **outputs, GError **error)
{
    g_assert(!program->training && batch >= 1 && batch <= program->max_batch);
    return program->joined ? run_slices(program, batch, inputs, outputs, error)
                           : run_slice(program, batch, inputs, outputs, error);
}

gboolean xg_program_train(XgProgram *program, gint64 batch, const float *const *inputs,
                          const float *targets, const float *weights, guint64 step,
                          const float **outputs, double *loss, GError **error)
{
    g_assert(program->training);
    program->rng[0] = program->seed;
    program->rng[1] = step;
    if (!run_kernels(program, batch, inputs, targets, weights, error))
        return FALSE;
    const float *losses = program->values[program->lowered->loss->id];
    double sum = 0.0;
    for (gint64 i = 0; i < batch; i++)
        sum += (double) losses[i] * (double) weights[i];
    *loss = sum;
    give_outputs(program, inputs, outputs);
    return TRUE;
}

const float *xg_program_gradient(const XgProgram *program, const char *parameter)
{
    return g_hash_table_lookup(program->gradients, parameter);
}

/* ---- Facts --------------------------------------------------------------------------------- */

XgProgramFacts xg_program_facts(const XgProgram *program)
{
    XgProgramFacts facts = {
        .arena_bytes = program->memory->size + program->joined_bytes,
        .scratch_bytes = program->scratch_size + xg_constants_size(program->folded),
        .folded = program->lowered->folds->len,
        .fused = program->lowered->fused,
        .again = (guint) program->lowered->again,
        .again_flops = program->lowered->again_flops,
    };
    for (guint i = 0; i < program->kernels->len; i++) {
        const XgKernel *kernel = program->kernels->pdata[i];
        if (kernel->idle)
            continue;
        facts.nodes++;
        facts.reference_nodes += kernel->prepared == NULL;
        facts.flops += xg_node_flops(kernel->node);
    }
    return facts;
}

GArray *xg_program_profile(XgProgram *program)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(XgNodeTime));
    for (guint i = 0; i < program->kernels->len; i++) {
        XgKernel *kernel = program->kernels->pdata[i];
        const XgNodeTime time = {.node = kernel->node->name,
                                 .op = kernel->node->op->id,
                                 .reference = kernel->prepared == NULL,
                                 .seconds = kernel->seconds,
                                 .flops = xg_node_flops(kernel->node)};
        if (kernel->runs > 0)
            g_array_append_val(times, time);
        kernel->seconds = 0.0;
        kernel->runs = 0;
    }
    return times;
}
