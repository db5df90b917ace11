/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file keras.h
 * For backbones that build the network of keras.applications too: a parameter `published`, images
 * prepared as there, TensorFlow's padding.
 *
 * A backbone with the parameter has an array of two instances as its `data`: the usual one, then
 * Keras'. XG_PUBLISHED_CREATE defines the `create` that chooses. The usual one's rules for Keras'
 * names end with XG_KERAS_REFUSED, so that Keras' files are not loaded into it.
 */
#ifndef XENOGRAFT_DRAFT_KERAS_H
#define XENOGRAFT_DRAFT_KERAS_H

#include <string.h>
#include <xenograft/backbone.h>
#include <xenograft/draft/names.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The parameter `published`; `library` is the default. */
#define XG_PUBLISHED_PARAM(library)                                                                \
    {                                                                                              \
        "published", XG_PARAM_ENUM, 0, library, NULL, NULL, NULL, library "|keras",                \
            "Whose published network to build: keras.applications differs in details that its "    \
            "weights need."                                                                        \
    }

/** Ends the rules for Keras' names in an instance that is not Keras' network. */
#define XG_KERAS_REFUSED                                                                           \
    {                                                                                              \
        NULL, "set published = keras", 0, 0, 0                                                     \
    }

/** The families of keras.applications, images of `size_px` without a crop. Caffe: BGR of 0..255
 *  without the mean; TensorFlow: -1..1; Torch: torchvision's numbers. */
#define XG_FAMILY_KERAS_CAFFE(size_px)                                                             \
    {                                                                                              \
        "keras", "keras.applications, ImageNet-1k (Caffe's preparation)", XG_BILINEAR, XG_BGR,     \
            size_px, 255.0, {103.939, 116.779, 123.68}, {1.0, 1.0, 1.0}                            \
    }
#define XG_FAMILY_KERAS_TF(size_px)                                                                \
    {                                                                                              \
        "keras", "keras.applications, ImageNet-1k (-1 to 1)", XG_BILINEAR, XG_RGB, size_px, 1.0,   \
            {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}                                                       \
    }
#define XG_FAMILY_KERAS_TORCH(size_px)                                                             \
    {                                                                                              \
        "keras", "keras.applications, ImageNet-1k (PyTorch's preparation)", XG_BILINEAR, XG_RGB,   \
            size_px, 1.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}                             \
    }

/** Whether an instance is to be Keras' network. */
XG_UNUSED static inline int32_t xg_published_keras(const XgHost *host)
{
    return strcmp(xg_param_string(host, "published"), "keras") == 0;
}

/** Defines create() for a component whose `data` is a `const Type[2]`. */
#define XG_PUBLISHED_CREATE(Type)                                                                  \
    static XgStatus create(const XgHost *host, const XgComponent *component, void **self)          \
    {                                                                                              \
        *self = (void *) ((const Type *) component->data + xg_published_keras(host));              \
        return XG_OK;                                                                              \
    }

/** Zeros that padding "same" of TensorFlow puts before (`end` 0) or behind (1) `extent` pixels: what
 *  the windows lack, the odd one behind. */
XG_UNUSED static inline int64_t xg_same_pad(int64_t extent, int64_t kernel, int64_t stride,
                                            int32_t end)
{
    const int64_t lacking = ((extent + stride - 1) / stride - 1) * stride + kernel - extent;
    return lacking <= 0 ? 0 : end ? lacking - lacking / 2 : lacking / 2;
}

#ifdef __cplusplus
}
#endif

#endif
