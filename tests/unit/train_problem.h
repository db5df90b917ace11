/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file train_problem.h  A small classification problem with all that a trainer needs. */
#ifndef XG_TEST_TRAIN_PROBLEM_H
#define XG_TEST_TRAIN_PROBLEM_H

#include "base/rng.h"
#include "train/trainer.h"

#include "train_model.h"

#include <string.h>

enum { TRAINING = 40, VALIDATION = 21, ITEMS = TRAINING + VALIDATION };

typedef struct {
    XgNetwork *network;
    XgStore *store;
    XgTrainPlan *plan;
    XgPlan *face;
    XgPool *pool;
    XgEngineHandle engine;
    XgFeatureSpec rows; /**< may be changed before the first training */
    XgFeatureStore *features;
    const XgTrainAugmentation *augmentation;
    const XgStrategy *strategy;
    void *strategy_self;
    guint64 seed;
    gsize train_count, validation_count;
    gsize memory_limit;
    const char *checkpoint_path;
    const XgTensorSource *checkpoint;
    float images[ITEMS][PIXELS];
    int labels[ITEMS];
    guint64 items[ITEMS];
    char hashes[ITEMS][65];
    const char *hash_list[ITEMS];
    gint interrupted;
    const char *stop_activity; /**< "training", ...: interrupt ... */
    gint64 stop_after;         /**< ... after so many of its reports; 0: never */
    gint64 steps;              /**< training steps made */
    gint64 computed;           /**< images that the feed gave out */
    gint64 changed;            /**< of them, those with draws */
    GString *notes;
} Problem;

/* ---- Images -------------------------------------------------------------------------------- */

typedef struct {
    Problem *problem;
    const guint64 *items;
    guint64 *draws;
    gsize count, done;
    gint64 batch;
    float *images;
} Stream;

/* What a draw makes of an image: other noise is added. */
static void change_image(float *image, guint64 draw)
{
    for (int i = 0; i < PIXELS; i++)
        image[i] += (float) (0.1 * xg_rng_normal(23, draw, (guint64) i));
}

static gboolean feed_open(void *user, const guint64 *items, const guint64 *draws, gsize count,
                          gint64 batch, void **stream, GError **error G_GNUC_UNUSED)
{
    Stream *s = g_new0(Stream, 1);
    *s = (Stream){.problem = user, .items = items, .count = count, .batch = batch};
    s->draws = draws ? g_memdup2(draws, count * sizeof *draws) : NULL;
    s->images = g_new(float, (gsize) batch *PIXELS);
    *stream = s;
    return TRUE;
}

static gboolean feed_next(void *stream, const float **images, gint64 *n,
                          GError **error G_GNUC_UNUSED)
{
    Stream *s = stream;
    *n = MIN(s->batch, (gint64) (s->count - s->done));
    for (gint64 i = 0; i < *n; i++)
        memcpy(s->images + i * PIXELS, s->problem->images[s->items[s->done + (gsize) i]],
               sizeof s->problem->images[0]);
    for (gint64 i = 0; i < *n && s->draws != NULL; i++, s->problem->changed++)
        change_image(s->images + i * PIXELS, s->draws[s->done + (gsize) i]);
    s->done += (gsize) *n;
    s->problem->computed += *n;
    *images = s->images;
    return TRUE;
}

static void feed_close(void *stream)
{
    g_free(((Stream *) stream)->images);
    g_free(((Stream *) stream)->draws);
    g_free(stream);
}

/* Noise, two rows of pixels brighter for each class. */
static void make_images(Problem *p)
{
    for (int item = 0; item < ITEMS; item++) {
        p->items[item] = (guint64) item;
        p->labels[item] = item % CLASSES;
        for (int i = 0; i < PIXELS; i++) {
            const double noise = xg_rng_normal(17, (guint64) item, (guint64) i);
            const gboolean bright = i / (2 * SIDE_PX) == p->labels[item];
            p->images[item][i] = (float) (0.5 * noise + (bright ? 1.5 : 0.0));
        }
        g_snprintf(p->hashes[item], sizeof p->hashes[item], "%064d", ITEMS - item);
        p->hash_list[item] = p->hashes[item];
    }
}

/* ---- The problem --------------------------------------------------------------------------- */

static void on_progress(const XgProgress *progress, void *user)
{
    Problem *p = user;
    p->steps += strcmp(progress->activity, "training") == 0;
    if (p->stop_after > 0 && strcmp(progress->activity, p->stop_activity) == 0 &&
        --p->stop_after == 0)
        p->interrupted = 1;
}

static void on_note(const char *text, void *user)
{
    g_string_append_printf(((Problem *) user)->notes, "%s\n", text);
}

