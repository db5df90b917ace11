/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include "graph/op.h"

#include <math.h>
#include <string.h>
#include <xenograft/strategy.h>

/* Between two lines of epochs, so that short epochs do not flood the terminal. */
#define LINE_US (G_USEC_PER_SEC / 2)

void xg_study_note(XgStudy *study, const char *name, const char *text)
{
    GHashTable *told = study->series ? study->series->told : NULL;
    xg_record_add_note(study->record, name, text);
    if (told == NULL || g_hash_table_add(told, g_strdup(text)))
        xg_session_line(study->session, "note (%s): %s", name, text);
}

static const char *text_of(const XgStudy *study, const char *section, const char *key)
{
    return xg_resolved_text(study->resolved, section, key);
}

/* ---- Network ------------------------------------------------------------------------------- */

/* The channels that the network is built with. */
static gboolean choose_channels(XgStudy *study, GError **error)
{
    const gint64 least = study->check->min_channels, most = study->check->max_channels;
    const gint64 published = study->backbone->size->channels;
    if (strcmp(text_of(study, "data", "channels"), "sum") != 0)
        return most <= 3 || xg_error_set(error, XG_INVALID,
                                         "[data] channels: images have %" G_GINT64_FORMAT
                                         " channels, which only channels = sum takes",
                                         most);
    if (least != most && most > 3)
        return xg_error_set(error, XG_INVALID,
                            "[data] channels = sum: the images have from %" G_GINT64_FORMAT
                            " to %" G_GINT64_FORMAT " channels; expected equally many",
                            least, most);
    study->backbone->channels = most;
    g_autofree char *text =
        g_strdup_printf("channels = sum: %s; the network is built for %" G_GINT64_FORMAT
                        " input channel%s, published weights have %" G_GINT64_FORMAT,
                        most == 1       ? "all images are grey in every pixel"
                        : least != most ? "some images are grey, which are repeated"
                        : most == 3     ? "all images are in colour"
                                        : "the images have more than three channels",
                        most, most == 1 ? "" : "s", published);
    xg_study_note(study, "channels", text);
    return TRUE;
}

static void fill_preprocess(XgStudy *study)
{
    const XgWeightsFamily *family = study->backbone->family;
    const gint64 size_px = study->backbone->size_px;
    XgInputRule *rule = &study->input;
    xg_input_rule_init(rule, study->backbone->size->channels, family->mean, family->std,
                       study->backbone->channels);
    study->preprocess = (XgPreprocess){
        .resize_px = (gint64) llround((double) family->resize_px * (double) size_px /
                                      (double) study->backbone->size->size_px),
        .size_px = size_px,
        .channels = (gint32) study->backbone->channels,
        .interpolation = family->interpolation,
        .channel_order = family->channel_order,
        .decode = strcmp(text_of(study, "data", "decode"), "scaled") == 0 ? XG_DECODE_SCALED
                                                                          : XG_DECODE_FULL,
        .scale = family->scale,
    };
    memcpy(study->preprocess.mean, rule->mean, sizeof rule->mean);
    memcpy(study->preprocess.std, rule->std, sizeof rule->std);
    study->preprocess_text = xg_preprocess_describe(&study->preprocess);
}

static gboolean build_network(XgStudy *study, GError **error)
{
    XgInstance *instance =
        xg_registry_create(study->session->registry, XG_BACKBONE_KIND,
                           text_of(study, "backbone", "plugin"), study->backbone_params, error);
    xg_session_show_warnings(study->session);
    if (instance == NULL)
        return FALSE;
    study->backbone =
        xg_session_backbone_new(instance, text_of(study, "backbone", "weights_family"),
                                xg_resolved_int(study->resolved, "data", "size"), error);
    if (study->backbone == NULL)
        return FALSE;
    if (!choose_channels(study, error))
        return FALSE;
    fill_preprocess(study);
    if (!xg_study_read_augment(study, error) || !xg_preprocess_check(&study->preprocess, error))
        return FALSE;
    study->network = xg_session_backbone_build(study->backbone, study->dataset->class_count, error);
    if (study->network != NULL)
        study->native_head = g_strdup(xg_network_head_name(study->network));
    return study->network != NULL;
}

