/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file winograd_tile.h  Tiles of Winograd's algorithm: their places and the transforms.
 *
 *  F(m, r) of Lavin and Gray 2015, arXiv:1509.09308, along one side or both: m output pixels of a
 *  filter of r taps come from m + r - 1 input pixels. Tiles of the input and the weights are
 *  transformed, multiplied as a matrix for each place of the tile, and give tiles of the output. */
#ifndef XG_OB_WINOGRAD_TILE_H
#define XG_OB_WINOGRAD_TILE_H

#include "conv.h"
#include "gemm.h"

enum {
    WIDTH = CHANNELS_AT_ONCE,
    HALF = WIDTH / 2, /* of them fit a register as doubles */
    MAX_TAPS_SIDE = 7,
    MAX_FORM_TAPS = 25,
    MAX_POINTS = 8, /* along a side */
    MAX_PLACES = 36
};

typedef float Lane __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float Narrow __attribute__((vector_size(HALF * sizeof(float))));
typedef double Wide __attribute__((vector_size(HALF * sizeof(double))));

#define UNROLL _Pragma("GCC unroll 8")

/* Polynomials of the input and of the weights are multiplied at these points, and at infinity. */
static const double six_points[] = {0, 1, -1, 2, -2};
static const double eight_points[] = {0, 1, -1, 2, -2, 0.5, -0.5};

/* Powers of points by weight_matrix(). */
typedef double (*SideMatrix)[MAX_POINTS];

/* A side of the filter. */
typedef struct {
    int taps, points, out;
    const double *finite;
} Side;

static const Side sides[] = {
    {1, 1, 1, NULL}, {3, 6, 4, six_points}, {5, 6, 2, six_points}, {7, 8, 2, eight_points}};

/* Filters for which there are transforms. */
typedef enum { FORM_3X3, FORM_5X5, FORM_1X3, FORM_3X1, FORM_1X7, FORM_7X1, FORMS } Form;

static const struct {
    int height, width; /* indices of sides */
} forms[FORMS] = {{1, 1}, {2, 2}, {0, 1}, {1, 0}, {0, 3}, {3, 0}};

/* Calls function(..., points_h, points_w, out_h, out_w) with the numbers of that form as constants;
 * a side has points - out + 1 taps. */
#define CALL_FOR_FORM(form, function, ...)                                                         \
    do                                                                                             \
        switch (form) {                                                                            \
        case FORM_3X3:                                                                             \
            function(__VA_ARGS__, 6, 6, 4, 4);                                                     \
            break;                                                                                 \
        case FORM_5X5:                                                                             \
            function(__VA_ARGS__, 6, 6, 2, 2);                                                     \
            break;                                                                                 \
        case FORM_1X3:                                                                             \
            function(__VA_ARGS__, 1, 6, 1, 4);                                                     \
            break;                                                                                 \
        case FORM_3X1:                                                                             \
            function(__VA_ARGS__, 6, 1, 4, 1);                                                     \
            break;                                                                                 \
        case FORM_1X7:                                                                             \
            function(__VA_ARGS__, 1, 8, 1, 2);                                                     \
            break;                                                                                 \
        default:                                                                                   \
            function(__VA_ARGS__, 8, 1, 2, 1);                                                     \
            break;                                                                                 \
        }                                                                                          \
    while (0)

/* A convolution, and the tiles that it falls into. */
typedef struct {
    Shape shape;
    Form form;
    const Side *height, *width;
    int places;
    int64_t tiles_h, tiles_w; /* of an image */
} Grid;

/* FORMS when there is none. */
static inline Form form_of(const Shape *s)
{
    Form form = 0;
    while (form < FORMS && (sides[forms[form].height].taps != s->kernel_h ||
                            sides[forms[form].width].taps != s->kernel_w))
        form++;
    return form;
}

static inline Grid grid_of(const Shape *s)
{
    Grid g = {.shape = *s, .form = form_of(s)};
    g.height = &sides[forms[g.form].height];
    g.width = &sides[forms[g.form].width];
    g.places = g.height->points * g.width->points;
    g.tiles_h = div_up(s->out_h, g.height->out);
    g.tiles_w = div_up(s->out_w, g.width->out);
    return g;
}

/* Of an image. */
static inline int64_t tiles_of(const Grid *g)
{
    return g->tiles_h * g->tiles_w;
}

/* Floats from place to place of transformed values: an odd number of cache lines, so that what is
 * written together lies in sets of its own. */
static inline int64_t place_floats(int64_t floats)
{
    return (div_up(floats, WIDTH) | 1) * WIDTH;
}

static inline void load(Lane *to, const float *from)
{
    memcpy(to, from, sizeof *to);
}

static inline void load_wide(Wide *to, const float *from)
{
    Narrow values;
    memcpy(&values, from, sizeof values);
    *to = __builtin_convertvector(values, Wide);
}

static inline void store_narrow(float *to, const Wide *values)
{
    const Narrow rounded = __builtin_convertvector(*values, Narrow);
    memcpy(to, &rounded, sizeof rounded);
}

