/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Optimisers against PyTorch's numbers, penalties against their formula, threads, state. */
#include "train/optimiser.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES XG_TEST_DATA "/train/optimisers.json"

/* A parameter that no store owns. */
static XgStored *stored_new(const char *name, gint64 count)
{
    XgStored *stored = g_new0(XgStored, 1);
    stored->name = g_strdup(name);
    stored->count = count;
    stored->values = g_new0(float, (gsize) count);
    return stored;
}

static void stored_free(XgStored *stored)
{
    g_free(stored->name);
    g_free(stored->values);
    g_free(stored);
}

static void add(XgOptimiser *optimiser, XgStored *stored, double rate, double to_zero,
                double to_start, const float *start)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_optimiser_add(optimiser, stored, rate, to_zero, to_start, start, &error), "%s",
                  error ? error->message : "");
}

static float *read_floats(JsonArray *array)
{
    float *values = g_new(float, json_array_get_length(array));
    for (guint i = 0; i < json_array_get_length(array); i++)
        values[i] = (float) json_array_get_double_element(array, i);
    return values;
}

/* ---- PyTorch ------------------------------------------------------------------------------- */

static double real(JsonObject *one, const char *name)
{
    return json_object_get_double_member_with_default(one, name, 0.0);
}

static XgOptimiserSpec read_spec(JsonObject *one)
{
    static const char *const kinds[] = {"sgd", "adamw", "adam", "rmsprop"};
    XgOptimiserSpec spec = {
        .weight_decay = real(one, "weight_decay"),
        .clip_norm = real(one, "clip_norm"),
        .beta1 = real(one, "beta1"),
        .beta2 = real(one, "beta2"),
        .epsilon = real(one, "epsilon"),
        .alpha = real(one, "alpha"),
        .momentum = real(one, "momentum"),
        .nesterov = json_object_get_boolean_member_with_default(one, "nesterov", FALSE)};
    const char *kind = json_object_get_string_member(one, "kind");
    while (strcmp(kinds[spec.kind], kind) != 0)
        ck_assert_uint_lt(++spec.kind, G_N_ELEMENTS(kinds));
    return spec;
}

/* Compares the parameters, or with `averages` their averages, with PyTorch's of that step. */
static void check_step(JsonObject *one, const char *list, guint step, XgStored *const *stored)
{
    g_autofree float *expected =
        read_floats(json_array_get_array_element(json_object_get_array_member(one, list), step));
    guint k = 0;
    for (int part = 0; part < 2; part++)
        for (gint64 i = 0; i < stored[part]->count; i++, k++)
            ck_assert_msg(fabs((double) stored[part]->values[i] - (double) expected[k]) <
                              1e-5 * MAX(1.0, fabs((double) expected[k])),
                          "%s: %s: step %u, element %u: %.9g, PyTorch has %.9g",
                          json_object_get_string_member(one, "name"), list, step + 1, k,
                          (double) stored[part]->values[i], (double) expected[k]);
}

/* The case's vector as two parameters, of `first` elements and the rest: only clipping sees
 * them together. */
static void check_case(JsonObject *one, guint first)
{
    XgOptimiserSpec spec = read_spec(one);
    spec.ema_decay = real(one, "ema_decay");
    g_autoptr(XgPool) pool = xg_pool_new(1);
    g_autoptr(XgOptimiser) optimiser = xg_optimiser_new(&spec, pool);
    JsonArray *rates = json_object_get_array_member(one, "rates");
    g_autofree float *start = read_floats(json_object_get_array_member(one, "start"));
    const guint count = json_array_get_length(json_object_get_array_member(one, "start"));
    XgStored *stored[] = {stored_new("p", first), stored_new("q", count - first)};
    for (int part = 0; part < 2; part++) {
        memcpy(stored[part]->values, start + (part ? first : 0),
               sizeof(float) * (gsize) stored[part]->count);
        add(optimiser, stored[part], 1.0, 0.0, 0.0, NULL);
    }
    ck_assert_uint_eq(json_array_get_length(rates), 20);
    for (guint step = 0; step < json_array_get_length(rates); step++) {
        g_autofree float *gradient = read_floats(
            json_array_get_array_element(json_object_get_array_member(one, "gradients"), step));
        const float *gradients[] = {gradient, gradient + first};
        xg_optimiser_step(optimiser, json_array_get_double_element(rates, step), gradients);
        check_step(one, "values", step, stored);
        xg_optimiser_swap_averages(optimiser);
        check_step(one, spec.ema_decay > 0.0 ? "averages" : "values", step, stored);
        xg_optimiser_swap_averages(optimiser);
    }
    ck_assert_int_eq(xg_optimiser_steps(optimiser), 20);
    stored_free(stored[0]);
    stored_free(stored[1]);
}

