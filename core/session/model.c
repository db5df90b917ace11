/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include "base/json.h"

#include "model/writer.h"
#include "train/phase.h"

#include <string.h>

/* The metadata key under which a model file describes itself, as JSON. */
#define MODEL_KEY "xenograft.model"
#define NEW_HEAD "head"
/* Lines of a table that an error message shows. */
#define LINES_SHOWN 10

/* ---- Weights into a study ------------------------------------------------------------------ */

/* The scoped name of a head that was put in the place of the published one; NULL: it was not. */
static const char *new_head(const XgStudy *study)
{
    g_autofree char *weight = g_strconcat(NEW_HEAD, ".weight", NULL);
    g_autofree char *hidden = g_strconcat(NEW_HEAD, ".0.weight", NULL);
    return xg_store_find(study->store, weight) || xg_store_find(study->store, hidden) ? NEW_HEAD
                                                                                      : NULL;
}

/* The first lines of a table of differences and its last one, the counts. */
static char *shorten(char **lines, const XgStudy *study)
{
    const guint count = g_strv_length(lines);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i + 1 < count && i < LINES_SHOWN; i++)
        g_string_append_printf(text, "%s\n", lines[i]);
    if (count > LINES_SHOWN + 1)
        g_string_append_printf(text,
                               "... and %u more; `xenograft weights %s --match %s` shows all\n",
                               count - 1 - LINES_SHOWN, study->weights->path,
                               xg_instance_entry(study->backbone->instance)->id);
    g_string_append_printf(text, "%s\n", lines[count - 1]);
    return g_string_free(text, FALSE);
}

/* The start values of the network's tensors that the file does not give. */
static gboolean initialise_others(XgStudy *study, const XgMatch *match, GError **error)
{
    const guint64 seed = (guint64) xg_resolved_int(study->resolved, "study", "seed");
    const XgMatchRow *row;
    for (guint i = 0; (row = xg_match_row(match, i)) != NULL; i++) {
        XgStored *stored = row->in_network ? xg_store_find(study->store, row->name) : NULL;
        if (stored != NULL && row->state != XG_MATCH_MATCHED && row->state != XG_MATCH_RESIZED &&
            row->state != XG_MATCH_ADAPTED && !xg_stored_initialise(stored, seed, error))
            return FALSE;
    }
    return TRUE;
}

/* Without its tensors an auxiliary head would be trained from noise beside trained layers. */
static gboolean drop_auxiliaries(XgStudy *study, GError **error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    if (xg_session_drop_auxiliaries(study->network, study->weights->tensors, lines) == 0)
        return TRUE;
    for (guint i = 0; i < lines->len; i++) {
        const char *line = lines->pdata[i];
        xg_record_add_note(study->record, "auxiliary", line);
        xg_session_warn(study->session, "%s: %s", study->weights->path, line);
    }
    return xg_study_make_store(study, error) &&
           xg_weights_file_rename(study->weights, study->backbone->instance, study->store, error);
}

gboolean xg_study_load_weights(XgStudy *study, GError **error)
{
    const gboolean allow =
        strcmp(xg_resolved_text(study->resolved, "backbone", "weights_mismatch"), "skip") == 0;
    if (!xg_weights_file_rename(study->weights, study->backbone->instance, study->store, error) ||
        !xg_weights_file_check_family(study->weights, study->backbone, error) ||
        !drop_auxiliaries(study, error))
        return FALSE;
    const XgTensorSource *source = study->weights->tensors;
    g_autoptr(XgMatch) match = xg_session_match(study->backbone, study->network, study->store,
                                                study->native_head, new_head(study), source, error);
    if (match == NULL)
        return FALSE;
    if (study->weights->names != NULL)
        xg_study_note(study, "names", study->weights->names);
    g_autofree char *table = xg_match_table(match, FALSE);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(table), "\n", -1);
    if (!xg_match_check(match, allow, error)) {
        g_autofree char *shown = shorten(lines, study);
        g_prefix_error(error, "%s", shown);
        return FALSE;
    }
    for (char **line = lines; *line != NULL; line++)
        xg_study_note(study, "weights", *line);
    return initialise_others(study, match, error) &&
           xg_match_load(match, study->store, source, error);
}

