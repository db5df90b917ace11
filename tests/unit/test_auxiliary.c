/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Auxiliary heads: what they are made of, when they are trained, which weights fit. */
#include "model/match.h"
#include "train/phase.h"
#include "train/run.h"

#include "train_problem.h"

#include <stdlib.h>

static const char *const tensors[] = {
    "aux.conv.weight",    "aux.bn.weight", "aux.bn.bias", "aux.bn.running_mean",
    "aux.bn.running_var", "aux.fc.weight", "aux.fc.bias", NULL};

/* conv 4 to 3, norm, linear map of 3 to 3 */
enum { AUXILIARY_ELEMENTS = 12 + 6 + 12 };

static void setup(void)
{
    model_dropout = 0.2;
    model_auxiliary = TRUE;
}

static XgValue *parameter(const XgNetwork *network, const char *name)
{
    return xg_network_find_parameter(network, name);
}

/* ---- The graph ----------------------------------------------------------------------------- */

START_TEST(test_head)
{
    g_autoptr(XgNetwork) network = model_network();
    g_autofree guint8 *head = xg_network_auxiliary_head(network, 0);
    guint count = 0;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        const gboolean named = value->kind == XG_VALUE_PARAMETER || value->kind == XG_VALUE_BUFFER;
        count += head[i] && named;
        if (named)
            ck_assert_int_eq(head[i] != 0, g_str_has_prefix(value->name, "aux."));
    }
    ck_assert_uint_eq(count, G_N_ELEMENTS(tensors) - 1);
    ck_assert_int_eq(xg_network_auxiliary_of(network, parameter(network, "aux.bn.weight")), 0);
    ck_assert_int_eq(xg_network_auxiliary_of(network, parameter(network, "fc.weight")), -1);
    ck_assert_int_eq(xg_network_auxiliary_of(network, network->inputs->pdata[0]), -1);
    const XgAuxiliary *a = &g_array_index(network->auxiliaries, XgAuxiliary, 0);
    ck_assert_str_eq(xg_network_classifier_name(network, a->logits), "aux.fc");
}
END_TEST

START_TEST(test_forget)
{
    g_autoptr(XgNetwork) network = model_network();
    xg_network_forget_auxiliary(network, 0);
    ck_assert_uint_eq(network->auxiliaries->len, 0);
    for (int i = 0; tensors[i] != NULL; i++)
        ck_assert_ptr_null(parameter(network, tensors[i]));
    ck_assert_ptr_nonnull(parameter(network, "fc.weight"));
    ck_assert_ptr_nonnull(g_hash_table_lookup(network->taps, "features"));
    ck_assert_ptr_nonnull(network->logits);
}
END_TEST

/* A head on a layer below the auxiliary one leaves nothing for that to train. */
START_TEST(test_new_head)
{
    g_autoptr(XgNetwork) network = model_network();
    XgValue *features = g_hash_table_lookup(network->taps, "features"), *low = NULL;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        low = node->block == 0 ? node->outputs[0] : low;
    }
    ck_assert(xg_network_auxiliary_fits(network, 0, features));
    ck_assert(!xg_network_auxiliary_fits(network, 0, low));
    ck_assert(xg_network_replace_head(network, features, "head", 0, NULL));
    ck_assert_uint_eq(network->auxiliaries->len, 1);
    ck_assert_int_eq(xg_network_auxiliary_of(network, parameter(network, "aux.fc.bias")), 0);
    ck_assert_int_eq(xg_network_auxiliary_of(network, parameter(network, "head.bias")), -1);
}
END_TEST

/* ---- Phases -------------------------------------------------------------------------------- */

