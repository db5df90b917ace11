/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training on images that are changed and mixed at random. */
#include "train/sampling.h"
#include "train/targets.h"
#include "train_checkpoint.h"
#include "train_problem.h"

#include <glib/gstdio.h>
#include <math.h>

enum { EPOCHS = 4, VIEWS = 3, BATCH = 6 };

/* A problem whose training images are changed, with the stores for it. */
typedef struct {
    Problem *problem;
    XgTrainAugmentation augmentation;
    XgFeatureStore *stores[VIEWS];
} Augmented;

static Augmented *augmented_new(int threads, gint64 views, XgMixing mixing)
{
    Augmented *a = g_new0(Augmented, 1);
    Problem *p = a->problem = problem_new(threads);
    XgFeatureSpec rows = p->rows;
    rows.memory_limit = views > 0 ? rows.memory_limit : 0;
    rows.preprocessing = "none, changed";
    for (gint64 i = 0; i < MAX(views, 1); i++) {
        rows.view = views > 0 ? i + 1 : 0;
        a->stores[i] = xg_feature_store_new(&rows);
    }
    a->augmentation = (XgTrainAugmentation){TRUE, mixing, views, a->stores};
    p->augmentation = &a->augmentation;
    return a;
}

static void augmented_free(Augmented *a)
{
    for (int i = 0; i < VIEWS; i++)
        xg_feature_store_free(a->stores[i]);
    problem_free(a->problem);
    g_free(a);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Augmented, augmented_free)

static const XgMixing unmixed = {0, 0};

/* ---- Mixing -------------------------------------------------------------------------------- */

static void share_moments(XgMixing mixing, double *mean, double *variance)
{
    enum { N = 5, DRAWS = 2000 };
    double sum = 0, squares = 0;
    for (guint64 stream = 0; stream < DRAWS; stream++) {
        XgMixed mixed[N];
        gboolean used[N] = {FALSE};
        xg_mix_draw(&mixing, 4, stream, N, 40, 20, mixed);
        for (int i = 0; i < N; i++) {
            ck_assert(mixed[i].share >= 0 && mixed[i].share <= 1);
            ck_assert(!used[mixed[i].partner]);
            used[mixed[i].partner] = TRUE;
            sum += mixed[i].share;
            squares += mixed[i].share * mixed[i].share;
        }
    }
    *mean = sum / (N * DRAWS);
    *variance = squares / (N * DRAWS) - *mean * *mean;
}

/* Beta(a, a) has the mean 1/2 and the variance 1 / (8 a + 4). */
START_TEST(test_shares)
{
    static const double alphas[] = {1.0, 0.4, 0.1};
    for (gsize i = 0; i < G_N_ELEMENTS(alphas); i++) {
        double mean, variance;
        share_moments((XgMixing){alphas[i], 0}, &mean, &variance);
        ck_assert_double_eq_tol(mean, 0.5, 0.015);
        ck_assert_double_eq_tol(variance, 1.0 / (8 * alphas[i] + 4), 0.01);
    }
}
END_TEST

START_TEST(test_rectangles)
{
    const XgMixing mixing = {1.0, 1.0};
    int cut = 0, inside = 0;
    for (guint64 stream = 0; stream < 500; stream++) {
        XgMixed mixed[2];
        xg_mix_draw(&mixing, 4, stream, 2, 40, 20, mixed);
        for (int i = 0; i < 2; i++) {
            const XgMixed *m = &mixed[i];
            cut += m->cut;
            if (!m->cut)
                continue;
            ck_assert(m->left >= 0 && m->top >= 0 && m->right <= 40 && m->bottom <= 20);
            ck_assert(m->left <= m->right && m->top <= m->bottom);
            const gint64 area = (m->right - m->left) * (m->bottom - m->top);
            ck_assert_double_eq_tol(m->share, 1.0 - (double) area / 800.0, 1e-12);
            const gboolean whole = m->left > 0 && m->top > 0 && m->right < 40 && m->bottom < 20;
            if (whole)
                ck_assert_int_le(ABS(m->right - m->left - 2 * (m->bottom - m->top)), 3);
            inside += whole;
        }
    }
    ck_assert(cut > 420 && cut < 580 && inside > 50);
}
END_TEST

