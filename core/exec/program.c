/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/program_private.h"

#include "base/memory.h"
#include "exec/fit.h"

#include <string.h>

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
    const gsize lanes = (gsize) program->slices.lanes;
    program->lane_bytes = MAX(program->memory->size, 64);
    if (program->lane_bytes > G_MAXSIZE / lanes)
        return xg_error_set(error, XG_LIMIT, "the activations are too large");
    program->arena = xg_aligned_alloc(lanes * program->lane_bytes, "activations", error);
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

int xg_program_input_index(const XgProgram *program, const XgValue *value)
{
    const XgLowered *lowered = program->lowered;
    const XgValue *shown = shown_input(program, value);
    if (shown == lowered->targets)
        return XG_PATCH_TARGETS;
    if (shown == lowered->weights)
        return XG_PATCH_WEIGHTS;
    for (guint i = 0; i < lowered->inputs->len; i++)
        if (lowered->inputs->pdata[i] == shown)
            return (int) i;
    g_assert_not_reached();
}

const float *xg_program_place(const XgProgram *program, const XgValue *value, int lane)
{
    const float *first = program->values[value->id];
    return program->memory->offsets[value->id] == XG_NOT_PLANNED
               ? first
               : first + (gsize) lane * program->lane_bytes / sizeof(float);
}

/* ---- Kernels ------------------------------------------------------------------------------- */

static XgKernelValues kernel_values(const XgProgram *program)
{
    return (XgKernelValues){(float *const *) program->values, program->lane_bytes,
                            program->constants, program->memory->strides};
}

static void place_inputs(const XgProgram *program, XgKernel *kernel)
{
    const XgNode *node = kernel->node;
    for (int lane = 0; lane < program->slices.lanes; lane++)
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL)
                kernel->lanes[lane].inputs[k] = xg_program_place(program, node->inputs[k], lane);
}

static gboolean make_kernel(XgProgram *program, const XgNode *node, GError **error)
{
    const XgKernelValues values = kernel_values(program);
    if (!xg_constants_need(program->folded, node, error))
        return FALSE;
    XgKernel *kernel = xg_kernel_new(node, program->slices.rows, program->slices.lanes, &values,
                                     program->memory->idle[node->id], program->engine, error);
    if (kernel == NULL)
        return FALSE;
    g_ptr_array_add(program->kernels, kernel);
    place_inputs(program, kernel);
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (input == NULL || program->values[input->id] != NULL)
            continue;
        const XgPatch patch = {kernel, k, xg_program_input_index(program, input)};
        g_array_append_val(program->patches, patch);
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
    const gsize lanes = (gsize) program->slices.lanes;
    program->scratch_size = (program->scratch_size + 63) / 64 * 64;
    if (program->scratch_size > G_MAXSIZE / lanes)
        return xg_error_set(error, XG_LIMIT, "the scratch is too large");
    program->scratch = xg_aligned_alloc(lanes * program->scratch_size, "scratch", error);
    return program->scratch != NULL;
}

static gboolean make_kernels(XgProgram *program, GError **error)
{
    const XgNetwork *network = program->lowered->network;
    program->kernels = g_ptr_array_new();
    program->patches = g_array_new(FALSE, FALSE, sizeof(XgPatch));
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

gsize xg_program_row_bytes(const XgValue *value)
{
    return sizeof(float) * (gsize) xg_shape_elements(&value->shape);
}

static gboolean allocate_joined(XgProgram *program, GError **error)
{
    const GPtrArray *outputs = program->lowered->outputs;
    if (program->slices.rows == program->max_batch && program->slices.lanes == 1)
        return TRUE;
    program->joined = g_new0(float *, outputs->len + 1);
    for (guint i = 0; i < outputs->len; i++) {
        gsize size;
        if (!g_size_checked_mul(&size, xg_program_row_bytes(outputs->pdata[i]),
                                (gsize) program->max_batch))
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

static gboolean plan_slices(XgProgram *program, const XgProgramSpec *spec, XgSlices slices,
                            GError **error)
{
    XgProgramSpec sliced = *spec;
    sliced.max_batch = slices.rows;
    if (slices.lanes > 1)
        sliced.memory_limit = 0;
    program->slices = slices;
    return xg_fit(&sliced, &program->lowered, &program->memory, error);
}

/* In one lane where the limit does not allow more, and that has fewer rows at once. */
static gboolean plan(XgProgram *program, const XgProgramSpec *spec, GError **error)
{
    const XgSlices in_order = xg_slices_in_order(spec);
    XgSlices slices;
    if (!xg_slices_choose(spec, &slices, error) || !plan_slices(program, spec, slices, error))
        return FALSE;
    const gsize size = (gsize) slices.lanes * program->memory->size, limit = spec->memory_limit;
    const gint64 rows = slices.lanes * slices.rows;
    if (slices.lanes == 1 || limit == 0 || size <= limit)
        return TRUE;
    if (rows <= in_order.rows)
        return xg_fit_too_large(size, rows, limit, error);
    g_clear_pointer(&program->lowered, xg_lowered_free);
    g_clear_pointer(&program->memory, xg_memory_plan_free);
    return plan_slices(program, spec, in_order, error);
}

XgProgram *xg_program_new(const XgProgramSpec *spec, GError **error)
{
    g_autoptr(XgProgram) program = g_new0(XgProgram, 1);
    program->store = spec->store;
    program->engine = spec->engine;
    program->max_batch = spec->max_batch;
    program->training = spec->training;
    program->take = spec->take;
    program->trained = spec->trained;
    program->seed = spec->seed;
    program->user = spec->user;
    if (!plan(program, spec, error))
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
    if (spec->take)
        xg_memory_trim();
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
    place_inputs(program, kernel);
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

const float *xg_program_gradient(const XgProgram *program, const char *parameter)
{
    return g_hash_table_lookup(program->gradients, parameter);
}

/* ---- Facts --------------------------------------------------------------------------------- */

XgProgramFacts xg_program_facts(const XgProgram *program)
{
    XgProgramFacts facts = {
        .arena_bytes =
            (gsize) program->slices.lanes * program->memory->size + program->joined_bytes,
        .scratch_bytes = (gsize) program->slices.lanes * program->scratch_size +
                         xg_constants_size(program->folded),
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
        guint64 runs;
        const double seconds = xg_kernel_take_seconds(kernel, &runs);
        const XgNodeTime time = {.node = kernel->node->name,
                                 .op = kernel->node->op->id,
                                 .reference = kernel->prepared == NULL,
                                 .seconds = seconds,
                                 .flops = xg_node_flops(kernel->node)};
        if (runs > 0)
            g_array_append_val(times, time);
    }
    return times;
}
