/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Gradients against central differences of sum(dy * output) along random directions. */
#include "op_run.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { BATCH = 3, SEEDS = 12, DIRECTIONS = 3, MAX_ATTRS = 16 };

typedef struct {
    OpRun run;
    GRand *rand;
    XgValue *inputs[OP_RUN_MAX_INPUTS];
    int input_count;
    XgAttr attributes[MAX_ATTRS];
    int attribute_count;
    gint64 numbers[XG_MAX_RANK];
} Trial;

static gint64 draw(Trial *t, int low, int high)
{
    return g_rand_int_range(t->rand, low, high + 1);
}

static void attr(Trial *t, const char *name, gint64 value)
{
    t->attributes[t->attribute_count++] = xg_attr_int(name, value);
}

/* Evenly spaced numbers around zero in random order: no two are nearer than the steps taken, and
 * none is that near to zero, where maxima and ReLU have kinks. */
static void input(Trial *t, XgShape shape)
{
    XgValue *value = op_run_value(&t->run, &shape, NULL);
    const gint64 count = op_run_count(&t->run, value);
    const double spread = 2.5 / (double) MAX(count, 10);
    float *data = op_run_data(&t->run, value);
    for (gint64 i = 0; i < count; i++)
        data[i] = (float) (spread * ((double) (i - count / 2) + 0.5));
    for (gint64 i = count - 1; i > 0; i--) {
        const gint64 other = g_rand_int_range(t->rand, 0, (gint32) i + 1);
        const float kept = data[i];
        data[i] = data[other];
        data[other] = kept;
    }
    t->inputs[t->input_count++] = value;
}

static void image(Trial *t)
{
    input(t, (XgShape){4, {XG_BATCH, draw(t, 3, 6), draw(t, 3, 6), draw(t, 1, 4)}});
}

static gint64 last(const Trial *t)
{
    const XgShape *shape = &t->inputs[0]->shape;
    return shape->dims[shape->rank - 1];
}

static void draw_conv(Trial *t)
{
    const gint64 groups = draw(t, 1, 3), in = groups * draw(t, 1, 2), out = groups * draw(t, 1, 2);
    const gint64 kh = draw(t, 1, 3), kw = draw(t, 1, 3);
    input(t, (XgShape){4, {XG_BATCH, draw(t, 5, 7), draw(t, 5, 7), in}});
    input(t, (XgShape){4, {out, kh, kw, in / groups}});
    input(t, (XgShape){1, {out}});
    attr(t, "out_channels", out);
    attr(t, "kernel_h", kh);
    attr(t, "kernel_w", kw);
    attr(t, "groups", groups);
    attr(t, "dilation", draw(t, 1, 2));
    attr(t, "stride_h", draw(t, 1, 3));
    attr(t, "stride_w", draw(t, 1, 3));
    attr(t, "pad_top", draw(t, 0, 2));
    attr(t, "pad_bottom", draw(t, 0, 2));
    attr(t, "pad_left", draw(t, 0, 2));
    attr(t, "pad_right", draw(t, 0, 2));
}

static void draw_linear(Trial *t)
{
    const gint64 in = draw(t, 1, 7), out = draw(t, 1, 7);
    if (draw(t, 0, 1))
        input(t, (XgShape){2, {XG_BATCH, in}});
    else
        input(t, (XgShape){3, {XG_BATCH, draw(t, 1, 4), in}});
    input(t, (XgShape){2, {out, in}});
    input(t, (XgShape){1, {out}});
    attr(t, "out_features", out);
}

static void draw_pool(Trial *t)
{
    image(t);
    attr(t, "kernel_h", draw(t, 2, 3));
    attr(t, "kernel_w", draw(t, 2, 3));
    attr(t, "stride_h", draw(t, 1, 3));
    attr(t, "stride_w", draw(t, 1, 3));
    attr(t, "pad_top", draw(t, 0, 1));
    attr(t, "pad_bottom", draw(t, 0, 1));
    attr(t, "pad_left", draw(t, 0, 1));
    attr(t, "pad_right", draw(t, 0, 1));
    attr(t, "ceil_mode", draw(t, 0, 1));
    attr(t, "exclude_pad", draw(t, 0, 1));
}

static void draw_adaptive(Trial *t)
{
    image(t);
    attr(t, "out_h", draw(t, 1, 7));
    attr(t, "out_w", draw(t, 1, 7));
}

static void draw_batch_norm(Trial *t)
{
    image(t);
    for (int i = 0; i < 4; i++)
        input(t, (XgShape){1, {last(t)}});
    float *variance = op_run_data(&t->run, t->inputs[4]);
    for (gint64 i = 0; i < last(t); i++)
        variance[i] = 0.5f + fabsf(variance[i]);
}

