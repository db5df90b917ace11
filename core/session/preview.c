/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A contact sheet of what the network sees. */
#include "session/study_private.h"

#include "base/rng.h"
#include "report/sheet.h"
#include "train/feature_store_private.h"
#include "train/sampling.h"

#include <math.h>
#include <xenograft/backbone.h>

/* Rows of a class, fewer when there are many classes; augmented pictures in a row. */
enum { ROWS_OF_CLASS = 3, MOST_ROWS = 60, MOST_COLUMNS = 6, GAP_PX = 8 };

typedef struct {
    XgStudy *study;
    XgTrainerSpec spec;
    const XgPhase *phase; /* NULL: there is none */
    gint64 columns;       /* of augmented pictures */
    XgSampling *samplings[MOST_COLUMNS];
    gsize length; /* floats of an image */
    gint64 side;
    float *images; /* an image and its partner, and room for them mixed */
    guint8 *tile;
    XgSheet *sheet;
} Preview;

static void preview_clear(Preview *p)
{
    for (int i = 0; i < MOST_COLUMNS; i++)
        xg_sampling_free(p->samplings[i]);
    g_free(p->images);
    g_free(p->tile);
    xg_sheet_free(p->sheet);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Preview, preview_clear)

/* ---- Tiles --------------------------------------------------------------------------------- */

/* Undoes the normalisation; the first channel of what is not grey or RGB. */
static void make_tile(const Preview *p, const float *image)
{
    const XgPreprocess *pre = &p->study->preprocess;
    for (gint64 i = 0; i < p->side * p->side; i++)
        for (int k = 0; k < 3; k++) {
            const int from = pre->channels != 3 ? 0 : pre->channel_order == XG_BGR ? 2 - k : k;
            const double value =
                ((double) image[i * pre->channels + from] * pre->std[from] + pre->mean[from]) /
                pre->scale;
            p->tile[3 * i + k] = (guint8) CLAMP(lround(255.0 * value), 0, 255);
        }
}

static void place_tile(const Preview *p, gint64 row, gint64 column, const float *image)
{
    make_tile(p, image);
    xg_sheet_place(p->sheet, GAP_PX + column * (p->side + GAP_PX),
                   XG_SHEET_LINE_PX + GAP_PX + row * (p->side + GAP_PX + XG_SHEET_LINE_PX) +
                       XG_SHEET_LINE_PX,
                   p->side, p->side, p->tile);
}

/* Position of the item in the epoch's order; the count when it was not drawn. */
static gsize position_of(const XgSampling *sampling, guint64 item)
{
    gsize at = 0;
    while (at < sampling->count && sampling->items[at] != item)
        at++;
    return at;
}

/* "; epoch 2: 0.31 of normal/7.jpeg" */
static void tell_partner(const Preview *p, GString *line, gint64 column, guint64 item,
                         const XgMixed *mixed)
{
    const XgItem *partner = xg_dataset_item(p->study->dataset, (guint) item);
    g_string_append_printf(line, "; epoch %" G_GINT64_FORMAT ": %.2f of %s (%s)%s", column + 1,
                           1.0 - mixed->share, partner->name,
                           p->study->dataset->class_names[partner->label],
                           mixed->cut ? " in a rectangle" : "");
}

/* The image as the epoch of that column has it. */
static gboolean place_epoch(const Preview *p, gint64 row, gint64 column, guint64 item,
                            GString *line, GError **error)
{
    const XgSampling *sampling = p->samplings[column];
    const gsize at = position_of(sampling, item);
    if (at == sampling->count)
        return TRUE;
    guint64 items[2] = {item, 0}, draws[2] = {0};
    XgMixed mixed = {0};
    gsize count = 1;
    if (sampling->mixed != NULL) {
        const gsize first = at - at % (gsize) p->phase->batch_size;
        const gsize partner = first + (gsize) sampling->mixed[at].partner;
        mixed = sampling->mixed[at];
        mixed.partner = 1;
        items[1] = sampling->items[partner];
        draws[1] = sampling->draws ? sampling->draws[partner] : 0;
        count = 2;
        tell_partner(p, line, column, items[1], &mixed);
    }
    draws[0] = sampling->draws ? sampling->draws[at] : 0;
    if (!xg_study_load_images(p->study, items, sampling->draws ? draws : NULL, count, p->images,
                              error))
        return FALSE;
    float *out = p->images;
    if (count == 2) {
        out = p->images + 2 * p->length;
        xg_mix_images(&mixed, p->images, 1, p->side, p->side, p->study->preprocess.channels, out);
    }
    place_tile(p, row, column + 1, out);
    return TRUE;
}

static gboolean place_view(const Preview *p, gint64 row, gint64 column, guint64 item,
                           GError **error)
{
    g_autofree guint64 *draws = xg_feature_store_draws(p->study->views[column], &item, 1);
    if (!xg_study_load_images(p->study, &item, draws, 1, p->images, error))
        return FALSE;
    place_tile(p, row, column + 1, p->images);
    return TRUE;
}

