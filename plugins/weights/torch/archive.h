/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file archive.h
 * The zip archive that torch.save() writes since PyTorch 1.6: FOLDER/data.pkl, FOLDER/data/KEY of
 * each storage, FOLDER/byteorder. Entries are stored, so that they can be read where they lie in
 * the mapped file; compressed ones, which other programs make, are unpacked. All: [any].
 */
#ifndef XG_TORCH_ARCHIVE_H
#define XG_TORCH_ARCHIVE_H

#include "values.h"

typedef struct Archive Archive;

/** Bytes of a storage: in the file, or in a compressed entry of the archive. */
typedef struct Place {
    Slice bytes;    /**< `bytes` is NULL when compressed; `size` is that when unpacked */
    uint64_t entry; /**< number of the compressed entry */
} Place;

/** Opens the archive in `file`, which stays valid meanwhile; NULL on failure. Archives of
 *  TorchScript are refused. */
Archive *archive_open(Slice file, Problem *p);
void archive_close(Archive *archive);

/** The pickle, which lives as long as the archive. 0 on failure. */
int archive_pickle(Archive *archive, Slice *pickle, Problem *p);
/** 1 when its numbers are stored with the highest byte first. */
int archive_is_big_endian(const Archive *archive);
/** Where the storage `key` of `size` bytes lies. 0 on failure. */
int archive_find(Archive *archive, Slice key, uint64_t size, Place *place, Problem *p);
/** Unpacks a compressed entry; NULL on failure. free() it. */
uint8_t *archive_unpack(Archive *archive, const Place *place, Problem *p);

#endif