START_TEST(test_mix_images)
{
    const float images[] = {0, 1, 2, 3, 10, 20, 30, 40};
    const XgMixed mixed[] = {
        {.partner = 1, .share = 0.75},
        {.partner = 0, .share = 0.5, .cut = TRUE, .left = 1, .right = 2, .bottom = 2}};
    const float expected[] = {2.5f, 5.75f, 9, 12.25f, 10, 1, 30, 3};
    float out[8];
    xg_mix_images(mixed, images, 2, 2, 2, 1, out);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq_tol(out[i], expected[i], 1e-6f);
}
END_TEST

/* Loss and gradient of a batch with these targets. */
static double loss_of(XgProgram *program, const float *images, const float *targets,
                      const float *weights, float *gradient)
{
    const float *logits;
    double loss;
    ck_assert(xg_program_train(program, BATCH, &images, targets, weights, 0, &logits, &loss, NULL));
    memcpy(gradient, xg_program_gradient(program, "fc.weight"), sizeof(float) * (FC - CLASSES));
    return loss;
}

static gboolean everything(const XgValue *parameter G_GNUC_UNUSED, void *user G_GNUC_UNUSED)
{
    return TRUE;
}

static XgProgram *training_program(Problem *p, double gamma)
{
    const XgProgramSpec spec = {.network = p->network,
                                .store = p->store,
                                .engine = &p->engine,
                                .max_batch = BATCH,
                                .inputs = (XgValue *const *) p->network->inputs->pdata,
                                .input_count = 1,
                                .outputs = &p->network->logits,
                                .output_count = 1,
                                .training = TRUE,
                                .trained = everything,
                                .bn = XG_BN_FROZEN,
                                .focal_gamma = gamma};
    XgProgram *program = xg_program_new(&spec, NULL);
    ck_assert_ptr_nonnull(program);
    return program;
}

/* The mixed loss and its gradient are the sums, by share, of those of the two labels: with class
 * weights and smoothing, and with the focal loss. */
START_TEST(test_mixed_loss)
{
    static const double gammas[] = {0.0, 2.0};
    const int labels[BATCH] = {0, 1, 2, 0, 1, 2};
    const double class_weights[CLASSES] = {0.02, 0.05, 0.01};
    const XgMixing mixing = {1.0, 0.0};
    XgMixed mixed[BATCH];
    xg_mix_draw(&mixing, 1, 2, BATCH, SIDE_PX, SIDE_PX, mixed);
    for (gsize k = 0; k < G_N_ELEMENTS(gammas); k++) {
        g_autoptr(Problem) p = problem_new(1);
        g_autoptr(XgProgram) program = training_program(p, gammas[k]);
        float targets[BATCH * CLASSES], weights[BATCH], mean[FC], sum[FC] = {0};
        double expected = 0.0, total = 0.0;
        for (int i = 0; i < BATCH; i++)
            total += mixed[i].share * class_weights[labels[i]] +
                     (1.0 - mixed[i].share) * class_weights[labels[mixed[i].partner]];
        for (int side = 0; side < 2; side++) {
            int own[BATCH];
            float gradient[FC];
            for (int i = 0; i < BATCH; i++)
                own[i] = labels[side ? mixed[i].partner : i];
            xg_targets_fill(own, BATCH, CLASSES, 0.1, class_weights, targets, weights);
            for (int i = 0; i < BATCH; i++) {
                const double share = side ? 1.0 - mixed[i].share : mixed[i].share;
                weights[i] = (float) (share * class_weights[own[i]] / total);
            }
            expected += loss_of(program, p->images[0], targets, weights, gradient);
            for (int i = 0; i < FC - CLASSES; i++)
                sum[i] += gradient[i];
        }
        xg_targets_fill(labels, BATCH, CLASSES, 0.1, class_weights, targets, weights);
        xg_mix_targets(mixed, BATCH, CLASSES, targets, weights);
        ck_assert_double_eq_tol(loss_of(program, p->images[0], targets, weights, mean), expected,
                                1e-6);
        for (int i = 0; i < FC - CLASSES; i++)
            ck_assert_float_eq_tol(mean[i], sum[i], 1e-6f);
    }
}
END_TEST