/* Whether a phase that trains `patterns` trains the auxiliary head too. */
static void check_trained(const char *patterns, const char *bn, gboolean expected)
{
    g_autoptr(Problem) p = problem_new(1);
    g_auto(GStrv) list = g_strsplit(patterns, " ", -1);
    XgPhase *phase = add_phase(p, "one", list[0], 1);
    xg_phase_set(p->face, phase, "bn", bn);
    for (char **pattern = list + 1; *pattern != NULL; pattern++)
        xg_phase_train(p->face, phase, *pattern);
    const gboolean norms = strcmp(bn, "train") == 0;
    const XgNetwork *n = p->network;
    ck_assert_msg((xg_phase_rate(phase, n, parameter(n, "aux.fc.weight")) > 0) == expected, "%s",
                  patterns);
    ck_assert_int_eq(xg_phase_rate(phase, n, parameter(n, "aux.bn.bias")) > 0, expected && norms);
    ck_assert_int_eq(xg_phase_updates(phase, n, parameter(n, "aux.bn.running_var")),
                     expected && norms);
    ck_assert_int_eq(xg_phase_trains_auxiliary(phase, n, 0), expected);
    XgPhaseFacts facts;
    xg_phase_facts(phase, n, &facts);
    ck_assert_int_eq(facts.all_elements, ALL_ELEMENTS + (expected ? AUXILIARY_ELEMENTS : 0));
    ck_assert_int_eq(facts.all_layers, 4 + (expected ? 2 : 0));
    xg_phase_facts_clear(&facts);
    g_autofree char *text = xg_train_plan_describe(p->plan, n);
    ck_assert_int_eq(strstr(text, "; auxiliary loss of aux.fc times 0.3") != NULL, expected);
}

START_TEST(test_trained)
{
    check_trained("head", "frozen", FALSE);
    check_trained("head", "train", FALSE);
    check_trained("head block:layer2", "train", FALSE);
    check_trained("head block:layer1", "frozen", TRUE);
    check_trained("head block:layer1", "train", TRUE);
    check_trained("head block:stem", "train", TRUE);
    check_trained("block:layer1", "train", FALSE);
    check_trained("all", "train", TRUE);
}
END_TEST

/* Trains by two patterns and gives the history; *changed: whether any tensor of the head did. */
static void train(const char *first, const char *second, gboolean auxiliary, gboolean *changed,
                  XgTrainerResult *result)
{
    model_auxiliary = auxiliary;
    g_autoptr(Problem) p = problem_new(1);
    XgPhase *phase = add_phase(p, "one", first, 3);
    xg_phase_train(p->face, phase, second);
    xg_phase_set(p->face, phase, "bn", "train");
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; auxiliary && tensors[i] != NULL; i++) {
        const XgStored *stored = xg_store_find(p->store, tensors[i]);
        g_ptr_array_add(before, g_memdup2(stored->values, sizeof(float) * (gsize) stored->count));
    }
    problem_train(p, result);
    guint changes = 0;
    for (guint i = 0; i < before->len; i++) {
        const XgStored *stored = xg_store_find(p->store, tensors[i]);
        changes +=
            memcmp(before->pdata[i], stored->values, sizeof(float) * (gsize) stored->count) != 0;
    }
    ck_assert(changes == 0 || changes == before->len);
    *changed = changes > 0;
}

/* Above a frozen layer the head has no part in anything, to the bit; below it has its loss. */
START_TEST(test_training)
{
    XgTrainerResult with, without;
    gboolean changed;
    model_dropout = 0.0; /* its random numbers depend on its place in the network */
    train("head", "block:layer2", TRUE, &changed, &with);
    ck_assert(!changed);
    train("head", "block:layer2", FALSE, &changed, &without);
    check_same_history(&with, &without);
    xg_trainer_result_clear(&with);
    xg_trainer_result_clear(&without);
    train("head", "block:*", TRUE, &changed, &with);
    ck_assert(changed);
    train("head", "block:*", FALSE, &changed, &without);
    ck_assert_double_gt(row_at(&with, 0)->train_loss, row_at(&without, 0)->train_loss + 0.1);
    xg_trainer_result_clear(&with);
    xg_trainer_result_clear(&without);
}
END_TEST

/* ---- Weights ------------------------------------------------------------------------------- */

typedef struct {
    const XgStore *store;
    const char *missing;
} File;

