/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "classical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void classical_plan(XgPlan *plan)
{
    xg_plan_set(plan, "head", "classifier");
    xg_plan_set(plan, "tap", xg_param_string(plan->host, "tap"));
}

/* The whole text as a decimal number in the C locale's spelling, whatever the locale. */
static int parse_number(const char *text, double *value)
{
    const char *c = text;
    double number = 0.0, place = 1.0;
    int digits = 0, exponent = 0, sign = 1;
    for (; *c >= '0' && *c <= '9'; c++, digits++)
        number = 10.0 * number + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++, digits++, place *= 10.0)
            number = 10.0 * number + (*c - '0');
    if (digits > 0 && (*c == 'e' || *c == 'E')) {
        c++;
        sign = *c == '-' ? -1 : 1;
        c += *c == '-' || *c == '+';
        for (digits = 0; *c >= '0' && *c <= '9' && exponent < 1000; c++, digits++)
            exponent = 10 * exponent + (*c - '0');
    }
    *value = sign < 0 ? number / place / pow(10.0, exponent) : number / place * pow(10.0, exponent);
    return digits > 0 && *c == '\0' && isfinite(*value);
}

XgStatus classical_number(const XgHost *host, const char *name, double minimum, double maximum,
                          double *value)
{
    const char *text = xg_param_string(host, name);
    *value = NAN;
    if (text == NULL || strcmp(text, "auto") == 0)
        return XG_OK;
    if (!parse_number(text, value) || *value < minimum || *value > maximum)
        return xg_fail(host, XG_INVALID,
                       "%s: expected \"auto\" or a number from %g to %g, found \"%s\"", name,
                       minimum, maximum, text);
    return XG_OK;
}

XgStatus classical_no_memory(const XgHost *host)
{
    return xg_fail(host, XG_NOMEM, "no memory for the classifier");
}

XgStatus classical_cancelled(const XgHost *host)
{
    return xg_fail(host, XG_CANCELLED, "interrupted while the classifier was fitted");
}

void *classical_new(int64_t count, size_t size)
{
    if (count < 0 || (uint64_t) count > SIZE_MAX / size)
        return NULL;
    return calloc(count > 0 ? (size_t) count : 1, size);
}

static XgStatus check_finite(const XgHost *host, const XgFeatures *features)
{
    for (int64_t i = 0; i < features->rows; i++)
        for (int64_t j = 0; j < features->columns; j++)
            if (!isfinite(features->values[i * features->columns + j]))
                return xg_fail(host, XG_NUMERIC,
                               "feature %lld of image %lld: expected a finite number, found %g",
                               (long long) j, (long long) i,
                               (double) features->values[i * features->columns + j]);
    return XG_OK;
}

XgStatus classical_check_fit(const XgHost *host, const XgFit *fit)
{
    const XgFeatures *train = &fit->train;
    if (train->rows < 2 || train->columns < 1)
        return xg_fail(host, XG_INVALID, "expected at least 2 training images, found %lld",
                       (long long) train->rows);
    if (train->rows > INT32_MAX || train->columns > INT32_MAX - 1 || fit->classes > 65536)
        return xg_fail(host, XG_LIMIT, "%lld images of %lld features: too many",
                       (long long) train->rows, (long long) train->columns);
    int several = 0;
    for (int64_t i = 0; i < train->rows; i++) {
        if (train->labels[i] < 0 || train->labels[i] >= fit->classes)
            return xg_fail(host, XG_INVALID, "label of image %lld: expected 0 to %lld, found %d",
                           (long long) i, (long long) fit->classes - 1, (int) train->labels[i]);
        several |= train->labels[i] != train->labels[0];
    }
    if (!several)
        return xg_fail(host, XG_INVALID,
                       "all training images are of one class; a classifier needs two");
    return check_finite(host, train);
}

XgStatus classical_check_columns(const XgHost *host, const XgFeatures *features, int64_t columns)
{
    if (columns == 0)
        return xg_fail(host, XG_INVALID, "the classifier is not fitted");
    if (features->columns != columns)
        return xg_fail(host, XG_SHAPE, "expected %lld features an image, found %lld",
                       (long long) columns, (long long) features->columns);
    return check_finite(host, features);
}

/* ---- Standardising --------------------------------------------------------------------------- */

int classical_scaler_fit(ClassicalScaler *scaler, const XgFeatures *features)
{
    const int64_t rows = features->rows, columns = features->columns;
    double *sums = classical_new(2 * columns, sizeof *sums);
    scaler->columns = columns;
    scaler->mean = classical_new(columns, sizeof(float));
    scaler->scale = classical_new(columns, sizeof(float));
    if (sums == NULL || scaler->mean == NULL || scaler->scale == NULL) {
        free(sums);
        classical_scaler_clear(scaler);
        return 0;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            sums[j] += (double) features->values[i * columns + j];
    for (int64_t j = 0; j < columns; j++)
        sums[j] /= (double) rows;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const double d = (double) features->values[i * columns + j] - sums[j];
            sums[columns + j] += d * d;
        }
    for (int64_t j = 0; j < columns; j++) {
        const double deviation = sqrt(sums[columns + j] / (double) rows);
        scaler->mean[j] = (float) sums[j];
        /* What rounding leaves of a constant column is no spread. */
        scaler->scale[j] = deviation > 1e-7 * fabs(sums[j]) && (float) deviation > 1e-30f
                               ? (float) deviation
                               : 1.0f;
    }
    free(sums);
    return 1;
}

void classical_scaler_clear(ClassicalScaler *scaler)
{
    free(scaler->mean);
    free(scaler->scale);
    scaler->mean = scaler->scale = NULL;
}

void classical_scaler_row(const ClassicalScaler *scaler, const float *row, float *scaled)
{
    if (scaler->mean == NULL) {
        memcpy(scaled, row, sizeof(float) * (size_t) scaler->columns);
        return;
    }
    for (int64_t j = 0; j < scaler->columns; j++)
        scaled[j] =
            (float) (((double) row[j] - (double) scaler->mean[j]) / (double) scaler->scale[j]);
}

void classical_class_weights(const XgFit *fit, int balanced, double *weights)
{
    int64_t present = 0;
    for (int64_t k = 0; k < fit->classes; k++)
        weights[k] = 0.0;
    for (int64_t i = 0; i < fit->train.rows; i++)
        present += weights[fit->train.labels[i]]++ == 0.0;
    for (int64_t k = 0; k < fit->classes; k++)
        weights[k] = balanced && weights[k] > 0.0
                         ? (double) fit->train.rows / ((double) present * weights[k])
                         : 1.0;
}