/* ---- Sampling ------------------------------------------------------------------------------ */

static int compare_draws(const void *a, const void *b)
{
    const guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;
    return x < y ? -1 : x > y;
}

/* Images and labels come in the order of a plain run. Draws do not depend on the batch; no two
 * images of an epoch, copies of one included, and no two epochs have one in common. */
START_TEST(test_draws)
{
    g_autoptr(Augmented) a = augmented_new(1, 0, unmixed);
    XgPhase *phase = add_phase(a->problem, "all", "all", EPOCHS);
    const XgTrainerSpec spec = problem_spec(a->problem);
    XgTrainerSpec plain = spec;
    plain.augmentation = NULL;
    guint64 all[2 * EPOCHS * TRAINING];
    gsize count = 0;
    for (int balanced = 0; balanced < 2; balanced++)
        for (gint64 epoch = 0; epoch < EPOCHS; epoch++) {
            phase->balanced_batches = balanced;
            phase->name[0] = balanced ? 'b' : 'a';
            phase->batch_size = 8;
            g_autoptr(XgSampling) one = xg_sampling_new(&spec, phase, epoch);
            g_autoptr(XgSampling) unchanged = xg_sampling_new(&plain, phase, epoch);
            ck_assert_mem_eq(one->items, unchanged->items, TRAINING * sizeof *one->items);
            ck_assert(unchanged->draws == NULL && unchanged->mixed == NULL);
            phase->batch_size = 3;
            g_autoptr(XgSampling) other = xg_sampling_new(&spec, phase, epoch);
            ck_assert_uint_eq(one->count, TRAINING);
            ck_assert_ptr_null(one->mixed);
            ck_assert_mem_eq(one->items, other->items, TRAINING * sizeof *one->items);
            ck_assert_mem_eq(one->draws, other->draws, TRAINING * sizeof *one->draws);
            for (gsize i = 0; i < TRAINING; i++)
                all[count++] = one->draws[i];
        }
    qsort(all, count, sizeof *all, compare_draws);
    for (gsize i = 1; i < count; i++)
        ck_assert_uint_ne(all[i], all[i - 1]);
}
END_TEST

/* ---- Training ------------------------------------------------------------------------------ */

static char *train_bits(Augmented *a, const char *pattern, XgTrainerResult *result)
{
    add_phase(a->problem, "phase", pattern, EPOCHS);
    add_phase(a->problem, "again", pattern, EPOCHS);
    problem_train(a->problem, result);
    return all_bits(a->problem);
}

/* Each epoch computes every training image anew; no other image is ever changed. */
START_TEST(test_fresh)
{
    static const char *const patterns[] = {"all", "head"};
    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
        XgTrainerResult result;
        g_autoptr(Augmented) a = augmented_new(2, 0, unmixed);
        g_autofree char *bits = train_bits(a, patterns[i], &result);
        ck_assert_int_eq(a->problem->changed, 2 * EPOCHS * TRAINING);
        ck_assert_int_eq(a->problem->computed, 2 * EPOCHS * TRAINING + ITEMS);
        xg_trainer_result_clear(&result);
    }
}
END_TEST

/* N views are computed once each, by a frozen part or for the whole network. */
START_TEST(test_views)
{
    static const char *const patterns[] = {"all", "head"};
    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
        XgTrainerResult result;
        g_autoptr(Augmented) a = augmented_new(2, VIEWS, unmixed);
        g_autofree char *bits = train_bits(a, patterns[i], &result);
        ck_assert_int_eq(a->problem->changed, VIEWS * TRAINING);
        ck_assert_int_eq(a->problem->computed, VIEWS * TRAINING + ITEMS);
        const XgTrainerSpec spec = problem_spec(a->problem);
        for (gint64 epoch = 0; epoch < 2 * VIEWS; epoch++)
            ck_assert_ptr_eq(xg_sampling_store(&spec, epoch), a->stores[epoch % VIEWS]);
        xg_trainer_result_clear(&result);
    }
}
END_TEST

