/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training programs on reference kernels: loss, gradients, running statistics, dropout. */
#include "exec_model.h"

#include <stdlib.h>

static const char everything[] =
    "conv a_ a. b_ b. shortcut c_ c. d_ d. e_ e. aux squeeze expand after hidden fc";

static XgProgramSpec training_spec(const Model *model, const char *trained, XgBnMode bn)
{
    XgProgramSpec spec = model_spec(model);
    spec.training = TRUE;
    spec.trained = by_prefix;
    spec.user = (void *) trained;
    spec.bn = bn;
    spec.seed = 11;
    return spec;
}

static double train(XgProgram *program, const Model *model, const float *const *inputs,
                    guint64 step)
{
    g_autoptr(GError) error = NULL;
    const float *logits;
    double loss = NAN;
    ck_assert_msg(xg_program_train(program, BATCH, inputs, model->targets, model->weights, step,
                                   &logits, &loss, &error),
                  "%s", error ? error->message : "");
    return loss;
}

static double train_images(XgProgram *program, const Model *model, guint64 step)
{
    const float *images = model->images;
    return train(program, model, &images, step);
}

/* Restores the running statistics that a training run changed. */
static void reset_buffers(const Model *model)
{
    for (guint i = 0; i < xg_store_count(model->store); i++)
        if (xg_store_get(model->store, i)->kind == XG_VALUE_BUFFER)
            fill(xg_store_get(model->store, i));
}

/* ---- Gradients ----------------------------------------------------------------------------- */

/* The derivative of the loss by one element, by central differences. */
static double slope(XgProgram *program, const Model *model, float *element, float step)
{
    const float kept = *element;
    const float above = kept + step, below = kept - step;
    *element = above;
    const double high = train_images(program, model, 3);
    *element = below;
    const double low = train_images(program, model, 3);
    *element = kept;
    return (high - low) / ((double) above - (double) below);
}

/* Both a step in which the loss's rounding matters little and one that meets few kinks of the
 * activations are tried. */
static gboolean slope_is(XgProgram *program, const Model *model, float *element, double expected)
{
    const double tolerance = 0.01 * fabs(expected) + 3e-4;
    return fabs(slope(program, model, element, 1e-3f) - expected) < tolerance ||
           fabs(slope(program, model, element, 1e-4f) - expected) < tolerance;
}

static void check_gradients(const char *trained, XgBnMode bn, gboolean auxiliary)
{
    g_autoptr(Model) model = model_new(auxiliary);
    const XgProgramSpec spec = training_spec(model, trained, bn);
    g_autoptr(XgProgram) program = program_new(&spec);
    guint checked = 0;
    for (guint i = 0; i < xg_store_count(model->store); i++) {
        XgStored *stored = xg_store_get(model->store, i);
        train_images(program, model, 3);
        const float *gradient = xg_program_gradient(program, stored->name);
        const XgValue *value = xg_network_find_parameter(model->network, stored->name);
        ck_assert_int_eq(gradient != NULL,
                         value->kind == XG_VALUE_PARAMETER && by_prefix(value, (void *) trained));
        if (gradient == NULL)
            continue;
        gint64 largest = 0;
        for (gint64 k = 1; k < stored->count; k++)
            if (fabs((double) gradient[k]) > fabs((double) gradient[largest]))
                largest = k;
        const double expected = (double) gradient[largest];
        ck_assert_msg(slope_is(program, model, &stored->values[largest], expected), "%s: %g",
                      stored->name, expected);
        checked++;
    }
    ck_assert_uint_gt(checked, 0);
}

START_TEST(test_gradients)
{
    check_gradients(everything, XG_BN_TRAIN, FALSE);
    check_gradients(everything, XG_BN_TRAIN, TRUE);
    check_gradients(everything, XG_BN_FROZEN, FALSE);
    check_gradients("fc", XG_BN_TRAIN, FALSE);
    check_gradients("c. d. expand3", XG_BN_ADAPT, TRUE);
    check_gradients("d_bn squeeze", XG_BN_FROZEN, FALSE);
}
END_TEST

