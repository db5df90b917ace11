/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Histograms of oriented gradients (Dalal and Triggs 2005): central differences, of the channel
 * where they are largest; unsigned orientations, each pixel votes with its magnitude for one bin;
 * cells x cells cells; overlapping blocks of block x block cells, normalised by their length, cut
 * at 0.2 and normalised again (L2-Hys). Pixels that fill no cell are left out. Order: block row,
 * block column, cell row, cell column, orientation. Not differentiable. */
#include "graph/op.h"

#include <math.h>
#include <string.h>

#define CUT 0.2
#define EPSILON 1e-5

static const XgOpAttr attrs[] = {{"orientations", XG_ATTR_INT, FALSE, 9, 0.0, NULL},
                                 {"cells", XG_ATTR_INT, FALSE, 8, 0.0, NULL},
                                 {"block", XG_ATTR_INT, FALSE, 2, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

typedef struct {
    gint64 height, width, channels, cells, block, orientations;
    gint64 cell_height, cell_width;
    gint64 blocks; /* a side */
} Hog;

static Hog hog_of(const gint64 *dims, gint64 cells, gint64 block, gint64 orientations)
{
    return (Hog){dims[1],         dims[2],         dims[3],          cells, block, orientations,
                 dims[1] / cells, dims[2] / cells, cells - block + 1};
}

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[0]->shape;
    const gint64 cells = xg_node_int(node, "cells"), block = xg_node_int(node, "block");
    const gint64 orientations = xg_node_int(node, "orientations");
    g_autofree char *found = xg_shape_text(x);
    if (x->rank != 4)
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", found);
    if (orientations < 2 || orientations > 180)
        return xg_error_set(error, XG_INVALID,
                            "orientations: expected 2..180, found %" G_GINT64_FORMAT, orientations);
    if (block < 1 || cells < block || cells > MIN(x->dims[1], x->dims[2]))
        return xg_error_set(error, XG_SHAPE,
                            "blocks of %" G_GINT64_FORMAT " cells of %" G_GINT64_FORMAT
                            " a side do not fit into %s",
                            block, cells, found);
    const Hog h = hog_of(x->dims, cells, block, orientations);
    infer->outputs[0] =
        (XgShape){2, {x->dims[0], h.blocks * h.blocks * block * block * orientations}};
    infer->output_count = 1;
    return TRUE;
}

/* The channel's differences across the pixel; none at the image's edges. */
static void difference(const Hog *h, const float *image, gint64 y, gint64 x, gint64 c, double *down,
                       double *right)
{
    const float *at = image + (y * h->width + x) * h->channels + c;
    const gint64 row = h->width * h->channels;
    *down = y > 0 && y + 1 < h->height ? (double) at[row] - (double) at[-row] : 0.0;
    *right = x > 0 && x + 1 < h->width ? (double) at[h->channels] - (double) at[-h->channels] : 0.0;
}

static void vote(const Hog *h, const float *image, gint64 y, gint64 x, double *votes)
{
    double down = 0.0, right = 0.0, magnitude = -1.0;
    for (gint64 c = 0; c < h->channels; c++) {
        double d, r;
        difference(h, image, y, x, c, &d, &r);
        if (hypot(d, r) > magnitude) {
            magnitude = hypot(d, r);
            down = d;
            right = r;
        }
    }
    double degrees = fmod(atan2(down, right) * 180.0 / G_PI, 180.0);
    if (degrees < 0.0)
        degrees += 180.0;
    const gint64 bin = (gint64) (degrees * (double) h->orientations / 180.0);
    votes[MIN(bin, h->orientations - 1)] += magnitude;
}

static double *cell_votes(const Hog *h, const float *image)
{
    const gint64 count = h->cells * h->cells * h->orientations;
    double *votes = g_new0(double, (gsize) count);
    for (gint64 y = 0; y < h->cells * h->cell_height; y++)
        for (gint64 x = 0; x < h->cells * h->cell_width; x++)
            vote(h, image, y, x,
                 votes + (y / h->cell_height * h->cells + x / h->cell_width) * h->orientations);
    for (gint64 i = 0; i < count; i++)
        votes[i] /= (double) (h->cell_height * h->cell_width);
    return votes;
}

static double length_of(const double *values, gint64 count)
{
    double squares = 0.0;
    for (gint64 i = 0; i < count; i++)
        squares += values[i] * values[i];
    return sqrt(squares + EPSILON * EPSILON);
}

static void normalise(double *values, gint64 count, float *result)
{
    const double first = length_of(values, count);
    for (gint64 i = 0; i < count; i++)
        values[i] = MIN(values[i] / first, CUT);
    const double second = length_of(values, count);
    for (gint64 i = 0; i < count; i++)
        result[i] = (float) (values[i] / second);
}

static void describe(const Hog *h, const float *image, float *result)
{
    const gint64 row = h->block * h->orientations, size = h->block * row;
    g_autofree double *votes = cell_votes(h, image);
    g_autofree double *values = g_new(double, (gsize) size);
    for (gint64 y = 0; y < h->blocks; y++)
        for (gint64 x = 0; x < h->blocks; x++) {
            for (gint64 i = 0; i < h->block; i++)
                memcpy(values + i * row, votes + ((y + i) * h->cells + x) * h->orientations,
                       sizeof *values * (gsize) row);
            normalise(values, size, result);
            result += size;
        }
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const Hog h = hog_of(info->inputs[0]->dims, xg_info_int(info, "cells"),
                         xg_info_int(info, "block"), xg_info_int(info, "orientations"));
    const gint64 image = h.height * h.width * h.channels;
    const gint64 result = h.blocks * h.blocks * h.block * h.block * h.orientations;
    for (gint64 n = 0; n < run->batch; n++)
        describe(&h, run->inputs[0] + n * image, run->outputs[0] + n * result);
}

const XgOp xg_op_hog = {.id = "hog/1",
                        .min_data_inputs = 1,
                        .max_data_inputs = 1,
                        .attributes = attrs,
                        .infer = infer,
                        .reference = reference};
