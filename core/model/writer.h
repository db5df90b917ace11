/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file writer.h
 * Writes safetensors files (https://github.com/huggingface/safetensors#format): models and
 * checkpoints. They are read by the weights plugin. All: [main].
 */
#ifndef XG_MODEL_WRITER_H
#define XG_MODEL_WRITER_H

#include "model/store.h"

G_BEGIN_DECLS

typedef struct XgTensorWriter XgTensorWriter;

XgTensorWriter *xg_tensor_writer_new(void);
void xg_tensor_writer_free(XgTensorWriter *writer);

/** Adds a text to the file's metadata; a key given again replaces the older text. */
void xg_tensor_writer_metadata(XgTensorWriter *writer, const char *key, const char *value);

/** Adds a tensor of `rank` 0..8, row-major, dtype XG_DTYPE_F32, F64 or I64. `data` must stay until
 *  the file is saved. */
void xg_tensor_writer_add(XgTensorWriter *writer, const char *name, int dtype, int rank,
                          const gint64 *dims, const void *data);

/** Adds one or every tensor of a store, in network order, as F32 in published shape and order;
 *  it must stay until the file is saved. PyTorch's load_state_dict() takes the result with
 *  strict=True: num_batches_tracked may be missing. */
void xg_tensor_writer_add_stored(XgTensorWriter *writer, const XgStored *stored);
void xg_tensor_writer_add_store(XgTensorWriter *writer, const XgStore *store);

/** Writes the whole file or leaves nothing. Tensors of eight bytes an element come first, so that
 *  all are aligned; otherwise the order is that of adding. Errors: XG_IO; XG_INVALID when a name
 *  occurs twice or a text is not UTF-8. */
gboolean xg_tensor_writer_save(XgTensorWriter *writer, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgTensorWriter, xg_tensor_writer_free)

G_END_DECLS

#endif
