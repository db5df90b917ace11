/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/plan.h"

#include "base/suggest.h"
#include "train/phase.h"

#include <string.h>

#define MAX_PHASES 1000

static XgTrainPlan *own(XgPlan *plan)
{
    return (XgTrainPlan *) plan;
}

G_GNUC_PRINTF(3, 4)
static void plan_fail(XgTrainPlan *plan, XgStatus status, const char *format, ...)
{
    if (plan->error != NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    xg_error_set(&plan->error, status, "%s", text);
}

/* ---- Settings ------------------------------------------------------------------------------ */

/* A key of plan or phase: where it goes and what it may be. */
typedef struct {
    const char *key;
    enum { FIELD_INT, FIELD_FLOAT, FIELD_CHOICE, FIELD_TEXT } type;
    gsize offset;
    double minimum, maximum;
    const char *choices; /* "a|b|c": the field is an int with the index */
} Field;

static const Field plan_fields[] = {
    {"start", FIELD_CHOICE, G_STRUCT_OFFSET(XgTrainPlan, random_start), 0, 0, "pretrained|random"},
    {"head", FIELD_CHOICE, G_STRUCT_OFFSET(XgTrainPlan, head), 0, 0,
     "native|linear|mlp|classifier"},
    {"hidden", FIELD_INT, G_STRUCT_OFFSET(XgTrainPlan, hidden), 1, 1 << 20, NULL},
    {"tap", FIELD_TEXT, G_STRUCT_OFFSET(XgTrainPlan, tap), 0, 0, NULL},
    {"select", FIELD_CHOICE, G_STRUCT_OFFSET(XgTrainPlan, select_best), 0, 0, "last|best"},
};

#define PHASE(member) G_STRUCT_OFFSET(struct XgPhase, member)
static const Field phase_fields[] = {
    {"epochs", FIELD_INT, PHASE(epochs), 1, 1e6, NULL},
    {"batch_size", FIELD_INT, PHASE(batch_size), 1, 65536, NULL},
    {"optimizer", FIELD_CHOICE, PHASE(optimiser.kind), 0, 0, "sgd|adamw|adam|rmsprop"},
    {"learning_rate", FIELD_FLOAT, PHASE(schedule.learning_rate), 0, 1e6, NULL},
    {"momentum", FIELD_FLOAT, PHASE(optimiser.momentum), 0, 1, NULL},
    {"nesterov", FIELD_CHOICE, PHASE(optimiser.nesterov), 0, 1, NULL},
    {"beta1", FIELD_FLOAT, PHASE(optimiser.beta1), 0, 1, NULL},
    {"beta2", FIELD_FLOAT, PHASE(optimiser.beta2), 0, 1, NULL},
    {"epsilon", FIELD_FLOAT, PHASE(optimiser.epsilon), 0, 1, NULL},
    {"weight_decay", FIELD_FLOAT, PHASE(optimiser.weight_decay), 0, 1e6, NULL},
    {"schedule", FIELD_CHOICE, PHASE(schedule.kind), 0, 0,
     "constant|step|cosine|one_cycle|plateau"},
    {"warmup_epochs", FIELD_FLOAT, PHASE(schedule.warmup_epochs), 0, 1e6, NULL},
    {"step_epochs", FIELD_INT, PHASE(schedule.step_epochs), 1, 1e6, NULL},
    {"step_factor", FIELD_FLOAT, PHASE(schedule.step_factor), 0, 1, NULL},
    {"bn", FIELD_CHOICE, PHASE(bn), 0, 0, "frozen|adapt|train"},
    {"start", FIELD_TEXT, PHASE(start), 0, 0, NULL},
    {"patience", FIELD_INT, PHASE(patience), 0, 1e6, NULL},
    {"tolerance", FIELD_FLOAT, PHASE(tolerance), 0, 1, NULL},
    {"convergence_epochs", FIELD_INT, PHASE(convergence_epochs), 1, 1e6, NULL},
    {"keep", FIELD_CHOICE, PHASE(keep_last), 0, 0, "best|last"},
    {"alpha", FIELD_FLOAT, PHASE(optimiser.alpha), 0, 1, NULL},
    {"clip_norm", FIELD_FLOAT, PHASE(optimiser.clip_norm), 0, 1e9, NULL},
    {"ema_decay", FIELD_FLOAT, PHASE(optimiser.ema_decay), 0, 1, NULL},
    {"label_smoothing", FIELD_FLOAT, PHASE(label_smoothing), 0, 1, NULL},
    {"class_weights", FIELD_CHOICE, PHASE(class_weights), 0, 0, "none|balanced"},
    {"sampling", FIELD_CHOICE, PHASE(balanced_batches), 0, 0, "shuffle|balanced"},
    {"focal_gamma", FIELD_FLOAT, PHASE(focal_gamma), 0, 100, NULL},
};

/* The index of `word` in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *word)
{
    g_auto(GStrv) names = g_strsplit(choices, "|", -1);
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

static void set_choice(XgTrainPlan *plan, const char *where, void *at, const Field *field,
                       const XgAttr *value)
{
    if (field->choices == NULL) {
        if (value->type != XG_ATTR_INT || value->i < 0 || value->i > 1)
            plan_fail(plan, XG_INVALID, "%s: %s: expected 0 or 1", where, field->key);
        else
            *(int *) at = (int) value->i;
        return;
    }
    const int index = value->type == XG_ATTR_STRING && value->s != NULL
                          ? choice_index(field->choices, value->s)
                          : -1;
    if (index < 0)
        plan_fail(plan, XG_INVALID, "%s: %s: expected %s, found \"%s\"", where, field->key,
                  field->choices, value->type == XG_ATTR_STRING && value->s ? value->s : "?");
    else
        *(int *) at = index;
}

static void set_number(XgTrainPlan *plan, const char *where, void *at, const Field *field,
                       const XgAttr *value)
{
    const double number = value->type == XG_ATTR_INT ? (double) value->i : value->f;
    const gboolean typed =
        value->type == XG_ATTR_INT || (value->type == XG_ATTR_FLOAT && field->type == FIELD_FLOAT);
    if (!typed || !(number >= field->minimum && number <= field->maximum)) {
        g_autofree char *found = value->type == XG_ATTR_STRING
                                     ? g_strdup_printf("\"%s\"", value->s ? value->s : "")
                                     : g_strdup_printf("%.10g", number);
        plan_fail(plan, XG_INVALID, "%s: %s: expected %s from %g to %g, found %s", where,
                  field->key, field->type == FIELD_INT ? "a whole number" : "a number",
                  field->minimum, field->maximum, found);
    } else if (field->type == FIELD_INT)
        *(gint64 *) at = value->i;
    else
        *(double *) at = number;
}

static void set_field(XgTrainPlan *plan, const char *where, void *object, const Field *fields,
                      gsize count, const XgAttr *value)
{
    const Field *field = NULL;
    for (gsize i = 0; i < count; i++)
        if (strcmp(fields[i].key, value->name) == 0)
            field = &fields[i];
    if (field == NULL) {
        plan_fail(plan, XG_UNSUPPORTED, "%s: unknown setting \"%s\"", where, value->name);
        return;
    }
    void *at = (char *) object + field->offset;
    if (field->type == FIELD_CHOICE) {
        set_choice(plan, where, at, field, value);
    } else if (field->type == FIELD_TEXT) {
        if (value->type != XG_ATTR_STRING || value->s == NULL) {
            plan_fail(plan, XG_INVALID, "%s: %s: expected text", where, field->key);
            return;
        }
        g_free(*(char **) at);
        *(char **) at = g_strdup(value->s);
    } else {
        set_number(plan, where, at, field, value);
    }
}

static void check_pattern(XgTrainPlan *plan, const XgPhase *phase, const char *pattern)
{
    if (xg_pattern_matches_any(pattern, plan->network))
        return;
    if (!g_str_has_prefix(pattern, "block:")) {
        plan_fail(plan, XG_INVALID, "phase %s: nothing matches \"%s\"", phase->name, pattern);
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < plan->network->blocks->len; i++) {
        const char *name = plan->network->blocks->pdata[i];
        if (g_pattern_match_simple(pattern + 6, name)) {
            plan_fail(plan, XG_INVALID, "block \"%s\" has no parameters: nothing to train", name);
            return;
        }
        g_ptr_array_add(names, (gpointer) name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *all = g_strjoinv(", ", (char **) names->pdata);
    const char *near = xg_suggest(pattern + 6, (const char *const *) names->pdata);
    plan_fail(plan, XG_INVALID, "no block \"%s\"%s%s%s; the blocks are: %s", pattern + 6,
              near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", all);
}

/* ---- The interface ------------------------------------------------------------------------- */

static XgValue *parameter_at(const XgNetwork *network, int64_t index)
{
    for (guint i = 0; i < network->values->len && index >= 0; i++) {
        XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && index-- == 0)
            return value;
    }
    return NULL;
}

