/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/rng.h"

#include "split_data.h"

START_TEST(test_stratified_by_image)
{
    g_autoptr(XgDataset) dataset = make_dataset(3);
    add_many(dataset, 0, 234);
    add_many(dataset, 1, 390);
    add_many(dataset, 2, 3);
    g_autoptr(XgSplit) split = xg_split_new(dataset, usual, 1, NULL);
    ck_assert_ptr_nonnull(split);
    check_partition(dataset, split);
    static const guint expected[XG_PARTS][3] = {{164, 273, 1}, {35, 59, 1}, {35, 58, 1}};
    for (gint p = 0; p < XG_PARTS; p++)
        for (guint c = 0; c < 3; c++)
            ck_assert_uint_eq(in_part(dataset, split, p, c), expected[p][c]);
    ck_assert_uint_eq(split->patient_count, 0);
    ck_assert_uint_eq(split->group_count, 627);
}
END_TEST

START_TEST(test_seed)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add_many(dataset, 0, 50);
    add_many(dataset, 1, 50);
    g_autoptr(XgSplit) first = xg_split_new(dataset, usual, 7, NULL);
    g_autoptr(XgSplit) again = xg_split_new(dataset, usual, 7, NULL);
    g_autoptr(XgSplit) other = xg_split_new(dataset, usual, 8, NULL);
    const gsize bytes = first->parts[2]->len * sizeof(guint);
    ck_assert_uint_eq(first->parts[2]->len, other->parts[2]->len);
    ck_assert_mem_eq(first->parts[2]->data, again->parts[2]->data, bytes);
    ck_assert_mem_ne(first->parts[2]->data, other->parts[2]->data, bytes);
}
END_TEST

START_TEST(test_patients_stay_together)
{
    for (guint64 seed = 0; seed < 20; seed++) {
        g_autoptr(XgDataset) dataset = make_dataset(2);
        for (guint p = 0; p < 80; p++) {
            g_autofree char *patient = g_strdup_printf("p%u", p);
            const guint images = 1 + (guint) (xg_rng_bits(seed, 1, p) % 6);
            for (guint i = 0; i < images; i++)
                add(dataset, (p + (i == 3)) % 2, patient, NULL);
        }
        g_autoptr(XgSplit) split = xg_split_new(dataset, usual, seed, NULL);
        ck_assert_ptr_nonnull(split);
        check_partition(dataset, split);
        ck_assert_uint_eq(split->patient_count, 80);
        for (guint i = 1; i < dataset->items->len; i++)
            if (strcmp(xg_dataset_item(dataset, i)->patient,
                       xg_dataset_item(dataset, i - 1)->patient) == 0)
                ck_assert_int_eq(part_of(split, i), part_of(split, i - 1));
        g_autofree guint *sizes = xg_dataset_class_sizes(dataset);
        for (gint p = 0; p < XG_PARTS; p++)
            for (guint c = 0; c < 2; c++) {
                const double error = in_part(dataset, split, p, c) - usual[p] * sizes[c];
                ck_assert_msg(error > -4.0 && error < 4.0, "part %d class %u off by %g", p, c,
                              error);
            }
    }
}
END_TEST

/* a-b share a patient, b-c content, c-d a patient: one group. */
START_TEST(test_duplicates)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add(dataset, 0, "p", "aa");
    add(dataset, 1, "p", "bb");
    add(dataset, 1, "q", "bb");
    add(dataset, 0, "q", "cc");
    add(dataset, 0, "r", "dd");
    add(dataset, 1, "s", "dd");
    for (guint i = 0; i < 24; i++) {
        g_autofree char *patient = g_strdup_printf("x%u", i);
        add(dataset, i % 2, patient, patient);
    }
    for (guint64 seed = 0; seed < 20; seed++) {
        g_autoptr(XgSplit) split = xg_split_new(dataset, usual, seed, NULL);
        ck_assert_ptr_nonnull(split);
        for (guint i = 1; i < 4; i++)
            ck_assert_int_eq(part_of(split, i), part_of(split, 0));
        ck_assert_int_eq(part_of(split, 4), part_of(split, 5));
        ck_assert_uint_eq(split->group_count, 26);
        ck_assert_uint_eq(split->duplicates->len, 2);
        ck_assert_uint_eq(split->duplicate_files, 4);
        ck_assert_uint_eq(split->contradicting->len, 1);
        ck_assert_uint_eq(g_array_index(split->contradicting, guint, 0), 1);
        g_auto(GStrv) notes = xg_split_notes(split, dataset);
        ck_assert_uint_eq(g_strv_length(notes), 2);
        ck_assert_str_eq(notes[0], "4 files in 2 sets of equal content, each kept in one part: "
                                   "1.png = 2.png; 4.png = 5.png");
        ck_assert_str_eq(notes[1],
                         "1 sets of equal files have contradicting labels: 4.png = 5.png");
    }
}
END_TEST

