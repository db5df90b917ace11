/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "classical.h"

#include <stdlib.h>

uint64_t classical_random(ClassicalRandom *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t classical_random_below(ClassicalRandom *random, int64_t below)
{
    const uint64_t range = (uint64_t) below, limit = UINT64_MAX - UINT64_MAX % range;
    uint64_t number;
    do
        number = classical_random(random);
    while (number >= limit);
    return (int64_t) (number % range);
}

/* Rows that stay together: rows[first .. first + count). */
typedef struct {
    int64_t first, count;
} Group;

typedef struct {
    int32_t group;
    int64_t row;
} Member;

static int by_group(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    return x->group != y->group ? (x->group > y->group) - (x->group < y->group)
                                : (x->row > y->row) - (x->row < y->row);
}

/* Larger groups first; equal ones keep the shuffled order that `first` cannot tell. */
typedef struct {
    Group group;
    int64_t order;
} Place;

static int by_size(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    return x->group.count != y->group.count
               ? (x->group.count < y->group.count) - (x->group.count > y->group.count)
               : (x->order > y->order) - (x->order < y->order);
}

static void sort_members(const XgFit *fit, Member *members)
{
    for (int64_t i = 0; i < fit->train.rows; i++)
        members[i] = (Member){fit->train.groups ? fit->train.groups[i] : (int32_t) i, i};
    qsort(members, (size_t) fit->train.rows, sizeof *members, by_group);
}

int32_t *classical_groups(const XgFit *fit)
{
    int32_t *numbers = classical_new(fit->train.rows, sizeof *numbers), number = 0;
    Member *members = classical_new(fit->train.rows, sizeof *members);
    if (numbers == NULL || members == NULL) {
        free(numbers);
        free(members);
        return NULL;
    }
    sort_members(fit, members);
    for (int64_t i = 0; i < fit->train.rows; i++) {
        number += i > 0 && members[i].group != members[i - 1].group;
        numbers[members[i].row] = number;
    }
    free(members);
    return numbers;
}

/* Fills `members`, sorted by group, and `places`, in the order of dealing out. */
static int64_t find_groups(const XgFit *fit, Member *members, Place *places)
{
    const int64_t rows = fit->train.rows;
    ClassicalRandom random = {fit->seed ^ UINT64_C(0x666f6c6473)};
    int64_t count = 0;
    sort_members(fit, members);
    for (int64_t i = 0; i < rows; i++) {
        if (i == 0 || members[i].group != members[i - 1].group)
            places[count++] = (Place){{i, 0}, 0};
        places[count - 1].group.count++;
    }
    for (int64_t i = count - 1; i >= 0; i--) {
        const int64_t other = classical_random_below(&random, i + 1);
        const Group group = places[i].group;
        places[i].group = places[other].group;
        places[other].group = group;
        places[i].order = i;
    }
    qsort(places, (size_t) count, sizeof *places, by_size);
    return count;
}

/* The fold where the squares of the classes' parts grow least; the smaller one of two. */
static int best_fold(const int64_t *held, const int64_t *gain, const int64_t *total, int folds,
                     int64_t classes)
{
    int best = 0;
    double least = 0.0;
    int64_t smallest = 0;
    for (int f = 0; f < folds; f++) {
        const int64_t *in = held + f * (classes + 1);
        double cost = 0.0;
        for (int64_t k = 0; k < classes; k++)
            if (gain[k] > 0)
                cost += (double) gain[k] * (double) (2 * in[k] + gain[k]) /
                        ((double) total[k] * (double) total[k]);
        if (f == 0 || cost < least * (1.0 - 1e-12) ||
            (cost <= least * (1.0 + 1e-12) && in[classes] < smallest)) {
            best = f;
            least = cost;
            smallest = in[classes];
        }
    }
    return best;
}

static void deal_out(const XgFit *fit, int folds, const Member *members, const Place *places,
                     int64_t groups, int64_t *counts, int32_t *fold_of_row)
{
    const int64_t classes = fit->classes;
    int64_t *total = counts, *gain = counts + classes, *held = counts + 2 * classes;
    for (int64_t i = 0; i < fit->train.rows; i++)
        total[fit->train.labels[i]]++;
    for (int64_t g = 0; g < groups; g++) {
        const Group group = places[g].group;
        for (int64_t k = 0; k < classes; k++)
            gain[k] = 0;
        for (int64_t i = 0; i < group.count; i++)
            gain[fit->train.labels[members[group.first + i].row]]++;
        const int fold = best_fold(held, gain, total, folds, classes);
        for (int64_t k = 0; k < classes; k++)
            held[fold * (classes + 1) + k] += gain[k];
        held[fold * (classes + 1) + classes] += group.count;
        for (int64_t i = 0; i < group.count; i++)
            fold_of_row[members[group.first + i].row] = fold;
    }
}

int32_t *classical_folds(const XgFit *fit, int folds)
{
    const int64_t rows = fit->train.rows;
    int32_t *fold_of_row = classical_new(rows, sizeof *fold_of_row);
    Member *members = classical_new(rows, sizeof *members);
    Place *places = classical_new(rows, sizeof *places);
    int64_t *counts = classical_new(2 * fit->classes + folds * (fit->classes + 1), sizeof *counts);
    if (fold_of_row != NULL && members != NULL && places != NULL && counts != NULL) {
        const int64_t groups = find_groups(fit, members, places);
        deal_out(fit, folds, members, places, groups, counts, fold_of_row);
    } else {
        free(fold_of_row);
        fold_of_row = NULL;
    }
    free(members);
    free(places);
    free(counts);
    return fold_of_row;
}

double classical_balanced_accuracy(const int32_t *labels, const int32_t *predicted, int64_t rows,
                                   int64_t classes)
{
    double sum = 0.0;
    int64_t present = 0;
    for (int64_t k = 0; k < classes; k++) {
        int64_t all = 0, right = 0;
        for (int64_t i = 0; i < rows; i++) {
            all += labels[i] == k;
            right += labels[i] == k && predicted[i] == k;
        }
        present += all > 0;
        sum += all > 0 ? (double) right / (double) all : 0.0;
    }
    return present > 0 ? sum / (double) present : 0.0;
}

void classical_note(const XgFit *fit, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fit->note(fit, text);
}
