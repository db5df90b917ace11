/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file grid.h  The cells of a comparison. All: [main]. */
#ifndef XG_SESSION_GRID_H
#define XG_SESSION_GRID_H

#include "session/study_private.h"

G_BEGIN_DECLS

/** A backbone or a strategy with settings of its own. */
typedef struct {
    char *text; /**< as it was given, "partial:unfreeze=2" */
    char *id;
    char **settings; /**< "key=value", NULL-terminated */
    const XgEntry *entry;
} XgGridItem;

/** One study of the grid. */
typedef struct {
    const XgGridItem *backbone, *strategy;
    char *name;    /**< of its folder */
    char *text;    /**< its study file */
    char *folder;  /**< of its result */
    char *file;    /**< where the study file is written */
    char *log;     /**< what its process says */
    char *failure; /**< NULL: not run yet, or done */
    GPid process;  /**< 0: none */
} XgGridCell;

typedef struct {
    GPtrArray *backbones, *strategies; /**< of XgGridItem */
    GPtrArray *cells;                  /**< of XgGridCell, strategies within backbones */
    char *output;
    char *study; /**< name of the study */
    char *study_file;
    guint64 seed;
} XgGridPlan;

/** Every cell as a validated study; nothing is run or written. Errors: XG_INVALID, all that is
 *  wrong with the settings of a cell. */
XgGridPlan *xg_grid_plan(XgSession *session, const XgGrid *grid, GError **error);
void xg_grid_plan_free(XgGridPlan *plan);

/** Runs the cells that have no result, `jobs` at a time, each as a process. Errors: XG_CANCELLED,
 *  after all processes have ended; XG_IO. */
gboolean xg_grid_run(XgSession *session, XgGridPlan *plan, const XgGrid *grid, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgGridPlan, xg_grid_plan_free)

G_END_DECLS

#endif