/* ---- Model files --------------------------------------------------------------------------- */

static void per_channel(JsonBuilder *builder, const char *name, const double *values, gint32 count)
{
    xg_json_begin_array(builder, name);
    for (gint32 i = 0; i < count; i++)
        json_builder_add_double_value(builder, values[i]);
    json_builder_end_array(builder);
}

static void preprocess_json(JsonBuilder *builder, const XgPreprocess *p)
{
    json_builder_set_member_name(builder, "preprocess");
    json_builder_begin_object(builder);
    xg_json_integer(builder, "resize_px", p->resize_px);
    xg_json_integer(builder, "size_px", p->size_px);
    xg_json_integer(builder, "channels", p->channels);
    xg_json_integer(builder, "interpolation", p->interpolation);
    xg_json_integer(builder, "channel_order", p->channel_order);
    if (p->decode != XG_DECODE_FULL)
        xg_json_integer(builder, "decode", p->decode);
    json_builder_set_member_name(builder, "scale");
    json_builder_add_double_value(builder, p->scale);
    per_channel(builder, "mean", p->mean, p->channels);
    per_channel(builder, "std", p->std, p->channels);
    json_builder_end_object(builder);
}

static void parameters_json(JsonBuilder *builder, const char *name, const XgInstance *instance)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    const XgParamSet *params = xg_instance_params(instance);
    for (const XgParam *p = xg_instance_entry(instance)->params; p->name != NULL; p++)
        if (xg_param_set_text(params, p->name) != NULL)
            xg_json_text(builder, p->name, xg_param_set_text(params, p->name));
    json_builder_end_object(builder);
}

static const char *head_kind(const XgStudy *study)
{
    if (xg_study_has_classifier(study))
        return "classifier";
    if (new_head(study) == NULL)
        return "native";
    return study->plan->head == XG_HEAD_MLP ? "mlp" : "linear";
}

static char *describe_model(const XgStudy *study)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    const XgEntry *entry = xg_instance_entry(study->backbone->instance);
    json_builder_begin_object(builder);
    xg_json_integer(builder, "version", 1);
    xg_json_text(builder, "backbone", entry->id);
    parameters_json(builder, "backbone_parameters", study->backbone->instance);
    xg_json_begin_array(builder, "classes");
    for (char **name = study->dataset->class_names; *name != NULL; name++)
        json_builder_add_string_value(builder, *name);
    json_builder_end_array(builder);
    preprocess_json(builder, &study->preprocess);
    xg_json_text(builder, "head", head_kind(study));
    xg_json_text(builder, "tap", study->plan->tap);
    xg_json_integer(builder, "hidden", study->plan->head == XG_HEAD_MLP ? study->plan->hidden : 0);
    xg_json_text(builder, "strategy", xg_instance_entry(study->strategy)->id);
    parameters_json(builder, "strategy_parameters", study->strategy);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

static gboolean trains_auxiliary(const XgStudy *study, guint index)
{
    for (guint p = 0; p < study->plan->phases->len; p++)
        if (xg_phase_trains_auxiliary(study->plan->phases->pdata[p], study->network, index))
            return TRUE;
    return FALSE;
}

/* Whether a tensor is of an auxiliary head that no phase trained: its new last layer is noise. */
static gboolean of_untrained(const XgStudy *study, const XgValue *value)
{
    const int auxiliary = value ? xg_network_auxiliary_of(study->network, value) : -1;
    return auxiliary >= 0 && !trains_auxiliary(study, (guint) auxiliary);
}

/* What the model's output needs: below a classifier that is its tap, not the trained head; and
 * trained auxiliary heads, for who trains on from this file. */
