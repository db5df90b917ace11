/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Linear discriminant analysis (Fisher 1936) on the network's feature vectors, with the shrinkage
 * of Ledoit and Wolf (2004) within each class. */
#include "lda.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const XgHost *host;
    int64_t classes, present, columns; /* columns: 0 before fitting */
    int64_t *labels;                   /* of the classes present */
    double *centre;                    /* columns: mean of all training rows */
    double *weights;                   /* present x (columns + 1), the constant last */
} Lda;

static void forget(Lda *lda)
{
    free(lda->labels);
    free(lda->centre);
    free(lda->weights);
    *lda = (Lda){.host = lda->host};
}

/* ---- Fitting --------------------------------------------------------------------------------- */

typedef struct {
    Lda *lda;
    const XgFit *fit;
    LdaScatter scatter;
    double shrinkage; /* NAN: by Ledoit and Wolf */
    double *means;    /* present x columns, of the centred rows */
    int64_t *counts;
    double *solution; /* present x columns */
    LdaResult result;
} Task;

static void task_clear(Task *t)
{
    free(t->scatter.rows);
    free(t->scatter.diagonal);
    free(t->means);
    free(t->counts);
    free(t->solution);
}

static XgStatus prepare(Task *t)
{
    Lda *lda = t->lda;
    const XgFeatures *train = &t->fit->train;
    const int64_t n = train->rows, columns = train->columns;
    int64_t *counts = classical_new(t->fit->classes, sizeof *counts);
    if (counts == NULL)
        return classical_no_memory(lda->host);
    for (int64_t i = 0; i < n; i++)
        lda->present += counts[train->labels[i]]++ == 0;
    lda->classes = t->fit->classes;
    lda->columns = columns;
    lda->labels = classical_new(lda->present, sizeof *lda->labels);
    lda->centre = classical_new(columns, sizeof *lda->centre);
    lda->weights = classical_new(lda->present * (columns + 1), sizeof *lda->weights);
    t->scatter = (LdaScatter){.count = n,
                              .columns = columns,
                              .rows = classical_new(n * columns, sizeof(double)),
                              .diagonal = classical_new(columns, sizeof(double))};
    t->counts = counts;
    t->means = classical_new(lda->present * columns, sizeof *t->means);
    t->solution = classical_new(lda->present * columns, sizeof *t->solution);
    if (!lda->labels || !lda->centre || !lda->weights || !t->scatter.rows || !t->scatter.diagonal ||
        !t->means || !t->solution)
        return classical_no_memory(lda->host);
    for (int64_t k = 0, place = 0; k < lda->classes; k++)
        if (counts[k] > 0)
            lda->labels[place++] = k;
    return XG_OK;
}

/* The rows of class `label`, centred on its mean, at the scatter's row `first`. */
static void place_class(Task *t, int64_t place, int64_t first)
{
    const XgFeatures *train = &t->fit->train;
    const int64_t columns = train->columns, label = t->lda->labels[place];
    double *mean = t->means + place * columns, *to = t->scatter.rows + first * columns;
    const double count = (double) t->counts[label];
    for (int64_t i = 0; i < train->rows; i++)
        if (train->labels[i] == label)
            for (int64_t j = 0; j < columns; j++)
                mean[j] += ((double) train->values[i * columns + j] - t->lda->centre[j]) / count;
    for (int64_t i = 0; i < train->rows; i++)
        if (train->labels[i] == label) {
            for (int64_t j = 0; j < columns; j++)
                to[j] = (double) train->values[i * columns + j] - t->lda->centre[j] - mean[j];
            to += columns;
        }
    to -= t->counts[label] * columns;
    for (int64_t j = 0; j < columns; j++) {
        int differ = 0;
        for (int64_t i = 1; i < t->counts[label]; i++)
            differ |= to[i * columns + j] != to[j];
        /* What rounding leaves of a constant column is no spread. */
        for (int64_t i = 0; !differ && i < t->counts[label]; i++)
            to[i * columns + j] = 0.0;
    }
}

