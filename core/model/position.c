/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/position.h"

#include <math.h>
#include <string.h>

#define MOST_PATCHES (G_GINT64_CONSTANT(1) << 40)

/* The whole number whose square is `number`, or 0. */
static gint64 side_of(gint64 number)
{
    const gboolean sane = number > 0 && number <= MOST_PATCHES;
    const gint64 side = sane ? (gint64) llround(sqrt((double) number)) : 0;
    return side * side == number ? side : 0;
}

gboolean xg_position_grids(const XgShape *found, const XgShape *wanted, XgPositionGrids *grids)
{
    if (found->rank != 3 || wanted->rank != 3 || found->dims[0] != 1 || wanted->dims[0] != 1 ||
        found->dims[2] != wanted->dims[2])
        return FALSE;
    for (gint64 prefix = 0; prefix < 2; prefix++) {
        const gint64 from = side_of(found->dims[1] - prefix);
        const gint64 to = side_of(wanted->dims[1] - prefix);
        if (from > 0 && to > 0) {
            *grids = (XgPositionGrids){from, to, prefix, found->dims[2]};
            return TRUE;
        }
    }
    return FALSE;
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? a * (((x - 5.0) * x + 8.0) * x - 4.0) : 0.0;
}

/* [to][from]: how much each old patch of a line counts for each new one. */
static double *line_weights(gint64 from, gint64 to)
{
    double *weights = g_new(double, (gsize) (from * to));
    const double scale = (double) from / (double) to, width = MAX(scale, 1.0);
    for (gint64 i = 0; i < to; i++) {
        double *row = weights + i * from, sum = 0.0;
        for (gint64 j = 0; j < from; j++)
            sum += row[j] = cubic(((double) j + 0.5 - scale * ((double) i + 0.5)) / width);
        for (gint64 j = 0; j < from; j++)
            row[j] /= sum;
    }
    return weights;
}

void xg_position_resize(const XgPositionGrids *grids, const float *from, float *to)
{
    const gint64 features = grids->features, old = grids->from, new = grids->to;
    g_autofree double *weights = line_weights(old, new);
    g_autofree double *lines = g_new(double, (gsize) (old * new));
    memcpy(to, from, sizeof(float) * (gsize) (grids->prefix * features));
    from += grids->prefix * features;
    to += grids->prefix * features;
    for (gint64 f = 0; f < features; f++) {
        for (gint64 y = 0; y < old; y++)
            for (gint64 x = 0; x < new; x++) {
                double sum = 0.0;
                for (gint64 j = 0; j < old; j++)
                    sum += weights[x * old + j] * (double) from[(y * old + j) * features + f];
                lines[y * new + x] = sum;
            }
        for (gint64 y = 0; y < new; y++)
            for (gint64 x = 0; x < new; x++) {
                double sum = 0.0;
                for (gint64 j = 0; j < old; j++)
                    sum += weights[y * old + j] * lines[j * new + x];
                to[(y * new + x) * features + f] = (float) sum;
            }
    }
}