static void add_tensors(const XgStudy *study, XgTensorWriter *writer)
{
    const XgNetwork *network = study->network;
    XgValue *end = xg_study_has_classifier(study)
                       ? g_hash_table_lookup(network->taps, study->plan->tap)
                       : NULL;
    g_autofree guint8 *needed = end ? xg_network_needed(network, &end, 1, NULL, 0) : NULL;
    for (guint i = 0; i < xg_store_count(study->store); i++) {
        const XgStored *stored = xg_store_get(study->store, i);
        const XgValue *value = xg_network_find_parameter(network, stored->name);
        if (needed != NULL ? value != NULL && needed[value->id] : !of_untrained(study, value))
            xg_tensor_writer_add_stored(writer, stored);
    }
}

gboolean xg_study_save_model(XgStudy *study, const char *path, GError **error)
{
    g_autoptr(XgTensorWriter) writer = xg_tensor_writer_new();
    g_autofree char *description = describe_model(study);
    xg_tensor_writer_metadata(writer, "format", "pt");
    xg_tensor_writer_metadata(writer, "xenograft.version", XG_VERSION);
    xg_tensor_writer_metadata(writer, MODEL_KEY, description);
    add_tensors(study, writer);
    g_autoptr(XgStrategyState) state = xg_strategy_state_new();
    return (!xg_study_has_classifier(study) ||
            xg_study_save_classifier(study, writer, state, error)) &&
           xg_tensor_writer_save(writer, path, error);
}

/* ---- Reading a model file ------------------------------------------------------------------- */

static const char *text_in(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, "");
}

static gboolean read_preprocess(JsonObject *object, XgPreprocess *p, GError **error)
{
    JsonArray *mean = json_object_has_member(object, "mean")
                          ? json_object_get_array_member(object, "mean")
                          : NULL;
    JsonArray *std =
        json_object_has_member(object, "std") ? json_object_get_array_member(object, "std") : NULL;
    const gint64 channels = json_object_get_int_member_with_default(object, "channels", 0);
    if (mean == NULL || std == NULL || channels < 1 || channels > XG_IMAGE_MAX_CHANNELS ||
        json_array_get_length(mean) != channels || json_array_get_length(std) != channels)
        return xg_error_set(error, XG_FORMAT, "its preprocessing is incomplete");
    p->resize_px = json_object_get_int_member_with_default(object, "resize_px", 0);
    p->size_px = json_object_get_int_member_with_default(object, "size_px", 0);
    p->channels = (gint32) channels;
    p->interpolation = (gint32) json_object_get_int_member_with_default(object, "interpolation", 0);
    p->channel_order = (gint32) json_object_get_int_member_with_default(object, "channel_order", 0);
    p->decode = (gint32) json_object_get_int_member_with_default(object, "decode", XG_DECODE_FULL);
    p->scale = json_object_get_double_member_with_default(object, "scale", 0.0);
    for (guint i = 0; i < channels; i++) {
        p->mean[i] = json_array_get_double_element(mean, i);
        p->std[i] = json_array_get_double_element(std, i);
    }
    return xg_preprocess_check(p, error);
}

static gboolean read_classes(JsonObject *object, XgSavedModel *model, GError **error)
{
    JsonArray *names = json_object_has_member(object, "classes")
                           ? json_object_get_array_member(object, "classes")
                           : NULL;
    const guint count = names ? json_array_get_length(names) : 0;
    if (count < 2)
        return xg_error_set(error, XG_FORMAT, "it names %u classes, expected at least 2", count);
    model->class_names = g_new0(char *, count + 1);
    for (guint i = 0; i < count; i++)
        model->class_names[i] = g_strdup(json_array_get_string_element(names, i));
    return TRUE;
}

/* "key=value" of every parameter in the member `name`; freed with g_strfreev(). */
static char **read_settings(JsonObject *object, const char *name)
{
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    if (json_object_has_member(object, name)) {
        JsonObject *given = json_object_get_object_member(object, name);
        g_autoptr(GList) keys = json_object_get_members(given);
        for (GList *key = keys; key != NULL; key = key->next)
            g_ptr_array_add(settings, g_strdup_printf("%s=%s", (const char *) key->data,
                                                      text_in(given, key->data)));
    }
    g_ptr_array_add(settings, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&settings), FALSE);
}