static void work(void *data)
{
    Task *t = data;
    const XgFeatures *train = &t->fit->train;
    const int64_t columns = train->columns;
    for (int64_t i = 0; i < train->rows; i++)
        for (int64_t j = 0; j < columns; j++)
            t->lda->centre[j] += (double) train->values[i * columns + j] / (double) train->rows;
    for (int64_t place = 0, first = 0; place < t->lda->present; place++) {
        const int64_t count = t->counts[t->lda->labels[place]];
        place_class(t, place, first);
        t->result = lda_shrink(&t->scatter, first, count, t->shrinkage);
        if (t->result != LDA_OK)
            return;
        first += count;
        classical_progress(0.5 * (double) first / (double) train->rows);
    }
    memcpy(t->solution, t->means, sizeof(double) * (size_t) (t->lda->present * columns));
    t->result = lda_solve(&t->scatter, t->solution, t->lda->present);
}

static void keep(Task *t)
{
    Lda *lda = t->lda;
    for (int64_t k = 0; k < lda->present; k++) {
        const double *mean = t->means + k * lda->columns, *w = t->solution + k * lda->columns;
        double *to = lda->weights + k * (lda->columns + 1), product = 0.0;
        for (int64_t j = 0; j < lda->columns; j++) {
            to[j] = w[j];
            product += w[j] * mean[j];
        }
        to[lda->columns] =
            log((double) t->counts[lda->labels[k]] / (double) t->fit->train.rows) - 0.5 * product;
    }
}

static XgStatus fit_lda(void *self, const XgFit *fit)
{
    Lda *lda = self;
    Task task = {.lda = lda, .fit = fit};
    XgStatus status = classical_check_fit(lda->host, fit);
    if (status == XG_OK)
        status = classical_number(lda->host, "shrinkage", 0.0, 1.0, &task.shrinkage);
    if (status != XG_OK)
        return status;
    forget(lda);
    status = prepare(&task);
    if (status == XG_OK) {
        const int threads = lda_use_threads(1);
        status = classical_interruptible(lda->host, fit, work, &task);
        lda_use_threads(threads);
    }
    if (status == XG_OK && task.result == LDA_NO_MEMORY)
        status = classical_no_memory(lda->host);
    else if (status == XG_OK && task.result == LDA_SINGULAR)
        status = xg_fail(lda->host, XG_NUMERIC,
                         "shrinkage 0: the covariance of %lld features over %lld images has no "
                         "inverse; use shrinkage = auto",
                         (long long) lda->columns, (long long) fit->train.rows);
    if (status == XG_OK) {
        keep(&task);
        classical_note(fit, "shrinkage %.6g, mean over the classes",
                       task.scatter.shrinkage / (double) lda->present);
    } else {
        forget(lda);
    }
    task_clear(&task);
    return status;
}

/* ---- Predicting ------------------------------------------------------------------------------ */

static void classify(const Lda *lda, const float *row, double *values, float *probabilities)
{
    double largest = -INFINITY, sum = 0.0;
    for (int64_t k = 0; k < lda->present; k++) {
        const double *w = lda->weights + k * (lda->columns + 1);
        values[k] = w[lda->columns];
        for (int64_t j = 0; j < lda->columns; j++)
            values[k] += w[j] * ((double) row[j] - lda->centre[j]);
        largest = fmax(largest, values[k]);
    }
    for (int64_t k = 0; k < lda->present; k++)
        sum += values[k] = exp(values[k] - largest);
    for (int64_t k = 0; k < lda->classes; k++)
        probabilities[k] = 0.0f;
    for (int64_t k = 0; k < lda->present; k++)
        probabilities[lda->labels[k]] = (float) (values[k] / sum);
}