/* B' d of one column of six values, in place, `step` apart. */
static inline __attribute__((always_inline)) void transform_six(Lane *d, const int step)
{
    const Lane d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
               d5 = d[5 * step];
    const Lane even = d4 - 4.0F * d2, odd = d3 - 4.0F * d1;
    const Lane even2 = d4 - d2, odd2 = 2.0F * (d3 - d1);
    d[0] = 4.0F * d0 - 5.0F * d2 + d4;
    d[step] = even + odd;
    d[2 * step] = even - odd;
    d[3 * step] = even2 + odd2;
    d[4 * step] = even2 - odd2;
    d[5 * step] = 4.0F * d1 - 5.0F * d3 + d5;
}

/* The same of eight. */
static inline __attribute__((always_inline)) void transform_eight(Lane *d, const int step)
{
    const Lane d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
               d5 = d[5 * step], d6 = d[6 * step], d7 = d[7 * step];
    const Lane even = d6 - 4.25F * d4 + d2, odd = d5 - 4.25F * d3 + d1;
    const Lane even2 = d6 - 1.25F * d4 + 0.25F * d2, odd2 = 2.0F * d5 - 2.5F * d3 + 0.5F * d1;
    const Lane even3 = d6 - 5.0F * d4 + 4.0F * d2, odd3 = 0.5F * d5 - 2.5F * d3 + 2.0F * d1;
    d[0] = d6 - 5.25F * (d4 - d2) - d0;
    d[step] = even + odd;
    d[2 * step] = even - odd;
    d[3 * step] = even2 + odd2;
    d[4 * step] = even2 - odd2;
    d[5 * step] = even3 + odd3;
    d[6 * step] = even3 - odd3;
    d[7 * step] = d7 - 5.25F * (d5 - d3) - d1;
}

static inline __attribute__((always_inline)) void transform_side(Lane *d, const int step,
                                                                 const int points)
{
    if (points == 6)
        transform_six(d, step);
    else if (points == 8)
        transform_eight(d, step);
}

/* Where a tile lies. */
typedef struct {
    int64_t n, h, w; /* image, first output row and column */
} Place;

static inline Place place_of(const Grid *g, int64_t tile)
{
    const int64_t per_image = g->tiles_h * g->tiles_w;
    const Place p = {tile / per_image, tile % per_image / g->tiles_w * g->height->out,
                     tile % g->tiles_w * g->width->out};
    return p;
}

/* A map, or some of its channels. */
typedef struct {
    const Grid *grid;
    const float *values;
    int64_t pixel, channels; /* floats from pixel to pixel; channels that are read */
} Source;

/* Transforms a tile of x of in_h x in_w pixels to v[place * place_stride + channel]. */
static inline __attribute__((always_inline)) void transform_tile(const Source *x, const Place *p,
                                                                 float *v, int64_t place_stride,
                                                                 const int in_h, const int in_w)
{
    const Shape *s = &x->grid->shape;
    const int64_t h0 = p->h - s->pad_top, w0 = p->w - s->pad_left;
    const float *image = x->values + p->n * s->in_h * s->in_w * x->pixel;
    const int inside = h0 >= 0 && w0 >= 0 && h0 + in_h <= s->in_h && w0 + in_w <= s->in_w;
    for (int64_t c = 0; c < x->channels; c += WIDTH) {
        Lane d[MAX_PLACES];
        for (int i = 0; i < in_h; i++)
            UNROLL for (int j = 0; j < in_w; j++)
            {
                const int64_t h = h0 + i, w = w0 + j;
                const int valid = inside || (h >= 0 && h < s->in_h && w >= 0 && w < s->in_w);
                if (valid)
                    load(&d[i * in_w + j], image + (h * s->in_w + w) * x->pixel + c);
                else
                    d[i * in_w + j] = (Lane){0};
            }
        UNROLL for (int j = 0; j < in_w; j++) transform_side(d + j, in_w, in_h);
        UNROLL for (int i = 0; i < in_h; i++) transform_side(d + i * in_w, 1, in_w);
        for (int i = 0; i < in_h * in_w; i++)
            memcpy(v + i * place_stride + c, &d[i], sizeof(Lane));
    }
}

static inline void transform_input(const Source *x, const Place *p, float *v, int64_t place_stride)
{
    switch (x->grid->form) {
    case FORM_3X3:
    case FORM_5X5:
        transform_tile(x, p, v, place_stride, 6, 6);
        break;
    case FORM_1X3:
        transform_tile(x, p, v, place_stride, 1, 6);
        break;
    case FORM_3X1:
        transform_tile(x, p, v, place_stride, 6, 1);
        break;
    case FORM_1X7:
        transform_tile(x, p, v, place_stride, 1, 8);
        break;
    default:
        transform_tile(x, p, v, place_stride, 8, 1);
        break;
    }
}

/* G of a side: row j has the powers of point j by the product of its distances to the others. */
static inline void weight_matrix(const Side *side, double matrix[MAX_POINTS][MAX_POINTS])
{
    const int finite = side->points - 1;
    for (int j = 0; j < side->points; j++) {
        double value = 1;
        for (int k = 0; j < finite && k < finite; k++)
            value /= k == j ? 1 : side->finite[j] - side->finite[k];
        for (int i = 0; i < side->taps; i++) {
            const int at_infinity = i == side->taps - 1;
            matrix[j][i] = j < finite ? value : at_infinity;
            value *= j < finite ? side->finite[j] : 1;
        }
    }
}

#endif
