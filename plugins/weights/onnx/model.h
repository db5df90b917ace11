/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file model.h
 * The initialisers of an ONNX model (https://onnx.ai/onnx/repo-docs/IR.html). Matrices that MatMul
 * and Gemm take as [in, out] become [out, in].
 */
#ifndef XG_ONNX_MODEL_H
#define XG_ONNX_MODEL_H

#include "tensors.h"

/** A file beside the model with numbers of its initialisers. */
typedef struct Beside {
    char *location; /**< as the model calls it */
    Slice bytes;
} Beside;

/** What a model holds; the tensors' numbers stay in the files. */
typedef struct Model {
    void *facts; /**< unpacked: what model_metadata() looks into */
    Tensors tensors;
    Beside *beside;
    uint64_t beside_count;
} Model;

/** Finds the tensors of a whole file, which must stay mapped. Files beside it are looked for in
 *  `folder`, NULL to refuse them. On failure clear `model` too. */
int model_read(Slice file, const char *folder, Model *model, Problem *p);
/** "producer_name", "producer_version" or a key of the model's metadata; NULL for others. */
const char *model_metadata(const Model *model, const char *key);
void model_clear(Model *model);

/** The part of a file beside the model, to its end for a `length` of -1. `location` must stay
 * inside `folder` without links. */
int beside_part(Model *model, const char *folder, const char *location, int64_t offset,
                int64_t length, Slice *part, Problem *p);
void beside_clear(Model *model);

#endif
