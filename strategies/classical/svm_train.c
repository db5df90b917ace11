/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fitting of the strategy `svm`. */
#include "svm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above 16 GiB of kernel values (about 30000 images) another head is the better choice. */
#define MAX_KERNEL_BYTES ((int64_t) 16 << 30)

/* ---- Training -------------------------------------------------------------------------------- */

/* Everything that the training thread owns; freed by whoever started it. */
typedef struct {
    Svm *svm;
    const XgFit *fit;
    int64_t count;
    int32_t *labels, *folds, *predicted; /* of the training rows by class, stable */
    double *targets;
    float *scaled;            /* rows x columns, in that order */
    double *products;         /* lower triangle of scaled x scaled' */
    struct svm_node *nodes;   /* rows x (rows + 1) kernel values */
    struct svm_node **inputs; /* of the problem at hand */
    int *weight_labels;
    double *weights, *class_weights; /* of weight_labels, of all classes */
    int64_t present, *counts;        /* classes with rows; rows of each of those */
    int *place;                      /* of each class among those with rows */
    int *found;                      /* its place in the model at hand; -1: not there */
    double *values;                  /* that model's decision values for a row */
    double *decisions;               /* rows x (present - 1): own class against each other one */
    double *platt;                   /* a, then b, of each pair; NULL: not wanted */
    struct svm_parameter param;
    double c, gamma; /* NAN: to be chosen */
    int fold_count;
    double score; /* of the inner folds */
    struct svm_model *model;
} Task;

static void task_clear(Task *t)
{
    free(t->labels);
    free(t->folds);
    free(t->predicted);
    free(t->targets);
    free(t->scaled);
    free(t->products);
    free(t->nodes);
    free(t->inputs);
    free(t->weight_labels);
    free(t->weights);
    free(t->class_weights);
    free(t->counts);
    free(t->place);
    free(t->found);
    free(t->values);
    free(t->decisions);
    free(t->platt);
    if (t->model != NULL)
        svm_free_and_destroy_model(&t->model);
}

static void compute_products(Task *t)
{
    const int64_t columns = t->svm->scaler.columns;
    for (int64_t i = 0; i < t->count; i++) {
        for (int64_t j = 0; j <= i; j++)
            t->products[i * (i + 1) / 2 + j] =
                svm_dot(t->scaled + i * columns, t->scaled + j * columns, columns);
        classical_stop_point(NULL);
    }
}

static void fill_kernel(Task *t, double gamma)
{
    const double *p = t->products;
    for (int64_t i = 0; i < t->count; i++) {
        struct svm_node *row = t->nodes + i * (t->count + 1);
        row[0] = (struct svm_node){0, (double) (i + 1)};
        for (int64_t j = 0; j <= i; j++) {
            const double value = svm_kernel_value(t->svm->kernel, gamma, p[i * (i + 1) / 2 + i],
                                                  p[j * (j + 1) / 2 + j], p[i * (i + 1) / 2 + j]);
            row[j + 1] = (struct svm_node){(int) (j + 1), value};
            t->nodes[j * (t->count + 1) + i + 1] = (struct svm_node){(int) (i + 1), value};
        }
        classical_stop_point(NULL);
    }
}

/* Trains on the rows outside `fold` (-1: on all). */
static struct svm_model *train_outside(Task *t, int fold, double c)
{
    struct svm_problem problem = {0, t->targets, t->inputs};
    t->param.nr_weight = 0;
    for (int64_t i = 0; i < t->count; i++) {
        if (fold >= 0 && t->folds[i] == fold)
            continue;
        if (problem.l == 0 || t->targets[problem.l - 1] != t->labels[i]) {
            t->weights[t->param.nr_weight] = t->class_weights[t->labels[i]];
            t->weight_labels[t->param.nr_weight++] = t->labels[i];
        }
        t->targets[problem.l] = t->labels[i];
        t->inputs[problem.l++] = t->nodes + i * (t->count + 1);
    }
    t->param.C = c;
    return problem.l > 0 ? svm_train(&problem, &t->param) : NULL;
}

