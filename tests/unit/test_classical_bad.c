/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Heads fitted on feature vectors: bad settings, data and states, and stopping. */
#include "classical_heads.h"

#include <stdlib.h>

enum { ROWS = 60, COLUMNS = 5, KINDS = 3 };

static const char *const heads[] = {"svm", "knn", "logistic", "lda", "random_forest"};

static float values[ROWS * COLUMNS];
static int32_t labels[ROWS];

/* Three overlapping classes; column 4 is constant. */
static void fill(void)
{
    guint32 state = 12345;
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % KINDS;
        for (int j = 0; j < COLUMNS; j++) {
            state = state * 1664525u + 1013904223u;
            values[i * COLUMNS + j] =
                j == 4 ? 3.5f
                       : (float) ((state >> 8) % 1000) * 0.01f + (float) (labels[i] * (j + 1));
        }
    }
}

static void setup(void)
{
    open_registry();
    fill();
}

static XgInstance *fitted(const char *name)
{
    g_auto(Fit) fit = new_fit(ROWS, COLUMNS, KINDS, values, labels, NULL);
    XgInstance *head =
        make_head(name, strcmp(name, "random_forest") == 0 ? "trees=5" : "tap=features");
    do_fit(head, &fit);
    return head;
}

static void refuse(const char *name, const char *settings, XgStatus expected, const char *words,
                   gint64 rows)
{
    g_autoptr(GError) error = NULL;
    if (!have(name))
        return;
    g_auto(Fit) fit = new_fit(rows, COLUMNS, KINDS, values, labels, NULL);
    g_autoptr(XgInstance) head = make_head(name, settings);
    ck_assert_int_eq(try_fit(head, &fit, &error), expected);
    ck_assert_msg(strstr(error->message, words), "%s: no \"%s\" in: %s", name, words,
                  error->message);
}

START_TEST(test_settings)
{
    refuse("svm", "c=much", XG_INVALID, "c: expected \"auto\" or a number", ROWS);
    refuse("svm", "c=-1", XG_INVALID, "found \"-1\"", ROWS);
    refuse("svm", "c=1e", XG_INVALID, "found \"1e\"", ROWS);
    refuse("svm", "gamma=0", XG_INVALID, "gamma: expected", ROWS);
    refuse("knn", "k=2.5", XG_INVALID, "whole number", ROWS);
    refuse("knn", "k=0", XG_INVALID, "found \"0\"", ROWS);
    refuse("knn", "k=61", XG_INVALID, "at most the 60 training images", ROWS);
    refuse("logistic", "c=nan", XG_INVALID, "found \"nan\"", ROWS);
    refuse("lda", "shrinkage=1.5", XG_INVALID, "from 0 to 1", ROWS);
    refuse("random_forest", "max_features=few", XG_INVALID, "max_features", ROWS);
    refuse("random_forest", "max_features=1.5", XG_INVALID, "whole number", ROWS);
}
END_TEST

/* A head that was not built is named with the package of its library. */
START_TEST(test_absent)
{
    g_autofree char *folder = g_path_get_dirname(g_getenv("XG_TEST_STRATEGIES"));
    const char *const folders[] = {folder, NULL};
    const XgRegistryOptions options = {
        .scanner = g_getenv("XG_TEST_SCANNER"), .search_path = folders, .cache_file = ""};
    g_autoptr(GError) svm = NULL, logistic = NULL;
    g_autoptr(XgRegistry) others = xg_registry_new(&options, NULL);
    ck_assert_ptr_null(xg_registry_find(others, XG_STRATEGY_KIND, "svm", &svm));
    ck_assert_msg(strstr(svm->message, "no strategy \"svm\": build") != NULL, "%s", svm->message);
    ck_assert_msg(strstr(svm->message, "libsvm-dev") != NULL, "%s", svm->message);
    ck_assert_ptr_null(xg_registry_find(others, XG_STRATEGY_KIND, "logistic", &logistic));
    ck_assert_msg(strstr(logistic->message, "liblinear-dev") != NULL, "%s", logistic->message);
}
END_TEST