START_TEST(test_merged_equals_plain)
{
    static const XgBnMode modes[] = {XG_BN_FROZEN, XG_BN_ADAPT, XG_BN_TRAIN};
    static const char *const trained[] = {everything, "fc", "expand3 fc", "c. c_", "conv"};
    for (guint i = 0; i < G_N_ELEMENTS(modes) * G_N_ELEMENTS(trained); i++) {
        g_autoptr(Model) model = model_new(TRUE);
        XgProgramSpec spec = training_spec(model, trained[i / 3], modes[i % 3]);
        g_autoptr(XgProgram) merged = program_new(&spec);
        spec.plain = TRUE;
        g_autoptr(XgProgram) plain = program_new(&spec);
        const double found = train_images(merged, model, 2);
        reset_buffers(model);
        const double expected = train_images(plain, model, 2);
        ck_assert_double_lt(fabs(found - expected), 1e-5 * expected);
        for (guint k = 0; k < xg_store_count(model->store); k++) {
            const XgStored *stored = xg_store_get(model->store, k);
            const float *ours = xg_program_gradient(merged, stored->name);
            const float *theirs = xg_program_gradient(plain, stored->name);
            ck_assert_int_eq(ours != NULL, theirs != NULL);
            ck_assert_msg(ours == NULL || difference(ours, theirs, (gsize) stored->count) < 1e-4,
                          "%s", stored->name);
        }
        ck_assert_uint_gt(xg_program_facts(merged).fused, 0);
        ck_assert_uint_lt(xg_program_facts(merged).nodes, xg_program_facts(plain).nodes);
    }
}
END_TEST

/* Fixed batch norms need their input in the backward pass only for their own parameters. */
START_TEST(test_fixed_norms_keep_less)
{
    static const char convolutions[] = "conv. a. b. shortcut. c. d. e. squeeze expand fc";
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = training_spec(model, convolutions, XG_BN_FROZEN);
    g_autoptr(XgProgram) fixed = program_new(&spec);
    spec.user = (void *) everything;
    g_autoptr(XgProgram) trained = program_new(&spec);
    ck_assert_uint_lt(xg_program_facts(fixed).arena_bytes,
                      xg_program_facts(trained).arena_bytes * 3 / 4);
    check_gradients(convolutions, XG_BN_FROZEN, FALSE);
}
END_TEST

/* The frozen part's values given: the same loss and gradients as from the images. */
START_TEST(test_from_boundary)
{
    static const char *const trained[] = {"fc", "hidden", "expand3 fc", "d. fc", "after"};
    for (guint i = 0; i < G_N_ELEMENTS(trained); i++) {
        g_autoptr(Model) model = model_new(FALSE);
        XgProgramSpec spec = training_spec(model, trained[i], XG_BN_FROZEN);
        g_autoptr(XgProgram) whole = program_new(&spec);
        g_autoptr(XgCut) cut = xg_cut_new(model->network, model->network->logits, by_prefix,
                                          (void *) trained[i], XG_BN_FROZEN);
        spec.inputs = (XgValue *const *) cut->boundary->pdata;
        spec.input_count = (int) cut->boundary->len;
        g_autoptr(XgProgram) above = program_new(&spec);
        spec = model_spec(model);
        spec.outputs = (XgValue *const *) cut->boundary->pdata;
        spec.output_count = (int) cut->boundary->len;
        g_autoptr(XgProgram) below = program_new(&spec);
        const float *images = model->images, *values[8];
        ck_assert(xg_program_run(below, BATCH, &images, values, NULL));
        for (guint64 step = 0; step < 3; step++) {
            const double expected = train_images(whole, model, step);
            ck_assert_double_lt(fabs(train(above, model, values, step) - expected),
                                1e-5 * expected);
        }
        ck_assert_uint_lt(xg_program_facts(above).nodes, xg_program_facts(whole).nodes);
    }
}
END_TEST

/* ---- Modes --------------------------------------------------------------------------------- */

static gboolean has_changed(const Model *model, const char *name)
{
    XgStored *stored = xg_store_find(model->store, name);
    g_autofree float *after = g_memdup2(stored->values, sizeof(float) * (gsize) stored->count);
    fill(stored);
    const gboolean changed =
        memcmp(after, stored->values, sizeof(float) * (gsize) stored->count) != 0;
    memcpy(stored->values, after, sizeof(float) * (gsize) stored->count);
    return changed;
}

