/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The nearest neighbours of the network's feature vectors (Cover and Hart 1967), searched one by
 * one. */
#include "classical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EUCLIDEAN, COSINE };

/* What `k = auto` tries. */
static const int32_t all_k[] = {1, 3, 5, 7, 9, 11, 15, 21, 31};

enum { K_COUNT = sizeof all_k / sizeof *all_k, LARGEST_CHOICE = 31, MAX_K = 10000 };

typedef struct {
    const XgHost *host;
    ClassicalScaler scaler; /* columns: 0 before fitting */
    int64_t classes, rows, k;
    int metric, weighted;
    float *values;   /* rows x columns, as compared */
    int64_t *labels; /* of each row */
} Knn;

/* A neighbour found so far. */
typedef struct {
    double distance;
    int64_t row;
} Near;

static void forget(Knn *knn)
{
    classical_scaler_clear(&knn->scaler);
    free(knn->values);
    free(knn->labels);
    *knn = (Knn){.host = knn->host};
}

/* The vector as it is compared: for cosine, of length 1 (zeros stay). */
static void place(const Knn *knn, const float *row, float *placed)
{
    double square = 0.0;
    classical_scaler_row(&knn->scaler, row, placed);
    if (knn->metric != COSINE)
        return;
    for (int64_t j = 0; j < knn->scaler.columns; j++)
        square += (double) placed[j] * (double) placed[j];
    const double length = square > 0.0 ? sqrt(square) : 1.0;
    for (int64_t j = 0; j < knn->scaler.columns; j++)
        placed[j] = (float) ((double) placed[j] / length);
}

static double distance_between(const Knn *knn, const float *a, const float *b)
{
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t j = 0;
    for (; j + 4 <= knn->scaler.columns; j += 4)
        for (int i = 0; i < 4; i++) {
            const double d = (double) a[j + i] - (double) b[j + i];
            sums[i] += d * d;
        }
    for (; j < knn->scaler.columns; j++)
        sums[0] += ((double) a[j] - (double) b[j]) * ((double) a[j] - (double) b[j]);
    const double square = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return knn->metric == COSINE ? 0.5 * square : sqrt(square);
}

/* The `most` nearest rows outside `fold` (NULL folds: of all), nearest first and of equally near
 * ones the first. Returns how many there are. */
static int64_t find_nearest(const Knn *knn, const float *placed, const int32_t *folds, int32_t fold,
                            int64_t most, Near *nearest)
{
    int64_t count = 0;
    for (int64_t i = 0; i < knn->rows; i++) {
        if (folds != NULL && folds[i] == fold)
            continue;
        const double d = distance_between(knn, placed, knn->values + i * knn->scaler.columns);
        if (count == most && d >= nearest[count - 1].distance)
            continue;
        int64_t at = count < most ? count++ : count - 1;
        for (; at > 0 && nearest[at - 1].distance > d; at--)
            nearest[at] = nearest[at - 1];
        nearest[at] = (Near){d, i};
    }
    return count;
}

/* Parts of the votes of the first k neighbours; by 1/distance, those at distance 0 alone. */
static void vote(const Knn *knn, const Near *nearest, int64_t k, float *probabilities)
{
    double sum = 0.0;
    const int exact = knn->weighted && nearest[0].distance == 0.0;
    for (int64_t c = 0; c < knn->classes; c++)
        probabilities[c] = 0.0f;
    for (int64_t i = 0; i < k; i++) {
        const double d = nearest[i].distance;
        sum += !knn->weighted ? 1.0 : exact ? (double) (d == 0.0) : 1.0 / d;
    }
    for (int64_t c = 0; c < knn->classes; c++) {
        double votes = 0.0;
        for (int64_t i = 0; i < k; i++) {
            const double d = nearest[i].distance;
            if (knn->labels[nearest[i].row] == c)
                votes += !knn->weighted ? 1.0 : exact ? (double) (d == 0.0) : 1.0 / d;
        }
        probabilities[c] = (float) (votes / sum);
    }
}

/* ---- Fitting --------------------------------------------------------------------------------- */

static int32_t most_probable(const float *probabilities, int64_t classes)
{
    int32_t best = 0;
    for (int32_t c = 1; c < classes; c++)
        if (probabilities[c] > probabilities[best])
            best = c;
    return best;
}

/* The k of the best balanced accuracy over the inner folds; of equals the largest, which varies
 * least with the sample. */
