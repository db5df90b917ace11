/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Runs a backbone on the weights and images of reference files and compares all that they hold.
 * Exits 0 when every file is within tolerance, 1 when one is not, 2 when one cannot be checked. */
#include "base/rng.h"
#include "golden.h"
#include "golden_rows.h"
#include "graph/op.h"
#include "host.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the norm of what is compared; gradients and blocks are compared element by element too. */
static const double logits_limit = 1e-4, apart_limit = 1e-3, loss_limit = 1e-4, buffer_limit = 1e-4,
                    block_limit = 1e-3;

/* Rounding turns the sign of some input of a rectifier near zero, and every gradient below it
 * moves: PyTorch with and without oneDNN differ from each other by up to 1e-2 in the norm of one
 * parameter's gradient (README). So the median is held to 1e-3 times a few, the worst loosely. */
typedef struct {
    double median, norm, element;
} GradientLimits;
static const GradientLimits usual_limits = {3e-3, 2e-2, 0.3}, strict_limits = {1e-3, 1e-3, 1e-2};
/* A gradient with less than this of the largest one's norm is zero but for rounding. */
static const double zero_norm = 1e-6, zero_limit = 1e-5;

typedef struct {
    gboolean plain;
    gboolean strict;
} Options;

/* Passes with rounded weights that say how closely a file can be compared at all. */
#define ROUNDED_PASSES 3

/* One look at a file. */
typedef struct {
    Golden *golden;
    const Host *host;
    const Options *options;
    GoldenRows *rows;
    guint rounded;    /* weights are rounded, differently for each number; 0: as they are */
    gboolean capture; /* what is found takes the place of what the file says */
} Check;

/* A network of the file's weights for one image size. */
typedef struct {
    const Check *check;
    XgNetwork *network;
    XgStore *store;
    GPtrArray *outputs; /* of XgValue: the logits, then a value per compared block */
    GPtrArray *blocks;  /* of GoldenTensor, one per further output; one twice: either may be it */
} Model;

static void model_clear(Model *model)
{
    xg_store_free(model->store);
    xg_network_free(model->network);
    if (model->outputs != NULL)
        g_ptr_array_unref(model->outputs);
    if (model->blocks != NULL)
        g_ptr_array_unref(model->blocks);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Model, model_clear)

/* The output of a top-level child: of the last node of its name or in its scope. */
static XgValue *child_value(const XgNetwork *network, const char *child)
{
    static const char *const unnamed[][2] = {{"maxpool", "max_pool"},
                                             {"avgpool", "global_avg_pool"}};
    for (gsize i = 0; i < G_N_ELEMENTS(unnamed); i++)
        child = strcmp(child, unnamed[i][0]) == 0 ? unnamed[i][1] : child;
    g_autofree char *scope = g_strconcat(child, ".", NULL);
    XgValue *last = NULL;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        if (node->name != NULL &&
            (strcmp(node->name, child) == 0 || g_str_has_prefix(node->name, scope)))
            last = node->outputs[0];
    }
    return last;
}

/* The activation that follows a batch norm: some libraries count it to the same child. */
static XgValue *activated(const XgNetwork *network, const XgValue *value)
{
    static const char *const activations[] = {"relu/1", "relu6/1", "silu/1", "hardswish/1"};
    if (value == NULL || value->producer == NULL ||
        strcmp(value->producer->op->id, "batch_norm/1") != 0)
        return NULL;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (gsize a = 0; a < G_N_ELEMENTS(activations); a++)
            if (node->inputs[0] == value && strcmp(node->op->id, activations[a]) == 0)
                return node->outputs[0];
    }
    return NULL;
}

static void remove_dropout(XgNetwork *network)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int a = 0; a < node->attribute_count; a++)
            if (strcmp(node->attributes[a].name, "probability") == 0)
                node->attributes[a].f = 0.0;
    }
}

/* Whether the file's blocks were seen in a pass of `batch` images. */
static gboolean block_fits(const GoldenTensor *block, const XgValue *value, gint64 batch)
{
    gint64 count = 1;
    for (int i = 0; i < block->rank; i++)
        count *= block->dims[i];
    return value != NULL && block->rank > 0 && block->dims[0] == batch &&
           count == batch * xg_shape_elements(&value->shape);
}

/* Moves each weight by up to one unit in its last place. */
static void round_weights(XgStore *store, guint number)
{
    for (guint i = 0; i < xg_store_count(store); i++) {
        const XgStored *stored = xg_store_get(store, i);
        const guint64 stream = xg_rng_stream(stored->name);
        for (gint64 k = 0; k < stored->count; k++) {
            const double draw = 2.0 * xg_rng_uniform(number, stream, (guint64) k) - 1.0;
            stored->values[k] = (float) ((double) stored->values[k] * (1.0 + draw * 0x1p-23));
        }
    }
}

