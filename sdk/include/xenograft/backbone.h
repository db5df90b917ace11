/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file backbone.h
 * Kind `xenograft.backbone/1`: a network as a description. The host owns gradients, freezing,
 * memory, fusion and engines.
 */
#ifndef XENOGRAFT_BACKBONE_H
#define XENOGRAFT_BACKBONE_H

#include <xenograft/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_BACKBONE_KIND "xenograft.backbone/1"

enum { XG_BILINEAR = 1, XG_BICUBIC = 2 };
enum { XG_RGB = 1, XG_BGR = 2 };

/** Input sizes that a network can be built for. IMMUTABLE. */
typedef struct XgInputSize {
    int64_t channels; /**< of published weights: 3, or 1 */
    int64_t size_px;  /**< default height and width */
    int64_t min_px;   /**< smallest allowed; == max_px: only the default */
    int64_t max_px;   /**< largest allowed */
    int64_t step_px;  /**< allowed sizes are min_px + k * step_px */
} XgInputSize;

/**
 * How images must be prepared for one family of published weights. IMMUTABLE; an array of these
 * ends with a NULL id; the first one is the default. A pixel in 0..1 becomes
 * (pixel * scale - mean) / std per channel, in the stored channel order.
 */
typedef struct XgWeightsFamily {
    const char *id;         /**< "torchvision" */
    const char *doc;        /**< where the files come from; licence of the weights */
    int32_t interpolation;  /**< XG_BILINEAR or XG_BICUBIC, antialiased */
    int32_t channel_order;  /**< XG_RGB or XG_BGR */
    int64_t resize_px;      /**< the shorter side, for an input of size_px; scaled for others */
    double scale;           /**< 1, or 255 */
    double mean[3];
    double std[3];
} XgWeightsFamily;

/** The normalisation of torchvision's ImageNet weights, 224 px from 256. */
#define XG_FAMILY_TORCHVISION                                                                     \
    {                                                                                             \
        "torchvision", "torchvision ImageNet-1k weights (BSD-3-Clause)", XG_BILINEAR, XG_RGB,     \
            256, 1.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}                                \
    }

/** The table of a backbone. IMMUTABLE. */
typedef struct XgBackbone {
    /** Describes the network [main]. Tags at least "logits", "features" and one block. Errors of
     *  graph calls need no check; XG_OK after them is fine. */
    XgStatus (*build)(void *self, XgGraph *graph);
    /** Input sizes of this instance, static or owned by it [any]. */
    const XgInputSize *(*input_size)(void *self);
    /** Weights families of this instance, static or owned by it [any]. */
    const XgWeightsFamily *(*families)(void *self);
} XgBackbone;

#ifdef __cplusplus
}
#endif

#endif
