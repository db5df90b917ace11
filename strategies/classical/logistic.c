/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Logistic regression with an L2 penalty on the network's feature vectors, trained by LIBLINEAR
 * (Fan et al. 2008), one class against the rest. */
#include "classical.h"

#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The constant feature of the intercept: so large that the penalty hardly touches it. LIBLINEAR
 * takes it for a feature like others, which all of its versions penalise. */
#define BIAS 10.0

typedef struct {
    const XgHost *host;
    ClassicalScaler scaler;              /* columns: 0 before fitting */
    int64_t classes, present, functions; /* functions: 1 for two classes, else one a class */
    int64_t *labels;                     /* of the classes present */
    double *weights;                     /* functions x (columns + 1), the intercept last */
} Logistic;

static void forget(Logistic *l)
{
    classical_scaler_clear(&l->scaler);
    free(l->labels);
    free(l->weights);
    *l = (Logistic){.host = l->host};
}

/* ---- Training -------------------------------------------------------------------------------- */

typedef struct {
    Logistic *l;
    const XgFit *fit;
    int64_t count;
    int32_t *labels, *folds, *predicted; /* of the training rows by class, stable */
    double *targets, *weights, *class_weights;
    int *weight_labels;
    struct feature_node *nodes; /* rows x (columns + 2) */
    struct feature_node **inputs;
    double c, tolerance, score;
    int fold_count;
    struct model *model;
} Task;

static void task_clear(Task *t)
{
    free(t->labels);
    free(t->folds);
    free(t->predicted);
    free(t->targets);
    free(t->weights);
    free(t->class_weights);
    free(t->weight_labels);
    free(t->nodes);
    free(t->inputs);
    if (t->model != NULL)
        free_and_destroy_model(&t->model);
}

static struct feature_node *nodes_of(const Task *t, int64_t row)
{
    return t->nodes + row * (t->l->scaler.columns + 2);
}

/* Trains on the rows outside `fold` (-1: on all). */
static struct model *train_outside(Task *t, int fold, double c, double tolerance)
{
    struct problem problem = {
        .n = (int) t->l->scaler.columns + 1, .y = t->targets, .x = t->inputs, .bias = -1.0};
    struct parameter param = {.solver_type = L2R_LR,
                              .eps = tolerance,
                              .C = c,
                              .weight = t->weights,
                              .weight_label = t->weight_labels};
    for (int64_t i = 0; i < t->count; i++) {
        if (fold >= 0 && t->folds[i] == fold)
            continue;
        if (problem.l == 0 || t->targets[problem.l - 1] != t->labels[i]) {
            t->weights[param.nr_weight] = t->class_weights[t->labels[i]];
            t->weight_labels[param.nr_weight++] = t->labels[i];
        }
        t->targets[problem.l] = t->labels[i];
        t->inputs[problem.l++] = nodes_of(t, i);
    }
    return problem.l > 0 && param.nr_weight > 1 ? train(&problem, &param) : NULL;
}

static double cross_validate(Task *t, double c)
{
    for (int fold = 0; fold < t->fold_count; fold++) {
        t->model = train_outside(t, fold, c, 1e-2 < t->tolerance ? t->tolerance : 1e-2);
        for (int64_t i = 0; i < t->count; i++)
            if (t->folds[i] == fold)
                t->predicted[i] =
                    t->model != NULL ? (int32_t) predict(t->model, nodes_of(t, i)) : -1;
        if (t->model != NULL)
            free_and_destroy_model(&t->model);
        t->model = NULL;
        classical_stop_point(NULL);
    }
    return classical_balanced_accuracy(t->labels, t->predicted, t->count, t->fit->classes);
}

/* Of equals the smallest C, which is the strongest penalty. */
static void work(void *data)
{
    static const double all_c[] = {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0};
    Task *t = data;
    const int choices = isnan(t->c) ? 8 : 0;
    for (int k = 0; k < choices; k++) {
        const double score = cross_validate(t, all_c[k]);
        if (score > t->score + 1e-12) {
            t->score = score;
            t->c = all_c[k];
        }
        classical_progress((k + 1) / 9.0);
    }
    t->model = train_outside(t, -1, t->c, t->tolerance);
}