static gboolean model_open(Model *model, gint64 size, gint64 batch, GError **error)
{
    const Golden *golden = model->check->golden;
    const XgNameMap *maps = NULL;
    model->network =
        host_variant(model->check->host, golden->model, (const char *const *) golden->settings,
                     golden->classes, size, &maps, error);
    if (model->network == NULL)
        return FALSE;
    remove_dropout(model->network);
    model->store = xg_store_new(model->network, model->network->logits, error);
    if (model->store == NULL || !golden_fill(golden, maps, model->store, error))
        return FALSE;
    if (model->check->rounded > 0)
        round_weights(model->store, model->check->rounded);
    model->outputs = g_ptr_array_new();
    model->blocks = g_ptr_array_new();
    g_ptr_array_add(model->outputs, model->network->logits);
    for (guint i = 0; i < golden->blocks->len; i++) {
        GoldenTensor *block = golden->blocks->pdata[i];
        XgValue *value = child_value(model->network, block->name);
        if (!block_fits(block, value, batch) || value == model->network->logits)
            continue;
        for (; value != NULL; value = activated(model->network, value)) {
            g_ptr_array_add(model->outputs, value);
            g_ptr_array_add(model->blocks, block);
        }
    }
    return TRUE;
}

static gboolean every(const XgValue *parameter, void *user)
{
    (void) parameter;
    (void) user;
    return TRUE;
}

static XgProgram *model_program(Model *model, gint64 batch, guint outputs, gboolean training,
                                GError **error)
{
    const XgProgramSpec spec = {
        .network = model->network,
        .store = model->store,
        .engine = host_engine(model->check->host),
        .max_batch = batch,
        .inputs = (XgValue *const *) model->network->inputs->pdata,
        .input_count = (int) model->network->inputs->len,
        .outputs = (XgValue *const *) model->outputs->pdata,
        .output_count = (int) outputs,
        .training = training,
        .trained = training ? every : NULL,
        .bn = training ? XG_BN_TRAIN : XG_BN_FROZEN,
        .plain = model->check->options->plain,
    };
    return xg_program_new(&spec, error);
}

/* ---- Reporting ----------------------------------------------------------------------------- */

static void report_one(const Check *check, const char *section, double error, double limit)
{
    GoldenWorst worst = {0};
    golden_worst_add(&worst, error, "");
    golden_rows_add(check->rows, section, &worst, limit);
}

/* The difference of a tensor from what the file says of it, which it may replace. */
static double compare(const Check *check, GoldenTensor *expected, const float *found, gint64 count)
{
    const double difference = golden_difference(expected, found, count);
    if (check->capture)
        golden_describe(expected, found, count);
    return difference;
}

static void compare_blocks(const Model *model, const float *const *outputs, gint64 batch)
{
    GoldenWorst worst = {0};
    double last = INFINITY;
    for (guint i = 0; i < model->blocks->len; i++) {
        GoldenTensor *block = model->blocks->pdata[i];
        const XgValue *value = model->outputs->pdata[i + 1];
        g_autofree float *found = golden_published_order(outputs[i + 1], &value->shape, batch);
        const gint64 count = batch * xg_shape_elements(&value->shape);
        last = MIN(last, golden_difference(block, found, count));
        if (i + 1 < model->blocks->len && model->blocks->pdata[i + 1] == block)
            continue;
        golden_worst_add(&worst, last, block->name);
        last = INFINITY;
        if (model->check->capture)
            golden_describe(block, found, count);
    }
    g_autofree char *section = g_strdup_printf("%u blocks", worst.compared);
    golden_rows_add(model->check->rows, section, &worst, block_limit);
}

/* ---- Evaluation ---------------------------------------------------------------------------- */

/* The logits of the first two images, one minus the other. */
static float *apart(const float *logits, gint64 classes)
{
    float *result = g_new(float, (gsize) classes);
    for (gint64 i = 0; i < classes; i++)
        result[i] = logits[i] - logits[classes + i];
    return result;
}