static XgStatus choose(Knn *knn, const XgFit *fit)
{
    const int folds = (int) xg_param_int(knn->host, "folds");
    int32_t *fold_of_row = classical_folds(fit, folds);
    int32_t *predicted = classical_new(K_COUNT * knn->rows, sizeof *predicted);
    float *probabilities = classical_new(knn->classes, sizeof *probabilities);
    Near nearest[LARGEST_CHOICE];
    double best = -1.0;
    const int good = fold_of_row != NULL && predicted != NULL && probabilities != NULL;
    int32_t stopped = 0;
    for (int64_t i = 0; good && !stopped && i < knn->rows; i++) {
        const int64_t found = find_nearest(knn, knn->values + i * knn->scaler.columns, fold_of_row,
                                           fold_of_row[i], LARGEST_CHOICE, nearest);
        for (int c = 0; c < K_COUNT; c++) {
            const int64_t k = all_k[c] < found ? all_k[c] : found;
            if (k > 0)
                vote(knn, nearest, k, probabilities);
            predicted[c * knn->rows + i] = k > 0 ? most_probable(probabilities, knn->classes) : -1;
        }
        fit->progress(fit, (double) (i + 1) / (double) knn->rows);
        stopped = fit->cancelled(fit);
    }
    for (int c = 0; good && !stopped && c < K_COUNT; c++) {
        const double score = classical_balanced_accuracy(
            fit->train.labels, predicted + c * knn->rows, knn->rows, knn->classes);
        if (score >= best - 1e-12 && (c == 0 || all_k[c] <= knn->rows - knn->rows / folds)) {
            best = score > best ? score : best;
            knn->k = all_k[c];
        }
    }
    free(fold_of_row);
    free(predicted);
    free(probabilities);
    if (!good)
        return classical_no_memory(knn->host);
    if (stopped)
        return classical_cancelled(knn->host);
    classical_note(fit, "k %lld; balanced accuracy %.4f over %d inner folds", (long long) knn->k,
                   best, folds);
    return XG_OK;
}

static XgStatus keep(Knn *knn, const XgFit *fit)
{
    const XgFeatures *train = &fit->train;
    knn->scaler.columns = train->columns;
    knn->values = classical_new(train->rows * train->columns, sizeof *knn->values);
    knn->labels = classical_new(train->rows, sizeof *knn->labels);
    if (knn->values == NULL || knn->labels == NULL ||
        (xg_param_bool(knn->host, "standardise") && !classical_scaler_fit(&knn->scaler, train)))
        return classical_no_memory(knn->host);
    knn->rows = train->rows;
    knn->classes = fit->classes;
    knn->metric = strcmp(xg_param_string(knn->host, "metric"), "cosine") == 0 ? COSINE : EUCLIDEAN;
    knn->weighted = strcmp(xg_param_string(knn->host, "weights"), "distance") == 0;
    for (int64_t i = 0; i < train->rows; i++) {
        knn->labels[i] = train->labels[i];
        place(knn, train->values + i * train->columns, knn->values + i * train->columns);
    }
    return XG_OK;
}

static XgStatus read_k(const XgHost *host, double *k)
{
    const XgStatus status = classical_number(host, "k", 1, MAX_K, k);
    return status != XG_OK || isnan(*k) || *k == floor(*k)
               ? status
               : xg_fail(host, XG_INVALID, "k: expected a whole number, found %g", *k);
}

static XgStatus fit_knn(void *self, const XgFit *fit)
{
    Knn *knn = self;
    double k = NAN;
    XgStatus status = classical_check_fit(knn->host, fit);
    if (status == XG_OK)
        status = read_k(knn->host, &k);
    if (status != XG_OK)
        return status;
    forget(knn);
    status = keep(knn, fit);
    if (status == XG_OK && isnan(k))
        status = choose(knn, fit);
    else if (status == XG_OK && (int64_t) k > knn->rows)
        status = xg_fail(knn->host, XG_INVALID,
                         "k: expected at most the %lld training images, found %lld",
                         (long long) knn->rows, (long long) k);
    else if (status == XG_OK)
        knn->k = (int64_t) k;
    if (status != XG_OK)
        forget(knn);
    return status;
}