START_TEST(test_data)
{
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        refuse(heads[i], "tap=features", XG_INVALID, "at least 2 training images", 1);
        labels[0] = KINDS;
        refuse(heads[i], "tap=features", XG_INVALID, "label of image 0", ROWS);
        fill();
        values[7 * COLUMNS + 2] = NAN;
        refuse(heads[i], "tap=features", XG_NUMERIC, "feature 2 of image 7", ROWS);
        values[7 * COLUMNS + 2] = INFINITY;
        refuse(heads[i], "tap=features", XG_NUMERIC, "feature 2 of image 7", ROWS);
        fill();
        for (int r = 0; r < ROWS; r++)
            labels[r] = 1;
        refuse(heads[i], "tap=features", XG_INVALID, "one class", ROWS);
        fill();
    }
}
END_TEST

START_TEST(test_predict_refused)
{
    float out[KINDS];
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        if (!have(heads[i]))
            continue;
        g_autoptr(GError) unfitted = NULL, narrow = NULL, odd = NULL;
        g_autoptr(XgInstance) empty = make_head(heads[i], "tap=features");
        ck_assert_int_eq(try_predict(empty, 1, COLUMNS, values, out, &unfitted), XG_INVALID);
        ck_assert(strstr(unfitted->message, "not fitted") != NULL);
        g_autoptr(XgInstance) head = fitted(heads[i]);
        ck_assert_int_eq(try_predict(head, 1, COLUMNS - 1, values, out, &narrow), XG_SHAPE);
        const float bad[COLUMNS] = {1, 2, NAN, 3, 4};
        ck_assert_int_eq(try_predict(head, 1, COLUMNS, bad, out, &odd), XG_NUMERIC);
        const XgStrategy *table = xg_instance_table(empty);
        g_autoptr(XgStrategyState) state = xg_strategy_state_new();
        ck_assert_int_lt(table->save(xg_instance_self(empty), &state->face), 0);
        xg_instance_error(empty, XG_INVALID, NULL);
    }
}
END_TEST

/* Columns that say nothing, all but one of them or all. */
START_TEST(test_constant)
{
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++)
        for (int kept = 0; kept < 2 && have(heads[i]); kept++) {
            for (int r = 0; r < ROWS; r++)
                for (int j = kept; j < COLUMNS; j++)
                    values[r * COLUMNS + j] = 0.1f * (float) j;
            g_autoptr(XgInstance) head = fitted(heads[i]);
            g_free(do_predict(head, ROWS, COLUMNS, KINDS, values));
            fill();
        }
}
END_TEST

/* ---- States ---------------------------------------------------------------------------------- */

/* A copy without the tensor `skip`, that tensor one element shorter, or with another value. */
enum { SKIP, SHORTEN, RETYPE, CHANGE };

static XgStrategyState *damaged(const XgStrategyState *state, guint which, int how, gint64 element,
                                double value)
{
    XgStrategyState *copy = xg_strategy_state_new();
    for (guint i = 0; i < state->tensors->len; i++) {
        const XgStateTensor *t = state->tensors->pdata[i];
        const gint64 count = t->count - (i == which && how == SHORTEN);
        g_autofree char *bytes =
            g_memdup2(t->values, (gsize) t->count * 8 / (t->dtype == XG_DTYPE_F32 ? 2 : 1));
        int dtype = t->dtype;
        if (i == which && how == SKIP)
            continue;
        if (i == which && how == RETYPE)
            dtype = dtype == XG_DTYPE_F64 ? XG_DTYPE_I64 : XG_DTYPE_F64;
        if (i == which && how == RETYPE && t->dtype == XG_DTYPE_F32)
            continue;
        if (i == which && how == CHANGE && dtype == XG_DTYPE_F32)
            ((float *) (void *) bytes)[element] = (float) value;
        if (i == which && how == CHANGE && dtype == XG_DTYPE_F64)
            ((double *) (void *) bytes)[element] = value;
        if (i == which && how == CHANGE && dtype == XG_DTYPE_I64)
            ((int64_t *) (void *) bytes)[element] = (int64_t) value;
        ck_assert_int_eq(copy->face.api->put(&copy->face, t->name, dtype, 1, &count, bytes), XG_OK);
    }
    return copy;
}