static void draw_layer_norm(Trial *t)
{
    input(t, (XgShape){3, {XG_BATCH, draw(t, 1, 4), draw(t, 3, 9)}});
    input(t, (XgShape){1, {last(t)}});
    input(t, (XgShape){1, {last(t)}});
}

static void draw_lrn(Trial *t)
{
    image(t);
    attr(t, "size", draw(t, 1, 5));
    t->attributes[t->attribute_count++] = xg_attr_float("alpha", 0.5);
}

static void draw_two(Trial *t)
{
    image(t);
    XgShape other = t->inputs[0]->shape;
    const gint64 form = draw(t, 0, 2);
    if (form == 1)
        other = (XgShape){4, {XG_BATCH, 1, 1, last(t)}};
    if (form == 2)
        other = (XgShape){2, {XG_BATCH, last(t)}};
    input(t, other);
}

static void draw_concat(Trial *t)
{
    image(t);
    XgShape other = t->inputs[0]->shape;
    for (int i = 0; i < 2; i++) {
        other.dims[3] = draw(t, 1, 4);
        input(t, other);
    }
}

static void draw_slice(Trial *t)
{
    image(t);
    const gint64 axis = draw(t, 1, 3), size = t->inputs[0]->shape.dims[axis];
    const gint64 begin = draw(t, 0, (int) size - 1);
    attr(t, "axis", axis);
    attr(t, "begin", begin);
    attr(t, "end", draw(t, (int) begin + 1, (int) size));
}

static void draw_attention(Trial *t)
{
    const gint64 heads = draw(t, 1, 3);
    input(t, (XgShape){3, {XG_BATCH, draw(t, 1, 5), 3 * heads * draw(t, 1, 4)}});
    attr(t, "heads", heads);
}

static void draw_tokens(Trial *t, gint64 added)
{
    input(t, (XgShape){3, {XG_BATCH, draw(t, 1, 5), draw(t, 1, 6)}});
    input(t, (XgShape){3, {1, added ? 1 : t->inputs[0]->shape.dims[1], last(t)}});
}

static void draw_class_token(Trial *t)
{
    draw_tokens(t, 1);
}

static void draw_position(Trial *t)
{
    draw_tokens(t, 0);
}

static void draw_permute(Trial *t)
{
    image(t);
    const gint64 shift = draw(t, 0, 2);
    for (int i = 1; i < 4; i++)
        t->numbers[i] = 1 + (i - 1 + shift) % 3;
    t->attributes[t->attribute_count++] = xg_attr_ints("axes", t->numbers, 4);
}

static void draw_reshape(Trial *t)
{
    image(t);
    t->numbers[0] = last(t);
    t->numbers[1] = -1;
    t->attributes[t->attribute_count++] = xg_attr_ints("dims", t->numbers, 2);
}

static void draw_scale(Trial *t)
{
    image(t);
    t->attributes[t->attribute_count++] = xg_attr_float("factor", -0.7);
}

static void draw_cross_entropy(Trial *t)
{
    input(t, (XgShape){2, {XG_BATCH, draw(t, 2, 6)}});
    input(t, t->inputs[0]->shape);
    float *targets = op_run_data(&t->run, t->inputs[1]);
    for (gint64 i = 0; i < op_run_count(&t->run, t->inputs[1]); i++)
        targets[i] = fabsf(targets[i]);
}

static void draw_focal(Trial *t)
{
    draw_cross_entropy(t);
    t->attributes[t->attribute_count++] = xg_attr_float("gamma", 2.0);
}

/* `wanted`: how many inputs, from the first, the gradient is taken by. */
static const struct {
    const char *op;
    void (*draw)(Trial *t);
    int wanted;
} kinds[] = {
    {"conv2d/1", draw_conv, 3},
    {"linear/1", draw_linear, 3},
    {"batch_norm/1", draw_batch_norm, 3},
    {"batch_norm_train/1", draw_batch_norm, 3},
    {"layer_norm/1", draw_layer_norm, 3},
    {"relu/1", image, 1},
    {"relu6/1", image, 1},
    {"gelu/1", image, 1},
    {"sigmoid/1", image, 1},
    {"silu/1", image, 1},
    {"hardsigmoid/1", image, 1},
    {"hardswish/1", image, 1},
    {"softmax/1", image, 1},
    {"max_pool/1", draw_pool, 1},
    {"avg_pool/1", draw_pool, 1},
    {"adaptive_avg_pool/1", draw_adaptive, 1},
    {"global_avg_pool/1", image, 1},
    {"lrn/1", draw_lrn, 1},
    {"add/1", draw_two, 2},
    {"mul/1", draw_two, 2},
    {"scale/1", draw_scale, 1},
    {"concat/1", draw_concat, 3},
    {"slice/1", draw_slice, 1},
    {"flatten/1", image, 1},
    {"reshape/1", draw_reshape, 1},
    {"permute/1", draw_permute, 1},
    {"attention/1", draw_attention, 1},
    {"class_token/1", draw_class_token, 2},
    {"position/1", draw_position, 2},
    {"cross_entropy/1", draw_cross_entropy, 1},
    {"cross_entropy/1", draw_focal, 1},
};

