/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "lda.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK's, as Fortran compilers name them. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info);
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm,
             double *rcond, double *work, int *iwork, int *info);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/* The widest covariance whose eigenvectors are computed. */
#define MAX_PSEUDO 4096

int lda_use_threads(int threads)
{
    const int before = openblas_get_num_threads();
    openblas_set_num_threads(threads);
    return before;
}

/* ---- Shrinkage ------------------------------------------------------------------------------- */

/* Divides the columns by their standard deviations, which go to `scale` (1 for constant ones). */
static void standardise(double *rows, int64_t count, int64_t columns, double *scale)
{
    for (int64_t j = 0; j < columns; j++) {
        double square = 0.0;
        for (int64_t i = 0; i < count; i++)
            square += rows[i * columns + j] * rows[i * columns + j];
        const double deviation = sqrt(square / (double) count);
        scale[j] = deviation > 1e-30 ? deviation : 1.0;
        for (int64_t i = 0; i < count; i++)
            rows[i * columns + j] /= scale[j];
    }
}

/* Mean variance of the columns. */
static double mean_variance(const double *rows, int64_t count, int64_t columns)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count * columns; i++)
        sum += rows[i] * rows[i];
    return sum / (double) count / (double) columns;
}

/* Ledoit and Wolf's shrinkage of the covariance of centred rows, from the products of rows or, if
 * those are fewer, columns: both have the same sum of squares. */
static LdaResult optimal_shrinkage(const double *rows, int64_t count, int64_t columns,
                                   double *shrinkage)
{
    const double n = (double) count, p = (double) columns;
    const double mu = mean_variance(rows, count, columns);
    const int by_row = count <= columns;
    const int64_t size = by_row ? count : columns;
    double fourth = 0.0, square = 0.0;
    double *products = classical_new(size * size, sizeof *products);
    if (products == NULL)
        return LDA_NO_MEMORY;
    cblas_dsyrk(CblasRowMajor, CblasUpper, by_row ? CblasNoTrans : CblasTrans, (int) size,
                (int) (by_row ? columns : count), 1.0, rows, (int) columns, 0.0, products,
                (int) size);
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = i; j < size; j++)
            square += (i == j ? 1.0 : 2.0) * products[i * size + j] * products[i * size + j];
    for (int64_t i = 0; i < count; i++) {
        double length = 0.0;
        for (int64_t j = 0; j < columns; j++)
            length += rows[i * columns + j] * rows[i * columns + j];
        fourth += length * length;
    }
    free(products);
    square /= n * n;
    const double beta = (fourth / n - square) / (p * n);
    const double delta = (square - p * mu * mu) / p;
    const double least = fmin(beta, delta);
    *shrinkage = columns == 1 || least <= 0.0 || delta <= 0.0 ? 0.0 : least / delta;
    return LDA_OK;
}

LdaResult lda_shrink(LdaScatter *scatter, int64_t first, int64_t count, double shrinkage)
{
    const int64_t columns = scatter->columns;
    const double part = (double) count / (double) scatter->count;
    double *rows = scatter->rows + first * columns;
    double *scale = classical_new(columns, sizeof *scale);
    LdaResult result = scale != NULL ? LDA_OK : LDA_NO_MEMORY;
    for (int64_t j = 0; scale != NULL && j < columns; j++)
        scale[j] = 1.0;
    if (scale != NULL && isnan(shrinkage)) {
        standardise(rows, count, columns, scale);
        result = optimal_shrinkage(rows, count, columns, &shrinkage);
    }
    if (result == LDA_OK) {
        const double mu = mean_variance(rows, count, columns);
        const double factor = sqrt((1.0 - shrinkage) / (double) scatter->count);
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < columns; j++)
                rows[i * columns + j] *= factor * scale[j];
        for (int64_t j = 0; j < columns; j++)
            scatter->diagonal[j] += part * shrinkage * mu * scale[j] * scale[j];
        scatter->shrinkage += shrinkage;
    }
    free(scale);
    return result;
}

/* ---- Inverses -------------------------------------------------------------------------------- */

/* Solves with the lower triangle (in LAPACK's order of columns) of a symmetric matrix by Cholesky;
 * the matrix is destroyed. LDA_SINGULAR also when the result would mean little. */
static LdaResult solve_cholesky(double *matrix, int64_t size, double *vectors, int64_t count)
{
    const int n = (int) size, right = (int) count;
    int info = 0;
    double norm = 0.0, condition = 0.0;
    double *space = classical_new(3 * size, sizeof *space);
    int *whole = classical_new(size, sizeof *whole);
    if (space == NULL || whole == NULL) {
        free(space);
        free(whole);
        return LDA_NO_MEMORY;
    }
    for (int64_t j = 0; j < size; j++)
        for (int64_t i = j; i < size; i++) {
            space[i] += fabs(matrix[j * size + i]);
            space[j] += i != j ? fabs(matrix[j * size + i]) : 0.0;
        }
    for (int64_t i = 0; i < size; i++)
        norm = fmax(norm, space[i]);
    dpotrf_("L", &n, matrix, &n, &info);
    if (info == 0)
        dpocon_("L", &n, matrix, &n, &norm, &condition, space, whole, &info);
    if (info == 0 && condition > 1e-14)
        dpotrs_("L", &n, &right, matrix, &n, vectors, &n, &info);
    free(space);
    free(whole);
    return info == 0 && condition > 1e-14 ? LDA_OK : LDA_SINGULAR;
}

/* vectors = Q (1/eigenvalues) Q' vectors, without the eigenvalues that are zero but for rounding.
 */