/* The decision value of the model at hand for the pair of classes at these places, positive for
 * the first. Of classes that it has not seen, as LIBSVM has it: against them. */
static double decision_of(const Task *t, int first, int second)
{
    const int p = t->found[first], q = t->found[second];
    if (p < 0 || q < 0)
        return (double) (p >= 0) - (double) (q >= 0);
    return t->values[p * (2 * t->model->nr_class - p - 1) / 2 + q - p - 1];
}

static void keep_decisions(Task *t, int64_t row)
{
    const int mine = t->place[t->labels[row]];
    double *to = t->decisions + row * (t->present - 1);
    for (int k = 0; k < t->present; k++)
        if (k != mine)
            *to++ = k < mine ? decision_of(t, k, mine) : decision_of(t, mine, k);
}

/* Predicts each row by the model of the folds that it is not in. Returns the balanced accuracy. */
static double cross_validate(Task *t, double c, int keep)
{
    for (int fold = 0; fold < t->fold_count; fold++) {
        t->model = train_outside(t, fold, c);
        for (int k = 0; k < t->present; k++)
            t->found[k] = -1;
        for (int k = 0; t->model != NULL && k < t->model->nr_class; k++)
            t->found[t->place[t->model->label[k]]] = k;
        for (int64_t i = 0; i < t->count; i++) {
            if (t->folds[i] != fold)
                continue;
            t->predicted[i] = t->model == NULL
                                  ? -1
                                  : (int32_t) svm_predict_values(
                                        t->model, t->nodes + i * (t->count + 1), t->values);
            if (keep)
                keep_decisions(t, i);
        }
        if (t->model != NULL)
            svm_free_and_destroy_model(&t->model);
        classical_stop_point(NULL);
    }
    return classical_balanced_accuracy(t->labels, t->predicted, t->count, t->fit->classes);
}

/* Rows of the class at `place`: their decision values against the class at `other`. */
static SvmSample sample_of(const Task *t, int64_t first, int64_t count, int place, int other)
{
    const int64_t stride = t->present - 1;
    return (SvmSample){t->decisions + first * stride + other - (other > place), count, stride};
}

/* Platt's method on the decision values of rows that were not trained on. */
static void calibrate(Task *t)
{
    const int64_t pairs = t->present * (t->present - 1) / 2;
    int64_t pair = 0, first = 0;
    cross_validate(t, t->c, 1);
    for (int i = 0; i < t->present; first += t->counts[i++]) {
        int64_t second = first + t->counts[i];
        for (int j = i + 1; j < t->present; second += t->counts[j++], pair++) {
            const SvmSample samples[2] = {sample_of(t, first, t->counts[i], i, j),
                                          sample_of(t, second, t->counts[j], j, i)};
            svm_sigmoid(samples, t->platt + pair, t->platt + pairs + pair);
        }
    }
}

/* The best of the grid; of equals the smallest C, then the smallest gamma. */
static void choose(Task *t)
{
    static const double all_c[] = {0.01, 0.1, 1.0, 10.0, 100.0, 1000.0};
    static const double all_gamma[] = {1.0 / 16, 1.0 / 4, 1.0, 4.0};
    const int cs = isnan(t->c) ? 6 : 1;
    const int gammas = t->svm->kernel == RBF_KERNEL && isnan(t->gamma) ? 4 : 1;
    double best_c = t->c, best_gamma = t->gamma;
    t->score = -1.0;
    if (cs * gammas == 1)
        return;
    for (int g = 0; g < gammas; g++) {
        const double gamma =
            gammas == 1 ? t->gamma : all_gamma[g] / (double) t->svm->scaler.columns;
        fill_kernel(t, gamma);
        for (int k = 0; k < cs; k++) {
            const double c = cs == 1 ? t->c : all_c[k];
            const double score = cross_validate(t, c, 0);
            if (score > t->score + 1e-12 || (score > t->score - 1e-12 && c < best_c)) {
                t->score = score;
                best_c = c;
                best_gamma = gamma;
            }
            classical_progress((double) (g * cs + k + 1) / (double) (gammas * cs + 1));
        }
    }
    t->c = best_c;
    t->gamma = best_gamma;
}