static XgStatus prepare(Task *t)
{
    const XgFit *fit = t->fit;
    const int64_t n = t->count = fit->train.rows, columns = fit->train.columns;
    int32_t *folds = classical_folds(fit, t->fold_count);
    float *row = classical_new(columns, sizeof *row);
    t->labels = classical_new(n, sizeof *t->labels);
    t->folds = classical_new(n, sizeof *t->folds);
    t->predicted = classical_new(n, sizeof *t->predicted);
    t->targets = classical_new(n, sizeof *t->targets);
    t->inputs = classical_new(n, sizeof *t->inputs);
    t->weight_labels = classical_new(fit->classes, sizeof *t->weight_labels);
    t->weights = classical_new(fit->classes, sizeof *t->weights);
    t->class_weights = classical_new(fit->classes, sizeof *t->class_weights);
    t->nodes = classical_new(n * (columns + 2), sizeof *t->nodes);
    const int good = classical_scaler_fit(&t->l->scaler, &fit->train) && folds && row &&
                     t->labels && t->folds && t->predicted && t->targets && t->inputs &&
                     t->weight_labels && t->weights && t->class_weights && t->nodes;
    int64_t place = 0;
    for (int64_t k = 0; good && k < fit->classes; k++)
        for (int64_t i = 0; i < n; i++) {
            if (fit->train.labels[i] != k)
                continue;
            struct feature_node *nodes = nodes_of(t, place);
            t->labels[place] = (int32_t) k;
            t->folds[place++] = folds[i];
            classical_scaler_row(&t->l->scaler, fit->train.values + i * columns, row);
            for (int64_t j = 0; j < columns; j++)
                nodes[j] = (struct feature_node){(int) j + 1, (double) row[j]};
            nodes[columns] = (struct feature_node){(int) columns + 1, BIAS};
            nodes[columns + 1] = (struct feature_node){-1, 0.0};
        }
    free(folds);
    free(row);
    return good ? XG_OK : classical_no_memory(t->l->host);
}

static XgStatus keep_model(Logistic *l, const Task *t)
{
    const struct model *m = t->model;
    if (m == NULL)
        return classical_no_memory(l->host);
    const int64_t wide = l->scaler.columns + 1;
    l->classes = t->fit->classes;
    l->present = m->nr_class;
    l->functions = m->nr_class == 2 ? 1 : m->nr_class;
    l->labels = classical_new(l->present, sizeof *l->labels);
    l->weights = classical_new(l->functions * wide, sizeof *l->weights);
    if (l->labels == NULL || l->weights == NULL)
        return classical_no_memory(l->host);
    for (int64_t k = 0; k < l->present; k++)
        l->labels[k] = m->label[k];
    for (int64_t f = 0; f < l->functions; f++)
        for (int64_t j = 0; j < wide; j++)
            l->weights[f * wide + j] = m->w[j * l->functions + f] * (j == wide - 1 ? BIAS : 1.0);
    return XG_OK;
}

static XgStatus fit_logistic(void *self, const XgFit *fit)
{
    Logistic *l = self;
    Task task = {.l = l, .fit = fit, .score = -1.0};
    XgStatus status = classical_check_fit(l->host, fit);
    if (status == XG_OK)
        status = classical_number(l->host, "c", 1e-12, 1e9, &task.c);
    if (status != XG_OK)
        return status;
    forget(l);
    task.fold_count = (int) xg_param_int(l->host, "folds");
    task.tolerance = xg_param_float(l->host, "tolerance");
    status = prepare(&task);
    if (status == XG_OK) {
        classical_class_weights(fit, strcmp(xg_param_string(l->host, "class_weight"), "none") != 0,
                                task.class_weights);
        status = classical_interruptible(l->host, fit, work, &task);
    }
    if (status == XG_OK)
        status = keep_model(l, &task);
    if (status != XG_OK)
        forget(l);
    else if (task.score >= 0.0)
        classical_note(fit, "C %g; balanced accuracy %.4f over %d inner folds", task.c, task.score,
                       task.fold_count);
    task_clear(&task);
    return status;
}

/* ---- Predicting ------------------------------------------------------------------------------ */

static void classify(const Logistic *l, const float *row, double *each, float *probabilities)
{
    const int64_t columns = l->scaler.columns;
    double sum = 0.0;
    for (int64_t f = 0; f < l->functions; f++) {
        const double *w = l->weights + f * (columns + 1);
        double value = w[columns];
        for (int64_t j = 0; j < columns; j++)
            value += w[j] * (double) row[j];
        /* The bound keeps a row where all of them vanish in proportion. */
        sum += each[f] = fmax(1.0 / (1.0 + exp(-value)), 1e-300);
    }
    for (int64_t k = 0; k < l->classes; k++)
        probabilities[k] = 0.0f;
    for (int64_t f = 0; f < l->functions; f++)
        probabilities[l->labels[f]] = (float) (l->functions == 1 ? each[f] : each[f] / sum);
    if (l->functions == 1)
        probabilities[l->labels[1]] = (float) (1.0 - each[0]);
}