static int64_t parameter_total(const XgNetwork *network)
{
    int64_t total = 0;
    for (guint i = 0; i < network->values->len; i++)
        total += ((XgValue *) network->values->pdata[i])->kind == XG_VALUE_PARAMETER;
    return total;
}

static int64_t on_info(XgPlan *face, const char *key)
{
    const XgTrainPlan *plan = own(face);
    const XgValue *tap = g_hash_table_lookup(plan->network->taps, "features");
    if (strcmp(key, "classes") == 0)
        return plan->network->info.classes;
    if (strcmp(key, "blocks") == 0)
        return plan->network->blocks->len;
    if (strcmp(key, "parameters") == 0)
        return parameter_total(plan->network);
    if (strcmp(key, "features") == 0)
        return tap ? xg_shape_elements(&tap->shape) : 0;
    if (strcmp(key, "train_images") == 0)
        return plan->train_images;
    if (strcmp(key, "validation_images") == 0)
        return plan->validation_images;
    return strcmp(key, "pretrained") == 0 ? plan->pretrained : 0;
}

static const char *on_block_name(XgPlan *face, int64_t index)
{
    const GPtrArray *blocks = own(face)->network->blocks;
    return index >= 0 && index < blocks->len ? blocks->pdata[index] : NULL;
}