static void work(void *data)
{
    Task *t = data;
    compute_products(t);
    choose(t);
    fill_kernel(t, t->gamma);
    if (t->platt != NULL)
        calibrate(t);
    t->model = train_outside(t, -1, t->c);
}

/* Counts and places of the classes that have rows. FALSE (0): no memory. */
static int count_classes(Task *t)
{
    const XgFit *fit = t->fit;
    t->place = classical_new(fit->classes, sizeof *t->place);
    t->counts = classical_new(fit->classes, sizeof *t->counts);
    if (t->place == NULL || t->counts == NULL)
        return 0;
    for (int64_t i = 0; i < fit->train.rows; i++)
        t->counts[fit->train.labels[i]]++;
    for (int64_t k = 0; k < fit->classes; k++)
        if (t->counts[k] > 0) {
            t->place[k] = (int) t->present;
            t->counts[t->present++] = t->counts[k];
        }
    return 1;
}

static XgStatus prepare(Task *t)
{
    const XgFit *fit = t->fit;
    const XgHost *h = t->svm->host;
    const int64_t n = t->count = fit->train.rows, columns = fit->train.columns;
    if ((n + 1) * (n + 1) > MAX_KERNEL_BYTES / (int64_t) sizeof(struct svm_node))
        return xg_fail(h, XG_LIMIT, "%lld training images are too many for this SVM; use logistic",
                       (long long) n);
    const int platt = strcmp(xg_param_string(h, "probability"), "platt") == 0;
    if (!count_classes(t))
        return classical_no_memory(h);
    const int64_t pairs = t->present * (t->present - 1) / 2;
    int32_t *folds = classical_folds(fit, t->fold_count);
    const int scaled = classical_scaler_fit(&t->svm->scaler, &fit->train);
    t->labels = classical_new(n, sizeof *t->labels);
    t->folds = classical_new(n, sizeof *t->folds);
    t->predicted = classical_new(n, sizeof *t->predicted);
    t->targets = classical_new(n, sizeof *t->targets);
    t->scaled = classical_new(n * columns, sizeof *t->scaled);
    t->products = classical_new(n * (n + 1) / 2, sizeof *t->products);
    t->nodes = classical_new(n * (n + 1), sizeof *t->nodes);
    t->inputs = classical_new(n, sizeof *t->inputs);
    t->weight_labels = classical_new(fit->classes, sizeof *t->weight_labels);
    t->weights = classical_new(fit->classes, sizeof *t->weights);
    t->class_weights = classical_new(fit->classes, sizeof *t->class_weights);
    t->found = classical_new(t->present, sizeof *t->found);
    t->values = classical_new(pairs, sizeof *t->values);
    t->decisions = classical_new(platt ? n * (t->present - 1) : 0, sizeof *t->decisions);
    t->platt = platt ? classical_new(2 * pairs, sizeof *t->platt) : NULL;
    const int good = t->found && t->values && t->decisions && (!platt || t->platt) && folds &&
                     scaled && t->labels && t->folds && t->predicted && t->targets && t->scaled &&
                     t->products && t->nodes && t->inputs && t->weight_labels && t->weights &&
                     t->class_weights;
    int64_t place = 0;
    for (int64_t k = 0; good && k < fit->classes; k++)
        for (int64_t i = 0; i < n; i++)
            if (fit->train.labels[i] == k) {
                t->labels[place] = (int32_t) k;
                t->folds[place] = folds[i];
                classical_scaler_row(&t->svm->scaler, fit->train.values + i * columns,
                                     t->scaled + place++ * columns);
            }
    free(folds);
    return good ? XG_OK : classical_no_memory(h);
}

static void *copy_of(const void *values, int64_t count, size_t size)
{
    void *copy = values != NULL ? classical_new(count, size) : NULL;
    if (copy != NULL)
        memcpy(copy, values, (size_t) count * size);
    return copy;
}