static XgStatus predict_logistic(void *self, const XgFeatures *features, float *probabilities)
{
    const Logistic *l = self;
    const XgStatus status = classical_check_columns(l->host, features, l->scaler.columns);
    if (status != XG_OK)
        return status;
    float *row = classical_new(features->columns, sizeof *row);
    double *each = classical_new(l->functions, sizeof *each);
    const int good = row != NULL && each != NULL;
    for (int64_t i = 0; good && i < features->rows; i++) {
        classical_scaler_row(&l->scaler, features->values + i * features->columns, row);
        classify(l, row, each, probabilities + i * l->classes);
    }
    free(row);
    free(each);
    return good ? XG_OK : classical_no_memory(l->host);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

enum { CLASSES, COLUMNS, PRESENT, FACTS };

static XgStatus save(void *self, XgState *state)
{
    const Logistic *l = self;
    const int64_t facts[FACTS] = {l->classes, l->scaler.columns, l->present};
    if (l->scaler.columns == 0)
        return xg_fail(l->host, XG_INVALID, "nothing is fitted");
    XgStatus status = classical_put(state, "facts", XG_DTYPE_I64, 1, FACTS, facts);
    if (status == XG_OK)
        status = classical_put(state, "classes", XG_DTYPE_I64, 1, l->present, l->labels);
    if (status == XG_OK)
        status = classical_put(state, "weights", XG_DTYPE_F64, l->functions, l->scaler.columns + 1,
                               l->weights);
    return status == XG_OK ? classical_scaler_save(&l->scaler, state) : status;
}

static XgStatus load(void *self, XgState *state)
{
    Logistic *l = self;
    forget(l);
    int64_t last = -1, *facts = classical_get(state, "facts", XG_DTYPE_I64, FACTS, NULL);
    int good = facts != NULL && classical_fits_classes(state, facts[CLASSES]) &&
               facts[CLASSES] >= 2 && facts[CLASSES] <= 65536 && facts[COLUMNS] >= 1 &&
               facts[COLUMNS] < INT32_MAX && facts[PRESENT] >= 2 &&
               facts[PRESENT] <= facts[CLASSES];
    if (good) {
        l->classes = facts[CLASSES];
        l->scaler.columns = facts[COLUMNS];
        l->present = facts[PRESENT];
        l->functions = l->present == 2 ? 1 : l->present;
        l->labels = classical_get(state, "classes", XG_DTYPE_I64, l->present, NULL);
        l->weights = classical_get(state, "weights", XG_DTYPE_F64,
                                   l->functions * (l->scaler.columns + 1), NULL);
        good = l->labels != NULL && l->weights != NULL && classical_scaler_load(&l->scaler, state);
    }
    for (int64_t k = 0; good && k < l->present; last = l->labels[k++])
        good = l->labels[k] > last && l->labels[k] < l->classes;
    free(facts);
    if (good)
        return XG_OK;
    forget(l);
    return xg_fail(l->host, XG_FORMAT, "its logistic regression is incomplete or damaged");
}

/* ---- The component --------------------------------------------------------------------------- */

static const XgParam params[] = {
    {"c", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "inverse strength of the penalty: a number, or auto: the best of 1e-5 to 100 over the inner "
     "folds"},
    CLASSICAL_FOLDS_PARAM,
    CLASSICAL_WEIGHT_PARAM,
    {"tolerance", XG_PARAM_FLOAT, 0, "1e-4", "1e-12", "0.1", NULL, NULL,
     "of LIBLINEAR's stopping rule"},
    CLASSICAL_TAP_PARAM,
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    double c;
    (void) self;
    classical_plan(p);
    return classical_number(p->host, "c", 1e-12, 1e9, &c);
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Logistic *l = classical_new(1, sizeof *l);
    if (l == NULL)
        return classical_no_memory(host);
    l->host = host;
    set_print_string_function(classical_stop_point);
    *self = l;
    return XG_OK;
}

static void destroy(void *self)
{
    forget(self);
    free(self);
}

static const XgStrategy table = {
    .plan = plan, .fit = fit_logistic, .predict = predict_logistic, .save = save, .load = load};

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "logistic",
    .version = "1.0.0",
    .licence = "MIT AND BSD-3-Clause",
    .summary = "logistic regression on the features of the pretrained network",
    .doc = "Every image passes the pretrained network once; LIBLINEAR is trained, one class "
           "against the rest, with an L2 penalty on the standardised feature vectors. C is that "
           "with the best balanced accuracy over inner folds of the training part.",
    .citation = "Fan et al. 2008, JMLR 9:1871-1874",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("logistic", "1.0.0", &component)