START_TEST(test_pytorch)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, CASES, NULL));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *cases = json_object_get_array_member(root, "cases");
    ck_assert_uint_eq(json_array_get_length(cases), 18);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        check_case(json_array_get_object_element(cases, i), 2);
        check_case(json_array_get_object_element(cases, i), 5);
    }
}
END_TEST

/* mean += (1 - d) * (p - mean), d = min(0.5, (1 + steps) / (10 + steps)); a swap shows it. */
START_TEST(test_averages)
{
    const XgOptimiserSpec spec = {.kind = XG_OPTIMISER_SGD, .ema_decay = 0.5};
    g_autoptr(XgPool) pool = xg_pool_new(1);
    g_autoptr(XgOptimiser) optimiser = xg_optimiser_new(&spec, pool);
    XgStored *stored = stored_new("p", 1);
    stored->values[0] = 1.0f;
    add(optimiser, stored, 1.0, 0.0, 0.0, NULL);
    double mean = 1.0, value = 1.0;
    const float gradient = 0.25f;
    const float *gradients[] = {&gradient};
    for (int step = 1; step <= 12; step++) {
        xg_optimiser_step(optimiser, 0.1, gradients);
        value -= 0.1 * 0.25;
        mean += (1.0 - fmin(0.5, (1.0 + step) / (10.0 + step))) * (value - mean);
    }
    ck_assert_double_eq_tol((double) stored->values[0], value, 1e-5);
    xg_optimiser_swap_averages(optimiser);
    ck_assert_double_eq_tol((double) stored->values[0], mean, 1e-5);
    xg_optimiser_swap_averages(optimiser);
    ck_assert_double_eq_tol((double) stored->values[0], value, 1e-5);
    ck_assert_str_eq(xg_optimiser_state_name(optimiser, 0), "momentum:p");
    ck_assert_str_eq(xg_optimiser_state_name(optimiser, 1), "average:p");
    ck_assert_ptr_null(xg_optimiser_state_name(optimiser, 2));
    stored_free(stored);
}
END_TEST

/* ---- Penalties, rates, missing gradients --------------------------------------------------- */

/* Without momentum, one step is p -= rate * (g + zero * p + back * (p - start)). */
START_TEST(test_penalties)
{
    static const double strengths[][2] = {{0.0, 0.0}, {0.5, 0.0}, {0.0, 0.25}, {0.5, 0.25}};
    const XgOptimiserSpec spec = {.kind = XG_OPTIMISER_SGD};
    const float start[] = {1.0f, -2.0f, 0.5f}, gradient[] = {0.25f, -0.5f, 0.0f};
    for (guint k = 0; k < G_N_ELEMENTS(strengths); k++) {
        g_autoptr(XgPool) pool = xg_pool_new(1);
        g_autoptr(XgOptimiser) optimiser = xg_optimiser_new(&spec, pool);
        XgStored *stored = stored_new("p", 3);
        double expected[3];
        for (int i = 0; i < 3; i++)
            expected[i] = (double) (stored->values[i] = start[i] + 1.0f);
        const double zero = strengths[k][0], back = strengths[k][1];
        add(optimiser, stored, 3.0, zero, back, back > 0.0 ? start : NULL);
        const float *gradients[] = {gradient};
        for (int step = 0; step < 5; step++) {
            xg_optimiser_step(optimiser, 0.1, gradients);
            for (int i = 0; i < 3; i++) {
                expected[i] -= 0.3 * ((double) gradient[i] + zero * expected[i] +
                                      back * (expected[i] - (double) start[i]));
                ck_assert_double_eq_tol((double) stored->values[i], expected[i], 1e-6);
            }
        }
        stored_free(stored);
    }
}
END_TEST

START_TEST(test_no_gradient)
{
    const XgOptimiserSpec spec = {
        .kind = XG_OPTIMISER_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .weight_decay = 0.5};
    g_autoptr(XgPool) pool = xg_pool_new(1);
    g_autoptr(XgOptimiser) optimiser = xg_optimiser_new(&spec, pool);
    XgStored *still = stored_new("still", 2), *moves = stored_new("moves", 2);
    for (int i = 0; i < 2; i++)
        still->values[i] = moves->values[i] = 1.0f;
    add(optimiser, still, 1.0, 0.5, 0.0, NULL);
    add(optimiser, moves, 1.0, 0.0, 0.0, NULL);
    const float gradient[] = {1.0f, -1.0f};
    const float *gradients[] = {NULL, gradient};
    xg_optimiser_step(optimiser, 0.1, gradients);
    ck_assert(still->values[0] == 1.0f && still->values[1] == 1.0f);
    ck_assert(moves->values[0] < 1.0f && moves->values[1] > 1.0f);
    stored_free(still);
    stored_free(moves);
}
END_TEST

