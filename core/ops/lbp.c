/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Histograms of uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002) in cells x
 * cells parts of the image, each divided by its sum. A pattern compares `points` places on a circle
 * of `radius` px with its centre, from the right counter-clockwise; places between pixels are
 * interpolated; centres whose circle leaves the image are left out. Not differentiable.
 *
 * Bins of P points: rotation_invariant 1: the number of ones of a uniform pattern, 0..P, and P + 1
 * for all others. 0: 0 no ones; 1 + (n - 1) P + the place of the first of n ones; P (P - 1) + 1 all
 * ones; P (P - 1) + 2 the patterns that are not uniform. */
#include "graph/op.h"

#include <math.h>
#include <string.h>

#define MAX_POINTS 32

static const XgOpAttr attrs[] = {{"points", XG_ATTR_INT, FALSE, 8, 0.0, NULL},
                                 {"radius", XG_ATTR_FLOAT, FALSE, 0, 1.0, NULL},
                                 {"cells", XG_ATTR_INT, FALSE, 1, 0.0, NULL},
                                 {"rotation_invariant", XG_ATTR_INT, FALSE, 1, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

/* A place on the circle: the pixel above and left of it and the weights of the four around. */
typedef struct {
    gint64 row, column;
    double weights[4];
} Place;

typedef struct {
    gint64 height, width, channels, cells, margin;
    int points, bins;
    gboolean rotation_invariant;
    Place places[MAX_POINTS];
} Pattern;

static gint64 bin_count(gint64 points, gboolean rotation_invariant)
{
    return rotation_invariant ? points + 2 : points * (points - 1) + 3;
}

static gint64 circle_margin(double radius)
{
    return (gint64) ceil(radius);
}

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[0]->shape;
    const gint64 points = xg_node_int(node, "points"), cells = xg_node_int(node, "cells");
    const double radius = xg_node_float(node, "radius");
    g_autofree char *found = xg_shape_text(x);
    if (x->rank != 4)
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", found);
    if (points < 4 || points > MAX_POINTS)
        return xg_error_set(error, XG_INVALID, "points: expected 4..%d, found %" G_GINT64_FORMAT,
                            MAX_POINTS, points);
    if (!(radius >= 1.0 && radius <= 64.0))
        return xg_error_set(error, XG_INVALID, "radius: expected 1..64 px, found %g", radius);
    const gint64 inside = MIN(x->dims[1], x->dims[2]) - 2 * circle_margin(radius);
    if (cells < 1 || cells > inside)
        return xg_error_set(error, XG_SHAPE,
                            "cells: %" G_GINT64_FORMAT " a side do not fit into %s with circles of "
                            "%g px",
                            cells, found, radius);
    infer->outputs[0] =
        (XgShape){2,
                  {x->dims[0], cells * cells * x->dims[3] *
                                   bin_count(points, xg_node_int(node, "rotation_invariant"))}};
    infer->output_count = 1;
    return TRUE;
}

static Place place_of(const Pattern *p, double radius, int point)
{
    const double angle = 2.0 * G_PI * point / p->points;
    /* Places that are pixels but for rounding become pixels. */
    const double y = round(-radius * sin(angle) * 1e5) / 1e5;
    const double x = round(radius * cos(angle) * 1e5) / 1e5;
    const double dy = y - floor(y), dx = x - floor(x);
    return (Place){(gint64) floor(y),
                   (gint64) floor(x),
                   {(1.0 - dy) * (1.0 - dx), (1.0 - dy) * dx, dy * (1.0 - dx), dy * dx}};
}

static Pattern pattern_of(const XgNodeInfo *info)
{
    const XgTensor *x = info->inputs[0];
    const double radius = xg_info_float(info, "radius");
    Pattern p = {.height = x->dims[1],
                 .width = x->dims[2],
                 .channels = x->dims[3],
                 .cells = xg_info_int(info, "cells"),
                 .margin = circle_margin(radius),
                 .points = (int) xg_info_int(info, "points"),
                 .rotation_invariant = xg_info_int(info, "rotation_invariant") != 0};
    p.bins = (int) bin_count(p.points, p.rotation_invariant);
    for (int i = 0; i < p.points; i++)
        p.places[i] = place_of(&p, radius, i);
    return p;
}

/* The place less the centre: exactly zero where the image is flat. Weightless pixels may lie
 * outside the image and are not read. */
static double difference(const Pattern *p, const Place *place, const float *centre)
{
    double sum = 0.0;
    for (int i = 0; i < 4; i++)
        if (place->weights[i] > 0.0) {
            const gint64 offset =
                ((place->row + i / 2) * p->width + place->column + i % 2) * p->channels;
            sum += place->weights[i] * ((double) centre[offset] - (double) *centre);
        }
    return sum;
}

static int bin_of(const Pattern *p, const float *centre)
{
    gboolean ones[MAX_POINTS];
    int count = 0, changes = 0, first = 0;
    for (int i = 0; i < p->points; i++)
        count += ones[i] = difference(p, &p->places[i], centre) >= 0.0;
    for (int i = 0; i < p->points; i++) {
        const gboolean before = ones[(i + p->points - 1) % p->points];
        changes += ones[i] != before;
        if (ones[i] && !before)
            first = i;
    }
    if (changes > 2)
        return p->bins - 1;
    if (p->rotation_invariant || count == 0)
        return count;
    return count == p->points ? p->bins - 2 : 1 + (count - 1) * p->points + first;
}

static void describe(const Pattern *p, const float *image, gint64 channel, float *histograms)
{
    const gint64 rows = p->height - 2 * p->margin, columns = p->width - 2 * p->margin;
    for (gint64 y = 0; y < rows; y++)
        for (gint64 x = 0; x < columns; x++) {
            const gint64 cell = y * p->cells / rows * p->cells + x * p->cells / columns;
            const float *centre =
                image + ((y + p->margin) * p->width + x + p->margin) * p->channels + channel;
            histograms[cell * p->bins + bin_of(p, centre)] += 1.0f;
        }
    for (gint64 cell = 0; cell < p->cells * p->cells; cell++) {
        float *histogram = histograms + cell * p->bins;
        double sum = 0.0;
        for (int i = 0; i < p->bins; i++)
            sum += (double) histogram[i];
        for (int i = 0; i < p->bins; i++)
            histogram[i] = (float) ((double) histogram[i] / sum);
    }
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const Pattern p = pattern_of(info);
    const gint64 size = p.cells * p.cells * p.bins;
    memset(run->outputs[0], 0, sizeof(float) * (gsize) (run->batch * p.channels * size));
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 c = 0; c < p.channels; c++)
            describe(&p, run->inputs[0] + n * p.height * p.width * p.channels, c,
                     run->outputs[0] + (n * p.channels + c) * size);
}

const XgOp xg_op_lbp = {.id = "lbp/1",
                        .min_data_inputs = 1,
                        .max_data_inputs = 1,
                        .attributes = attrs,
                        .infer = infer,
                        .reference = reference};