/* sum(dy * output) with the input moved by `step` along the direction. */
static double moved(Trial *t, const XgNode *node, const XgValue *dy, const XgValue *x,
                    const float *direction, double step)
{
    const gint64 count = op_run_count(&t->run, x);
    float *data = op_run_data(&t->run, x);
    g_autofree float *kept = g_memdup2(data, (gsize) count * sizeof(float));
    for (gint64 i = 0; i < count; i++)
        data[i] = (float) ((double) kept[i] + step * (double) direction[i]);
    op_run_compute(&t->run);
    memcpy(data, kept, (gsize) count * sizeof(float));
    double sum = 0.0;
    const float *y = op_run_data(&t->run, node->outputs[0]);
    const float *weight = op_run_data(&t->run, dy);
    for (gint64 i = 0; i < op_run_count(&t->run, node->outputs[0]); i++)
        sum += (double) y[i] * (double) weight[i];
    return sum;
}

static double norm(const float *x, gint64 count)
{
    double sum = 0.0;
    for (gint64 i = 0; i < count; i++)
        sum += (double) x[i] * (double) x[i];
    return sqrt(sum);
}

static void check_input(Trial *t, const XgNode *node, const XgValue *dy, int index,
                        const XgValue *gradient)
{
    const double step = 1e-3;
    const XgValue *x = t->inputs[index];
    const gint64 count = op_run_count(&t->run, x);
    ck_assert_msg(gradient != NULL, "%s: no gradient of input %d", node->op->id, index);
    op_run_compute(&t->run);
    g_autofree float *slope = g_memdup2(op_run_data(&t->run, gradient),
                                        (gsize) count * sizeof(float));
    g_autofree float *direction = g_new(float, count);
    for (int round = 0; round < DIRECTIONS; round++) {
        double expected = 0.0;
        for (gint64 i = 0; i < count; i++) {
            direction[i] = (float) g_rand_double_range(t->rand, -1.0, 1.0);
            expected += (double) slope[i] * (double) direction[i];
        }
        const double found = (moved(t, node, dy, x, direction, step) -
                              moved(t, node, dy, x, direction, -step)) /
                             (2.0 * step);
        const double scale = norm(slope, count) * norm(direction, count);
        ck_assert_msg(fabs(found - expected) <= 3e-4 * scale + 5e-4,
                      "%s, input %d: slope %g, differences give %g (scale %g)", node->op->id, index,
                      expected, found, scale);
    }
}

static gboolean takes(const XgOp *op, const char *attribute)
{
    for (const XgOpAttr *a = op->attributes; a && a->name; a++)
        if (strcmp(a->name, attribute) == 0)
            return TRUE;
    return FALSE;
}

static void check_trial(int kind, guint32 seed)
{
    Trial t = {.rand = g_rand_new_with_seed(seed)};
    GError *error = NULL;
    gboolean wanted[OP_RUN_MAX_INPUTS];
    XgValue *gradients[OP_RUN_MAX_INPUTS];
    const XgOp *op = xg_op_find(kinds[kind].op);
    op_run_init(&t.run, BATCH);
    kinds[kind].draw(&t);
    int count = 0;
    for (int i = 0; i < t.attribute_count; i++)
        if (takes(op, t.attributes[i].name))
            t.attributes[count++] = t.attributes[i];
    const XgNode *node = xg_network_add_node(t.run.network, op->id, "node", t.inputs,
                                             t.input_count, t.attributes, count, &error);
    ck_assert_msg(node != NULL, "%s: %s", op->id, error ? error->message : "?");
    XgValue *dy = op_run_value(&t.run, &node->outputs[0]->shape, NULL);
    for (gint64 i = 0; i < op_run_count(&t.run, dy); i++)
        op_run_data(&t.run, dy)[i] = (float) g_rand_double_range(t.rand, -1.0, 1.0);
    for (int i = 0; i < t.input_count; i++)
        wanted[i] = i < kinds[kind].wanted;
    op_run_differentiate(&t.run, node, dy, wanted, gradients);
    for (int i = 0; i < kinds[kind].wanted; i++)
        check_input(&t, node, dy, i, gradients[i]);
    op_run_clear(&t.run);
    g_rand_free(t.rand);
}

START_TEST(differences)
{
    for (guint32 seed = 1; seed <= SEEDS; seed++)
        check_trial(_i, seed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, differences, 0, (int) G_N_ELEMENTS(kinds));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
