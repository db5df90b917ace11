/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/op.h"

static gpointer index_table(gpointer unused)
{
    (void) unused;
    GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);
    for (const XgOp *const *op = xg_op_table; *op; op++)
        g_assert(g_hash_table_insert(table, (gpointer) (*op)->id, (gpointer) *op));
    return table;
}

const XgOp *xg_op_find(const char *id)
{
    static GOnce once = G_ONCE_INIT;
    return g_hash_table_lookup(g_once(&once, index_table, NULL), id);
}

void xg_infer_parameter(XgInfer *infer, const char *name, XgValueKind kind, const XgShape *shape,
                        XgLayout layout, const char *init, gboolean absent)
{
    g_assert(infer->parameter_count < (int) G_N_ELEMENTS(infer->parameters));
    const int i = infer->parameter_count++;
    infer->parameters[i].name = name;
    infer->parameters[i].kind = kind;
    infer->parameters[i].shape = *shape;
    infer->parameters[i].layout = layout;
    infer->parameters[i].init = init;
    infer->parameters[i].absent = absent;
}

gint64 xg_tensor_elements(const XgTensor *tensor, gint64 batch)
{
    gint64 elements = 1;
    for (int i = 0; i < tensor->rank; i++)
        elements *= tensor->dims[i] == XG_BATCH ? batch : tensor->dims[i];
    return elements;
}

struct XgNodeView {
    XgNodeInfo info;
    XgTensor *tensors;
    const XgTensor **pointers; /* inputs, then outputs */
};

static void describe(const XgValue *value, const float *const *constants, const gint64 *strides,
                     XgTensor *tensor)
{
    tensor->rank = value->shape.rank;
    tensor->is_parameter = value->kind == XG_VALUE_PARAMETER || value->kind == XG_VALUE_BUFFER;
    for (int i = 0; i < value->shape.rank; i++)
        tensor->dims[i] = value->shape.dims[i];
    tensor->constant = constants ? constants[value->id] : NULL;
    tensor->stride = strides ? strides[value->id] : 0;
    if (tensor->stride == 0)
        tensor->stride = tensor->dims[tensor->rank - 1];
}

XgNodeView *xg_node_view_new(const XgNode *node, gint64 max_batch, const float *const *constants,
                             const gint64 *strides)
{
    const int count = node->input_count + node->output_count;
    XgNodeView *view = g_new0(XgNodeView, 1);
    view->tensors = g_new0(XgTensor, count);
    view->pointers = g_new0(const XgTensor *, count);
    for (int i = 0; i < count; i++) {
        const XgValue *value =
            i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
        if (!value)
            continue;
        describe(value, constants, strides, &view->tensors[i]);
        view->pointers[i] = &view->tensors[i];
    }
    view->info.op = node->op->id;
    view->info.name = node->name;
    view->info.max_batch = max_batch;
    view->info.input_count = node->input_count;
    view->info.output_count = node->output_count;
    view->info.inputs = view->pointers;
    view->info.outputs = view->pointers + node->input_count;
    view->info.attributes = node->attributes;
    view->info.attribute_count = node->attribute_count;
    return view;
}

void xg_node_view_set_alone(XgNodeView *view, gboolean alone)
{
    view->info.alone = alone;
}

const XgNodeInfo *xg_node_view_info(const XgNodeView *view)
{
    return &view->info;
}

void xg_node_view_free(XgNodeView *view)
{
    if (!view)
        return;
    g_free(view->tensors);
    g_free(view->pointers);
    g_free(view);
}
