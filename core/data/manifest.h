/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file manifest.h  The images of a study: paths, labels, patients. */
#ifndef XG_DATA_MANIFEST_H
#define XG_DATA_MANIFEST_H

#include "base/part.h"

G_BEGIN_DECLS

/** One image. */
typedef struct {
    char *path;    /**< absolute */
    char *name;    /**< as the manifest writes it, or relative to the folder; for reports */
    char *patient; /**< NULL: not known */
    char *sha256;  /**< of the file's content; NULL until xg_dataset_check() read it */
    guint label;   /**< index into class_names */
    gint part;     /**< XG_PART_... that the manifest gives */
    guint line;    /**< of the manifest; 0 for a folder */
} XgItem;

typedef struct {
    char *source;       /**< folder or manifest, as given */
    GPtrArray *items;   /**< of XgItem; a folder's are sorted bytewise by name */
    char **class_names; /**< sorted bytewise, ends with NULL */
    guint class_count;
    gboolean has_patients; /**< every item has one; else none has */
    gboolean has_parts;    /**< every item has one; else some or all have none */
} XgDataset;

/**
 * Images of a folder: each sub-folder is a class, its files (at any depth) are the images. Hidden
 * files and folders, and files outside a sub-folder, do not count. `patient`: NULL, "" or "none";
 * else a regular expression (PCRE) on the name whose first group is the patient; one that does
 * not match an image is an error. Errors: XG_IO unreadable folder; XG_FORMAT no class, a single
 * class, an empty class, a name that is not UTF-8; XG_INVALID a bad pattern; XG_LIMIT. [main]
 */
XgDataset *xg_dataset_open_folder(const char *folder, const char *patient, GError **error);

/**
 * Images of a CSV file (xg_csv_parse()) whose header line has the columns path and label, and if
 * there patient and split (train, validation or val, test); others do not count. Relative paths
 * start at the manifest's folder. `patient`: NULL or "" for the column patient if there is one;
 * "none"; the name of a column; or a regular expression on the path as above. Files are not
 * touched. Errors: `FILE:LINE: column "X": expected ..., found ...`. [main]
 */
XgDataset *xg_dataset_open_manifest(const char *path, const char *patient, GError **error);

void xg_dataset_free(XgDataset *dataset);

/** Item `index`, owned by the data set. [any] */
const XgItem *xg_dataset_item(const XgDataset *dataset, guint index);

/** Images per class, `class_count` numbers. Free with g_free(). [any] */
guint *xg_dataset_class_sizes(const XgDataset *dataset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgDataset, xg_dataset_free)

G_END_DECLS

#endif
