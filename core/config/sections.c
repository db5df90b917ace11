/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "config/sections.h"

#include "base/text.h"

#include <string.h>

#define LEAST_MEMORY ((gint64) 16 << 20)

#define TABLE_END                                                                                  \
    {                                                                                              \
        NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL                                             \
    }

static const XgParam study_params[] = {
    {"name", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL, "name of the study"},
    {"seed", XG_PARAM_INT, 0, "1", "0", NULL, NULL, NULL, "every random choice follows from it"},
    {"seeds", XG_PARAM_INT, 0, "1", "1", "1000", NULL, NULL,
     "the study is made with so many seeds, from `seed` on, and summed up"},
    {"output", XG_PARAM_PATH, 0, "", NULL, NULL, NULL, NULL,
     "result folder, never overwritten; empty: runs/NAME beside the study file"},
    {"modality", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "imaging modality, for the table of studies"},
    {"subject", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "organ or disease, for the table of studies"},
    TABLE_END,
};

static const XgParam data_params[] = {
    {"images", XG_PARAM_PATH, 0, "", NULL, NULL, NULL, NULL,
     "folder with one folder of images per class"},
    {"manifest", XG_PARAM_PATH, 0, "", NULL, NULL, NULL, NULL,
     "CSV file with the columns path and label, and if there patient and split"},
    {"patient", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "where the patient of an image is found: a column, a pattern on the path, or none; empty: the "
     "manifest's column patient if there is one"},
    {"split", XG_PARAM_STRING, 0, "70/15/15", NULL, NULL, NULL, NULL,
     "training/validation/test parts, or manifest for its own column"},
    {"folds", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "folds of a cross-validation, each the test part once, or patient: each patient by itself; "
     "split then shares what is left between training and validation; empty: one split"},
    {"repeats", XG_PARAM_INT, 0, "1", "1", "1000", NULL, NULL,
     "times that the cross-validation is made, each with other folds"},
    {"fold", XG_PARAM_INT, 0, "0", "0", NULL, NULL, NULL,
     "the one fold to run; 0: all of them, one after the other"},
    {"repeat", XG_PARAM_INT, 0, "0", "0", "1000", NULL, NULL,
     "the one repeat to run; 0: all of them"},
    {"positive", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "class that counts as positive; empty: the last one"},
    {"channels", XG_PARAM_ENUM, 0, "repeat", NULL, NULL, NULL, "repeat|sum",
     "how images enter a backbone of other channels: grey repeated, or the network built for the "
     "images' channels and the first convolution adapted, for grey summed"},
    {"size", XG_PARAM_INT, 0, "0", "0", "4096", "px", NULL,
     "side of the backbone's input; 0: the backbone's own"},
    {"decode", XG_PARAM_ENUM, 0, "full", NULL, NULL, NULL, "full|scaled",
     "scaled: pictures that are made much smaller are decoded to a part of their size already, "
     "where their format and size allow it"},
    {"skip_unreadable", XG_PARAM_BOOL, 0, "false", NULL, NULL, NULL, NULL,
     "leave unreadable images out, listed in the record, instead of refusing to start"},
    {"max_pixels", XG_PARAM_INT, 0, "100000000", "1", "4000000000", "px", NULL,
     "largest image that is decoded"},
    {"cache", XG_PARAM_ENUM, 0, "disk", NULL, NULL, NULL, "disk|memory|none",
     "where the outputs of frozen layers are kept"},
    {"cache_size", XG_PARAM_INT, 0, "0", "0", "1024T", "bytes", NULL,
     "limit of the folder of cache files, the least recently used of which go first; 0: half of "
     "what the disk would have free without it, at most 20 GiB"},
    {"cache_pictures", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "with cache = disk and images that are new in every epoch: keep the decoded ones, up to half "
     "of cache_size and of the memory"},
    TABLE_END,
};

