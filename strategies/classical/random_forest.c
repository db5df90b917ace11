/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A random forest (Breiman 2001) on the network's feature vectors. */
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TREES = 10000 };

typedef struct {
    const XgHost *host;
    int64_t classes, columns; /* columns: 0 before fitting */
    int64_t *labels;          /* of the classes present, which the forest numbers 0, 1, ... */
    Forest forest;
} RandomForest;

static void forget(RandomForest *r)
{
    free(r->labels);
    forest_clear(&r->forest);
    *r = (RandomForest){.host = r->host};
}

/* ---- Fitting --------------------------------------------------------------------------------- */

typedef struct {
    RandomForest *r;
    const XgFit *fit;
    TreeTask tree;
    int bootstrap;
    float *values;   /* columns x rows */
    int32_t *labels; /* of rows, numbered as in the forest */
    double *weights; /* of the forest's classes */
    int32_t *groups; /* of rows */
    int32_t *inside; /* of groups: whether the tree at hand has seen one of its rows */
    double *votes;   /* rows x classes: sums of the probabilities of trees that have not */
} Task;

static void task_clear(Task *t)
{
    tree_task_clear(&t->tree);
    free(t->values);
    free(t->labels);
    free(t->weights);
    free(t->groups);
    free(t->inside);
    free(t->votes);
}

/* Numbers the classes that have rows, with their weights. FALSE (0): no memory. */
static int number_classes(Task *t)
{
    RandomForest *r = t->r;
    const XgFit *fit = t->fit;
    int32_t *place = classical_new(fit->classes, sizeof *place);
    double *weights = classical_new(fit->classes, sizeof *weights);
    int64_t present = 0;
    r->labels = classical_new(fit->classes, sizeof *r->labels);
    t->labels = classical_new(fit->train.rows, sizeof *t->labels);
    t->weights = classical_new(fit->classes, sizeof *t->weights);
    const int good = place && weights && r->labels && t->labels && t->weights;
    if (good) {
        classical_class_weights(fit, strcmp(xg_param_string(r->host, "class_weight"), "none") != 0,
                                weights);
        for (int64_t i = 0; i < fit->train.rows; i++)
            place[fit->train.labels[i]] = 1;
        for (int64_t k = 0; k < fit->classes; k++)
            if (place[k]) {
                t->weights[present] = weights[k];
                r->labels[present] = k;
                place[k] = (int32_t) present++;
            }
        for (int64_t i = 0; i < fit->train.rows; i++)
            t->labels[i] = place[fit->train.labels[i]];
    }
    r->forest.classes = present;
    free(place);
    free(weights);
    return good;
}

static XgStatus prepare(Task *t, int64_t trees, double max_features)
{
    RandomForest *r = t->r;
    const XgFeatures *train = &t->fit->train;
    const int64_t n = train->rows, p = train->columns;
    if (p >= TREE_LIMIT)
        return xg_fail(r->host, XG_LIMIT, "%lld features are too many for trees", (long long) p);
    r->classes = t->fit->classes;
    r->columns = p;
    r->forest.sizes = classical_new(trees, sizeof *r->forest.sizes);
    t->values = classical_new(n * p, sizeof *t->values);
    t->groups = classical_groups(t->fit);
    t->inside = classical_new(n, sizeof *t->inside);
    if (!number_classes(t) || !r->forest.sizes || !t->values || !t->groups || !t->inside)
        return classical_no_memory(r->host);
    t->votes = classical_new(n * r->forest.classes, sizeof *t->votes);
    t->tree = (TreeTask){.rows = n,
                         .columns = p,
                         .classes = r->forest.classes,
                         .values = t->values,
                         .labels = t->labels,
                         .weights = t->weights,
                         .max_features = isnan(max_features) ? (int64_t) sqrt((double) p)
                                                             : (int64_t) max_features,
                         .min_leaf = xg_param_int(r->host, "min_samples_leaf"),
                         .max_depth = xg_param_int(r->host, "max_depth")};
    t->bootstrap = xg_param_bool(r->host, "bootstrap");
    if (!tree_task_init(&t->tree) || t->votes == NULL)
        return classical_no_memory(r->host);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j++)
            t->values[j * n + i] = train->values[i * p + j];
    return XG_OK;
}

/* Draws the rows of the tree of that number: as many as there are, with replacement. */
static void draw(Task *t, int64_t tree)
{
    TreeTask *task = &t->tree;
    ClassicalRandom seeds = {t->fit->seed + UINT64_C(0x666f72657374) * (uint64_t) (tree + 1)};
    task->random.state = classical_random(&seeds);
    memset(t->inside, 0, sizeof *t->inside * (size_t) task->rows);
    for (int64_t i = 0; i < task->rows; i++)
        task->drawn[i] = !t->bootstrap;
    for (int64_t i = 0; t->bootstrap && i < task->rows; i++)
        task->drawn[classical_random_below(&task->random, task->rows)]++;
    for (int64_t i = 0; i < task->rows; i++)
        t->inside[t->groups[i]] |= task->drawn[i] > 0;
}

