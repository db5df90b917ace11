/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/again.h"

/* Nodes begin..end of the network's list. */
typedef struct {
    guint begin, end;
    double saved, work; /* floats; operations */
} Segment;

typedef struct {
    const XgNetwork *network;
    const XgAgainMarks *marks;
    guint *last_use;  /* per value id: the last node of the forward pass that uses it */
    double *kept;     /* per node: floats kept for the backward pass so far */
    double *crossing; /* per node: floats that are used by the forward pass behind it */
} Course;

static double floats_of(const XgValue *value)
{
    return (double) xg_shape_elements(&value->shape);
}

static gboolean is_forward(const Course *course, const XgNode *node)
{
    return !course->marks->backward[node->outputs[0]->id];
}

static void find_last_uses(Course *course)
{
    const GPtrArray *nodes = course->network->nodes;
    for (guint i = 0; i < nodes->len; i++) {
        const XgNode *node = nodes->pdata[i];
        for (int k = 0; k < node->input_count && is_forward(course, node); k++)
            if (node->inputs[k] != NULL)
                course->last_use[node->inputs[k]->id] = i;
    }
}

static void follow(Course *course)
{
    const GPtrArray *nodes = course->network->nodes;
    double kept = 0.0, crossing = 0.0;
    g_autofree double *ending = g_new0(double, nodes->len + 1);
    for (guint i = 0; i < nodes->len; i++) {
        const XgNode *node = nodes->pdata[i];
        crossing -= ending[i];
        for (int k = 0; k < node->output_count && is_forward(course, node); k++) {
            const XgValue *value = node->outputs[k];
            if (course->marks->demanded[value->id])
                kept += floats_of(value);
            if (course->last_use[value->id] > i) {
                crossing += floats_of(value);
                ending[course->last_use[value->id]] += floats_of(value);
            }
        }
        course->kept[i] = kept;
        course->crossing[i] = crossing;
    }
}

/* The narrowest place between `begin` and the end of the forward pass where about `target` floats
 * are kept, `reach` more or less. */
static guint cut_near(const Course *course, guint begin, double target, double reach)
{
    const guint count = course->network->nodes->len;
    guint best = begin;
    for (guint i = begin; i < count && course->kept[i] <= target + reach; i++)
        if (course->kept[i] >= target - reach &&
            (best == begin || course->crossing[i] < course->crossing[best]))
            best = i;
    return best;
}

static void measure(const Course *course, Segment *segment)
{
    for (guint i = segment->begin; i < segment->end; i++) {
        const XgNode *node = course->network->nodes->pdata[i];
        const XgValue *value = node->outputs[0];
        if (!is_forward(course, node) || course->last_use[value->id] >= segment->end)
            continue;
        segment->work += xg_again_work(node);
        if (course->marks->demanded[value->id])
            segment->saved += floats_of(value);
    }
}

static GArray *cut(const Course *course, guint count)
{
    GArray *segments = g_array_new(FALSE, FALSE, sizeof(Segment));
    const guint nodes = course->network->nodes->len;
    const double all = nodes > 0 ? course->kept[nodes - 1] : 0.0, share = all / (double) count;
    guint begin = 0;
    for (guint k = 1; k < count; k++) {
        const guint last = cut_near(course, begin, share * (double) k, share / 2.0);
        Segment segment = {.begin = begin, .end = last + 1};
        measure(course, &segment);
        if (last > begin)
            g_array_append_val(segments, segment);
        begin = last > begin ? last + 1 : begin;
    }
    return segments;
}

static gint by_gain(gconstpointer a, gconstpointer b)
{
    const Segment *left = a, *right = b;
    const double l = left->saved * right->work, r = right->saved * left->work;
    return l != r ? (l > r ? -1 : 1) : (left->begin < right->begin ? -1 : 1);
}

static void choose(const Course *course, const Segment *segment, guint8 *chosen)
{
    for (guint i = segment->begin; i < segment->end; i++) {
        const XgNode *node = course->network->nodes->pdata[i];
        const guint id = node->outputs[0]->id;
        chosen[id] = is_forward(course, node) && !course->marks->fixed[id] &&
                     course->last_use[id] < segment->end;
    }
}

void xg_again_choose_segments(const XgNetwork *network, const XgAgainMarks *marks,
                              const XgAgain *again, guint8 *chosen)
{
    g_autofree guint *last_use = g_new0(guint, network->values->len + 1);
    g_autofree double *kept = g_new0(double, network->nodes->len + 1);
    g_autofree double *crossing = g_new0(double, network->nodes->len + 1);
    Course course = {network, marks, last_use, kept, crossing};
    find_last_uses(&course);
    follow(&course);
    g_autoptr(GArray) segments = cut(&course, again->segments);
    g_array_sort(segments, by_gain);
    for (guint i = 0; i < MIN(again->repeated, segments->len); i++)
        choose(&course, &g_array_index(segments, Segment, i), chosen);
}