static const XgStored *stored_at(const File *file, gsize index)
{
    for (guint i = 0; i < xg_store_count(file->store); i++) {
        const XgStored *stored = xg_store_get(file->store, i);
        if (g_strcmp0(stored->name, file->missing) != 0 && index-- == 0)
            return stored;
    }
    return NULL;
}

/* The store's tensors, those of classifiers for seven classes. */
static gboolean file_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    (void) error;
    const XgStored *stored = stored_at(user, index);
    const XgShape shape = xg_stored_published_shape(stored);
    *info = (XgWeightInfo){.name = stored->name, .dtype = XG_DTYPE_F32, .rank = shape.rank};
    memcpy(info->dims, shape.dims, sizeof(int64_t) * (gsize) shape.rank);
    if (strstr(stored->name, "fc.") != NULL)
        info->dims[0] = 7;
    return TRUE;
}

/* The state of `name` after a match; *refusal: the check's error, freed by the caller, or NULL. */
static XgMatchState match_state(const XgStore *store, File *file, const XgMatchHeads *heads,
                                const char *name, char **refusal)
{
    const gsize count = xg_store_count(file->store) - (file->missing != NULL);
    const XgTensorSource source = {.path = "w.st", .count = count, .info = file_info, .user = file};
    g_autoptr(XgMatch) match = xg_match_new_with(store, heads, &source, NULL);
    g_autoptr(GError) error = NULL;
    const XgMatchRow *row = NULL;
    for (guint i = 0; (row = xg_match_row(match, i)) != NULL && strcmp(row->name, name) != 0; i++)
        continue;
    ck_assert_ptr_nonnull(row);
    *refusal = xg_match_check(match, FALSE, &error) ? NULL : g_strdup(error->message);
    return row->state;
}

static void check_match(const XgStore *store, File *file, const XgMatchHeads *heads,
                        const char *name, XgMatchState state, const char *says)
{
    g_autofree char *refusal = NULL;
    ck_assert_int_eq(match_state(store, file, heads, name, &refusal), state);
    if (says == NULL)
        ck_assert_msg(refusal == NULL, "%s", refusal);
    else
        ck_assert_msg(refusal != NULL && strstr(refusal, says) != NULL, "%s", refusal);
}

START_TEST(test_match)
{
    static const char *const layers[] = {"aux.fc", NULL};
    const XgMatchHeads plain = {.native = "fc"};
    const XgMatchHeads known = {.native = "fc", .auxiliaries = layers};
    const XgMatchHeads spare = {.native = "fc", .spare = tensors};
    g_autoptr(XgNetwork) network = model_network(), without = model_network();
    xg_network_forget_auxiliary(without, 0);
    g_autoptr(XgStore) store = xg_store_new(network, network->logits, NULL);
    g_autoptr(XgStore) smaller = xg_store_new(without, without->logits, NULL);
    File whole = {store, NULL}, damaged = {store, "aux.conv.weight"};
    check_match(store, &whole, &known, "aux.fc.weight", XG_MATCH_HEAD, NULL);
    check_match(store, &whole, &known, "aux.conv.weight", XG_MATCH_MATCHED, NULL);
    check_match(store, &whole, &plain, "aux.fc.weight", XG_MATCH_RESHAPED, "aux.fc.weight");
    check_match(store, &damaged, &known, "aux.conv.weight", XG_MATCH_MISSING, "aux.conv.weight");
    check_match(store, &damaged, &spare, "aux.conv.weight", XG_MATCH_MISSING, "aux.conv.weight");
    check_match(smaller, &whole, &spare, "aux.bn.running_var", XG_MATCH_HEAD, NULL);
    check_match(smaller, &whole, &spare, "aux.fc.weight", XG_MATCH_HEAD, NULL);
    check_match(smaller, &whole, &plain, "aux.fc.weight", XG_MATCH_UNEXPECTED, "aux.");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auxiliary");
    TCase *tcase = tcase_create("auxiliary");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_head);
    tcase_add_test(tcase, test_forget);
    tcase_add_test(tcase, test_new_head);
    tcase_add_test(tcase, test_trained);
    tcase_add_test(tcase, test_training);
    tcase_add_test(tcase, test_match);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