static int keep_model(Svm *svm, const Task *t)
{
    const struct svm_model *from = t->model;
    struct svm_model *m = &svm->model;
    const int64_t columns = svm->scaler.columns;
    m->nr_class = from->nr_class;
    svm->vectors = from->l;
    svm->classes = t->fit->classes;
    svm->gamma = svm->kernel == RBF_KERNEL ? t->gamma : 0.0;
    svm->values = classical_new(svm->vectors * columns, sizeof *svm->values);
    svm->rows = classical_new((m->nr_class - 1) * svm->vectors, sizeof *svm->rows);
    m->rho = copy_of(from->rho, svm_pair_count(svm), sizeof *m->rho);
    if (t->platt != NULL) {
        m->probA = copy_of(t->platt, svm_pair_count(svm), sizeof *m->probA);
        m->probB = copy_of(t->platt + svm_pair_count(svm), svm_pair_count(svm), sizeof *m->probB);
    }
    m->label = copy_of(from->label, m->nr_class, sizeof *m->label);
    m->nSV = copy_of(from->nSV, m->nr_class, sizeof *m->nSV);
    if (!svm->values || !svm->rows || !m->rho || !m->label || !m->nSV ||
        (t->platt != NULL && (m->probA == NULL || m->probB == NULL)))
        return 0;
    for (int64_t i = 0; i < svm->vectors; i++)
        memcpy(svm->values + i * columns, t->scaled + (from->sv_indices[i] - 1) * columns,
               sizeof(float) * (size_t) columns);
    for (int k = 0; k < m->nr_class - 1; k++)
        memcpy(svm->rows + k * svm->vectors, from->sv_coef[k],
               sizeof(double) * (size_t) svm->vectors);
    return svm_finish(svm);
}

static void tell(const Task *t)
{
    char gamma[32] = "", score[96] = "";
    if (t->svm->kernel == RBF_KERNEL)
        snprintf(gamma, sizeof gamma, ", gamma %.6g", t->gamma);
    if (t->score >= 0.0)
        snprintf(score, sizeof score, "; balanced accuracy %.4f over %d inner folds", t->score,
                 t->fold_count);
    classical_note(t->fit, "C %g%s, %lld support vectors of %lld images%s", t->c, gamma,
                   (long long) t->svm->vectors, (long long) t->count, score);
}

static XgStatus read_numbers(const XgHost *h, double *c, double *gamma)
{
    const XgStatus status = classical_number(h, "c", 1e-6, 1e9, c);
    return status != XG_OK ? status : classical_number(h, "gamma", 1e-12, 1e6, gamma);
}

XgStatus svm_fit(void *self, const XgFit *fit)
{
    Svm *svm = self;
    const XgHost *h = svm->host;
    XgStatus status = classical_check_fit(h, fit);
    if (status != XG_OK)
        return status;
    svm_forget(svm);
    svm->kernel = strcmp(xg_param_string(h, "kernel"), "rbf") == 0 ? RBF_KERNEL : LINEAR_KERNEL;
    Task task = {.svm = svm, .fit = fit, .fold_count = (int) xg_param_int(h, "folds"), .score = -1};
    Task *t = &task;
    t->param = (struct svm_parameter){.svm_type = C_SVC,
                                      .kernel_type = PRECOMPUTED,
                                      .cache_size = 200.0,
                                      .eps = xg_param_float(h, "tolerance"),
                                      .shrinking = 1};
    status = read_numbers(h, &t->c, &t->gamma);
    if (status == XG_OK)
        status = prepare(t);
    if (status == XG_OK) {
        t->param.weight = t->weights;
        t->param.weight_label = t->weight_labels;
        classical_class_weights(fit, strcmp(xg_param_string(h, "class_weight"), "none") != 0,
                                t->class_weights);
        status = classical_interruptible(h, fit, work, t);
    }
    if (status == XG_OK && !keep_model(svm, t))
        status = classical_no_memory(h);
    if (status == XG_OK)
        tell(t);
    else
        svm_forget(svm);
    task_clear(t);
    return status;
}