static gboolean place_row(const Preview *p, gint64 row, guint64 index, GError **error)
{
    const XgStudy *study = p->study;
    const XgItem *item = xg_dataset_item(study->dataset, (guint) index);
    const gint64 step = p->side + GAP_PX;
    g_autofree char *label = g_strdup_printf("%" G_GINT64_FORMAT "  %s  %s", row + 1,
                                             study->dataset->class_names[item->label], item->name);
    g_autoptr(GString) line = g_string_new("preview row ");
    g_string_append(line, label);
    xg_sheet_text(p->sheet, GAP_PX, XG_SHEET_LINE_PX + GAP_PX + row * (step + XG_SHEET_LINE_PX),
                  (p->columns + 1) * step, label);
    if (!xg_study_load_images(p->study, &index, NULL, 1, p->images, error))
        return FALSE;
    place_tile(p, row, 0, p->images);
    for (gint64 column = 0; column < p->columns; column++)
        if (!(study->augmentation.views > 0 ? place_view(p, row, column, index, error)
                                            : place_epoch(p, row, column, index, line, error)))
            return FALSE;
    xg_session_line(study->session, "%s", line->str);
    return TRUE;
}

/* ---- Sheets -------------------------------------------------------------------------------- */

/* Up to so many training images of each class, in the order of a seeded shuffle. */
static GArray *choose_items(const XgStudy *study)
{
    const guint classes = study->dataset->class_count;
    const guint of_class = CLAMP(MOST_ROWS / classes, 1, ROWS_OF_CLASS);
    const guint count = study->split->parts[XG_PART_TRAINING]->len;
    g_autofree guint64 *order = g_memdup2(study->items[XG_PART_TRAINING], sizeof(guint64) * count);
    xg_rng_shuffle((guint64) xg_resolved_int(study->resolved, "study", "seed"),
                   xg_rng_stream("preview"), order, count);
    GArray *chosen = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint k = 0; k < MIN(classes, MOST_ROWS); k++)
        for (guint i = 0, found = 0; i < count && found < of_class; i++)
            if (study->labels[order[i]] == (int) k) {
                g_array_append_val(chosen, order[i]);
                found++;
            }
    return chosen;
}

/* The epochs or views that are shown. */
static void choose_columns(Preview *p)
{
    const XgTrainAugmentation *a = &p->study->augmentation;
    const GPtrArray *phases = p->study->plan->phases;
    p->phase = phases->len > 0 ? phases->pdata[0] : NULL;
    if (!p->study->augmented)
        return;
    if (a->views > 0) {
        p->columns = MIN(a->views, MOST_COLUMNS);
        return;
    }
    p->columns = p->phase ? MIN(p->phase->epochs, MOST_COLUMNS) : 0;
    for (gint64 i = 0; i < p->columns; i++)
        p->samplings[i] = xg_sampling_new(&p->spec, p->phase, i);
}

static void place_headings(const Preview *p)
{
    const char *name = p->study->augmentation.views > 0 ? "view" : "epoch";
    for (gint64 column = 0; column <= p->columns; column++) {
        g_autofree char *text = column > 0 ? g_strdup_printf("%s %" G_GINT64_FORMAT, name, column)
                                           : g_strdup("as it is");
        xg_sheet_text(p->sheet, GAP_PX + column * (p->side + GAP_PX), GAP_PX, p->side, text);
    }
}

gboolean xg_study_preview(XgStudy *study, const char *path, gboolean force, GError **error)
{
    if (!force && g_file_test(path, G_FILE_TEST_EXISTS))
        return xg_error_set(error, XG_INVALID, "%s exists; --force writes over it", path);
    if (!xg_study_prepare(study, error))
        return FALSE;
    if (study->first != NULL)
        return xg_study_preview(study->first, path, force, error);
    g_auto(Preview) p = {.study = study,
                         .spec = xg_study_trainer_spec(study),
                         .length = xg_preprocess_length(&study->preprocess),
                         .side = study->preprocess.size_px};
    g_autoptr(GArray) items = choose_items(study);
    choose_columns(&p);
    p.sheet = xg_sheet_new(GAP_PX + (p.columns + 1) * (p.side + GAP_PX),
                           XG_SHEET_LINE_PX + GAP_PX +
                               (gint64) items->len * (p.side + GAP_PX + XG_SHEET_LINE_PX),
                           error);
    if (p.sheet == NULL) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    p.images = g_try_new(float, 3 * p.length);
    p.tile = g_try_malloc((gsize) (3 * p.side * p.side));
    if (p.images == NULL || p.tile == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for a preview");
    place_headings(&p);
    for (guint i = 0; i < items->len; i++)
        if (!place_row(&p, i, g_array_index(items, guint64, i), error))
            return FALSE;
    if (!xg_sheet_write(p.sheet, path, error))
        return FALSE;
    xg_session_line(study->session, "preview of %u training images: %s", items->len, path);
    return TRUE;
}
