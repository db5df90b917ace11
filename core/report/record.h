/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file record.h
 * Everything that a run knows of itself, filled by the session and written by report.h. The
 * record owns all that it points to; xg_record_ functions copy their arguments. An int64 of -1
 * and a NULL string mean "not known". All: [main].
 */
#ifndef XG_REPORT_RECORD_H
#define XG_REPORT_RECORD_H

#include "base/part.h"
#include "eval/statistics.h"

G_BEGIN_DECLS

/** A component that took part. */
typedef struct {
    char *role; /**< "backbone", "strategy", "engine", "weights", "reader" */
    char *id;
    char *version;
    char *file;     /**< the module's file; NULL: built in */
    char *licence;  /**< SPDX expression */
    char *citation; /**< NULL: none */
} XgRecordComponent;

/** A named text: of the environment, or a note. */
typedef struct {
    char *name;
    char *text;
} XgRecordPair;

/** An effective setting of the study. */
typedef struct {
    char *section;
    char *key;
    char *value;
    gboolean set; /**< given by the study; FALSE: default */
} XgRecordSetting;

/** Seconds that an activity took. */
typedef struct {
    char *name;
    double seconds;
} XgRecordTiming;

typedef struct {
    char *name;
    char *blocks;                          /**< what is trained: "layer4, head" */
    gint64 trained_elements, all_elements; /**< parameters */
    gint64 trained_layers, all_layers;
} XgRecordPhase;

/** One epoch. Undefined scores are NAN. */
typedef struct {
    char *phase;
    gint64 epoch; /**< from 1, per phase */
    double learning_rate;
    double train_loss;
    double validation_loss;
    double validation_accuracy;
    double validation_balanced_accuracy;
    double validation_auc;
    gboolean best; /**< the best of its phase up to then */
} XgRecordEpoch;

/** One part of the data: its images, and their predictions and scores where there are any. */
typedef struct {
    gsize count;          /**< images */
    gint64 patients;      /**< -1: not known */
    char **paths;         /**< count, as the manifest names them */
    char **patient_names; /**< count; NULL: not known */
    int *labels;          /**< count */
    float *probabilities; /**< count x classes; NULL: not predicted */
    XgMetrics *metrics;   /**< NULL: not evaluated */
    XgMetrics *baseline;  /**< of the training part's majority class; NULL: not evaluated */
    guint clusters;       /**< patients, or images, that intervals are by; 0: no intervals */
    XgInterval intervals[XG_SCORES];
} XgRecordPart;

typedef struct {
    char *program_version; /**< "0.1.0" */
    char *study_name;
    char *study_file;
    char *started;  /**< ISO 8601 */
    char *modality; /**< "" or NULL: not given */
    char *subject;
    char *transfer_type; /**< the strategy's id */
    char *hardware;      /**< processor's model and threads used, for the table of studies */
    gint64 threads;
    guint64 seed;
    char **class_names; /**< ends with NULL */
    gsize classes;
    gsize positive;
    gsize majority; /**< most frequent class in training */
    XgRecordPart parts[XG_PARTS];
    GPtrArray *components;     /**< of XgRecordComponent */
    GPtrArray *environment;    /**< of XgRecordPair */
    GPtrArray *notes;          /**< of XgRecordPair: what a reader of the result must know */
    GPtrArray *settings;       /**< of XgRecordSetting */
    GPtrArray *timings;        /**< of XgRecordTiming */
    GPtrArray *phases;         /**< of XgRecordPhase */
    GPtrArray *history;        /**< of XgRecordEpoch */
    GPtrArray *plan;           /**< of char *, lines of the plan's description */
    gint64 parameters;         /**< of the final network */
    gint64 feature_parameters; /**< without the head */
    char *best_phase;          /**< of the kept weights; NULL: not selected by epoch */
    gint64 best_epoch;
    gint64 arena_bytes;       /**< largest program */
    gint64 peak_memory_bytes; /**< of the process */
    char *frozen_hash_before; /**< SHA-256 of the frozen tensors */
    char *frozen_hash_after;
} XgRecord;

/** A record without contents. `class_names` ends with NULL, at least two. */
XgRecord *xg_record_new(const char *const *class_names, gsize positive);
void xg_record_free(XgRecord *record);

/** Replaces a string member: xg_record_set(&record->study_name, "x"). */
void xg_record_set(char **member, const char *text);

void xg_record_add_component(XgRecord *record, const char *role, const char *id,
                             const char *version, const char *file, const char *licence,
                             const char *citation);
void xg_record_add_environment(XgRecord *record, const char *name, const char *text);
/** `name` is a short identifier ("patients", "duplicates", "majority"); `text` one line. */
void xg_record_add_note(XgRecord *record, const char *name, const char *text);
void xg_record_add_setting(XgRecord *record, const char *section, const char *key,
                           const char *value, gboolean set);
void xg_record_add_timing(XgRecord *record, const char *name, double seconds);
void xg_record_add_phase(XgRecord *record, const char *name, const char *blocks,
                         gint64 trained_elements, gint64 all_elements, gint64 trained_layers,
                         gint64 all_layers);
/** Copies the row and its phase name. */
void xg_record_add_epoch(XgRecord *record, const XgRecordEpoch *epoch);
/** Splits a description at its newlines. */
void xg_record_set_plan(XgRecord *record, const char *description);

/**
 * Fills a part. `paths` count; `patients` count or NULL; `probabilities` count x classes, or NULL
 * when the part is not evaluated. Where they are given the metrics, the baseline and a note for a
 * classifier of one class only are made too, and of other parts than training the intervals, by
 * the record's seed; training must be filled first, its labels give the majority class. Errors:
 * those of xg_metrics_new() and xg_bootstrap().
 */
gboolean xg_record_set_part(XgRecord *record, XgPart part, gsize count, const char *const *paths,
                            const char *const *patients, const int *labels,
                            const float *probabilities, GError **error);

/** Samples of a class in a part. */
gint64 xg_record_class_count(const XgRecord *record, XgPart part, gsize class_index);

/** The predictions of a part, borrowed; `probabilities` must not be NULL. */
XgPredictionSet xg_record_predictions(const XgRecord *record, XgPart part);

/** Trained layers / all layers of the phase that trains most; NAN without phases. */
double xg_record_fine_tuning_ratio(const XgRecord *record);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRecord, xg_record_free)

G_END_DECLS

#endif