START_TEST(test_too_few)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    add_many(dataset, 0, 20);
    add_many(dataset, 1, 2);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_split_new(dataset, usual, 1, &error));
    ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    ck_assert_str_eq(error->message, "set: class \"b\": expected at least 3 images, one per part "
                                     "of the split, found 2 (2 images)");
    const double halves[XG_PARTS] = {0.5, 0.5, 0.0};
    g_autoptr(XgSplit) split = xg_split_new(dataset, halves, 1, NULL);
    ck_assert_ptr_nonnull(split);
    ck_assert_uint_eq(split->parts[XG_PART_TEST]->len, 0);
    ck_assert_uint_eq(in_part(dataset, split, XG_PART_VALIDATION, 1), 1);
    g_autoptr(XgDataset) grouped = make_dataset(2);
    for (guint i = 0; i < 30; i++)
        add(grouped, i % 2, i % 2 ? "one" : NULL, NULL);
    g_autoptr(GError) groups = NULL;
    ck_assert_ptr_null(xg_split_new(grouped, usual, 1, &groups));
    ck_assert_ptr_nonnull(strstr(groups->message, "groups of images"));
}
END_TEST

/* Large groups fill the targets, so that single images of a class must be moved afterwards. */
START_TEST(test_repair)
{
    for (guint64 seed = 0; seed < 50; seed++) {
        g_autoptr(XgDataset) dataset = make_dataset(2);
        for (guint i = 0; i < 12; i++)
            add(dataset, i % 2, i < 6 ? "big" : "other", NULL);
        for (guint i = 0; i < 3; i++)
            add(dataset, i % 2, NULL, NULL);
        g_autoptr(XgSplit) split = xg_split_new(dataset, usual, seed, NULL);
        ck_assert_ptr_nonnull(split);
        for (gint p = 0; p < XG_PARTS; p++)
            for (guint c = 0; c < 2; c++)
                ck_assert_uint_ge(in_part(dataset, split, p, c), 1);
    }
}
END_TEST

START_TEST(test_given)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    for (guint i = 0; i < 12; i++) {
        g_autofree char *patient = g_strdup_printf("p%u", i / 3);
        add(dataset, i % 2, patient, i == 0 || i == 11 ? "same" : NULL)->part = (gint) (i / 4);
    }
    g_autoptr(XgSplit) split = xg_split_given(dataset, NULL);
    ck_assert_ptr_nonnull(split);
    check_partition(dataset, split);
    ck_assert_uint_eq(split->parts[XG_PART_TEST]->len, 4);
    ck_assert_uint_eq(split->crossing_duplicates, 1);
    ck_assert_uint_eq(split->crossing_patients->len, 2);
    ck_assert_str_eq(split->crossing_patients->pdata[0], "p1");
    g_auto(GStrv) notes = xg_split_notes(split, dataset);
    ck_assert_uint_eq(g_strv_length(notes), 4);
    ck_assert_str_eq(notes[3], "2 patients have images in more than one part of the given split: "
                               "p1, p2");
    ((XgItem *) xg_dataset_item(dataset, 5))->part = XG_PART_NONE;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_split_given(dataset, &error));
    ck_assert_str_eq(error->message, "set:7: column \"split\": expected train, validation, val or "
                                     "test for every image, found none for 5.png");
}
END_TEST

START_TEST(test_given_lacks_class)
{
    g_autoptr(XgDataset) dataset = make_dataset(2);
    for (guint i = 0; i < 6; i++)
        add(dataset, i % 2, NULL, NULL)->part = i == 4 ? XG_PART_TEST : XG_PART_TRAINING;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_split_given(dataset, &error));
    ck_assert_str_eq(error->message,
                     "set: class \"b\": expected at least 1 image in the test part, found 0");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-split");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_stratified_by_image);
    tcase_add_test(tests, test_seed);
    tcase_add_test(tests, test_patients_stay_together);
    tcase_add_test(tests, test_duplicates);
    tcase_add_test(tests, test_too_few);
    tcase_add_test(tests, test_repair);
    tcase_add_test(tests, test_given);
    tcase_add_test(tests, test_given_lacks_class);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