START_TEST(test_running_statistics)
{
    static const char *const names[] = {"conv_bn.running_mean", "a_bn.running_var",
                                        "e_bn.running_mean", "after.running_var"};
    static const struct {
        const char *trained;
        XgBnMode bn;
        gboolean changed[4];
    } cases[] = {
        {everything, XG_BN_FROZEN, {FALSE, FALSE, FALSE, FALSE}},
        {everything, XG_BN_ADAPT, {TRUE, TRUE, TRUE, TRUE}},
        {"c. fc", XG_BN_TRAIN, {FALSE, TRUE, TRUE, FALSE}},
        {"expand3", XG_BN_ADAPT, {FALSE, FALSE, FALSE, TRUE}},
        {"fc", XG_BN_TRAIN, {FALSE, FALSE, FALSE, FALSE}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Model) model = model_new(FALSE);
        const XgProgramSpec spec = training_spec(model, cases[i].trained, cases[i].bn);
        g_autoptr(XgProgram) program = program_new(&spec);
        train_images(program, model, 0);
        for (guint k = 0; k < G_N_ELEMENTS(names); k++)
            ck_assert_msg(has_changed(model, names[k]) == cases[i].changed[k], "case %u, %s", i,
                          names[k]);
        ck_assert(!has_changed(model, "conv.weight"));
    }
}
END_TEST

/* running = 0.9 running + 0.1 batch, the variance unbiased. */
START_TEST(test_statistics_values)
{
    g_autoptr(Model) model = model_new(FALSE);
    const XgNode *node = xg_network_find_parameter(model->network, "conv_bn.weight") != NULL
                             ? model->network->nodes->pdata[0]
                             : NULL;
    XgProgramSpec evaluation = model_spec(model);
    evaluation.outputs = node->outputs;
    g_autoptr(XgProgram) convolution = program_new(&evaluation);
    const float *images = model->images, *x;
    ck_assert(xg_program_run(convolution, BATCH, &images, &x, NULL));
    const XgProgramSpec spec = training_spec(model, everything, XG_BN_TRAIN);
    g_autoptr(XgProgram) program = program_new(&spec);
    const XgStored *mean = xg_store_find(model->store, "conv_bn.running_mean");
    const XgStored *variance = xg_store_find(model->store, "conv_bn.running_var");
    const double old_mean = (double) mean->values[2], old_variance = (double) variance->values[2];
    train_images(program, model, 0);
    const int rows = BATCH * SIDE_PX * SIDE_PX;
    double sum = 0.0, squares = 0.0;
    for (int r = 0; r < rows; r++)
        sum += (double) x[r * 6 + 2];
    for (int r = 0; r < rows; r++)
        squares += pow((double) x[r * 6 + 2] - sum / rows, 2);
    ck_assert_double_eq_tol((double) mean->values[2], 0.9 * old_mean + 0.1 * sum / rows, 1e-6);
    ck_assert_double_eq_tol((double) variance->values[2],
                            0.9 * old_variance + 0.1 * squares / (rows - 1), 1e-6);
}
END_TEST

START_TEST(test_dropout)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = training_spec(model, "fc", XG_BN_FROZEN);
    g_autoptr(XgProgram) program = program_new(&spec);
    const double first = train_images(program, model, 0);
    ck_assert_double_ne(train_images(program, model, 1), first);
    ck_assert_double_eq(train_images(program, model, 0), first);
    spec.seed++;
    g_autoptr(XgProgram) other = program_new(&spec);
    ck_assert_double_ne(train_images(other, model, 0), first);
    XgProgramSpec below = training_spec(model, "squeeze", XG_BN_FROZEN);
    g_autoptr(XgProgram) off = program_new(&below);
    ck_assert_double_eq(train_images(off, model, 0), train_images(off, model, 1));
}
END_TEST

