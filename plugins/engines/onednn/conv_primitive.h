/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file conv_primitive.h  Convolutions of oneDNN on NHWC maps, in all directions. */
#ifndef XG_DN_CONV_PRIMITIVE_H
#define XG_DN_CONV_PRIMITIVE_H

#include "conv.h"
#include "onednn.h"

typedef enum { FORWARD, GRAD_INPUT, GRAD_WEIGHT } Direction;

/** A convolution of some images, or of some output rows of one image. */
typedef struct {
    Direction direction;
    const Shape *shape;
    int64_t images;
    int64_t first, last;               /**< output rows; all of them unless images is 1 */
    dnnl_data_type_t type;             /**< of source and weights; the rest is float32 */
    int bias, residual;                /**< FORWARD: the result holds the residual before */
    const char *activation;            /**< FORWARD; NULL: none */
    const dnnl_memory_desc_t *weights; /**< NULL: as oneDNN likes them best */
} ConvWant;

/** The input rows that output rows [first, last) read: [*begin, *end). */
void conv_rows(const Shape *shape, int64_t first, int64_t last, int64_t *begin, int64_t *end);

/** Whether every output pixel's window touches the map: oneDNN 2.6 forgets the residual of one that
 *  lies in the padding altogether. */
int conv_is_sound(const Shape *shape);

/** Weights as they are published and stored: [groups][out][height][width][in]. */
dnnl_status_t conv_weights_desc(const Shape *shape, dnnl_memory_desc_t *desc);

/** Fails with dnnl_unimplemented where oneDNN has no code for it. */
dnnl_status_t conv_primitive(const OneDnn *onednn, const ConvWant *want, Primitive *primitive);

#endif