static const XgParam augment_params[] = {
    {"flip_horizontal", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "probability that a training image is mirrored left to right"},
    {"flip_vertical", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "probability that it is mirrored top to bottom"},
    {"rotate", XG_PARAM_FLOAT, 0, "0", "0", "180", "degrees", NULL, "largest rotation, either way"},
    {"translate", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "largest shift in each direction, part of the side"},
    {"scale", XG_PARAM_FLOAT_LIST, 0, "1,1", "0.1", "10", NULL, NULL,
     "smallest and largest magnification"},
    {"shear", XG_PARAM_FLOAT, 0, "0", "0", "60", "degrees", NULL, "largest shear, either way"},
    {"crop", XG_PARAM_ENUM, 0, "centre", NULL, NULL, NULL, "centre|random|resized",
     "the middle of the picture, a square of that size anywhere, or a part of random area and "
     "shape "
     "that is stretched to it"},
    {"crop_area", XG_PARAM_FLOAT_LIST, 0, "0.08,1", "0.01", "1", NULL, NULL,
     "smallest and largest part of the picture of crop = resized"},
    {"crop_aspect", XG_PARAM_FLOAT_LIST, 0, "0.75,1.3333333333333333", "0.1", "10", NULL, NULL,
     "smallest and largest width by height of crop = resized"},
    {"border", XG_PARAM_ENUM, 0, "edge", NULL, NULL, NULL, "zero|edge|reflect",
     "what is seen outside the picture: black, its nearest pixel, or the picture mirrored"},
    {"brightness", XG_PARAM_FLOAT, 0, "0", "0", "0.99", NULL, NULL,
     "values are multiplied by a factor from 1 - brightness to 1 + brightness"},
    {"contrast", XG_PARAM_FLOAT, 0, "0", "0", "0.99", NULL, NULL,
     "distances from the mean grey are multiplied by a factor from 1 - contrast to 1 + contrast"},
    {"gamma", XG_PARAM_FLOAT, 0, "0", "0", "0.99", NULL, NULL,
     "values are raised to a power from 1 - gamma to 1 + gamma"},
    {"blur", XG_PARAM_FLOAT, 0, "0", "0", "100", "px", NULL,
     "largest standard deviation of a Gaussian blur"},
    {"noise", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "largest standard deviation of Gaussian noise; white is 1"},
    {"cutout", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "side of a square that is emptied, part of the side"},
    {"mixup", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "alpha of mixup: two images and their labels are added; 0: never"},
    {"cutmix", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "alpha of CutMix: a rectangle of another image, with its label's share; 0: never"},
    {"views", XG_PARAM_INT, 0, "0", "0", "1000", NULL, NULL,
     "augmented views of each training image, used in turn, whose features are kept; 0: every "
     "epoch sees new ones"},
    TABLE_END,
};

static const XgParam backbone_params[] = {
    {"plugin", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL, "backbone component"},
    {"weights", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL,
     "weights file, random, or none for a backbone whose features have no parameters"},
    {"weights_family", XG_PARAM_STRING, 0, "", NULL, NULL, NULL, NULL,
     "family of the weights, which fixes how images are prepared; empty: the backbone's first"},
    {"weights_mismatch", XG_PARAM_ENUM, 0, "error", NULL, NULL, NULL, "error|skip",
     "what a tensor without its match, outside the head, leads to"},
    TABLE_END,
};

static const XgParam strategy_params[] = {
    {"plugin", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL, "strategy component"},
    TABLE_END,
};

static const XgParam engine_params[] = {
    {"plugin", XG_PARAM_STRING, 0, "auto", NULL, NULL, NULL, NULL,
     "engine component; auto: the best one that is installed"},
    {"threads", XG_PARAM_INT, 0, "0", "0", "1024", NULL, NULL,
     "worker threads; 0: one per processor"},
    {"memory", XG_PARAM_INT, 0, "0", "0", "16T", "bytes", NULL,
     "limit of the memory that training plans with: batches pass in parts and rows stay on disk to "
     "keep it; 0: none"},
    TABLE_END,
};

const char *const xg_section_names[] = {"study",    "data",   "augment", "backbone",
                                        "strategy", "engine", NULL};

const XgParam *xg_section_params(const char *section)
{
    static const XgParam *const tables[] = {study_params,    data_params,     augment_params,
                                            backbone_params, strategy_params, engine_params};
    for (gsize i = 0; xg_section_names[i]; i++)
        if (strcmp(xg_section_names[i], section) == 0)
            return tables[i];
    return NULL;
}

