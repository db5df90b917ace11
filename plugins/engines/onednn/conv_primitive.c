/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "conv_primitive.h"

#include <stdlib.h>

/* Everything that oneDNN asks of a convolution. */
typedef struct {
    dnnl_memory_desc_t source, weights, bias, result;
    dnnl_dims_t strides, dilates, before, after;
} Layout;

void conv_rows(const Shape *s, int64_t first, int64_t last, int64_t *begin, int64_t *end)
{
    *begin = max_i64(0, first * s->stride_h - s->pad_top);
    *end = min_i64(s->in_h,
                   (last - 1) * s->stride_h - s->pad_top + (s->kernel_h - 1) * s->dilation + 1);
}

static int side_is_sound(int64_t in, int64_t out, int64_t stride, int64_t before, int64_t reach)
{
    return before < reach && (out - 1) * stride - before < in;
}

int conv_is_sound(const Shape *s)
{
    return side_is_sound(s->in_h, s->out_h, s->stride_h, s->pad_top,
                         (s->kernel_h - 1) * s->dilation + 1) &&
           side_is_sound(s->in_w, s->out_w, s->stride_w, s->pad_left,
                         (s->kernel_w - 1) * s->dilation + 1);
}

dnnl_status_t conv_weights_desc(const Shape *s, dnnl_memory_desc_t *desc)
{
    const int64_t in = s->in_channels / s->groups, out = s->out_channels / s->groups;
    const int64_t filter = s->kernel_h * s->kernel_w * in;
    const int64_t dims[] = {s->groups, out, in, s->kernel_h, s->kernel_w};
    const int64_t strides[] = {out * filter, filter, 1, s->kernel_w * in, in};
    const int skip = s->groups == 1;
    return tensor_desc(desc, 5 - skip, dims + skip, strides + skip, dnnl_f32);
}

static dnnl_status_t map_desc(dnnl_memory_desc_t *desc, int64_t images, int64_t height,
                              int64_t width, int64_t channels, dnnl_data_type_t type)
{
    const int64_t dims[] = {images, channels, height, width};
    const int64_t strides[] = {height * width * channels, 1, width * channels, channels};
    return tensor_desc(desc, 4, dims, strides, type);
}

static dnnl_status_t weights_desc(const ConvWant *want, dnnl_memory_desc_t *desc)
{
    const dnnl_status_t status = conv_weights_desc(want->shape, desc);
    dnnl_dims_t dims;
    if (status != dnnl_success || want->weights) {
        if (want->weights)
            *desc = *want->weights;
        return status;
    }
    memcpy(dims, desc->dims, sizeof dims);
    return dnnl_memory_desc_init_by_tag(desc, desc->ndims, dims,
                                        want->direction == GRAD_WEIGHT ? dnnl_f32 : want->type,
                                        dnnl_format_tag_any);
}

static dnnl_status_t lay_out(const ConvWant *want, Layout *layout)
{
    const Shape *s = want->shape;
    const int64_t outputs[] = {s->out_channels}, step[] = {1};
    const int64_t reach_h = (s->kernel_h - 1) * s->dilation + 1;
    const int64_t reach_w = (s->kernel_w - 1) * s->dilation + 1;
    int64_t begin = 0, end = s->in_h;
    if (want->first > 0 || want->last < s->out_h)
        conv_rows(s, want->first, want->last, &begin, &end);
    const int64_t top = want->first * s->stride_h - s->pad_top;
    const int64_t bottom = (want->last - 1) * s->stride_h - s->pad_top + reach_h;
    layout->strides[0] = s->stride_h;
    layout->strides[1] = s->stride_w;
    layout->dilates[0] = layout->dilates[1] = s->dilation - 1;
    layout->before[0] = begin - top;
    layout->before[1] = s->pad_left;
    layout->after[0] = max_i64(0, bottom - end);
    layout->after[1] = max_i64(0, (s->out_w - 1) * s->stride_w - s->pad_left + reach_w - s->in_w);
    dnnl_status_t status =
        map_desc(&layout->source, want->images, end - begin, s->in_w, s->in_channels, want->type);
    if (status == dnnl_success)
        status = map_desc(&layout->result, want->images, want->last - want->first, s->out_w,
                          s->out_channels, dnnl_f32);
    if (status == dnnl_success)
        status = tensor_desc(&layout->bias, 1, outputs, step, dnnl_f32);
    if (status == dnnl_success)
        status = weights_desc(want, &layout->weights);
    return status;
}

static dnnl_status_t forward_desc(const Layout *l, dnnl_prop_kind_t kind, int bias,
                                  dnnl_convolution_desc_t *desc)
{
    return dnnl_dilated_convolution_forward_desc_init(
        desc, kind, dnnl_convolution_direct, &l->source, &l->weights, bias ? &l->bias : NULL,
        &l->result, l->strides, l->dilates, l->before, l->after);
}

/* Gradients refer to their forward convolution. */
static dnnl_status_t hint_of(const OneDnn *onednn, const Layout *layout,
                             dnnl_primitive_desc_t *hint)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = forward_desc(layout, dnnl_forward_training, 0, &desc);
    return status != dnnl_success
               ? status
               : dnnl_primitive_desc_create(hint, &desc, NULL, onednn->engine, NULL);
}

static dnnl_status_t describe(const OneDnn *onednn, const ConvWant *want, const Layout *l,
                              dnnl_primitive_desc_t *made)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = attributes_of(want->residual, want->activation, &attributes);
    if (status == dnnl_success && want->direction != FORWARD)
        status = hint_of(onednn, l, &hint);
    if (status == dnnl_success && want->direction == FORWARD)
        status = forward_desc(l, dnnl_forward_inference, want->bias, &desc);
    else if (status == dnnl_success && want->direction == GRAD_INPUT)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, dnnl_convolution_direct, &l->source, &l->weights, &l->result, l->strides,
            l->dilates, l->before, l->after);
    else if (status == dnnl_success)
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, dnnl_convolution_direct, &l->source, &l->weights, NULL, &l->result, l->strides,
            l->dilates, l->before, l->after);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(made, &desc, attributes, onednn->engine, hint);
    dnnl_primitive_desc_destroy(hint);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

dnnl_status_t conv_primitive(const OneDnn *onednn, const ConvWant *want, Primitive *primitive)
{
    Layout layout;
    dnnl_primitive_desc_t made = NULL;
    memset(primitive, 0, sizeof *primitive);
    dnnl_status_t status = lay_out(want, &layout);
    if (status == dnnl_success)
        status = describe(onednn, want, &layout, &made);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&primitive->primitive, made);
    if (status == dnnl_success) {
        primitive->source = layout.source;
        primitive->result = layout.result;
        primitive_query(primitive, made,
                        want->direction == GRAD_WEIGHT ? dnnl_query_diff_weights_md
                                                       : dnnl_query_weights_md);
    }
    dnnl_primitive_desc_destroy(made);
    return status;
}