static int64_t on_block_info(XgPlan *face, int64_t index, const char *key)
{
    const XgNetwork *network = own(face)->network;
    int64_t total = 0;
    if (strcmp(key, "layers") == 0) {
        for (guint i = 0; i < network->nodes->len; i++) {
            const XgNode *node = network->nodes->pdata[i];
            total += node->block == index && xg_node_is_layer(node);
        }
    } else if (strcmp(key, "elements") == 0) {
        for (guint i = 0; i < network->values->len; i++) {
            const XgValue *value = network->values->pdata[i];
            if (value->kind == XG_VALUE_PARAMETER && value->block == index)
                total += xg_shape_elements(&value->shape);
        }
    }
    return total;
}

static const char *on_parameter_name(XgPlan *face, int64_t index)
{
    const XgValue *parameter = parameter_at(own(face)->network, index);
    return parameter ? parameter->name : NULL;
}

static int64_t layer_ordinal(const XgNetwork *network, const XgValue *parameter)
{
    int64_t ordinal = -1;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        ordinal += xg_node_is_layer(node);
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] == parameter)
                return ordinal;
    }
    return ordinal;
}

static int64_t on_parameter_info(XgPlan *face, int64_t index, const char *key)
{
    const XgNetwork *network = own(face)->network;
    const XgValue *parameter = parameter_at(network, index);
    if (parameter == NULL)
        return 0;
    if (strcmp(key, "elements") == 0)
        return xg_shape_elements(&parameter->shape);
    if (strcmp(key, "block") == 0)
        return parameter->block;
    if (strcmp(key, "layer") == 0)
        return layer_ordinal(network, parameter);
    if (strcmp(key, "norm") == 0)
        return xg_parameter_is_norm(network, parameter);
    return strcmp(key, "bias") == 0 ? xg_parameter_is_bias(parameter) : 0;
}

static void on_set(XgPlan *face, const XgAttr *setting)
{
    set_field(own(face), "plan", own(face), plan_fields, G_N_ELEMENTS(plan_fields), setting);
}

static void on_fail(XgPlan *face, XgStatus status, const char *text)
{
    plan_fail(own(face), status, "%s", text);
}

static void rule_free(void *data)
{
    XgPhaseRule *rule = data;
    g_free(rule->pattern);
    g_free(rule);
}

static void penalty_free(void *data)
{
    XgPhasePenalty *penalty = data;
    g_free(penalty->pattern);
    g_free(penalty);
}

static void phase_free(void *data)
{
    XgPhase *phase = data;
    g_free(phase->name);
    g_free(phase->start);
    g_ptr_array_unref(phase->rules);
    g_ptr_array_unref(phase->penalties);
    g_free(phase);
}

static XgPhase *on_phase(XgPlan *face, const char *name)
{
    XgTrainPlan *plan = own(face);
    if (plan->phases->len >= MAX_PHASES)
        plan_fail(plan, XG_LIMIT, "more than %d phases", MAX_PHASES);
    for (guint i = 0; i < plan->phases->len; i++)
        if (strcmp(((XgPhase *) plan->phases->pdata[i])->name, name) == 0)
            plan_fail(plan, XG_INVALID, "two phases are named \"%s\"", name);
    XgPhase *phase = g_new0(XgPhase, 1);
    phase->plan = face;
    phase->name = g_strdup(name);
    phase->epochs = 20;
    phase->batch_size = 32;
    phase->optimiser = (XgOptimiserSpec){.momentum = 0.9,
                                         .beta1 = 0.9,
                                         .beta2 = 0.999,
                                         .epsilon = 1e-8,
                                         .alpha = 0.99,
                                         .weight_decay = 1e-4};
    phase->schedule =
        (XgScheduleSpec){.learning_rate = 1e-3, .step_epochs = 10, .step_factor = 0.1};
    phase->start = g_strdup("previous");
    phase->convergence_epochs = 10;
    phase->rules = g_ptr_array_new_with_free_func(rule_free);
    phase->penalties = g_ptr_array_new_with_free_func(penalty_free);
    g_ptr_array_add(plan->phases, phase);
    return phase;
}