/* ---- Threads and state --------------------------------------------------------------------- */

enum { MANY = 100003 };

static float noise(gint64 i, gint64 step)
{
    return (float) ((i * 7919 + step * 104729) % 1009) / 504.5f - 1.0f;
}

/* The steps [from, to) on one large parameter. */
static void run_steps(XgOptimiser *optimiser, gint64 from, gint64 to)
{
    g_autofree float *gradient = g_new(float, MANY);
    const float *gradients[] = {gradient};
    for (gint64 step = from; step < to; step++) {
        for (gint64 i = 0; i < MANY; i++)
            gradient[i] = noise(i, step);
        xg_optimiser_step(optimiser, 0.01, gradients);
    }
}

static const XgOptimiserSpec kinds[] = {
    {.kind = XG_OPTIMISER_SGD, .momentum = 0.9, .nesterov = TRUE, .weight_decay = 0.01},
    {.kind = XG_OPTIMISER_ADAMW,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-8,
     .weight_decay = 0.01},
};

START_TEST(test_threads)
{
    for (guint kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        g_autofree float *expected = NULL;
        for (int threads = 1; threads <= 3; threads++) {
            g_autoptr(XgPool) pool = xg_pool_new(threads);
            g_autoptr(XgOptimiser) optimiser = xg_optimiser_new(&kinds[kind], pool);
            XgStored *stored = stored_new("p", MANY);
            g_autofree float *start = g_new(float, MANY);
            for (gint64 i = 0; i < MANY; i++)
                stored->values[i] = start[i] = noise(i, -3);
            add(optimiser, stored, 0.5, 0.1, 0.2, start);
            run_steps(optimiser, 0, 5);
            if (expected == NULL)
                expected = g_memdup2(stored->values, sizeof(float) * MANY);
            ck_assert(memcmp(expected, stored->values, sizeof(float) * MANY) == 0);
            ck_assert(memcmp(expected, start, sizeof(float) * MANY) != 0);
            stored_free(stored);
        }
    }
}
END_TEST

/* State and steps put into a new optimiser continue to the same bits; without them, they do not. */
START_TEST(test_state)
{
    static const char *const names[][3] = {{"momentum:p", NULL, NULL},
                                           {"moment1:p", "moment2:p", NULL}};
    for (guint kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        g_autoptr(XgPool) pool = xg_pool_new(2);
        g_autoptr(XgOptimiser) whole = xg_optimiser_new(&kinds[kind], pool);
        g_autoptr(XgOptimiser) resumed = xg_optimiser_new(&kinds[kind], pool);
        g_autoptr(XgOptimiser) fresh = xg_optimiser_new(&kinds[kind], pool);
        XgStored *a = stored_new("p", MANY), *b = stored_new("p", MANY), *c = stored_new("p", MANY);
        add(whole, a, 1.0, 0.0, 0.0, NULL);
        add(resumed, b, 1.0, 0.0, 0.0, NULL);
        add(fresh, c, 1.0, 0.0, 0.0, NULL);
        run_steps(whole, 0, 4);
        memcpy(b->values, a->values, sizeof(float) * MANY);
        memcpy(c->values, a->values, sizeof(float) * MANY);
        for (guint i = 0; i < 3 && names[kind][i] != NULL; i++) {
            gint64 from = 0, to = 0;
            ck_assert_str_eq(xg_optimiser_state_name(whole, i), names[kind][i]);
            const float *state = xg_optimiser_state(whole, i, &from);
            memcpy(xg_optimiser_state(resumed, i, &to), state, sizeof(float) * MANY);
            ck_assert(from == MANY && to == MANY);
        }
        ck_assert_ptr_null(xg_optimiser_state_name(whole, kind + 1));
        xg_optimiser_set_steps(resumed, xg_optimiser_steps(whole));
        run_steps(whole, 4, 7);
        run_steps(resumed, 4, 7);
        run_steps(fresh, 4, 7);
        ck_assert(memcmp(a->values, b->values, sizeof(float) * MANY) == 0);
        ck_assert(memcmp(a->values, c->values, sizeof(float) * MANY) != 0);
        stored_free(a);
        stored_free(b);
        stored_free(c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_optimiser");
    TCase *tcase = tcase_create("optimiser");
    tcase_add_test(tcase, test_pytorch);
    tcase_add_test(tcase, test_averages);
    tcase_add_test(tcase, test_penalties);
    tcase_add_test(tcase, test_no_gradient);
    tcase_add_test(tcase, test_threads);
    tcase_add_test(tcase, test_state);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
