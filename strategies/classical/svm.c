/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A support vector machine on the network's feature vectors, trained by LIBSVM (Chang and Lin
 * 2011). Kernels are computed here, once for all of the inner cross-validation, and handed to
 * LIBSVM as values. */
#include "svm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void svm_forget(Svm *svm)
{
    classical_scaler_clear(&svm->scaler);
    free(svm->values);
    free(svm->squares);
    free(svm->rows);
    free(svm->serial);
    free(svm->model.SV);
    free(svm->model.sv_coef);
    free(svm->model.rho);
    free(svm->model.probA);
    free(svm->model.probB);
    free(svm->model.label);
    free(svm->model.nSV);
    *svm = (Svm){.host = svm->host};
}

double svm_dot(const float *a, const float *b, int64_t count)
{
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t j = 0;
    for (; j + 4 <= count; j += 4)
        for (int k = 0; k < 4; k++)
            sums[k] += (double) a[j + k] * (double) b[j + k];
    for (; j < count; j++)
        sums[0] += (double) a[j] * (double) b[j];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double svm_kernel_value(int kernel, double gamma, double aa, double bb, double ab)
{
    return kernel == LINEAR_KERNEL ? ab : exp(-gamma * (aa + bb - 2.0 * ab));
}

/* ---- The fitted model ------------------------------------------------------------------------ */

int64_t svm_pair_count(const Svm *svm)
{
    return (int64_t) svm->model.nr_class * (svm->model.nr_class - 1) / 2;
}

/* What predict() needs besides the values that were trained or loaded. */
int svm_finish(Svm *svm)
{
    struct svm_model *m = &svm->model;
    const int64_t columns = svm->scaler.columns;
    svm->squares = classical_new(svm->vectors, sizeof *svm->squares);
    svm->serial = classical_new(svm->vectors, sizeof *svm->serial);
    m->SV = classical_new(svm->vectors, sizeof *m->SV);
    m->sv_coef = classical_new(m->nr_class - 1, sizeof *m->sv_coef);
    if (!svm->squares || !svm->serial || !m->SV || !m->sv_coef)
        return 0;
    for (int64_t i = 0; i < svm->vectors; i++) {
        const float *vector = svm->values + i * columns;
        svm->squares[i] = svm_dot(vector, vector, columns);
        svm->serial[i].value = (double) (i + 1);
        m->SV[i] = svm->serial + i;
    }
    for (int k = 0; k < m->nr_class - 1; k++)
        m->sv_coef[k] = svm->rows + k * svm->vectors;
    m->param.svm_type = C_SVC;
    m->param.kernel_type = PRECOMPUTED;
    m->l = (int) svm->vectors;
    return 1;
}

/* ---- Predicting ------------------------------------------------------------------------------ */

/* Softmax of one value a class: the pairs it wins and, to break ties, its summed distances from
 * the boundaries, as scikit-learn's one-versus-rest shape of decisions. Two classes: the logistic
 * function of the distance. */
static void margin_probabilities(const Svm *svm, const double *decisions, double *values)
{
    const int classes = svm->model.nr_class;
    double largest = -INFINITY, sum = 0.0;
    for (int k = 0; k < classes; k++)
        values[k] = values[classes + k] = 0.0;
    for (int i = 0, pair = 0; i < classes; i++)
        for (int j = i + 1; j < classes; j++, pair++) {
            values[decisions[pair] > 0.0 ? i : j] += 1.0;
            values[classes + i] += decisions[pair];
            values[classes + j] -= decisions[pair];
        }
    for (int k = 0; k < classes; k++) {
        const double confidence = values[classes + k];
        values[k] = classes == 2 ? 0.5 * confidence
                                 : values[k] + confidence / (3.0 * (fabs(confidence) + 1.0));
        largest = fmax(largest, values[k]);
    }
    for (int k = 0; k < classes; k++)
        sum += values[k] = exp(values[k] - largest);
    for (int k = 0; k < classes; k++)
        values[k] /= sum;
}

static XgStatus predict_svm(void *self, const XgFeatures *features, float *probabilities)
{
    const Svm *svm = self;
    const XgStatus status = classical_check_columns(svm->host, features, svm->scaler.columns);
    if (status != XG_OK)
        return status;
    const int64_t columns = svm->scaler.columns;
    struct svm_node *input = classical_new(svm->vectors + 1, sizeof *input);
    float *row = classical_new(columns, sizeof *row);
    double *values = classical_new(2 * svm->model.nr_class + svm_pair_count(svm), sizeof *values);
    const int good = input != NULL && row != NULL && values != NULL;
    for (int64_t r = 0; good && r < features->rows; r++) {
        classical_scaler_row(&svm->scaler, features->values + r * columns, row);
        const double square = svm_dot(row, row, columns);
        for (int64_t i = 0; i < svm->vectors; i++)
            input[i + 1] = (struct svm_node){
                (int) (i + 1), svm_kernel_value(svm->kernel, svm->gamma, square, svm->squares[i],
                                                svm_dot(row, svm->values + i * columns, columns))};
        if (svm->model.probA != NULL) {
            svm_predict_probability(&svm->model, input, values);
        } else {
            svm_predict_values(&svm->model, input, values + 2 * svm->model.nr_class);
            margin_probabilities(svm, values + 2 * svm->model.nr_class, values);
        }
        for (int64_t k = 0; k < svm->classes; k++)
            probabilities[r * svm->classes + k] = 0.0f;
        for (int k = 0; k < svm->model.nr_class; k++)
            probabilities[r * svm->classes + svm->model.label[k]] = (float) values[k];
    }
    free(input);
    free(row);
    free(values);
    return good ? XG_OK : classical_no_memory(svm->host);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

enum {
    FACT_CLASSES,
    FACT_COLUMNS,
    FACT_PRESENT,
    FACT_VECTORS,
    FACT_KERNEL,
    FACT_PLATT,
    FACT_COUNT
};

static XgStatus save(void *self, XgState *state)
{
    const Svm *svm = self;
    const struct svm_model *m = &svm->model;
    const int present = m->nr_class;
    const int64_t facts[FACT_COUNT] = {svm->classes, svm->scaler.columns, present,
                                       svm->vectors, svm->kernel,         m->probA != NULL};
    int64_t *lists = classical_new(2 * present, sizeof *lists);
    if (svm->scaler.columns == 0 || lists == NULL) {
        free(lists);
        return svm->scaler.columns == 0 ? xg_fail(svm->host, XG_INVALID, "nothing is fitted")
                                        : classical_no_memory(svm->host);
    }
    for (int k = 0; k < present; k++) {
        lists[k] = m->label[k];
        lists[present + k] = m->nSV[k];
    }
    const int64_t pairs = svm_pair_count(svm);
    XgStatus status = classical_put(state, "facts", XG_DTYPE_I64, 1, FACT_COUNT, facts);
    if (status == XG_OK)
        status = classical_put(state, "classes", XG_DTYPE_I64, 2, present, lists);
    free(lists);
    if (status == XG_OK)
        status = classical_scaler_save(&svm->scaler, state);
    if (status == XG_OK)
        status = classical_put(state, "vectors", XG_DTYPE_F32, svm->vectors, svm->scaler.columns,
                               svm->values);
    if (status == XG_OK)
        status = classical_put(state, "coefficients", XG_DTYPE_F64, present - 1, svm->vectors,
                               svm->rows);
    if (status == XG_OK)
        status = classical_put(state, "rho", XG_DTYPE_F64, 1, pairs, m->rho);
    if (status == XG_OK && m->probA != NULL)
        status = classical_put(state, "platt_a", XG_DTYPE_F64, 1, pairs, m->probA);
    if (status == XG_OK && m->probA != NULL)
        status = classical_put(state, "platt_b", XG_DTYPE_F64, 1, pairs, m->probB);
    return status == XG_OK ? classical_put(state, "gamma", XG_DTYPE_F64, 1, 1, &svm->gamma)
                           : status;
}

static int load_classes(Svm *svm, XgState *state)
{
    struct svm_model *m = &svm->model;
    int64_t sum = 0, last = -1;
    int64_t *lists = classical_get(state, "classes", XG_DTYPE_I64, 2 * m->nr_class, NULL);
    m->label = classical_new(m->nr_class, sizeof *m->label);
    m->nSV = classical_new(m->nr_class, sizeof *m->nSV);
    int good = lists != NULL && m->label != NULL && m->nSV != NULL;
    for (int k = 0; good && k < m->nr_class; k++) {
        const int64_t label = lists[k], count = lists[m->nr_class + k];
        good = label > last && label < svm->classes && count >= 0 && count <= svm->vectors - sum;
        m->label[k] = (int) (last = label);
        m->nSV[k] = (int) count;
        sum += count;
    }
    free(lists);
    return good && sum == svm->vectors;
}

static int load_values(Svm *svm, XgState *state, int platt)
{
    struct svm_model *m = &svm->model;
    const int64_t pairs = svm_pair_count(svm);
    double *gamma = classical_get(state, "gamma", XG_DTYPE_F64, 1, NULL);
    const int has_gamma = gamma != NULL && *gamma >= 0.0;
    svm->gamma = has_gamma ? *gamma : 0.0;
    free(gamma);
    svm->values =
        classical_get(state, "vectors", XG_DTYPE_F32, svm->vectors * svm->scaler.columns, NULL);
    svm->rows =
        classical_get(state, "coefficients", XG_DTYPE_F64, (m->nr_class - 1) * svm->vectors, NULL);
    m->rho = classical_get(state, "rho", XG_DTYPE_F64, pairs, NULL);
    if (platt) {
        m->probA = classical_get(state, "platt_a", XG_DTYPE_F64, pairs, NULL);
        m->probB = classical_get(state, "platt_b", XG_DTYPE_F64, pairs, NULL);
    }
    return has_gamma && svm->values && svm->rows && m->rho && (!platt || (m->probA && m->probB)) &&
           classical_scaler_load(&svm->scaler, state);
}

static XgStatus load(void *self, XgState *state)
{
    Svm *svm = self;
    svm_forget(svm);
    int64_t *facts = classical_get(state, "facts", XG_DTYPE_I64, FACT_COUNT, NULL);
    int good = facts != NULL && classical_fits_classes(state, facts[FACT_CLASSES]) &&
               facts[FACT_CLASSES] >= 2 && facts[FACT_CLASSES] <= 65536 &&
               facts[FACT_COLUMNS] >= 1 && facts[FACT_COLUMNS] < INT32_MAX &&
               facts[FACT_PRESENT] >= 2 && facts[FACT_PRESENT] <= facts[FACT_CLASSES] &&
               facts[FACT_VECTORS] >= 1 && facts[FACT_VECTORS] < INT32_MAX &&
               (facts[FACT_KERNEL] == LINEAR_KERNEL || facts[FACT_KERNEL] == RBF_KERNEL);
    if (good) {
        svm->classes = facts[FACT_CLASSES];
        svm->scaler.columns = facts[FACT_COLUMNS];
        svm->vectors = facts[FACT_VECTORS];
        svm->kernel = (int) facts[FACT_KERNEL];
        svm->model.nr_class = (int) facts[FACT_PRESENT];
        good = load_classes(svm, state) && load_values(svm, state, facts[FACT_PLATT] != 0) &&
               svm_finish(svm);
    }
    free(facts);
    if (good)
        return XG_OK;
    svm_forget(svm);
    return xg_fail(svm->host, XG_FORMAT, "its support vector machine is incomplete or damaged");
}

/* ---- The component --------------------------------------------------------------------------- */

static const XgParam params[] = {
    {"kernel", XG_PARAM_ENUM, 0, "rbf", NULL, NULL, NULL, "linear|rbf", "kernel"},
    {"c", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "cost of an error: a number, or auto: the best of 0.01 to 1000 over the inner folds"},
    {"gamma", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "width of the rbf kernel: a number, or auto: the best of 1/16 to 4, divided by the number of "
     "features, over the inner folds"},
    CLASSICAL_FOLDS_PARAM,
    CLASSICAL_WEIGHT_PARAM,
    {"probability", XG_PARAM_ENUM, 0, "platt", NULL, NULL, NULL, "platt|margin",
     "probabilities: Platt's method over the inner folds, or the softmax of the distances from the "
     "boundaries"},
    {"tolerance", XG_PARAM_FLOAT, 0, "1e-3", "1e-9", "0.1", NULL, NULL,
     "of LIBSVM's stopping rule"},
    CLASSICAL_TAP_PARAM,
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    double number;
    (void) self;
    classical_plan(p);
    const XgStatus status = classical_number(p->host, "c", 1e-6, 1e9, &number);
    return status != XG_OK ? status : classical_number(p->host, "gamma", 1e-12, 1e6, &number);
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Svm *svm = classical_new(1, sizeof *svm);
    if (svm == NULL)
        return classical_no_memory(host);
    svm->host = host;
    svm_set_print_string_function(classical_stop_point);
    *self = svm;
    return XG_OK;
}

static void destroy(void *self)
{
    svm_forget(self);
    free(self);
}

static const XgStrategy table = {
    .plan = plan, .fit = svm_fit, .predict = predict_svm, .save = save, .load = load};

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "svm",
    .version = "1.0.0",
    .licence = "MIT AND BSD-3-Clause",
    .summary = "support vector machine on the features of the pretrained network",
    .doc = "Every image passes the pretrained network once; LIBSVM is trained, one class against "
           "one, on the standardised feature vectors. C and gamma are those with the best "
           "balanced accuracy over inner folds of the training part, which keep patients "
           "together.",
    .citation = "Cortes and Vapnik 1995, doi:10.1007/BF00994018; Chang and Lin 2011, "
                "doi:10.1145/1961189.1961199",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("svm", "1.0.0", &component)