static gboolean build_saved(XgSession *session, JsonObject *object, XgSavedModel *model,
                            GError **error)
{
    g_auto(GStrv) settings = read_settings(object, "backbone_parameters");
    XgInstance *instance =
        xg_session_instance(session, XG_BACKBONE_KIND, text_in(object, "backbone"),
                            (const char *const *) settings, error);
    if (instance == NULL)
        return FALSE;
    model->backbone = xg_session_backbone_new(instance, NULL, model->preprocess.size_px, error);
    if (model->backbone == NULL)
        return FALSE;
    model->backbone->channels = model->preprocess.channels;
    model->network =
        xg_session_backbone_build(model->backbone, g_strv_length(model->class_names), error);
    if (model->network == NULL)
        return FALSE;
    if (strcmp(text_in(object, "head"), "native") == 0)
        return TRUE;
    XgValue *tap = g_hash_table_lookup(model->network->taps, text_in(object, "tap"));
    if (tap == NULL)
        return xg_error_set(error, XG_FORMAT, "the backbone has no tap \"%s\"",
                            text_in(object, "tap"));
    if (strcmp(text_in(object, "head"), "classifier") == 0) {
        xg_network_prune(model->network, &tap, 1);
        model->network->logits = tap;
        return TRUE;
    }
    return xg_network_replace_head(model->network, tap, NEW_HEAD,
                                   json_object_get_int_member_with_default(object, "hidden", 0),
                                   error);
}

static gboolean load_saved(XgSession *session, XgWeightsFile *file, XgSavedModel *model,
                           GError **error)
{
    const char *text = file->source.metadata(file->source.user, MODEL_KEY);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (text == NULL)
        return xg_error_set(error, XG_FORMAT,
                            "not a model that xenograft wrote: it has weights only");
    if (!json_parser_load_from_data(parser, text, -1, error))
        return FALSE;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return xg_error_set(error, XG_FORMAT, "its description is not an object");
    JsonObject *object = json_node_get_object(root);
    if (!json_object_has_member(object, "preprocess"))
        return xg_error_set(error, XG_FORMAT, "its preprocessing is missing");
    if (!read_preprocess(json_object_get_object_member(object, "preprocess"), &model->preprocess,
                         error) ||
        !read_classes(object, model, error) || !build_saved(session, object, model, error))
        return FALSE;
    while (model->network->auxiliaries->len > 0)
        xg_network_forget_auxiliary(model->network, 0);
    model->store = xg_store_new(model->network, model->network->logits, error);
    if (model->store == NULL ||
        !xg_weights_file_rename(file, model->backbone->instance, model->store, error))
        return FALSE;
    const gboolean classifier = strcmp(text_in(object, "head"), "classifier") == 0;
    g_autoptr(XgMatch) match =
        xg_session_match(model->backbone, model->network, model->store, NULL,
                         classifier ? XG_CLASSIFIER_SCOPE : NULL, file->tensors, error);
    if (match == NULL || !xg_match_check(match, FALSE, error) ||
        !xg_match_load(match, model->store, file->tensors, error))
        return FALSE;
    if (!classifier)
        return TRUE;
    g_auto(GStrv) settings = read_settings(object, "strategy_parameters");
    model->classifier = xg_saved_classifier_open(
        session, text_in(object, "strategy"), (const char *const *) settings,
        g_strv_length(model->class_names), &file->source, error);
    return model->classifier != NULL;
}

XgSavedModel *xg_saved_model_open(XgSession *session, const char *path, GError **error)
{
    g_autoptr(XgWeightsFile) file = xg_weights_file_open(session, path, error);
    if (file == NULL)
        return NULL;
    g_autoptr(XgSavedModel) model = g_new0(XgSavedModel, 1);
    if (!load_saved(session, file, model, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&model);
}

void xg_saved_model_free(XgSavedModel *model)
{
    if (model == NULL)
        return;
    xg_store_free(model->store);
    xg_network_free(model->network);
    xg_session_backbone_free(model->backbone);
    xg_instance_free(model->classifier);
    g_strfreev(model->class_names);
    g_free(model);
}
