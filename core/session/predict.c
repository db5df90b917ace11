/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include "base/json.h"

#include "eval/probabilities.h"
#include "report/format.h"

#include <string.h>

/* Images per run: few enough that the first answers come soon. */
#define PREDICT_BATCH 8

typedef struct {
    XgSavedModel *model;
    XgSessionReaders *readers;
    XgSessionEngine *engine;
    XgProgram *program;
    gsize classes;
    float *images;
    void (*result)(const XgPrediction *prediction, void *user);
    void *user;
} Predictor;

static void predictor_clear(Predictor *p)
{
    xg_program_free(p->program);
    xg_session_engine_free(p->engine);
    xg_session_readers_free(p->readers);
    xg_saved_model_free(p->model);
    g_free(p->images);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Predictor, predictor_clear)

static gboolean predictor_init(Predictor *p, XgSession *session, const char *path, gsize files,
                               GError **error)
{
    p->model = xg_saved_model_open(session, path, error);
    p->engine = p->model ? xg_session_engine_new(session, "auto", 0, NULL, error) : NULL;
    p->readers = p->engine ? xg_session_readers_new(session, 0, error) : NULL;
    if (p->readers == NULL)
        return FALSE;
    XgNetwork *network = p->model->network;
    XgValue *input = network->inputs->pdata[0];
    p->classes = g_strv_length(p->model->class_names);
    const XgProgramSpec spec = {
        .network = network,
        .store = p->model->store,
        .engine = &p->engine->handle,
        .max_batch = (gint64) MIN(files, PREDICT_BATCH),
        .inputs = &input,
        .input_count = 1,
        .outputs = &network->logits,
        .output_count = 1,
        .take = TRUE,
    };
    p->program = xg_program_new(&spec, error);
    p->images = g_new(float, xg_preprocess_length(&p->model->preprocess) * PREDICT_BATCH);
    return p->program != NULL;
}

/* Probabilities of the first `rows` of p->images. */
static gboolean run_model(const Predictor *p, gint64 rows, float *probabilities, GError **error)
{
    const float *output = NULL;
    const float *inputs[] = {p->images};
    const XgValue *end = p->model->network->logits;
    if (!xg_program_run(p->program, rows, inputs, &output, error))
        return FALSE;
    if (p->model->classifier != NULL)
        return xg_classifier_predict(p->model->classifier, rows, xg_shape_elements(&end->shape),
                                     output, p->classes, probabilities, error);
    for (gint64 i = 0; i < rows; i++)
        xg_probabilities(output + (gsize) i * p->classes, p->classes,
                         probabilities + (gsize) i * p->classes);
    return TRUE;
}

/* Predicts up to PREDICT_BATCH files; those that cannot be read are told in their place. */
static gboolean predict_batch(const Predictor *p, const char *const *files, gsize count,
                              GError **error)
{
    const gsize length = xg_preprocess_length(&p->model->preprocess);
    g_autoptr(GPtrArray) errors = g_ptr_array_new_with_free_func(g_free);
    gint64 readable = 0;
    for (gsize i = 0; i < count; i++) {
        g_autoptr(GError) unreadable = NULL;
        if (xg_preprocess_file(&p->model->preprocess, &p->readers->reader, files[i],
                               p->images + (gsize) readable * length, &unreadable))
            readable++;
        g_ptr_array_add(errors, unreadable ? g_strdup(unreadable->message) : NULL);
    }
    g_autofree float *probabilities = g_new(float, (gsize) MAX(readable, 1) * p->classes);
    if (readable > 0 && !run_model(p, readable, probabilities, error))
        return FALSE;
    const float *row = probabilities;
    for (gsize i = 0; i < count; i++) {
        XgPrediction prediction = {.path = files[i],
                                   .error = errors->pdata[i],
                                   .class_names = (const char *const *) p->model->class_names,
                                   .class_count = (guint) p->classes};
        if (prediction.error == NULL) {
            prediction.probabilities = row;
            prediction.best = (guint) xg_argmax(row, p->classes);
            row += p->classes;
        }
        p->result(&prediction, p->user);
    }
    return TRUE;
}

gboolean xg_session_predict(XgSession *session, const char *model, const char *const *files,
                            void (*result)(const XgPrediction *prediction, void *user), void *user,
                            GError **error)
{
    const gsize count = g_strv_length((char **) files);
    g_auto(Predictor) predictor = {.result = result, .user = user};
    if (!predictor_init(&predictor, session, model, count, error))
        return FALSE;
    for (gsize done = 0; done < count; done += PREDICT_BATCH)
        if (!predict_batch(&predictor, files + done, MIN(count - done, PREDICT_BATCH), error))
            return FALSE;
    return TRUE;
}

/* ---- Output -------------------------------------------------------------------------------- */

static char *format_json(const XgPrediction *p)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    xg_json_text(builder, "path", p->path);
    xg_json_text(builder, "prediction", p->class_names[p->best]);
    xg_json_begin_object(builder, "probabilities");
    for (guint k = 0; k < p->class_count; k++)
        xg_json_number(builder, p->class_names[k], (double) p->probabilities[k]);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    return xg_json_finish(builder, FALSE);
}

char *xg_prediction_format(const XgPrediction *p, gboolean json, gboolean header)
{
    if (json)
        return format_json(p);
    GString *csv = g_string_new(header ? "path,prediction," : "");
    for (guint k = 0; k < p->class_count && header; k++) {
        g_autofree char *name = g_strconcat("prob:", p->class_names[k], NULL);
        xg_format_csv_field(csv, name, k + 1 == p->class_count);
    }
    xg_format_csv_field(csv, p->path, FALSE);
    xg_format_csv_field(csv, p->class_names[p->best], FALSE);
    for (guint k = 0; k < p->class_count; k++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(number, sizeof number, "%.9g", (double) p->probabilities[k]);
        xg_format_csv_field(csv, number, k + 1 == p->class_count);
    }
    return g_string_free(csv, FALSE);
}
