/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pictures.h  Decoded pictures of a data set, kept in a cache file for images that are new
 * in every epoch. */
#ifndef XG_SESSION_PICTURES_H
#define XG_SESSION_PICTURES_H

#include "data/loader.h"

G_BEGIN_DECLS

typedef struct {
    const char *folder;        /**< of cache files */
    guint64 folder_limit;      /**< bytes; 0: see xg_row_folder_limit() */
    guint64 limit;             /**< bytes of pictures, at most half of the folder's limit */
    const char *decoding;      /**< text that names all that decoding depends on but the file */
    const char *const *hashes; /**< by item: SHA-256 of the file, 64 hexadecimal digits */
    guint count;
} XgPicturesSpec;

typedef struct XgPictures XgPictures;

/** The pictures of the items, and no others, share a file. All that `spec` points to, but for
 *  folder and decoding, must outlive them. Nothing is opened yet. [main] */
XgPictures *xg_pictures_new(const XgPicturesSpec *spec);
void xg_pictures_free(XgPictures *pictures);

/** What a loader asks. A picture that does not fit the limits is not kept, nor is any after one
 *  that could not be written; a damaged one is decoded again. The file is opened or made by the
 *  first call. [main] */
XgKeptPictures xg_pictures_kept(XgPictures *pictures);

/** What happened to the cache since the last call, a line that ends with a line break for each
 *  thing; NULL: nothing that need be said. Free with g_free(). [main] */
char *xg_pictures_take_news(XgPictures *pictures);

/** "437 decoded, 1311 read from FILE" so far; NULL: not used. Free with g_free(). [main] */
char *xg_pictures_describe(const XgPictures *pictures);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgPictures, xg_pictures_free)

G_END_DECLS

#endif
