/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/phase.h"

#include "graph/op.h"

#include <string.h>

static const XgNode *user_of(const XgNetwork *network, const XgValue *parameter)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] == parameter)
                return node;
    }
    return NULL;
}

static gboolean is_batch_norm(const XgNetwork *network, const XgValue *parameter)
{
    const XgNode *user = user_of(network, parameter);
    return user != NULL && g_str_has_prefix(user->op->id, "batch_norm");
}

gboolean xg_parameter_is_norm(const XgNetwork *network, const XgValue *parameter)
{
    const XgNode *user = user_of(network, parameter);
    return user != NULL && (g_str_has_prefix(user->op->id, "batch_norm") ||
                            g_str_has_prefix(user->op->id, "layer_norm"));
}

gboolean xg_parameter_is_bias(const XgValue *parameter)
{
    return g_str_has_suffix(parameter->name, "bias");
}

static const char *block_of(const XgNetwork *network, const XgValue *parameter)
{
    return parameter->block >= 0 ? network->blocks->pdata[parameter->block] : "head";
}

static gboolean matches(const char *pattern, const XgNetwork *network, const XgValue *parameter)
{
    if (strcmp(pattern, "all") == 0)
        return TRUE;
    if (strcmp(pattern, "head") == 0)
        return parameter->block < 0;
    if (strcmp(pattern, "norm") == 0)
        return xg_parameter_is_norm(network, parameter);
    if (strcmp(pattern, "bias") == 0)
        return xg_parameter_is_bias(parameter);
    if (g_str_has_prefix(pattern, "block:"))
        return parameter->block >= 0 &&
               g_pattern_match_simple(pattern + 6, block_of(network, parameter));
    if (g_str_has_prefix(pattern, "param:"))
        return g_pattern_match_simple(pattern + 6, parameter->name);
    return FALSE;
}

gboolean xg_pattern_matches_any(const char *pattern, const XgNetwork *network)
{
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && matches(pattern, network, value))
            return TRUE;
    }
    return FALSE;
}

/* What the rules say, whatever the parameter is of. */
static double rate_of_rules(const XgPhase *phase, const XgNetwork *network,
                            const XgValue *parameter)
{
    double rate = 0.0;
    for (guint i = 0; i < phase->rules->len; i++) {
        const XgPhaseRule *rule = phase->rules->pdata[i];
        if (matches(rule->pattern, network, parameter))
            rate = rule->rate;
    }
    if (rate > 0.0 && phase->bn != XG_BN_TRAIN && is_batch_norm(network, parameter))
        return 0.0;
    return rate;
}

/* Whether something below the head of an auxiliary output is trained. */
static gboolean trains_below(const XgPhase *phase, const XgNetwork *network, guint auxiliary)
{
    XgValue *logits = g_array_index(network->auxiliaries, XgAuxiliary, auxiliary).logits;
    g_autofree guint8 *needed = xg_network_needed(network, &logits, 1, NULL, 0);
    g_autofree guint8 *head = xg_network_auxiliary_head(network, auxiliary);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && needed[i] && !head[i] &&
            rate_of_rules(phase, network, value) > 0.0)
            return TRUE;
    }
    return FALSE;
}

double xg_phase_rate(const XgPhase *phase, const XgNetwork *network, const XgValue *parameter)
{
    const double rate = rate_of_rules(phase, network, parameter);
    if (rate <= 0.0 || parameter->block >= 0)
        return rate;
    const int auxiliary = xg_network_auxiliary_of(network, parameter);
    return auxiliary < 0 || trains_below(phase, network, (guint) auxiliary) ? rate : 0.0;
}

gboolean xg_phase_trains_auxiliary(const XgPhase *phase, const XgNetwork *network, guint auxiliary)
{
    g_autofree guint8 *head = xg_network_auxiliary_head(network, auxiliary);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && head[i] &&
            xg_phase_rate(phase, network, value) > 0.0)
            return TRUE;
    }
    return FALSE;
}

void xg_phase_penalty(const XgPhase *phase, const XgNetwork *network, const XgValue *parameter,
                      double *to_zero, double *to_start)
{
    *to_zero = *to_start = 0.0;
    for (guint i = 0; i < phase->penalties->len; i++) {
        const XgPhasePenalty *penalty = phase->penalties->pdata[i];
        if (matches(penalty->pattern, network, parameter))
            *(penalty->from_start ? to_start : to_zero) += penalty->strength;
    }
}

static gboolean trains_node(const XgPhase *phase, const XgNetwork *network, const XgNode *node)
{
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (input != NULL && input->kind == XG_VALUE_PARAMETER &&
            xg_phase_rate(phase, network, input) > 0.0)
            return TRUE;
    }
    return FALSE;
}