static gboolean check_eval(const Check *check, GError **error)
{
    Golden *golden = check->golden;
    g_auto(Model) model = {.check = check};
    const gint64 batch = golden->eval_batch, classes = golden->classes;
    if (!model_open(&model, golden->eval_size, batch, error))
        return FALSE;
    g_autofree float *images =
        golden_images(golden, "image", batch, golden->eval_size, model.network->info.channels);
    const float *inputs[] = {images};
    g_autofree const float **outputs = g_new0(const float *, model.outputs->len);
    g_autoptr(XgProgram) program = model_program(&model, batch, 1, FALSE, error);
    if (program == NULL || !xg_program_run(program, batch, inputs, outputs, error))
        return FALSE;
    report_one(check, "logits", golden_distance(outputs[0], golden->logits, batch * classes),
               logits_limit);
    if (batch >= 2) {
        g_autofree float *found = apart(outputs[0], classes);
        g_autofree float *expected = apart(golden->logits, classes);
        report_one(check, "logits' difference", golden_distance(found, expected, classes),
                   apart_limit);
    }
    if (check->capture)
        memcpy(golden->logits, outputs[0], sizeof(float) * (gsize) (batch * classes));
    if (model.blocks->len == 0)
        return TRUE;
    g_autoptr(XgProgram) whole = model_program(&model, batch, model.outputs->len, FALSE, error);
    if (whole == NULL || !xg_program_run(whole, batch, inputs, outputs, error))
        return FALSE;
    compare_blocks(&model, outputs, batch);
    return TRUE;
}

/* ---- Training ------------------------------------------------------------------------------ */

/* What is known of all gradients. */
typedef struct {
    double largest; /* norm in the file */
    GArray *norms;  /* of double: relative errors */
    GoldenWorst norm, element, zero;
} Gradients;

static gboolean compare_gradient(const Model *model, const XgProgram *program,
                                 GoldenTensor *expected, Gradients *all, GError **error)
{
    const XgStored *stored = xg_store_find(model->store, expected->name);
    const float *gradient = xg_program_gradient(program, expected->name);
    if (stored == NULL || gradient == NULL)
        return xg_error_set(error, XG_SHAPE, "%s: has no gradient", expected->name);
    XgStored view = *stored;
    view.values = (float *) gradient;
    g_autofree float *found = g_new(float, (gsize) stored->count);
    xg_stored_export(&view, found);
    if (expected->norm < zero_norm * all->largest) {
        golden_worst_add(&all->zero, golden_norm(found, stored->count) / all->largest,
                         expected->name);
        return TRUE;
    }
    const double error_of_norm =
        fabs(golden_norm(found, stored->count) - expected->norm) / expected->norm;
    g_array_append_val(all->norms, error_of_norm);
    golden_worst_add(&all->norm, error_of_norm, expected->name);
    golden_worst_add(&all->element, compare(model->check, expected, found, stored->count),
                     expected->name);
    return TRUE;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void report_gradients(const Model *model, Gradients *all)
{
    const Check *check = model->check;
    const GradientLimits *limits = model->check->options->strict ? &strict_limits : &usual_limits;
    if (all->norms->len > 0) {
        g_array_sort(all->norms, ascending);
        report_one(check, "gradients' median",
                   g_array_index(all->norms, double, all->norms->len / 2), limits->median);
    }
    golden_rows_add(check->rows, "gradients' norms", &all->norm, limits->norm);
    golden_rows_add(check->rows, "gradients' elements", &all->element, limits->element);
    golden_rows_add(check->rows, "gradients of zero", &all->zero, zero_limit);
}

static gboolean compare_gradients(const Model *model, const XgProgram *program, GError **error)
{
    const GPtrArray *grads = model->check->golden->grads;
    Gradients all = {.norms = g_array_new(FALSE, FALSE, sizeof(double))};
    gboolean done = TRUE;
    for (guint i = 0; i < grads->len; i++)
        all.largest = MAX(all.largest, ((GoldenTensor *) grads->pdata[i])->norm);
    for (guint i = 0; done && i < grads->len; i++)
        done = compare_gradient(model, program, grads->pdata[i], &all, error);
    if (done)
        report_gradients(model, &all);
    golden_worst_clear(&all.norm);
    golden_worst_clear(&all.element);
    golden_worst_clear(&all.zero);
    g_array_unref(all.norms);
    return done;
}

static gboolean compare_buffers(const Model *model, GError **error)
{
    const Golden *golden = model->check->golden;
    GoldenWorst worst = {0};
    for (guint i = 0; i < golden->buffers->len; i++) {
        GoldenTensor *expected = golden->buffers->pdata[i];
        const XgStored *stored = xg_store_find(model->store, expected->name);
        if (stored == NULL) {
            golden_worst_clear(&worst);
            return xg_error_set(error, XG_SHAPE, "%s: not in the network", expected->name);
        }
        golden_worst_add(&worst, compare(model->check, expected, stored->values, stored->count),
                         expected->name);
    }
    golden_rows_add(model->check->rows, "running statistics", &worst, buffer_limit);
    return TRUE;
}

static gboolean check_train(const Check *check, GError **error)
{
    Golden *golden = check->golden;
    g_auto(Model) model = {.check = check};
    const gint64 batch = golden->train_batch, classes = golden->classes;
    if (!model_open(&model, golden->train_size, batch, error))
        return FALSE;
    g_autoptr(XgProgram) program = model_program(&model, batch, model.outputs->len, TRUE, error);
    if (program == NULL)
        return FALSE;
    g_autofree float *images =
        golden_images(golden, "train", batch, golden->train_size, model.network->info.channels);
    g_autofree float *targets = g_new0(float, (gsize) (batch * classes));
    g_autofree float *weights = g_new(float, (gsize) batch);
    for (gint64 n = 0; n < batch; n++) {
        targets[n * classes + golden->labels[n]] = 1.0f;
        weights[n] = 1.0f / (float) batch;
    }
    const float *inputs[] = {images};
    g_autofree const float **outputs = g_new0(const float *, model.outputs->len);
    double loss = 0;
    if (!xg_program_train(program, batch, inputs, targets, weights, 0, outputs, &loss, error))
        return FALSE;
    report_one(check, "loss", fabs(loss - golden->loss) / fabs(golden->loss), loss_limit);
    golden->loss = check->capture ? loss : golden->loss;
    compare_blocks(&model, outputs, batch);
    return compare_gradients(&model, program, error) && compare_buffers(&model, error);
}

static gboolean check_all(const Check *check, GError **error)
{
    return check_eval(check, error) &&
           (check->golden->train_size == 0 || check_train(check, error));
}

/* Where a file is off, how far the network's own numbers move when its weights are rounded says
 * whether any two programs could agree on it. */
static gboolean measure_rounding(Check *check, GError **error)
{
    check->capture = FALSE;
    check->rows->measures = TRUE;
    for (check->rounded = 1; check->rounded <= ROUNDED_PASSES; check->rounded++)
        if (!check_all(check, error))
            return FALSE;
    return TRUE;
}

static int check_file(const char *path, const Host *host, const Options *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Golden) golden = golden_read(path, &error);
    g_autoptr(GoldenRows) rows = golden_rows_new();
    Check check = {
        .golden = golden, .host = host, .options = options, .rows = rows, .capture = TRUE};
    if (golden != NULL && check_all(&check, &error) && !golden_rows_good(rows) && !options->strict)
        measure_rounding(&check, &error);
    if (golden != NULL)
        golden_rows_print(rows, golden->model);
    if (error == NULL)
        return golden_rows_good(rows) ? 0 : 1;
    const gboolean named = g_str_has_prefix(error->message, path);
    fprintf(stderr, "%s%s%s\n", named ? "" : path, named ? "" : ": ", error->message);
    return 2;
}