static void vote(Task *t, int64_t root)
{
    const int64_t n = t->tree.rows, classes = t->tree.classes;
    for (int64_t i = 0; i < n; i++) {
        if (t->inside[t->groups[i]])
            continue;
        const float *values = tree_find(&t->r->forest, root, t->values + i, n);
        for (int64_t k = 0; k < classes; k++)
            t->votes[i * classes + k] += (double) values[k];
    }
}

/* Predictions by the trees that saw no image of the patient: an estimate without a test part. */
static void tell(Task *t)
{
    const int64_t n = t->tree.rows, classes = t->tree.classes;
    int64_t scored = 0, right = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *votes = t->votes + i * classes;
        int64_t best = 0;
        double sum = 0.0;
        for (int64_t k = 0; k < classes; k++) {
            sum += votes[k];
            best = votes[k] > votes[best] ? k : best;
        }
        scored += sum > 0.0;
        right += sum > 0.0 && best == t->labels[i];
    }
    if (scored > 0)
        classical_note(t->fit,
                       "%lld trees, %lld leaves; out-of-bag accuracy %.4f over %lld of %lld images",
                       (long long) t->r->forest.trees, (long long) t->r->forest.leaves,
                       (double) right / (double) scored, (long long) scored, (long long) n);
    else
        classical_note(t->fit, "%lld trees, %lld leaves", (long long) t->r->forest.trees,
                       (long long) t->r->forest.leaves);
}

static XgStatus read_features(const XgHost *host, int64_t columns, double *number)
{
    if (strcmp(xg_param_string(host, "max_features"), "all") == 0) {
        *number = (double) columns;
        return XG_OK;
    }
    const XgStatus status =
        classical_number(host, "max_features", 1.0, (double) TREE_LIMIT, number);
    return status != XG_OK || isnan(*number) || *number == floor(*number)
               ? status
               : xg_fail(host, XG_INVALID,
                         "max_features: expected \"auto\", \"all\" or a whole number, found %g",
                         *number);
}

static XgStatus grow(Task *t, int64_t trees)
{
    Forest *forest = &t->r->forest;
    for (int64_t i = 0; i < trees; i++) {
        const int64_t root = forest->nodes;
        draw(t, i);
        const XgStatus status = tree_grow(&t->tree, forest);
        if (status == XG_LIMIT)
            return xg_fail(t->r->host, status,
                           "the forest grows too large; use fewer trees or a larger "
                           "min_samples_leaf");
        if (status != XG_OK)
            return classical_no_memory(t->r->host);
        vote(t, root);
        t->fit->progress(t->fit, (double) (i + 1) / (double) trees);
        if (t->fit->cancelled(t->fit))
            return classical_cancelled(t->r->host);
    }
    return XG_OK;
}

static XgStatus fit_forest(void *self, const XgFit *fit)
{
    RandomForest *r = self;
    Task task = {.r = r, .fit = fit};
    const int64_t trees = xg_param_int(r->host, "trees");
    double max_features = NAN;
    XgStatus status = classical_check_fit(r->host, fit);
    if (status == XG_OK)
        status = read_features(r->host, fit->train.columns, &max_features);
    if (status != XG_OK)
        return status;
    forget(r);
    status = prepare(&task, trees, max_features);
    if (status == XG_OK)
        status = grow(&task, trees);
    if (status == XG_OK)
        tell(&task);
    else
        forget(r);
    task_clear(&task);
    return status;
}

/* ---- Predicting ------------------------------------------------------------------------------ */