static void apply_inverse(const double *q, const double *values, int64_t size, double *vectors,
                          int64_t count, double *space)
{
    const double zero = DBL_EPSILON * (double) size * fmax(values[size - 1], 0.0);
    for (int64_t k = 0; k < count; k++) {
        double *v = vectors + k * size;
        cblas_dgemv(CblasColMajor, CblasTrans, (int) size, (int) size, 1.0, q, (int) size, v, 1,
                    0.0, space, 1);
        for (int64_t i = 0; i < size; i++)
            space[i] = values[i] > zero ? space[i] / values[i] : 0.0;
        cblas_dgemv(CblasColMajor, CblasNoTrans, (int) size, (int) size, 1.0, q, (int) size, space,
                    1, 0.0, v, 1);
    }
}

static LdaResult solve_pseudo(double *matrix, int64_t size, double *vectors, int64_t count)
{
    const int n = (int) size;
    const int64_t space_size = 1 + 6 * size + 2 * size * size, whole_size = 3 + 5 * size;
    const int space_count = (int) space_size, whole_count = (int) whole_size;
    int info = 0;
    double *values = classical_new(size, sizeof *values);
    double *space = classical_new(space_size, sizeof *space);
    int *whole = classical_new(whole_size, sizeof *whole);
    LdaResult result = values && space && whole ? LDA_OK : LDA_NO_MEMORY;
    if (result == LDA_OK) {
        dsyevd_("V", "L", &n, matrix, &n, values, space, &space_count, whole, &whole_count, &info);
        if (info == 0)
            apply_inverse(matrix, values, size, vectors, count, space);
        else
            result = LDA_SINGULAR;
    }
    free(values);
    free(space);
    free(whole);
    return result;
}

/* rows' * rows + diagonal, as the lower triangle in LAPACK's order of columns. */
static void fill_covariance(const LdaScatter *s, double *matrix)
{
    const int64_t p = s->columns;
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (int) p, (int) s->count, 1.0, s->rows,
                (int) p, 0.0, matrix, (int) p);
    for (int64_t j = 0; j < p; j++)
        matrix[j * p + j] += s->diagonal[j];
}

static LdaResult solve_wide(const LdaScatter *s, double *vectors, int64_t count)
{
    const int64_t p = s->columns;
    double *matrix = classical_new(p * p, sizeof *matrix);
    double *copy = classical_new(count * p, sizeof *copy);
    LdaResult result = matrix != NULL && copy != NULL ? LDA_OK : LDA_NO_MEMORY;
    if (result == LDA_OK) {
        memcpy(copy, vectors, sizeof(double) * (size_t) (count * p));
        fill_covariance(s, matrix);
        result = solve_cholesky(matrix, p, vectors, count);
        if (result == LDA_SINGULAR && p <= MAX_PSEUDO) {
            memcpy(vectors, copy, sizeof(double) * (size_t) (count * p));
            fill_covariance(s, matrix);
            result = solve_pseudo(matrix, p, vectors, count);
        }
    }
    free(matrix);
    free(copy);
    return result;
}

/* Woodbury's identity: with B = rows * diagonal^-1/2, the inverse is
 * diagonal^-1/2 (1 - B' (1 + B B')^-1 B) diagonal^-1/2. */
static LdaResult solve_narrow(LdaScatter *s, double *vectors, int64_t count)
{
    const int64_t n = s->count, p = s->columns;
    double *matrix = classical_new(n * n, sizeof *matrix);
    double *right = classical_new(count * n, sizeof *right);
    LdaResult result = matrix != NULL && right != NULL ? LDA_OK : LDA_NO_MEMORY;
    if (result == LDA_OK) {
        for (int64_t j = 0; j < p; j++) {
            const double root = sqrt(s->diagonal[j]);
            for (int64_t i = 0; i < n; i++)
                s->rows[i * p + j] /= root;
            for (int64_t k = 0; k < count; k++)
                vectors[k * p + j] /= root;
        }
        cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int) n, (int) p, 1.0, s->rows, (int) p,
                    0.0, matrix, (int) n);
        for (int64_t i = 0; i < n; i++)
            matrix[i * n + i] += 1.0;
        for (int64_t k = 0; k < count; k++)
            cblas_dgemv(CblasColMajor, CblasTrans, (int) p, (int) n, 1.0, s->rows, (int) p,
                        vectors + k * p, 1, 0.0, right + k * n, 1);
        result = solve_cholesky(matrix, n, right, count);
        for (int64_t k = 0; result == LDA_OK && k < count; k++)
            cblas_dgemv(CblasColMajor, CblasNoTrans, (int) p, (int) n, -1.0, s->rows, (int) p,
                        right + k * n, 1, 1.0, vectors + k * p, 1);
        for (int64_t j = 0; j < p; j++)
            for (int64_t k = 0; k < count; k++)
                vectors[k * p + j] /= sqrt(s->diagonal[j]);
    }
    free(matrix);
    free(right);
    return result;
}

LdaResult lda_solve(LdaScatter *scatter, double *vectors, int64_t count)
{
    int positive = 1;
    for (int64_t j = 0; j < scatter->columns; j++)
        positive &= scatter->diagonal[j] > 0.0;
    if (positive && scatter->count < scatter->columns)
        return solve_narrow(scatter, vectors, count);
    if (scatter->count < scatter->columns && scatter->columns > MAX_PSEUDO)
        return LDA_SINGULAR;
    return solve_wide(scatter, vectors, count);
}
