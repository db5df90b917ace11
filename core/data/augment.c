/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/augment.h"

#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "data/augment_draw.h"

/* Tries of a crop of random area and shape before it is the middle of the picture. */
enum { CROP_TRIES = 10 };

/* Index of each choice in a draw. */
enum {
    DRAW_FLIP_X,
    DRAW_FLIP_Y,
    DRAW_ROTATE,
    DRAW_SHIFT_X,
    DRAW_SHIFT_Y,
    DRAW_SCALE,
    DRAW_SHEAR,
    DRAW_BRIGHTNESS,
    DRAW_CONTRAST,
    DRAW_GAMMA,
    DRAW_BLUR,
    DRAW_NOISE,
    DRAW_CUT_X,
    DRAW_CUT_Y,
    DRAW_CROP /* and the following ones, four a try */
};

void xg_augment_init(XgAugment *augment)
{
    *augment = (XgAugment){.scale = {1.0, 1.0},
                           .crop_area = {0.08, 1.0},
                           .crop_aspect = {0.75, 4.0 / 3.0},
                           .border = XG_BORDER_EDGE};
}

static gboolean scales(const XgAugment *a)
{
    return a->scale[0] != 1.0 || a->scale[1] != 1.0;
}

static gboolean moves(const XgAugment *a)
{
    return a->rotate_deg > 0.0 || a->translate > 0.0 || scales(a) || a->shear_deg > 0.0;
}

gboolean xg_augment_active(const XgAugment *a)
{
    return moves(a) || a->flip_horizontal > 0.0 || a->flip_vertical > 0.0 ||
           a->crop != XG_CROP_CENTRE || a->brightness > 0.0 || a->contrast > 0.0 ||
           a->gamma > 0.0 || a->blur_px > 0.0 || a->noise > 0.0 || a->cutout > 0.0;
}

static gboolean within(double value, double least, double most)
{
    return value >= least && value <= most;
}

static gboolean is_range(const double range[2], double least, double most)
{
    return within(range[0], least, most) && within(range[1], range[0], most);
}

gboolean xg_augment_check(const XgAugment *a, GError **error)
{
    const char *wrong = NULL;
    if (!within(a->flip_horizontal, 0, 1) || !within(a->flip_vertical, 0, 1))
        wrong = "probabilities of flips from 0 to 1";
    else if (!within(a->rotate_deg, 0, 180) || !within(a->shear_deg, 0, 60))
        wrong = "a rotation from 0 to 180 and a shear from 0 to 60 degrees";
    else if (!within(a->translate, 0, 1) || !is_range(a->scale, 0.1, 10))
        wrong = "a translation from 0 to 1 and a scale range within 0.1 to 10";
    else if (a->crop < XG_CROP_CENTRE || a->crop > XG_CROP_RESIZED || a->border < XG_BORDER_ZERO ||
             a->border > XG_BORDER_REFLECT)
        wrong = "a kind of crop and of border";
    else if (!is_range(a->crop_area, 0.01, 1) || !is_range(a->crop_aspect, 0.1, 10))
        wrong = "a crop area range within 0.01 to 1 and a crop aspect range within 0.1 to 10";
    else if (!within(a->brightness, 0, 0.99) || !within(a->contrast, 0, 0.99) ||
             !within(a->gamma, 0, 0.99))
        wrong = "brightness, contrast and gamma from 0 to 0.99";
    else if (!within(a->blur_px, 0, 100) || !within(a->noise, 0, 1) || !within(a->cutout, 0, 1))
        wrong = "a blur from 0 to 100 px, noise from 0 to 1, and a cutout from 0 to 1";
    return wrong == NULL || xg_error_set(error, XG_INVALID, "augmentation: expected %s", wrong);
}

static void add_word(GString *text, const char *name, const char *value)
{
    g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
}

static void add_number(GString *text, const char *name, double value)
{
    g_autofree char *number = xg_text_from_double(value);
    if (value > 0.0)
        add_word(text, name, number);
}

static void add_range(GString *text, const char *name, const double range[2])
{
    g_autofree char *from = xg_text_from_double(range[0]);
    g_autofree char *to = xg_text_from_double(range[1]);
    g_autofree char *both = g_strdup_printf("%s to %s", from, to);
    add_word(text, name, both);
}