gboolean xg_sections_parse_split(const char *text, double parts[3])
{
    double found[3] = {0, 0, 0};
    if (strcmp(text, "manifest") != 0) {
        g_auto(GStrv) texts = g_strsplit(text, "/", 4);
        if (g_strv_length(texts) != 3)
            return FALSE;
        for (int i = 0; i < 3; i++)
            if (!xg_text_to_double(g_strstrip(texts[i]), &found[i]) || found[i] < 0 ||
                found[i] > 1e9)
                return FALSE;
        const double sum = found[0] + found[1] + found[2];
        if (found[0] <= 0 || found[1] <= 0)
            return FALSE;
        for (int i = 0; i < 3; i++)
            found[i] /= sum;
    }
    memcpy(parts, found, sizeof found);
    return TRUE;
}

gboolean xg_sections_parse_folds(const char *text, gint64 *folds)
{
    *folds = *text == '\0' ? 0 : XG_SECTIONS_FOLDS_BY_PATIENT;
    if (*text == '\0' || strcmp(text, "patient") == 0)
        return TRUE;
    return xg_text_to_int(text, folds) && *folds >= 2 && *folds <= 1000;
}

/* A key of [data] that needs `folds`, or does not go with its number. */
static void check_fold_key(const XgStudyFile *file, const XgResolved *resolved,
                           XgProblems *problems, const char *key, gint64 none, gint64 folds,
                           gint64 most, const char *what)
{
    const XgStudyEntry *entry = xg_study_file_find(file, "data", key);
    const gint64 value = xg_resolved_int(resolved, "data", key);
    if (entry == NULL || value == none)
        return;
    if (folds == 0)
        xg_study_entry_problem(entry, problems, "has no effect without folds");
    else if (most > 0 && value > most)
        xg_study_entry_problem(entry, problems,
                               "expected at most the %" G_GINT64_FORMAT
                               " %s, found %" G_GINT64_FORMAT,
                               most, what, value);
}

static void check_folds(const XgStudyFile *file, const XgResolved *resolved, XgProblems *problems)
{
    const XgStudyEntry *entry = xg_study_file_find(file, "data", "folds");
    const char *text = xg_resolved_text(resolved, "data", "folds");
    gint64 folds = 0;
    if (entry != NULL && text != NULL && !xg_sections_parse_folds(text, &folds)) {
        g_autofree char *shown = xg_text_quoted(text);
        xg_study_entry_problem(entry, problems,
                               "expected a number from 2 to 1000, or patient, found %s", shown);
        return;
    }
    if (folds != 0 && g_strcmp0(xg_resolved_text(resolved, "data", "split"), "manifest") == 0)
        xg_study_entry_problem(entry, problems,
                               "split = manifest fixes the test part; expected no folds, or parts "
                               "such as 70/15/15");
    check_fold_key(file, resolved, problems, "repeats", 1, folds, 0, "");
    check_fold_key(file, resolved, problems, "fold", 0, folds, folds, "folds");
    check_fold_key(file, resolved, problems, "repeat", 0, folds,
                   xg_resolved_int(resolved, "data", "repeats"), "repeats");
}

static void check_source(const XgStudyFile *file, const XgResolved *resolved, XgProblems *problems)
{
    const char *images = xg_resolved_text(resolved, "data", "images");
    const char *manifest = xg_resolved_text(resolved, "data", "manifest");
    const XgStudyEntry *entry = xg_study_file_find(file, "data", "manifest");
    const int line = xg_study_file_section_line(file, "data");
    g_autofree char *place = line ? g_strdup_printf(":%d", line) : g_strdup("");
    if (images && manifest && !*images && !*manifest)
        xg_problems_add(problems, line,
                        "%s%s: [data] images or manifest is missing: expected one of them",
                        xg_study_file_name(file), place);
    else if (images && manifest && *images && *manifest)
        xg_study_entry_problem(entry, problems, "expected only one of images and manifest");
}