static gboolean weights_given(const XgStudy *study)
{
    const char *weights = text_of(study, "backbone", "weights");
    return strcmp(weights, "random") != 0 && strcmp(weights, "none") != 0;
}

static gboolean ask_strategy(XgStudy *study, GError **error)
{
    study->strategy =
        xg_registry_create(study->session->registry, XG_STRATEGY_KIND,
                           text_of(study, "strategy", "plugin"), study->strategy_params, error);
    xg_session_show_warnings(study->session);
    if (study->strategy == NULL)
        return FALSE;
    const XgStrategy *table = xg_instance_table(study->strategy);
    study->plan = xg_train_plan_new(study->network, study->split->parts[XG_PART_TRAINING]->len,
                                    study->split->parts[XG_PART_VALIDATION]->len,
                                    weights_given(study), xg_instance_host(study->strategy));
    const XgStatus status = table->plan(xg_instance_self(study->strategy), &study->plan->plan);
    if (!xg_instance_error(study->strategy, status, error))
        return FALSE;
    if (!xg_train_plan_check(study->plan, error)) {
        g_prefix_error(error, "[strategy] %s: ", text_of(study, "strategy", "plugin"));
        return FALSE;
    }
    return TRUE;
}

/* TRUE when what follows the tap is one linear map: then a new linear head is the native one. */
static gboolean native_head_is_linear(const XgStudy *study, const XgValue *tap)
{
    const XgValue *value = study->network->logits;
    const XgNode *last = value->producer;
    if (last == NULL || strcmp(last->op->id, "linear/1") != 0)
        return FALSE;
    const XgValue *input = last->inputs[0];
    while (input != tap && input->producer != NULL &&
           strcmp(input->producer->op->id, "dropout/1") == 0)
        input = input->producer->inputs[0];
    return input == tap;
}

static gboolean place_head(XgStudy *study, GError **error)
{
    XgTrainPlan *plan = study->plan;
    XgValue *tap = g_hash_table_lookup(study->network->taps, plan->tap);
    if (plan->head == XG_HEAD_NATIVE)
        return TRUE;
    if (plan->head == XG_HEAD_LINEAR && native_head_is_linear(study, tap))
        return TRUE;
    if (plan->head == XG_HEAD_CLASSIFIER)
        return xg_study_place_classifier(study, error);
    return xg_network_replace_head(study->network, tap, "head",
                                   plan->head == XG_HEAD_MLP ? plan->hidden : 0, error);
}

gboolean xg_study_make_store(XgStudy *study, GError **error)
{
    g_clear_pointer(&study->store, xg_store_free);
    study->store = xg_store_new(study->network, study->network->logits, error);
    if (study->store == NULL)
        return FALSE;
    if (!weights_given(study) || study->input.channels == study->input.published ||
        xg_store_adapt_input(study->store, study->network, &study->input, error))
        return TRUE;
    g_prefix_error(error, "[data] channels = sum: ");
    return FALSE;
}

static gboolean fill_store(XgStudy *study, GError **error)
{
    const char *weights = text_of(study, "backbone", "weights");
    const gboolean given = weights_given(study), none = strcmp(weights, "none") == 0;
    const gint64 extractor =
        xg_network_count(study->network,
                         g_hash_table_lookup(study->network->taps, study->plan->tap))
            .parameters;
    if (none && extractor > 0)
        return xg_error_set(error, XG_INVALID,
                            "[backbone] weights = none: the features of %s have %" G_GINT64_FORMAT
                            " parameters; expected a weights file, or random",
                            text_of(study, "backbone", "plugin"), extractor);
    if (!xg_study_make_store(study, error))
        return FALSE;
    if (given) {
        study->weights = xg_weights_file_open(study->session, weights, error);
        if (study->weights == NULL || !xg_weights_file_hash(study->weights, error))
            return FALSE;
    }
    if (given && !study->plan->random_start)
        return xg_study_load_weights(study, error);
    xg_study_note(study, "weights",
                  given  ? "the strategy starts from random weights; the file's are not used"
                  : none ? "the features need no weights; the head starts random"
                         : "no pretrained weights: the network starts random");
    return xg_store_initialise(study->store,
                               (guint64) xg_resolved_int(study->resolved, "study", "seed"), error);
}