char *xg_augment_describe(const XgAugment *a)
{
    static const char *const crops[] = {"centre", "random", "resized"};
    static const char *const borders[] = {"zero", "edge", "reflect"};
    GString *text = g_string_new(NULL);
    if (a->crop != XG_CROP_CENTRE)
        add_word(text, "crop", crops[a->crop]);
    if (a->crop == XG_CROP_RESIZED) {
        add_range(text, "crop_area", a->crop_area);
        add_range(text, "crop_aspect", a->crop_aspect);
    }
    add_number(text, "flip_horizontal", a->flip_horizontal);
    add_number(text, "flip_vertical", a->flip_vertical);
    add_number(text, "rotate", a->rotate_deg);
    add_number(text, "translate", a->translate);
    if (scales(a))
        add_range(text, "scale", a->scale);
    add_number(text, "shear", a->shear_deg);
    if (moves(a))
        add_word(text, "border", borders[a->border]);
    add_number(text, "brightness", a->brightness);
    add_number(text, "contrast", a->contrast);
    add_number(text, "gamma", a->gamma);
    add_number(text, "blur", a->blur_px);
    add_number(text, "noise", a->noise);
    add_number(text, "cutout", a->cutout);
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

/* ---- Choices ------------------------------------------------------------------------------- */

typedef struct {
    guint64 seed, draw;
} Chance;

static double between(const Chance *chance, guint64 index, double from, double to)
{
    return from == to ? from
                      : from + (to - from) * xg_rng_uniform(chance->seed, chance->draw, index);
}

/* A whole number from 0 to `most`. */
static double whole(const Chance *chance, guint64 index, gint64 most)
{
    const double u = xg_rng_uniform(chance->seed, chance->draw, index);
    return MIN(floor(u * (double) (most + 1)), (double) most);
}

/* Inception's crop (Szegedy et al. 2015), with torchvision's tries and way out. */
static void crop_resized(const XgAugment *a, const Chance *chance, const XgResize *resize,
                         XgAugmentDraw *what)
{
    const double width = (double) resize->width_px, height = (double) resize->height_px;
    const double low = log(a->crop_aspect[0]), high = log(a->crop_aspect[1]);
    for (guint64 at = DRAW_CROP; at < DRAW_CROP + 4 * CROP_TRIES; at += 4) {
        const double area = width * height * between(chance, at, a->crop_area[0], a->crop_area[1]);
        const double aspect = exp(between(chance, at + 1, low, high));
        what->width = sqrt(area * aspect);
        what->height = sqrt(area / aspect);
        if (what->width > width || what->height > height)
            continue;
        what->left = between(chance, at + 2, 0.0, width - what->width);
        what->top = between(chance, at + 3, 0.0, height - what->height);
        return;
    }
    const double aspect = CLAMP(width / height, a->crop_aspect[0], a->crop_aspect[1]);
    what->width = MIN(width, height * aspect);
    what->height = MIN(height, width / aspect);
    what->left = (width - what->width) / 2.0;
    what->top = (height - what->height) / 2.0;
}

static void draw_crop(const XgAugment *a, const Chance *chance, const XgResize *resize,
                      XgAugmentDraw *what)
{
    what->left = (double) resize->x;
    what->top = (double) resize->y;
    what->width = (double) resize->columns;
    what->height = (double) resize->rows;
    if (a->crop == XG_CROP_RANDOM) {
        what->left = whole(chance, DRAW_CROP, resize->width_px - resize->columns);
        what->top = whole(chance, DRAW_CROP + 1, resize->height_px - resize->rows);
    } else if (a->crop == XG_CROP_RESIZED) {
        crop_resized(a, chance, resize, what);
    }
}

/* A square whose centre is any pixel, so that a part of it may lie outside (DeVries and Taylor
 * 2017). */
static void draw_cutout(const XgAugment *a, const Chance *chance, gint64 side, XgAugmentDraw *what)
{
    const gint64 length = (gint64) round(a->cutout * (double) side);
    if (length < 1)
        return;
    const gint64 x = (gint64) whole(chance, DRAW_CUT_X, side - 1) - length / 2;
    const gint64 y = (gint64) whole(chance, DRAW_CUT_Y, side - 1) - length / 2;
    what->cut_left = MAX(x, 0);
    what->cut_top = MAX(y, 0);
    what->cut_right = MIN(x + length, side);
    what->cut_bottom = MIN(y + length, side);
}

void xg_augment_draw(const XgAugment *a, guint64 seed, guint64 draw, const XgResize *resize,
                     XgAugmentDraw *what)
{
    const Chance chance = {seed, draw};
    const double shift = a->translate * (double) resize->columns;
    *what = (XgAugmentDraw){
        .flip_x = xg_rng_uniform(seed, draw, DRAW_FLIP_X) < a->flip_horizontal,
        .flip_y = xg_rng_uniform(seed, draw, DRAW_FLIP_Y) < a->flip_vertical,
        .angle_deg = between(&chance, DRAW_ROTATE, -a->rotate_deg, a->rotate_deg),
        .shift_x = round(between(&chance, DRAW_SHIFT_X, -shift, shift)),
        .shift_y = round(between(&chance, DRAW_SHIFT_Y, -shift, shift)),
        .scale = between(&chance, DRAW_SCALE, a->scale[0], a->scale[1]),
        .shear_deg = between(&chance, DRAW_SHEAR, -a->shear_deg, a->shear_deg),
        .border = a->border,
        .brightness = between(&chance, DRAW_BRIGHTNESS, 1.0 - a->brightness, 1.0 + a->brightness),
        .contrast = between(&chance, DRAW_CONTRAST, 1.0 - a->contrast, 1.0 + a->contrast),
        .gamma = between(&chance, DRAW_GAMMA, 1.0 - a->gamma, 1.0 + a->gamma),
        .blur_px = between(&chance, DRAW_BLUR, 0.0, a->blur_px),
        .noise = between(&chance, DRAW_NOISE, 0.0, a->noise),
    };
    draw_crop(a, &chance, resize, what);
    draw_cutout(a, &chance, resize->columns, what);
}

/* The least side of a square as large as the crop, as part of the resized picture's shorter side;
 * the way out of crop_resized() may be smaller than the areas. */
static double smallest_crop(const XgAugment *a)
{
    const double area = MIN(a->crop_area[0], MIN(a->crop_aspect[1], 1.0 / a->crop_aspect[0]));
    return sqrt(MIN(area, 1.0));
}

/* The larger singular value of the map to the square is at least the root of its determinant, which
 * turning and shearing leave alone: 1 / (magnification * side of the square by that of the crop).
 * The geometry takes what the picture is resized to from it. */
gint64 xg_augment_least_px(const XgAugment *a, const XgPreprocess *p)
{
    const double crop =
        a->crop == XG_CROP_RESIZED ? (double) p->size_px / smallest_crop(a) : (double) p->resize_px;
    const double largest = MAX(ceil(crop * a->scale[1]), (double) p->resize_px);
    return xg_preprocess_least_px(p, (gint64) largest);
}

/* ---- Images -------------------------------------------------------------------------------- */

gboolean xg_augment_image(const XgAugment *augment, guint64 seed, guint64 draw,
                          const XgPreprocess *p, const XgImage *image, float *out, GError **error)
{
    const XgResize resize = xg_preprocess_window(p, image->info.width_px, image->info.height_px);
    const gint32 found = xg_image_data_channels(&image->info);
    const gsize count = (gsize) p->size_px * (gsize) p->size_px;
    XgAugmentDraw what;
    if (!xg_preprocess_check_channels(p, found, error))
        return FALSE;
    g_autofree float *own = NULL;
    if (found != p->channels && !(own = g_try_new(float, count *(gsize) found)))
        return xg_error_set(error, XG_NOMEM, "no memory for a resized picture");
    float *pixels = own ? own : out;
    xg_augment_draw(augment, seed, draw, &resize, &what);
    if (!xg_augment_geometry(&what, &resize, image, pixels, error) ||
        !xg_augment_pixels(&what, pixels, p->size_px, found, error))
        return FALSE;
    xg_augment_noise(&what, seed, draw, pixels, count * (gsize) found);
    xg_preprocess_normalise(p, found, pixels, out, count);
    xg_augment_cut(&what, out, p->size_px, p->channels);
    return TRUE;
}