/* A bare 512 hardly means bytes. */
static void check_memory(const XgStudyFile *file, const XgResolved *resolved, XgProblems *problems)
{
    const XgStudyEntry *entry = xg_study_file_find(file, "engine", "memory");
    const gint64 memory = xg_resolved_int(resolved, "engine", "memory");
    if (entry && memory > 0 && memory < LEAST_MEMORY)
        xg_study_entry_problem(entry, problems,
                               "expected 0 or at least 16M, found %" G_GINT64_FORMAT
                               " bytes; sizes are written as 512M or 2G",
                               memory);
}

gboolean xg_sections_parse_range(const char *text, double range[2])
{
    g_auto(GStrv) ends = g_strsplit(text, ",", 3);
    double found[2];
    if (g_strv_length(ends) != 2 || !xg_text_to_double(g_strstrip(ends[0]), &found[0]) ||
        !xg_text_to_double(g_strstrip(ends[1]), &found[1]) || found[0] > found[1])
        return FALSE;
    memcpy(range, found, sizeof found);
    return TRUE;
}

/* Ranges, and what cannot go together. */
static void check_augment(const XgStudyFile *file, const XgResolved *resolved, XgProblems *problems)
{
    static const char *const ranges[] = {"scale", "crop_area", "crop_aspect"};
    static const char *const mixing[] = {"mixup", "cutmix"};
    const gint64 views = xg_resolved_int(resolved, "augment", "views");
    for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
        const char *text = xg_resolved_text(resolved, "augment", ranges[i]);
        const XgStudyEntry *entry = xg_study_file_find(file, "augment", ranges[i]);
        double range[2];
        if (text == NULL || entry == NULL || xg_sections_parse_range(text, range))
            continue;
        g_autofree char *shown = xg_text_quoted(text);
        xg_study_entry_problem(entry, problems,
                               "expected two numbers such as 0.9,1.1, the smaller one first, "
                               "found %s",
                               shown);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(mixing); i++) {
        const XgStudyEntry *entry = xg_study_file_find(file, "augment", mixing[i]);
        if (views > 0 && entry != NULL && xg_resolved_double(resolved, "augment", mixing[i]) > 0.0)
            xg_study_entry_problem(entry, problems,
                                   "images that are mixed anew in each epoch cannot be kept: "
                                   "expected 0 with views = %" G_GINT64_FORMAT,
                                   views);
    }
}

void xg_sections_finish(const XgStudyFile *file, XgResolved *resolved, XgProblems *problems)
{
    const char *name = xg_resolved_text(resolved, "study", "name");
    const char *output = xg_resolved_text(resolved, "study", "output");
    const char *weights = xg_resolved_text(resolved, "backbone", "weights");
    const char *split = xg_resolved_text(resolved, "data", "split");
    const XgStudyEntry *entry = xg_study_file_find(file, "data", "split");
    double parts[3];
    check_source(file, resolved, problems);
    check_augment(file, resolved, problems);
    check_memory(file, resolved, problems);
    check_folds(file, resolved, problems);
    if (split && entry && !xg_sections_parse_split(split, parts)) {
        g_autofree char *shown = xg_text_quoted(split);
        xg_study_entry_problem(entry, problems,
                               "expected parts such as 70/15/15, or manifest, found %s", shown);
    }
    if (weights && strcmp(weights, "random") != 0 && strcmp(weights, "none") != 0) {
        g_autofree char *path = xg_study_file_resolve(file, weights);
        xg_resolved_set(resolved, "backbone", "weights", path, NULL, TRUE);
    }
    if (name && (strchr(name, '/') || g_str_has_prefix(name, "."))) {
        g_autofree char *shown = xg_text_quoted(name);
        entry = xg_study_file_find(file, "study", "name");
        xg_study_entry_problem(entry, problems,
                               "expected a name without / and not starting with a full stop, "
                               "found %s",
                               shown);
    } else if (name && output && !*output) {
        g_autofree char *relative = g_build_filename("runs", name, NULL);
        g_autofree char *path = xg_study_file_resolve(file, relative);
        xg_resolved_set(resolved, "study", "output", path, "default", FALSE);
    }
}