static XgStatus build_depth(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_conv2d(g, xg_input(g), "conv", 4, .kernel = 3, .pad = 1);
    x = xg_block(g, xg_stochastic_depth(g, x, 0.5), "stem");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

/* A trained block loses whole images or doubles them, a frozen one does neither. */
START_TEST(test_stochastic_depth)
{
    enum { MAP = SIDE_PX * SIDE_PX * 4 };
    g_autoptr(Model) model = model_built(build_depth, NULL);
    XgProgramSpec evaluation = model_spec(model);
    XgProgramSpec trained = training_spec(model, "conv", XG_BN_FROZEN);
    XgProgramSpec frozen = training_spec(model, "fc", XG_BN_FROZEN);
    const XgNode *node = model->network->nodes->pdata[1];
    XgValue *outputs[] = {model->network->logits, node->outputs[0]};
    evaluation.outputs = trained.outputs = frozen.outputs = outputs;
    evaluation.output_count = trained.output_count = frozen.output_count = 2;
    g_autoptr(XgProgram) plain = program_new(&evaluation);
    g_autoptr(XgProgram) active = program_new(&trained);
    g_autoptr(XgProgram) inactive = program_new(&frozen);
    const float *images = model->images, *plain_values[2], *values[2];
    int kept = 0;
    ck_assert(xg_program_run(plain, BATCH, &images, plain_values, NULL));
    const float *x = plain_values[1];
    for (guint64 step = 0; step < 20; step++) {
        double loss;
        ck_assert(xg_program_train(active, BATCH, &images, model->targets, model->weights, step,
                                   values, &loss, NULL));
        const float *y = values[1];
        for (int n = 0; n < BATCH; n++) {
            const float factor = y[n * MAP] != 0.0f ? 2.0f : 0.0f;
            kept += factor != 0.0f;
            for (int i = n * MAP; i < (n + 1) * MAP; i++)
                ck_assert_float_eq_tol(y[i], factor * x[i], 1e-5f);
        }
        ck_assert(xg_program_train(inactive, BATCH, &images, model->targets, model->weights, step,
                                   values, &loss, NULL));
        ck_assert_double_lt(difference(values[1], x, BATCH * MAP), 1e-6);
    }
    ck_assert_int_gt(kept, 20); /* of 80: 4.5 deviations */
    ck_assert_int_lt(kept, 60);
}
END_TEST

/* loss + 0.3 * auxiliary loss; without the auxiliary output when nothing trained reaches it. */
START_TEST(test_auxiliary)
{
    g_autoptr(Model) model = model_new(TRUE);
    const char *reaching = "e.", *after = "squeeze";
    const XgProgramSpec with = training_spec(model, reaching, XG_BN_FROZEN);
    const XgProgramSpec without = training_spec(model, after, XG_BN_FROZEN);
    g_autoptr(XgProgram) both = program_new(&with);
    g_autoptr(XgProgram) main_only = program_new(&without);
    const XgAuxiliary *a = &g_array_index(model->network->auxiliaries, XgAuxiliary, 0);
    XgProgramSpec evaluation = model_spec(model);
    evaluation.outputs = &a->logits;
    g_autoptr(XgProgram) program = program_new(&evaluation);
    const float *images = model->images, *logits;
    ck_assert(xg_program_run(program, BATCH, &images, &logits, NULL));
    double expected = train_images(main_only, model, 0);
    for (int n = 0; n < BATCH; n++) {
        double sum = 0.0;
        for (int k = 0; k < CLASSES; k++)
            sum += exp((double) logits[n * CLASSES + k]);
        for (int k = 0; k < CLASSES; k++)
            expected -= 0.3 * (double) (model->weights[n] * model->targets[n * CLASSES + k]) *
                        ((double) logits[n * CLASSES + k] - log(sum));
    }
    ck_assert_double_eq_tol(train_images(both, model, 0), expected, 1e-5 * expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_train");
    TCase *training = tcase_create("training");
    tcase_set_timeout(training, 60);
    tcase_add_test(training, test_gradients);
    tcase_add_test(training, test_merged_equals_plain);
    tcase_add_test(training, test_fixed_norms_keep_less);
    tcase_add_test(training, test_from_boundary);
    tcase_add_test(training, test_running_statistics);
    tcase_add_test(training, test_statistics_values);
    tcase_add_test(training, test_dropout);
    tcase_add_test(training, test_stochastic_depth);
    tcase_add_test(training, test_auxiliary);
    suite_add_tcase(suite, training);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