int main(int argc, char **argv)
{
    HostOptions options = {0};
    g_auto(GStrv) plugins = NULL;
    g_autofree char *engine = NULL, *scanner = NULL;
    Options checks = {0};
    const GOptionEntry entries[] = {
        {"engine", 'e', 0, G_OPTION_ARG_STRING, &engine,
         "an installed engine, or reference (default: openblas)", "ID[:KEY=VALUE]"},
        {"threads", 't', 0, G_OPTION_ARG_INT, &options.threads, "0: one per processor", "N"},
        {"plugins", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &plugins,
         "folder of plugins instead of the installed ones; may be repeated", "DIR"},
        {"scanner", 0, 0, G_OPTION_ARG_FILENAME, &scanner, "the xenograft-scan to use", "PROGRAM"},
        {"plain", 0, 0, G_OPTION_ARG_NONE, &checks.plain, "neither fold nor fuse", NULL},
        {"strict", 0, 0, G_OPTION_ARG_NONE, &checks.strict,
         "every gradient's norm within 1e-3, whatever rectifiers do", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("FILE.json...");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2) {
        fprintf(stderr, "%s\n", error ? error->message : "no file is named; see --help");
        return 2;
    }
    options.engine = engine ? engine : "openblas";
    options.scanner = scanner;
    options.plugins = (const char *const *) plugins;
    g_autoptr(Host) host = host_new(&options, &error);
    if (host == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    int worst = 0;
    for (int i = 1; i < argc; i++) {
        const int status = check_file(argv[i], host, &checks);
        worst = MAX(worst, status);
    }
    return worst;
}
