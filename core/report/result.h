/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file result.h
 * A result folder read back: what report.h and series.h wrote, as far as results are compared or
 * brought together. The result owns all that it points to. All: [main].
 */
#ifndef XG_REPORT_RESULT_H
#define XG_REPORT_RESULT_H

#include "base/part.h"
#include "eval/statistics.h"

G_BEGIN_DECLS

/** One run: its evaluated test part, or the validation part where there is no test part. */
typedef struct {
    char *name; /**< of its folder in the series; "" of a study of one run */
    guint64 seed;
    gint64 repeat, fold; /**< from 1; 0: not cross-validated */
    XgPart part;
    gsize count;
    char **paths;             /**< count */
    char **patients;          /**< count; NULL: not known */
    int *labels;              /**< count */
    float *probabilities;     /**< count x classes */
    gsize majority;           /**< class of the baseline */
    double fine_tuning_ratio; /**< NAN: not known */
    double seconds;
    gint64 peak_memory_bytes; /**< -1: not known */
    gint64 trained_parameters, parameters;
} XgRunResult;

typedef struct {
    char *study;
    char **class_names; /**< ends with NULL */
    gsize classes, positive;
    GPtrArray *runs; /**< of XgRunResult, at least one */
} XgResult;

/** Reads the result in `folder`, which may be of a series. Errors: XG_IO; XG_FORMAT naming file and
 *  place. */
XgResult *xg_result_read(const char *folder, GError **error);

/** The runs in the folders `names` (NULL-terminated, at least one) of `folder` as one result; they
 *  must have the same classes. Errors: as xg_result_read(). */
XgResult *xg_result_read_runs(const char *folder, const char *const *names, GError **error);
void xg_result_free(XgResult *result);

/** The predictions of a run, borrowed. */
XgPredictionSet xg_result_predictions(const XgResult *result, const XgRunResult *run);

/** Runs of one seed and repeat as one set, clustered by patient, or by image where patients are
 *  not known. Borrows the texts of the result. */
typedef struct {
    XgSample sample;
    GPtrArray *paths;  /**< of GPtrArray of const char *, per set: the images in their order */
    gboolean patients; /**< clusters are patients */
    guint images;      /**< different ones */
} XgResultSample;

/** Sets are in the order of seed and repeat, the images of a set by path: results of the same
 *  images have equal samples. */
XgResultSample *xg_result_sample(const XgResult *result);
void xg_result_sample_free(XgResultSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgResult, xg_result_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgResultSample, xg_result_sample_free)

G_END_DECLS

#endif