/* ---- All together -------------------------------------------------------------------------- */

gboolean xg_study_prepare(XgStudy *study, GError **error)
{
    if (study->prepared)
        return TRUE;
    if (!xg_study_get_images(study, error))
        return FALSE;
    if (xg_study_is_series(study))
        return study->prepared = xg_study_prepare_runs(study, error);
    study->record =
        xg_record_new((const char *const *) study->dataset->class_names, study->positive);
    xg_study_note_unreadable(study);
    if (!xg_study_split(study, error) || !build_network(study, error) ||
        !ask_strategy(study, error) || !place_head(study, error) || !fill_store(study, error))
        return FALSE;
    study->plan_text = xg_train_plan_describe(study->plan, study->network);
    xg_study_make_features(study);
    xg_study_record_start(study);
    study->prepared = TRUE;
    return TRUE;
}

static const char *strategy_failure(void *user)
{
    XgStudy *study = user;
    g_autoptr(GError) error = NULL;
    xg_instance_error(study->strategy, XG_PLUGIN, &error);
    g_free(study->strategy_failure);
    study->strategy_failure = g_strdup(error->message);
    return study->strategy_failure;
}

static void on_train_progress(const XgProgress *p, void *user)
{
    XgStudy *study = user;
    const XgSessionProgress progress = {.activity = p->activity,
                                        .phase = p->phase,
                                        .epoch = p->epoch,
                                        .epochs = p->epochs,
                                        .done = p->done,
                                        .total = p->total,
                                        .cached = p->cached};
    if (p->row == NULL) {
        xg_session_tell(study->session, &progress);
        return;
    }
    const XgHistoryRow *row = p->row;
    const gint64 now_us = g_get_monotonic_time();
    if (row->epoch > 1 && now_us - study->last_line_us < LINE_US)
        return;
    study->last_line_us = now_us;
    xg_session_line(study->session,
                    "%s epoch %" G_GINT64_FORMAT ": loss %.4f, validation loss %.4f, balanced "
                    "accuracy %.4f%s",
                    row->phase, row->epoch, row->train_loss, row->validation_loss,
                    row->validation_balanced_accuracy, row->best ? " *" : "");
}

static void on_train_note(const char *text, void *user)
{
    xg_study_note(user, "training", text);
}

XgTrainerSpec xg_study_trainer_spec(XgStudy *study)
{
    return (XgTrainerSpec){
        .network = study->network,
        .store = study->store,
        .plan = study->plan,
        .strategy = xg_instance_table(study->strategy),
        .strategy_self = xg_instance_self(study->strategy),
        .strategy_host = xg_instance_host(study->strategy),
        .strategy_failure = strategy_failure,
        .engine = &study->engine->handle,
        .features = study->features,
        .items = study->all_items,
        .item_count = study->dataset->items->len,
        .train_items = study->items[XG_PART_TRAINING],
        .train_count = study->split->parts[XG_PART_TRAINING]->len,
        .validation_items = study->items[XG_PART_VALIDATION],
        .validation_count = study->split->parts[XG_PART_VALIDATION]->len,
        .augmentation = study->augmented ? &study->augmentation : NULL,
        .labels = study->labels,
        .classes = study->dataset->class_count,
        .positive = study->positive,
        .class_names = (const char *const *) study->dataset->class_names,
        .seed = (guint64) xg_resolved_int(study->resolved, "study", "seed"),
        .memory_limit = (gsize) xg_resolved_int(study->resolved, "engine", "memory"),
        .interrupted = study->session->events ? study->session->events->interrupted : NULL,
        .progress = on_train_progress,
        .note = on_train_note,
        .user = study,
    };
}
