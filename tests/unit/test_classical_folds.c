/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Inner folds of the heads on feature vectors. */
#include "classical.h"

#include "classical_heads.h"

#include <stdlib.h>

enum { ROWS = 240, KINDS = 3 };

static int32_t labels[ROWS], groups[ROWS];

static int32_t *folds_of(int count, guint64 seed, gboolean grouped)
{
    const XgFit fit = {
        .train = {ROWS, 1, NULL, labels, grouped ? groups : NULL}, .classes = KINDS, .seed = seed};
    int32_t *folds = classical_folds(&fit, count);
    ck_assert_ptr_nonnull(folds);
    for (int i = 0; i < ROWS; i++)
        ck_assert_msg(folds[i] >= 0 && folds[i] < count, "fold %d", (int) folds[i]);
    return folds;
}

/* Rows of each class in each fold, fewest and most. */
static void spread_of(const int32_t *folds, int count, int kind, int *fewest, int *most)
{
    *fewest = ROWS;
    *most = 0;
    for (int f = 0; f < count; f++) {
        int rows = 0;
        for (int i = 0; i < ROWS; i++)
            rows += folds[i] == f && labels[i] == kind;
        *fewest = MIN(*fewest, rows);
        *most = MAX(*most, rows);
    }
}

/* Classes of 120, 80 and 40 rows; patients of 1 to 7 images, whose numbers have gaps. */
static void setup(void)
{
    for (int i = 0; i < ROWS; i++)
        labels[i] = i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2;
    for (int i = 0, patient = 0; i < ROWS; patient++)
        for (int k = 0; k <= patient % 7 && i < ROWS; k++)
            groups[i++] = 1000 - 3 * patient;
}

START_TEST(test_spread)
{
    for (int count = 2; count <= 20; count += 3) {
        g_autofree int32_t *folds = folds_of(count, 1, FALSE);
        for (int kind = 0; kind < KINDS; kind++) {
            int fewest, most;
            spread_of(folds, count, kind, &fewest, &most);
            ck_assert_msg(most - fewest <= 1, "class %d in %d folds: %d to %d rows", kind, count,
                          fewest, most);
        }
    }
}
END_TEST

START_TEST(test_patients)
{
    g_autofree int32_t *folds = folds_of(5, 1, TRUE);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < i; j++)
            ck_assert_msg(groups[i] != groups[j] || folds[i] == folds[j],
                          "rows %d and %d of one patient", i, j);
    for (int kind = 0; kind < KINDS; kind++) {
        int fewest, most;
        spread_of(folds, 5, kind, &fewest, &most);
        ck_assert_msg(most - fewest <= 6, "class %d: %d to %d rows", kind, fewest, most);
    }
}
END_TEST

START_TEST(test_seed)
{
    g_autofree int32_t *first = folds_of(5, 7, TRUE);
    g_autofree int32_t *again = folds_of(5, 7, TRUE);
    g_autofree int32_t *other = folds_of(5, 8, TRUE);
    ck_assert_mem_eq(first, again, sizeof labels);
    ck_assert_mem_ne(first, other, sizeof labels);
}
END_TEST

/* Fewer patients than folds leave folds empty. */
START_TEST(test_few_patients)
{
    for (int i = 0; i < ROWS; i++)
        groups[i] = i % 3;
    g_autofree int32_t *folds = folds_of(5, 1, TRUE);
    for (int i = 3; i < ROWS; i++)
        ck_assert_int_eq(folds[i], folds[i % 3]);
    ck_assert(folds[0] != folds[1] && folds[1] != folds[2] && folds[0] != folds[2]);
}
END_TEST

START_TEST(test_numbers)
{
    const XgFit fit = {.train = {ROWS, 1, NULL, labels, groups}, .classes = KINDS};
    g_autofree int32_t *numbers = classical_groups(&fit);
    int32_t largest = 0;
    for (int i = 0; i < ROWS; i++) {
        largest = MAX(largest, numbers[i]);
        for (int j = 0; j < i; j++)
            ck_assert((numbers[i] == numbers[j]) == (groups[i] == groups[j]));
    }
    ck_assert_int_eq(largest, (groups[0] - groups[ROWS - 1]) / 3);
}
END_TEST

START_TEST(test_balanced_accuracy)
{
    const int32_t truth[] = {0, 0, 0, 0, 2, 2}, predicted[] = {0, 0, 0, 2, 2, -1};
    ck_assert_double_eq_tol(classical_balanced_accuracy(truth, predicted, 6, 4), 0.625, 1e-15);
}
END_TEST

/* What is known of a patient from another image must not help: labels without sense, but equal
 * for the alike images of a patient. */
static double inner_score(const char *name, const char *settings, gboolean grouped)
{
    enum { WIDE = 6 };
    float values[ROWS * WIDE];
    int32_t kinds[ROWS], patients[ROWS];
    guint32 random = 99;
    for (int i = 0; i < ROWS; i++) {
        patients[i] = i / 4;
        kinds[i] = (patients[i] * 7 / 3) % 2;
        for (int j = 0; j < WIDE; j++) {
            random = random * 1664525u + 1013904223u;
            const float noise = (float) (random >> 16) / 65536.0f;
            values[i * WIDE + j] = i % 4 == 0 ? noise : values[(i - 1) * WIDE + j] + 0.001f * noise;
        }
    }
    g_auto(Fit) fit = new_fit(ROWS, WIDE, 2, values, kinds, grouped ? patients : NULL);
    g_autoptr(XgInstance) head = make_head(name, settings);
    do_fit(head, &fit);
    const char *words = strstr(fit.notes->str, "accuracy ");
    ck_assert_msg(words != NULL, "%s", fit.notes->str);
    return g_ascii_strtod(words + strlen("accuracy "), NULL);
}

START_TEST(test_leak)
{
    static const char *const heads[][2] = {
        {"knn", "k=auto"}, {"svm", "c=100;gamma=auto"}, {"random_forest", "trees=60"}};
    open_registry();
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        if (!have(heads[i][0]))
            continue;
        const double apart = inner_score(heads[i][0], heads[i][1], FALSE);
        const double together = inner_score(heads[i][0], heads[i][1], TRUE);
        ck_assert_msg(apart > 0.95, "%s: %g when patients are not known", heads[i][0], apart);
        ck_assert_msg(together < 0.68, "%s: %g when patients are kept together", heads[i][0],
                      together);
    }
    close_registry();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("classical_folds");
    TCase *tcase = tcase_create("folds");
    tcase_add_unchecked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, test_spread);
    tcase_add_test(tcase, test_patients);
    tcase_add_test(tcase, test_seed);
    tcase_add_test(tcase, test_numbers);
    tcase_add_test(tcase, test_few_patients);
    tcase_add_test(tcase, test_balanced_accuracy);
    tcase_add_test(tcase, test_leak);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