static XgStatus predict(void *self, const XgFeatures *features, float *probabilities)
{
    const Knn *knn = self;
    const XgStatus status = classical_check_columns(knn->host, features, knn->scaler.columns);
    if (status != XG_OK)
        return status;
    float *row = classical_new(knn->scaler.columns, sizeof *row);
    Near *nearest = classical_new(knn->k, sizeof *nearest);
    const int good = row != NULL && nearest != NULL;
    for (int64_t i = 0; good && i < features->rows; i++) {
        place(knn, features->values + i * features->columns, row);
        find_nearest(knn, row, NULL, 0, knn->k, nearest);
        vote(knn, nearest, knn->k, probabilities + i * knn->classes);
    }
    free(row);
    free(nearest);
    return good ? XG_OK : classical_no_memory(knn->host);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

enum { CLASSES, COLUMNS, ROWS, K, METRIC, WEIGHTED, STANDARDISED, FACTS };

static XgStatus save(void *self, XgState *state)
{
    const Knn *knn = self;
    const int64_t facts[FACTS] = {
        knn->classes,  knn->scaler.columns,     knn->rows, knn->k, knn->metric,
        knn->weighted, knn->scaler.mean != NULL};
    if (knn->scaler.columns == 0)
        return xg_fail(knn->host, XG_INVALID, "nothing is fitted");
    XgStatus status = classical_put(state, "facts", XG_DTYPE_I64, 1, FACTS, facts);
    if (status == XG_OK)
        status = classical_put(state, "values", XG_DTYPE_F32, knn->rows, knn->scaler.columns,
                               knn->values);
    if (status == XG_OK)
        status = classical_put(state, "labels", XG_DTYPE_I64, 1, knn->rows, knn->labels);
    return status == XG_OK && facts[STANDARDISED] ? classical_scaler_save(&knn->scaler, state)
                                                  : status;
}

static int read_facts(Knn *knn, const int64_t *facts)
{
    if (facts == NULL || facts[CLASSES] < 2 || facts[CLASSES] > 65536 || facts[COLUMNS] < 1 ||
        facts[COLUMNS] >= INT32_MAX || facts[ROWS] < 1 || facts[ROWS] > INT32_MAX || facts[K] < 1 ||
        facts[K] > facts[ROWS] || (facts[METRIC] != EUCLIDEAN && facts[METRIC] != COSINE))
        return 0;
    knn->classes = facts[CLASSES];
    knn->scaler.columns = facts[COLUMNS];
    knn->rows = facts[ROWS];
    knn->k = facts[K];
    knn->metric = (int) facts[METRIC];
    knn->weighted = facts[WEIGHTED] != 0;
    return 1;
}

static XgStatus load(void *self, XgState *state)
{
    Knn *knn = self;
    forget(knn);
    int64_t *facts = classical_get(state, "facts", XG_DTYPE_I64, FACTS, NULL);
    int good = read_facts(knn, facts) && classical_fits_classes(state, knn->classes);
    if (good) {
        knn->values =
            classical_get(state, "values", XG_DTYPE_F32, knn->rows * knn->scaler.columns, NULL);
        knn->labels = classical_get(state, "labels", XG_DTYPE_I64, knn->rows, NULL);
        good = knn->values != NULL && knn->labels != NULL &&
               (!facts[STANDARDISED] || classical_scaler_load(&knn->scaler, state));
    }
    for (int64_t i = 0; good && i < knn->rows; i++)
        good = knn->labels[i] >= 0 && knn->labels[i] < knn->classes;
    free(facts);
    if (good)
        return XG_OK;
    forget(knn);
    return xg_fail(knn->host, XG_FORMAT, "its neighbours are incomplete or damaged");
}

/* ---- The component --------------------------------------------------------------------------- */

static const XgParam params[] = {
    {"k", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "neighbours that vote: a number, or auto: the best of 1 to 31 over the inner folds"},
    {"metric", XG_PARAM_ENUM, 0, "euclidean", NULL, NULL, NULL, "euclidean|cosine",
     "distance between feature vectors"},
    {"weights", XG_PARAM_ENUM, 0, "uniform", NULL, NULL, NULL, "uniform|distance",
     "votes: equal, or by the inverse of the distance"},
    {"standardise", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "mean 0 and standard deviation 1 of each feature over the training part"},
    CLASSICAL_FOLDS_PARAM,
    CLASSICAL_TAP_PARAM,
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    double k;
    (void) self;
    classical_plan(p);
    return read_k(p->host, &k);
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Knn *knn = classical_new(1, sizeof *knn);
    if (knn == NULL)
        return classical_no_memory(host);
    knn->host = host;
    *self = knn;
    return XG_OK;
}

static void destroy(void *self)
{
    forget(self);
    free(self);
}

static const XgStrategy table = {
    .plan = plan, .fit = fit_knn, .predict = predict, .save = save, .load = load};

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "knn",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "nearest neighbours among the features of the pretrained network",
    .doc = "Every image passes the pretrained network once; a new one gets the classes of the k "
           "training images whose feature vectors are nearest. k is that with the best balanced "
           "accuracy over inner folds of the training part.",
    .citation = "Cover and Hart 1967, doi:10.1109/TIT.1967.1053964",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("knn", "1.0.0", &component)