/* Views that nothing can keep are computed at each use, to the same bits. */
START_TEST(test_views_that_are_not_kept)
{
    XgTrainerResult kept, streamed;
    g_autoptr(Augmented) a = augmented_new(1, VIEWS, unmixed);
    g_autoptr(Augmented) b = augmented_new(1, VIEWS, unmixed);
    XgFeatureSpec rows = b->problem->rows;
    rows.memory_limit = 0;
    for (gint64 i = 0; i < VIEWS; i++) {
        rows.view = i + 1;
        xg_feature_store_free(b->stores[i]);
        b->stores[i] = xg_feature_store_new(&rows);
    }
    g_autofree char *one = train_bits(a, "block:layer2", &kept);
    g_autofree char *two = train_bits(b, "block:layer2", &streamed);
    ck_assert_str_eq(one, two);
    ck_assert_int_eq(b->problem->changed, 2 * EPOCHS * TRAINING);
    xg_trainer_result_clear(&kept);
    xg_trainer_result_clear(&streamed);
}
END_TEST

/* The same settings give the same bits; changes, mixing and each kind of it give others. */
START_TEST(test_same_bits)
{
    static const XgMixing mixings[] = {{0, 0}, {0.4, 0}, {0, 1.0}, {0.4, 1.0}};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Problem) plain = problem_new(1);
    XgTrainerResult result;
    add_phase(plain, "phase", "all", EPOCHS);
    problem_train(plain, &result);
    g_hash_table_add(seen, all_bits(plain));
    xg_trainer_result_clear(&result);
    for (gsize i = 0; i < G_N_ELEMENTS(mixings); i++) {
        XgTrainerResult once, again;
        g_autoptr(Augmented) a = augmented_new(2, 0, mixings[i]);
        g_autoptr(Augmented) b = augmented_new(2, 0, mixings[i]);
        g_autofree char *one = train_bits(a, "all", &once);
        g_autofree char *two = train_bits(b, "all", &again);
        ck_assert_str_eq(one, two);
        check_same_history(&once, &again);
        ck_assert(isfinite(row_at(&once, EPOCHS - 1)->train_loss));
        ck_assert(g_hash_table_add(seen, g_strdup(one)));
        xg_trainer_result_clear(&once);
        xg_trainer_result_clear(&again);
    }
}
END_TEST

/* Stopped in the middle of an epoch and resumed: the bits of a run that was not. */
START_TEST(test_resume)
{
    const XgMixing both = {0.4, 1.0};
    g_autofree char *folder = g_dir_make_tmp("xg-augment-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "checkpoint.safetensors", NULL);
    static const int stops[] = {1, 3, 5, 12, 27};
    for (gint64 views = 0; views <= 2; views += 2) {
        const XgMixing mixing = views > 0 ? unmixed : both;
        XgTrainerResult whole, resumed, never;
        g_autoptr(Augmented) a = augmented_new(1, views, mixing);
        g_autofree char *expected = train_bits(a, "all", &whole);
        for (gsize i = 0; i < G_N_ELEMENTS(stops); i++) {
            g_autoptr(Augmented) b = augmented_new(1, views, mixing);
            b->problem->checkpoint_path = path;
            b->problem->stop_activity = "training";
            b->problem->stop_after = stops[i];
            add_phase(b->problem, "phase", "all", EPOCHS);
            add_phase(b->problem, "again", "all", EPOCHS);
            ck_assert(!problem_try(b->problem, &never, NULL));
            g_autoptr(Checkpoint) checkpoint = checkpoint_open(path);
            g_autoptr(Augmented) c = augmented_new(1, views, mixing);
            c->problem->checkpoint = &checkpoint->source;
            g_autofree char *bits = train_bits(c, "all", &resumed);
            ck_assert_str_eq(bits, expected);
            check_same_history(&resumed, &whole);
            xg_trainer_result_clear(&resumed);
            g_unlink(path);
        }
        xg_trainer_result_clear(&whole);
    }
    ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train-augment");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, test_shares);
    tcase_add_test(tests, test_rectangles);
    tcase_add_test(tests, test_mix_images);
    tcase_add_test(tests, test_mixed_loss);
    tcase_add_test(tests, test_draws);
    tcase_add_test(tests, test_fresh);
    tcase_add_test(tests, test_views);
    tcase_add_test(tests, test_views_that_are_not_kept);
    tcase_add_test(tests, test_same_bits);
    tcase_add_test(tests, test_resume);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