static Problem *problem_new(int threads)
{
    Problem *p = g_new0(Problem, 1);
    make_images(p);
    p->network = model_network();
    p->store = xg_store_new(p->network, p->network->logits, NULL);
    ck_assert(p->store != NULL && xg_store_initialise(p->store, 3, NULL));
    p->plan = xg_train_plan_new(p->network, TRAINING, VALIDATION, TRUE, NULL);
    p->face = &p->plan->plan;
    p->pool = xg_pool_new(threads);
    p->engine.pool = p->pool;
    p->seed = 9;
    p->train_count = TRAINING;
    p->validation_count = VALIDATION;
    p->notes = g_string_new(NULL);
    p->rows = (XgFeatureSpec){
        .feed = {feed_open, feed_next, feed_close, p},
        .item_hashes = p->hash_list,
        .item_count = ITEMS,
        .preprocessing = "none",
        .engine_identity = "reference",
        .memory_limit = 1 << 24,
        .interrupted = &p->interrupted,
        .note = on_note,
        .user = p,
    };
    return p;
}

static void problem_free(Problem *p)
{
    xg_feature_store_free(p->features);
    xg_train_plan_free(p->plan);
    xg_store_free(p->store);
    xg_network_free(p->network);
    xg_pool_free(p->pool);
    g_string_free(p->notes, TRUE);
    g_free(p);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Problem, problem_free)

static XgTrainerSpec problem_spec(Problem *p)
{
    static const char *const names[] = {"a", "b", "c"};
    if (p->features == NULL)
        p->features = xg_feature_store_new(&p->rows);
    return (XgTrainerSpec){
        .network = p->network,
        .store = p->store,
        .plan = p->plan,
        .strategy = p->strategy,
        .strategy_self = p->strategy_self,
        .engine = &p->engine,
        .features = p->features,
        .items = p->items,
        .item_count = ITEMS,
        .train_items = p->items,
        .train_count = p->train_count,
        .validation_items = p->items + TRAINING,
        .validation_count = p->validation_count,
        .augmentation = p->augmentation,
        .labels = p->labels,
        .classes = CLASSES,
        .class_names = names,
        .seed = p->seed,
        .memory_limit = p->memory_limit,
        .checkpoint_path = p->checkpoint_path,
        .identity = "this run",
        .checkpoint = p->checkpoint,
        .interrupted = &p->interrupted,
        .progress = on_progress,
        .note = on_note,
        .user = p,
    };
}

/* A phase of that many epochs in batches of 8 that trains `pattern`. */
G_GNUC_UNUSED static XgPhase *add_phase(Problem *p, const char *name, const char *pattern,
                                        int epochs)
{
    XgPhase *phase = xg_plan_phase(p->face, name);
    xg_phase_train(p->face, phase, pattern);
    xg_phase_set_int(p->face, phase, "epochs", epochs);
    xg_phase_set_int(p->face, phase, "batch_size", 8);
    xg_phase_set_float(p->face, phase, "learning_rate", 0.05);
    return phase;
}

static gboolean problem_try(Problem *p, XgTrainerResult *result, GError **error)
{
    const XgTrainerSpec spec = problem_spec(p);
    ck_assert(xg_train_plan_check(p->plan, NULL));
    return xg_train(&spec, result, error);
}

G_GNUC_UNUSED static void problem_train(Problem *p, XgTrainerResult *result)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(problem_try(p, result, &error), "%s", error ? error->message : "");
    ck_assert_str_eq(result->frozen_hash_before, result->frozen_hash_after);
}

G_GNUC_UNUSED static const XgHistoryRow *row_at(const XgTrainerResult *result, guint index)
{
    ck_assert_uint_lt(index, result->history->len);
    return result->history->pdata[index];
}

G_GNUC_UNUSED static char *all_bits(const Problem *p)
{
    return xg_store_hash(p->store, NULL, NULL);
}

/* Histories equal to the bit, but for the time. */
G_GNUC_UNUSED static void check_same_history(const XgTrainerResult *a, const XgTrainerResult *b)
{
    ck_assert_uint_eq(a->history->len, b->history->len);
    for (guint i = 0; i < a->history->len; i++) {
        const XgHistoryRow *x = a->history->pdata[i], *y = b->history->pdata[i];
        ck_assert_str_eq(x->phase, y->phase);
        ck_assert(x->phase_index == y->phase_index && x->epoch == y->epoch && x->best == y->best);
        ck_assert_mem_eq(&x->learning_rate, &y->learning_rate, 6 * sizeof(double));
    }
    ck_assert(a->best_epoch == b->best_epoch && a->best_phase == b->best_phase);
}

#endif