static void on_phase_set(XgPhase *phase, const XgAttr *setting)
{
    g_autofree char *where = g_strdup_printf("phase %s", phase->name);
    set_field(own(phase->plan), where, phase, phase_fields, G_N_ELEMENTS(phase_fields), setting);
}

static void on_train(XgPhase *phase, const char *pattern, double rate)
{
    XgTrainPlan *plan = own(phase->plan);
    if (!(rate >= 0.0 && rate <= 1e6))
        plan_fail(plan, XG_INVALID, "phase %s: \"%s\": a rate of %g", phase->name, pattern, rate);
    check_pattern(plan, phase, pattern);
    XgPhaseRule *rule = g_new0(XgPhaseRule, 1);
    rule->pattern = g_strdup(pattern);
    rule->rate = rate;
    g_ptr_array_add(phase->rules, rule);
}

static void on_freeze(XgPhase *phase, const char *pattern)
{
    on_train(phase, pattern, 0.0);
}

static void on_penalize(XgPhase *phase, const char *pattern, const char *from, double strength)
{
    XgTrainPlan *plan = own(phase->plan);
    const int target = choice_index("zero|start", from);
    if (target < 0 || !(strength >= 0.0 && strength <= 1e9))
        plan_fail(plan, XG_INVALID, "phase %s: penalty of %g from \"%s\"", phase->name, strength,
                  from);
    check_pattern(plan, phase, pattern);
    XgPhasePenalty *penalty = g_new0(XgPhasePenalty, 1);
    penalty->pattern = g_strdup(pattern);
    penalty->from_start = target == 1;
    penalty->strength = strength;
    g_ptr_array_add(phase->penalties, penalty);
}

static const XgPlanApi plan_api = {
    .info = on_info,
    .block_name = on_block_name,
    .block_info = on_block_info,
    .parameter_name = on_parameter_name,
    .parameter_info = on_parameter_info,
    .set = on_set,
    .phase = on_phase,
    .phase_set = on_phase_set,
    .train = on_train,
    .freeze = on_freeze,
    .penalize = on_penalize,
    .fail = on_fail,
};

const XgPlanApi *xg_plan_api(void)
{
    return &plan_api;
}

XgTrainPlan *xg_train_plan_new(const XgNetwork *network, gint64 train_images,
                               gint64 validation_images, gboolean pretrained, const XgHost *host)
{
    XgTrainPlan *plan = g_new0(XgTrainPlan, 1);
    plan->plan.api = &plan_api;
    plan->plan.host = host;
    plan->network = network;
    plan->hidden = 128;
    plan->tap = g_strdup("features");
    plan->phases = g_ptr_array_new_with_free_func(phase_free);
    plan->train_images = train_images;
    plan->validation_images = validation_images;
    plan->pretrained = pretrained;
    return plan;
}

void xg_train_plan_free(XgTrainPlan *plan)
{
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->phases);
    g_clear_error(&plan->error);
    g_free(plan->tap);
    g_free(plan);
}

/* ---- Reading a plan ------------------------------------------------------------------------ */

static gboolean check_start(const XgTrainPlan *plan, guint index, GError **error)
{
    const XgPhase *phase = plan->phases->pdata[index];
    if (strcmp(phase->start, "previous") == 0 || strcmp(phase->start, "initial") == 0)
        return TRUE;
    for (guint i = 0; i < index; i++)
        if (strcmp(((XgPhase *) plan->phases->pdata[i])->name, phase->start) == 0)
            return TRUE;
    return xg_error_set(error, XG_INVALID,
                        "phase %s: start: expected previous, initial or an earlier phase, found "
                        "\"%s\"",
                        phase->name, phase->start);
}

gboolean xg_train_plan_check(const XgTrainPlan *plan, GError **error)
{
    if (plan->error != NULL) {
        g_propagate_error(error, g_error_copy(plan->error));
        return FALSE;
    }
    if (g_hash_table_lookup(plan->network->taps, plan->tap) == NULL)
        return xg_error_set(error, XG_INVALID, "the backbone has no tap \"%s\"", plan->tap);
    if (plan->phases->len == 0 && plan->head != XG_HEAD_CLASSIFIER)
        return xg_error_set(error, XG_PLUGIN, "the plan has neither a phase nor a classifier");
    for (guint i = 0; i < plan->phases->len; i++) {
        const XgPhase *phase = plan->phases->pdata[i];
        XgPhaseFacts facts;
        xg_phase_facts(phase, plan->network, &facts);
        const gboolean trains = facts.trained_elements > 0 || phase->bn == XG_BN_ADAPT;
        xg_phase_facts_clear(&facts);
        if (!trains)
            return xg_error_set(error, XG_INVALID, "phase %s trains nothing", phase->name);
        if (!check_start(plan, i, error))
            return FALSE;
    }
    return TRUE;
}
