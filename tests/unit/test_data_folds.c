/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/rng.h"

#include "split_data.h"

static XgSplit *fold_of(const XgDataset *dataset, gint64 folds, gint64 repeat, gint64 fold,
                        guint64 seed)
{
    const XgFold wanted = {folds, repeat, fold};
    GError *error = NULL;
    XgSplit *split = xg_split_fold(dataset, &wanted, usual, seed, &error);
    ck_assert_msg(split != NULL, "%s", error ? error->message : "");
    check_partition(dataset, split);
    return split;
}

/* Each item in the test part of one fold. */
static void check_folds(const XgDataset *dataset, gint64 folds, gint64 repeat, guint64 seed)
{
    g_autofree guint *tested = g_new0(guint, dataset->items->len);
    const gint64 count = xg_fold_count(dataset, folds, NULL);
    for (gint64 fold = 1; fold <= count; fold++) {
        g_autoptr(XgSplit) split = fold_of(dataset, folds, repeat, fold, seed);
        const GArray *test = split->parts[XG_PART_TEST];
        for (guint i = 0; i < test->len; i++)
            tested[g_array_index(test, guint, i)]++;
    }
    for (guint i = 0; i < dataset->items->len; i++)
        ck_assert_uint_eq(tested[i], 1);
}

START_TEST(test_stratified)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add_many(dataset, 0, 234);
    add_many(dataset, 1, 390);
    check_folds(dataset, 5, 1, 1);
    for (gint64 fold = 1; fold <= 5; fold++) {
        g_autoptr(XgSplit) split = fold_of(dataset, 5, 1, fold, 1);
        const guint zero = in_part(dataset, split, XG_PART_TEST, 0);
        ck_assert(zero == 46 || zero == 47);
        ck_assert_uint_eq(in_part(dataset, split, XG_PART_TEST, 1), 78);
        const guint rest = 234 - zero;
        const double share = 0.70 / 0.85;
        ck_assert_double_eq_tol(in_part(dataset, split, XG_PART_TRAINING, 0), share * rest, 1.0);
        ck_assert_double_eq_tol(in_part(dataset, split, XG_PART_TRAINING, 1), share * 312, 1.0);
    }
}
END_TEST

START_TEST(test_groups_stay_together)
{
    for (guint64 seed = 1; seed <= 20; seed++) {
        g_autoptr(XgDataset) dataset = make_dataset(3);
        for (guint i = 0; i < 120; i++) {
            g_autofree char *patient =
                g_strdup_printf("p%u", (guint) (xg_rng_bits(seed, 1, i) % 40));
            add(dataset, i % 3, patient, NULL);
        }
        check_folds(dataset, 4, 1, seed);
        for (gint64 fold = 1; fold <= 4; fold++) {
            g_autoptr(XgSplit) split = fold_of(dataset, 4, 1, fold, seed);
            for (gint p = 0; p < XG_PARTS; p++)
                for (guint c = 0; c < 3; c++)
                    ck_assert_uint_gt(in_part(dataset, split, p, c), 0);
            for (guint i = 0; i < 120; i++)
                for (guint k = 0; k < i; k++)
                    if (strcmp(xg_dataset_item(dataset, i)->patient,
                               xg_dataset_item(dataset, k)->patient) == 0)
                        ck_assert_int_eq(part_of(split, i), part_of(split, k));
        }
    }
}
END_TEST

START_TEST(test_by_patient)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    for (guint i = 0; i < 24; i++) {
        g_autofree char *patient = g_strdup_printf("p%u", i / 3);
        add(dataset, i % 2, patient, NULL);
    }
    ck_assert_int_eq(xg_fold_count(dataset, XG_FOLDS_BY_PATIENT, NULL), 8);
    check_folds(dataset, XG_FOLDS_BY_PATIENT, 1, 1);
    g_autoptr(XgSplit) split = fold_of(dataset, XG_FOLDS_BY_PATIENT, 1, 8, 1);
    ck_assert_uint_eq(split->parts[XG_PART_TEST]->len, 3);
    add(dataset, 0, NULL, NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(xg_fold_count(dataset, XG_FOLDS_BY_PATIENT, &error), 0);
    ck_assert_msg(strstr(error->message, "24.png") != NULL, "%s", error->message);
}
END_TEST

static gboolean same_test(const XgSplit *a, const XgSplit *b)
{
    const GArray *left = a->parts[XG_PART_TEST], *right = b->parts[XG_PART_TEST];
    return left->len == right->len &&
           memcmp(left->data, right->data, left->len * sizeof(guint)) == 0;
}

START_TEST(test_repeats_and_seeds)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add_many(dataset, 0, 60);
    add_many(dataset, 1, 60);
    g_autoptr(XgSplit) first = fold_of(dataset, 5, 1, 2, 7);
    g_autoptr(XgSplit) again = fold_of(dataset, 5, 1, 2, 7);
    g_autoptr(XgSplit) other_repeat = fold_of(dataset, 5, 2, 2, 7);
    g_autoptr(XgSplit) other_seed = fold_of(dataset, 5, 1, 2, 8);
    ck_assert(same_test(first, again));
    ck_assert(!same_test(first, other_repeat));
    ck_assert(!same_test(first, other_seed));
    check_folds(dataset, 5, 2, 7);
}
END_TEST

START_TEST(test_too_few)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add_many(dataset, 0, 4);
    add_many(dataset, 1, 60);
    const XgFold wanted = {5, 1, 1};
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_split_fold(dataset, &wanted, usual, 1, &error));
    ck_assert_msg(strstr(error->message, "class \"a\": expected at least 5 images, one per fold") !=
                      NULL,
                  "%s", error->message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("folds");
    TCase *tests = tcase_create("folds");
    tcase_add_test(tests, test_stratified);
    tcase_add_test(tests, test_groups_stay_together);
    tcase_add_test(tests, test_by_patient);
    tcase_add_test(tests, test_repeats_and_seeds);
    tcase_add_test(tests, test_too_few);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