/* Refused, with an error, and the instance still works. */
static void refuse_state(const char *name, const XgStrategyState *state, guint which, int how,
                         gint64 element, double value)
{
    const XgStateTensor *t = state->tensors->pdata[which];
    g_autoptr(XgStrategyState) bad = damaged(state, which, how, element, value);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgInstance) head = make_head(name, "tap=features");
    ck_assert_msg(try_load(head, bad, &error) == XG_FORMAT,
                  "%s takes tensor \"%s\", damage %d at %d (%g)", name, t->name, how, (int) element,
                  value);
    ck_assert(strstr(error->message, "incomplete or damaged") != NULL);
    float out[KINDS];
    ck_assert_int_eq(try_predict(head, 1, COLUMNS, values, out, NULL), XG_INVALID);
}

/* Whatever is taken must still predict without harm; the host looks at the sums. */
static void try_state(const char *name, const XgStrategyState *state, guint which, gint64 element,
                      double value)
{
    g_autoptr(XgStrategyState) bad = damaged(state, which, CHANGE, element, value);
    g_autoptr(XgInstance) head = make_head(name, "tap=features");
    float out[8 * KINDS];
    if (try_load(head, bad, NULL) != XG_OK)
        return;
    const XgStateTensor *facts = bad->tensors->pdata[0];
    if (((const int64_t *) facts->values)[0] == KINDS)
        try_predict(head, 8, COLUMNS, values, out, NULL);
}

START_TEST(test_damaged)
{
    static const double odd[] = {-1.0, -2.0, 0.0, 1.0, 2.0, 3.0, 7.5, 1e9, 4e9, 9e18, -9e18};
    for (guint h = 0; h < G_N_ELEMENTS(heads); h++) {
        if (!have(heads[h]))
            continue;
        g_autoptr(XgInstance) head = fitted(heads[h]);
        g_autoptr(XgStrategyState) state = do_save(head);
        for (guint i = 0; i < state->tensors->len; i++) {
            const XgStateTensor *t = state->tensors->pdata[i];
            const gint64 tested = MIN(t->count, 60);
            refuse_state(heads[h], state, i, SKIP, 0, 0.0);
            refuse_state(heads[h], state, i, SHORTEN, 0, 0.0);
            refuse_state(heads[h], state, i, RETYPE, 0, 0.0);
            for (gint64 k = 0; k < tested && t->dtype != XG_DTYPE_I64; k++) {
                refuse_state(heads[h], state, i, CHANGE, k, NAN);
                refuse_state(heads[h], state, i, CHANGE, k, INFINITY);
            }
            for (gint64 k = 0; k < tested; k++)
                for (guint v = 0; v < G_N_ELEMENTS(odd); v++)
                    try_state(heads[h], state, i, k, odd[v]);
        }
        ck_assert_str_eq(((XgStateTensor *) state->tensors->pdata[0])->name, "facts");
        for (int k = 0; k < 3; k++)
            refuse_state(heads[h], state, 0, CHANGE, k, 9e18);
    }
}
END_TEST

/* The host has room for fewer classes than a damaged file tells of. */
START_TEST(test_other_classes)
{
    for (guint h = 0; h < G_N_ELEMENTS(heads); h++) {
        if (!have(heads[h]))
            continue;
        g_autoptr(XgInstance) head = fitted(heads[h]);
        g_autoptr(XgStrategyState) state = do_save(head);
        for (int64_t classes = KINDS - 1; classes <= KINDS + 1; classes++) {
            const int64_t one = 1;
            g_autoptr(GError) error = NULL;
            state->face.api->put(&state->face, XG_STATE_CLASSES, XG_DTYPE_I64, 1, &one, &classes);
            g_autoptr(XgInstance) other = make_head(heads[h], "tap=features");
            ck_assert_int_eq(try_load(other, state, &error), classes == KINDS ? XG_OK : XG_FORMAT);
        }
    }
}
END_TEST