static XgStatus predict(void *self, const XgFeatures *features, float *probabilities)
{
    const RandomForest *r = self;
    const Forest *f = &r->forest;
    const XgStatus status = classical_check_columns(r->host, features, r->columns);
    if (status != XG_OK)
        return status;
    double *sums = classical_new(f->classes, sizeof *sums);
    for (int64_t i = 0; sums != NULL && i < features->rows; i++) {
        memset(sums, 0, sizeof *sums * (size_t) f->classes);
        for (int64_t tree = 0, root = 0; tree < f->trees; root += f->sizes[tree++]) {
            const float *values = tree_find(f, root, features->values + i * r->columns, 1);
            for (int64_t k = 0; k < f->classes; k++)
                sums[k] += (double) values[k];
        }
        for (int64_t k = 0; k < r->classes; k++)
            probabilities[i * r->classes + k] = 0.0f;
        for (int64_t k = 0; k < f->classes; k++)
            probabilities[i * r->classes + r->labels[k]] = (float) (sums[k] / (double) f->trees);
    }
    free(sums);
    return sums != NULL ? XG_OK : classical_no_memory(r->host);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

enum { CLASSES, COLUMNS, PRESENT, TREES, NODES, LEAVES, FACTS };

static XgStatus save(void *self, XgState *state)
{
    const RandomForest *r = self;
    const Forest *f = &r->forest;
    const int64_t facts[FACTS] = {r->classes, r->columns, f->classes,
                                  f->trees,   f->nodes,   f->leaves};
    if (r->columns == 0)
        return xg_fail(r->host, XG_INVALID, "nothing is fitted");
    float *packed = forest_pack(f);
    if (packed == NULL)
        return classical_no_memory(r->host);
    XgStatus status = classical_put(state, "facts", XG_DTYPE_I64, 1, FACTS, facts);
    if (status == XG_OK)
        status = classical_put(state, "classes", XG_DTYPE_I64, 1, f->classes, r->labels);
    if (status == XG_OK)
        status = classical_put(state, "sizes", XG_DTYPE_I64, 1, f->trees, f->sizes);
    if (status == XG_OK)
        status = classical_put(state, "nodes", XG_DTYPE_F32, f->nodes, 3, packed);
    free(packed);
    return status == XG_OK
               ? classical_put(state, "leaves", XG_DTYPE_F32, f->leaves, f->classes, f->leaf_values)
               : status;
}

static int load_forest(RandomForest *r, XgState *state)
{
    Forest *f = &r->forest;
    float *packed = classical_get(state, "nodes", XG_DTYPE_F32, 3 * f->nodes, NULL);
    r->labels = classical_get(state, "classes", XG_DTYPE_I64, f->classes, NULL);
    f->sizes = classical_get(state, "sizes", XG_DTYPE_I64, f->trees, NULL);
    f->leaf_values = classical_get(state, "leaves", XG_DTYPE_F32, f->leaves * f->classes, NULL);
    int good =
        packed && r->labels && f->sizes && f->leaf_values && forest_unpack(f, packed, r->columns);
    free(packed);
    int64_t last = -1;
    for (int64_t k = 0; good && k < f->classes; last = r->labels[k++])
        good = r->labels[k] > last && r->labels[k] < r->classes;
    for (int64_t i = 0; good && i < f->leaves; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < f->classes; k++) {
            good &= f->leaf_values[i * f->classes + k] >= 0.0f;
            sum += (double) f->leaf_values[i * f->classes + k];
        }
        good &= fabs(sum - 1.0) < 1e-4;
    }
    return good;
}

static XgStatus load(void *self, XgState *state)
{
    RandomForest *r = self;
    forget(r);
    int64_t *facts = classical_get(state, "facts", XG_DTYPE_I64, FACTS, NULL);
    int good = facts != NULL && classical_fits_classes(state, facts[CLASSES]) &&
               facts[CLASSES] >= 2 && facts[CLASSES] <= 65536 && facts[COLUMNS] >= 1 &&
               facts[COLUMNS] < TREE_LIMIT && facts[PRESENT] >= 2 &&
               facts[PRESENT] <= facts[CLASSES] && facts[TREES] >= 1 && facts[TREES] <= MAX_TREES &&
               facts[NODES] >= facts[TREES] && facts[NODES] <= TREE_LIMIT * MAX_TREES &&
               facts[LEAVES] >= 1 && facts[LEAVES] <= TREE_LIMIT;
    if (good) {
        r->classes = facts[CLASSES];
        r->columns = facts[COLUMNS];
        r->forest = (Forest){.classes = facts[PRESENT],
                             .trees = facts[TREES],
                             .nodes = facts[NODES],
                             .leaves = facts[LEAVES]};
        good = load_forest(r, state);
    }
    free(facts);
    if (good)
        return XG_OK;
    forget(r);
    return xg_fail(r->host, XG_FORMAT, "its random forest is incomplete or damaged");
}

/* ---- The component --------------------------------------------------------------------------- */

static const XgParam params[] = {
    {"trees", XG_PARAM_INT, 0, "300", "1", "10000", NULL, NULL, "trees whose answers are averaged"},
    {"max_depth", XG_PARAM_INT, 0, "0", "0", "1000000", "splits", NULL,
     "splits above a leaf, at most; 0: no limit"},
    {"min_samples_leaf", XG_PARAM_INT, 0, "1", "1", "1000000", "images", NULL,
     "images of a leaf, at least"},
    {"max_features", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "features that are tried for a split: a number, all, or auto: the square root of how many "
     "there are"},
    {"bootstrap", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "each tree sees images drawn with replacement"},
    CLASSICAL_WEIGHT_PARAM,
    CLASSICAL_TAP_PARAM,
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    double number;
    (void) self;
    classical_plan(p);
    return read_features(p->host, 1, &number);
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    RandomForest *r = classical_new(1, sizeof *r);
    if (r == NULL)
        return classical_no_memory(host);
    r->host = host;
    *self = r;
    return XG_OK;
}

static void destroy(void *self)
{
    forget(self);
    free(self);
}

static const XgStrategy table = {
    .plan = plan, .fit = fit_forest, .predict = predict, .save = save, .load = load};

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "random_forest",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "random forest on the features of the pretrained network",
    .doc = "Every image passes the pretrained network once; many trees are grown, each on images "
           "drawn with replacement and with few features at a time to choose from, and their "
           "probabilities are averaged. Draws follow from the study's seed.",
    .citation = "Breiman 2001, doi:10.1023/A:1010933404324",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("random_forest", "1.0.0", &component)