static void add_block(GString *blocks, const char *name)
{
    const char *last = strrchr(blocks->str, ' ');
    if (strcmp(last ? last + 1 : blocks->str, name) == 0)
        return;
    g_string_append_printf(blocks, "%s%s", blocks->len > 0 ? ", " : "", name);
}

/* Marks by value id what is of no auxiliary head that the phase leaves alone. */
static guint8 *counted(const XgPhase *phase, const XgNetwork *network)
{
    guint8 *counts = g_malloc(MAX(network->values->len, 1));
    memset(counts, 1, MAX(network->values->len, 1));
    for (guint a = 0; a < network->auxiliaries->len; a++) {
        g_autofree guint8 *head = xg_network_auxiliary_head(network, a);
        const gboolean trained = xg_phase_trains_auxiliary(phase, network, a);
        for (guint i = 0; i < network->values->len && !trained; i++)
            counts[i] = counts[i] && !head[i];
    }
    return counts;
}

void xg_phase_facts(const XgPhase *phase, const XgNetwork *network, XgPhaseFacts *facts)
{
    memset(facts, 0, sizeof *facts);
    GString *blocks = g_string_new(NULL);
    g_autofree guint8 *counts = counted(phase, network);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind != XG_VALUE_PARAMETER || !counts[i])
            continue;
        const gint64 elements = xg_shape_elements(&value->shape);
        facts->all_elements += elements;
        if (xg_phase_rate(phase, network, value) > 0.0) {
            facts->trained_elements += elements;
            add_block(blocks, block_of(network, value));
        }
    }
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        if (!xg_node_is_layer(node) || !counts[node->outputs[0]->id])
            continue;
        facts->all_layers++;
        facts->trained_layers += trains_node(phase, network, node);
    }
    facts->blocks = g_string_free(blocks, FALSE);
}

void xg_phase_facts_clear(XgPhaseFacts *facts)
{
    g_clear_pointer(&facts->blocks, g_free);
}

/* "; auxiliary loss of aux1.fc2 times 0.3" */
static void describe_auxiliaries(GString *text, const XgPhase *phase, const XgNetwork *network)
{
    for (guint i = 0; i < network->auxiliaries->len; i++) {
        const XgAuxiliary *a = &g_array_index(network->auxiliaries, XgAuxiliary, i);
        const char *name = xg_network_classifier_name(network, a->logits);
        if (xg_phase_trains_auxiliary(phase, network, i))
            g_string_append_printf(text, "; auxiliary loss of %s times %g",
                                   name ? name : "an auxiliary head", a->weight);
    }
}

const char *xg_phase_bn_name(const XgPhase *phase)
{
    static const char *const modes[] = {"frozen", "adapt", "train"};
    return modes[phase->bn];
}

static void describe_phase(GString *text, const XgPhase *phase, const XgNetwork *network)
{
    static const char *const optimisers[] = {"sgd", "adamw", "adam", "rmsprop"};
    static const char *const schedules[] = {"constant", "step", "cosine", "one-cycle", "plateau"};
    XgPhaseFacts facts;
    xg_phase_facts(phase, network, &facts);
    g_string_append_printf(
        text,
        "phase %s: trains %s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " parameters (%.3g %%), %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
        " layers; %s, learning rate %g, %s schedule, up to %" G_GINT64_FORMAT
        " epochs in batches of %" G_GINT64_FORMAT "; batch norm %s",
        phase->name, facts.blocks, facts.trained_elements, facts.all_elements,
        100.0 * (double) facts.trained_elements / (double) MAX(facts.all_elements, 1),
        facts.trained_layers, facts.all_layers, optimisers[phase->optimiser.kind],
        phase->schedule.learning_rate, schedules[phase->schedule.kind], phase->epochs,
        phase->batch_size, xg_phase_bn_name(phase));
    describe_auxiliaries(text, phase, network);
    g_string_append_c(text, '\n');
    xg_phase_facts_clear(&facts);
}

char *xg_train_plan_describe(const XgTrainPlan *plan, const XgNetwork *network)
{
    static const char *const heads[] = {"native", "linear", "mlp", "classifier"};
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "start: %s weights; head: %s\n",
                           plan->random_start ? "random"
                           : plan->pretrained ? "pretrained"
                                              : "no pretrained",
                           heads[plan->head]);
    if (plan->head == XG_HEAD_CLASSIFIER) {
        const XgValue *tap = g_hash_table_lookup(network->taps, plan->tap);
        g_string_append_printf(text, "classifier: learns from %" G_GINT64_FORMAT " values (%s)%s\n",
                               xg_shape_elements(&tap->shape), plan->tap,
                               plan->phases->len > 0 ? " after the phases" : "");
    }
    for (guint i = 0; i < plan->phases->len; i++)
        describe_phase(text, plan->phases->pdata[i], network);
    return g_string_free(text, FALSE);
}
