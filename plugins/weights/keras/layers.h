/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file layers.h
 * The weights in a Keras file: where they lie, what they are called here and how their values are
 * turned. All: [main].
 */
#ifndef XG_KERAS_LAYERS_H
#define XG_KERAS_LAYERS_H

#include "h5.h"

/** What a stored tensor is. */
typedef enum Part {
    PART_OTHER,     /**< taken as it is */
    PART_KERNEL,    /**< [h,w,I,O] or [I,O]; ours [O,I,h,w], [O,I] */
    PART_DEPTHWISE, /**< [h,w,C,M]; ours [C*M,1,h,w] */
    PART_POINTWISE  /**< a PART_KERNEL after a depthwise one */
} Part;

typedef struct Tensor {
    char *layer;
    char *name;       /**< ours; set by layers_name() */
    char *path;       /**< of the dataset in the file */
    const char *word; /**< "bias"; static, or the end of `spare` */
    char *spare;
    Part part;
    Facts facts;  /**< as stored */
    int32_t rank; /**< ours */
    int64_t dims[H5_RANK];
} Tensor;

typedef struct Layers {
    Tensor *tensors; /**< in the order of the layers */
    uint64_t count;
    uint64_t room;
} Layers;

/** Reads what an open file says of its weights. 0 on failure; `layers` is then to be cleared. */
int layers_read(hid_t file, Layers *layers, Problem *p);
void layers_clear(Layers *layers);

/** Values of a tensor in our layout; `values` has room for facts.count of them. 0 on failure. */
int layers_values(hid_t file, const Tensor *tensor, float *values, Problem *p);

/* What the following files share. */

/** Adds the dataset at `path`, whose layer is called `layer` and which is called `word` there.
 *  0 on failure. */
int layers_add(Layers *layers, hid_t file, const char *path, const char *layer, const char *word,
               Problem *p);
/** The same for names such as "conv1/conv1/kernel:0" that Keras 1 and 2 give the weights of
 *  `layer`. */
int layers_add_named(Layers *layers, hid_t file, const char *path, const char *layer,
                     const char *weight, Problem *p);
/** Sets all names, counting automatic layer names anew; refuses names that occur twice. */
int layers_name(Layers *layers, Problem *p);

#endif
