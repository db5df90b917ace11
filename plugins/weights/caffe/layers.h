/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file layers.h
 * The layers of a .caffemodel, a NetParameter of Caffe (https://github.com/BVLC/caffe,
 * src/caffe/proto/caffe.proto) with layers of any of its three generations.
 */
#ifndef XG_CAFFE_LAYERS_H
#define XG_CAFFE_LAYERS_H

#include "tensors.h"

/** What a file holds; the tensors' numbers stay in the file. */
typedef struct Network {
    char *name; /**< the network's, or NULL */
    Tensors tensors;
} Network;

/** Finds the tensors of a whole file, which must stay mapped. On failure clear `network` too. */
int network_read(Slice file, Network *network, Problem *p);
void network_clear(Network *network);

#endif