/* A tree whose walk would not end, or would leave it. */
START_TEST(test_damaged_tree)
{
    g_autoptr(XgInstance) head = fitted("random_forest");
    g_autoptr(XgStrategyState) state = do_save(head);
    for (guint i = 0; i < state->tensors->len; i++) {
        const XgStateTensor *t = state->tensors->pdata[i];
        const float *nodes = t->values;
        if (strcmp(t->name, "nodes") != 0)
            continue;
        ck_assert_msg(nodes[0] >= 0.0f, "the first tree is a leaf");
        refuse_state("random_forest", state, i, CHANGE, 0, COLUMNS);
        refuse_state("random_forest", state, i, CHANGE, 0, -2.0);
        refuse_state("random_forest", state, i, CHANGE, 0, 0.5);
        refuse_state("random_forest", state, i, CHANGE, 2, 0.0);
        refuse_state("random_forest", state, i, CHANGE, 2, 1.0);
        refuse_state("random_forest", state, i, CHANGE, 2, (double) t->count / 3.0);
        refuse_state("random_forest", state, i, CHANGE, t->count - 1, 1e6);
        refuse_state("random_forest", state, i, CHANGE, t->count - 3, 0.0);
    }
}
END_TEST

/* ---- Stopping -------------------------------------------------------------------------------- */

/* Labels without sense, which take long to fit; stopped at so many questions. */
static void check_stop(const char *name, const char *settings, int questions)
{
    enum { MANY = 1200, WIDE = 40 };
    if (!have(name))
        return;
    g_autofree float *much = g_new(float, MANY *WIDE);
    g_autofree int32_t *classes = g_new(int32_t, MANY);
    guint32 random = 1;
    for (int i = 0; i < MANY * WIDE; i++) {
        random = random * 1664525u + 1013904223u;
        much[i] = (float) (random >> 16) / 65536.0f;
        classes[i / WIDE] = (int32_t) (random >> 31);
    }
    g_auto(Fit) fit = new_fit(MANY, WIDE, 2, much, classes, NULL);
    fit.stop_after = questions;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgInstance) head = make_head(name, settings);
    ck_assert_int_eq(try_fit(head, &fit, &error), XG_CANCELLED);
    ck_assert_msg(strstr(error->message, "interrupted") != NULL, "%s", error->message);
    ck_assert_msg(fit.progress < 1.0, "%s went on to its end", name);
    g_auto(Fit) small = new_fit(ROWS, COLUMNS, KINDS, values, labels, NULL);
    g_autoptr(XgInstance) other = make_head(name, "tap=features");
    do_fit(other, &small);
    g_free(do_predict(other, ROWS, COLUMNS, KINDS, values));
    float out[2];
    ck_assert_int_eq(try_predict(head, 1, WIDE, much, out, NULL), XG_INVALID);
}

START_TEST(test_stop)
{
    check_stop("svm", "kernel=linear;c=1e6;tolerance=1e-9", 6);
    check_stop("svm", "kernel=linear", 1);
    check_stop("logistic", "tolerance=1e-12", 1);
    check_stop("knn", "k=auto", 1);
    check_stop("random_forest", "trees=10000", 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("classical_bad");
    TCase *tcase = tcase_create("bad");
    tcase_add_unchecked_fixture(tcase, setup, close_registry);
    tcase_add_test(tcase, test_settings);
    tcase_add_test(tcase, test_absent);
    tcase_add_test(tcase, test_data);
    tcase_add_test(tcase, test_predict_refused);
    tcase_add_test(tcase, test_constant);
    tcase_add_test(tcase, test_damaged);
    tcase_add_test(tcase, test_other_classes);
    tcase_add_test(tcase, test_damaged_tree);
    tcase_add_test(tcase, test_stop);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