static XgStatus predict(void *self, const XgFeatures *features, float *probabilities)
{
    const Lda *lda = self;
    const XgStatus status = classical_check_columns(lda->host, features, lda->columns);
    if (status != XG_OK)
        return status;
    double *values = classical_new(lda->present, sizeof *values);
    for (int64_t i = 0; values != NULL && i < features->rows; i++)
        classify(lda, features->values + i * lda->columns, values,
                 probabilities + i * lda->classes);
    free(values);
    return values != NULL ? XG_OK : classical_no_memory(lda->host);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

enum { CLASSES, COLUMNS, PRESENT, FACTS };

static XgStatus save(void *self, XgState *state)
{
    const Lda *lda = self;
    const int64_t facts[FACTS] = {lda->classes, lda->columns, lda->present};
    if (lda->columns == 0)
        return xg_fail(lda->host, XG_INVALID, "nothing is fitted");
    XgStatus status = classical_put(state, "facts", XG_DTYPE_I64, 1, FACTS, facts);
    if (status == XG_OK)
        status = classical_put(state, "classes", XG_DTYPE_I64, 1, lda->present, lda->labels);
    if (status == XG_OK)
        status = classical_put(state, "centre", XG_DTYPE_F64, 1, lda->columns, lda->centre);
    return status == XG_OK ? classical_put(state, "weights", XG_DTYPE_F64, lda->present,
                                           lda->columns + 1, lda->weights)
                           : status;
}

static XgStatus load(void *self, XgState *state)
{
    Lda *lda = self;
    forget(lda);
    int64_t last = -1, *facts = classical_get(state, "facts", XG_DTYPE_I64, FACTS, NULL);
    int good = facts != NULL && classical_fits_classes(state, facts[CLASSES]) &&
               facts[CLASSES] >= 2 && facts[CLASSES] <= 65536 && facts[COLUMNS] >= 1 &&
               facts[COLUMNS] < INT32_MAX && facts[PRESENT] >= 2 &&
               facts[PRESENT] <= facts[CLASSES];
    if (good) {
        lda->classes = facts[CLASSES];
        lda->columns = facts[COLUMNS];
        lda->present = facts[PRESENT];
        lda->labels = classical_get(state, "classes", XG_DTYPE_I64, lda->present, NULL);
        lda->centre = classical_get(state, "centre", XG_DTYPE_F64, lda->columns, NULL);
        lda->weights =
            classical_get(state, "weights", XG_DTYPE_F64, lda->present * (lda->columns + 1), NULL);
        good = lda->labels != NULL && lda->centre != NULL && lda->weights != NULL;
    }
    for (int64_t k = 0; good && k < lda->present; last = lda->labels[k++])
        good = lda->labels[k] > last && lda->labels[k] < lda->classes;
    free(facts);
    if (good)
        return XG_OK;
    forget(lda);
    return xg_fail(lda->host, XG_FORMAT, "its discriminant analysis is incomplete or damaged");
}

/* ---- The component --------------------------------------------------------------------------- */

static const XgParam params[] = {
    {"shrinkage", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "of each class's covariance towards a multiple of the identity: a number from 0 to 1, or "
     "auto: by Ledoit and Wolf"},
    CLASSICAL_TAP_PARAM,
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    double shrinkage;
    (void) self;
    classical_plan(p);
    return classical_number(p->host, "shrinkage", 0.0, 1.0, &shrinkage);
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Lda *lda = classical_new(1, sizeof *lda);
    if (lda == NULL)
        return classical_no_memory(host);
    lda->host = host;
    *self = lda;
    return XG_OK;
}

static void destroy(void *self)
{
    forget(self);
    free(self);
}

static const XgStrategy table = {
    .plan = plan, .fit = fit_lda, .predict = predict, .save = save, .load = load};

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "lda",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "linear discriminant analysis of the features of the pretrained network",
    .doc = "Every image passes the pretrained network once; the classes are taken as normal "
           "distributions of the feature vectors with one covariance, which is shrunk. Nothing "
           "is random and nothing needs choosing.",
    .citation = "Fisher 1936, doi:10.1111/j.1469-1809.1936.tb02137.x; Ledoit and Wolf 2004, "
                "doi:10.1016/S0047-259X(03)00096-4",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("lda", "1.0.0", &component)
