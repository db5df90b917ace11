/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "uses.h"

#include "onnx.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_NODE = 1, FIELD_ATTRIBUTE = 5 };
enum { USED_TURNED = 1, USED_PLAIN = 2 };

/* One tensor's name and how nodes take it. */
typedef struct Use {
    const char *name;
    uint64_t index;
    int seen;
} Use;

/* The tensors by name, and what is done with each node. */
typedef struct Uses {
    Use *items;
    size_t count;
    Tensors *tensors;
    int (*on_node)(struct Uses *uses, const Onnx__NodeProto *node, Slice where, Problem *p);
} Uses;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Use *) a)->name, ((const Use *) b)->name);
}

static Use *find(const Uses *uses, const char *name)
{
    const Use wanted = {name, 0, 0};
    return bsearch(&wanted, uses->items, uses->count, sizeof wanted, by_name);
}

static int is_op(const Onnx__NodeProto *node, const char *op)
{
    const int standard = !node->domain || !node->domain[0] || strcmp(node->domain, "ai.onnx") == 0;
    return standard && node->op_type && strcmp(node->op_type, op) == 0;
}

static int visit_node(Uses *uses, const Field *field, Problem *p)
{
    if (field->wire != WIRE_BYTES)
        return problem(p, XG_FORMAT, "byte %llu: expected a node, found a number",
                       (unsigned long long) field->whole.offset);
    Onnx__NodeProto *node = message_unpack(&onnx__node_proto__descriptor, field->body, p);
    const int good = node && uses->on_node(uses, node, field->body, p);
    message_free(node);
    return good;
}

/* Calls on_node() for each node; free the items, on failure too. */
static int visit_nodes(Uses *uses, Slice graph, Problem *p)
{
    Field field;
    uses->count = (size_t) uses->tensors->count;
    uses->items = malloc((uses->count + 1) * sizeof *uses->items);
    if (!uses->items)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (size_t i = 0; i < uses->count; i++)
        uses->items[i] = (Use){uses->tensors->items[i].name, i, 0};
    qsort(uses->items, uses->count, sizeof *uses->items, by_name);
    while (wire_next(&graph, &field, p))
        if (field.number == FIELD_NODE && !visit_node(uses, &field, p))
            break;
    return p->status == XG_OK;
}

/* ---- Second names -------------------------------------------------------------------------- */

static int add_copy(Uses *uses, const Onnx__NodeProto *node, Slice where, Problem *p)
{
    (void) where;
    if (!is_op(node, "Identity") || node->n_input != 1 || node->n_output != 1)
        return 1;
    const Use *use = find(uses, node->input[0]);
    if (!use)
        return 1;
    const Tensor copy = uses->tensors->items[use->index];
    return tensors_add(uses->tensors, &copy, node->output[0], p);
}

int uses_add_copies(Slice graph, Tensors *tensors, Problem *p)
{
    Uses uses = {NULL, 0, tensors, add_copy};
    const int good = visit_nodes(&uses, graph, p);
    free(uses.items);
    return good;
}

/* ---- Matrices ------------------------------------------------------------------------------ */

/* The attribute of that name, 0 when there is none. */
static int64_t integer_attribute(Slice node, const char *name, Problem *p)
{
    int64_t value = 0;
    Field field;
    while (wire_next(&node, &field, p)) {
        if (field.number != FIELD_ATTRIBUTE || field.wire != WIRE_BYTES)
            continue;
        Onnx__AttributeProto *a = message_unpack(&onnx__attribute_proto__descriptor, field.body, p);
        if (a && a->name && strcmp(a->name, name) == 0)
            value = a->i;
        message_free(a);
    }
    return value;
}

static int see_inputs(Uses *uses, const Onnx__NodeProto *node, Slice where, Problem *p)
{
    if (is_op(node, "Identity"))
        return 1;
    const int turned = is_op(node, "MatMul") ||
                       (is_op(node, "Gemm") && integer_attribute(where, "transB", p) == 0);
    for (size_t i = 0; i < node->n_input; i++) {
        Use *use = find(uses, node->input[i]);
        if (use)
            use->seen |= turned && i == 1 ? USED_TURNED : USED_PLAIN;
    }
    return p->status == XG_OK;
}

int uses_turn(Slice graph, Tensors *tensors, Problem *p)
{
    Uses uses = {NULL, 0, tensors, see_inputs};
    const int good = visit_nodes(&uses, graph, p);
    for (size_t i = 0; good && i < uses.count; i++) {
        Tensor *t = &tensors->items[uses.items[i].index];
        if (uses.items[i].seen != USED_TURNED || t->rank != 2)
            continue;
        const int64_t in = t->dims[0];
        t->dims[0] = t->dims[1];
        t->dims[1] = in;
        t->turned = 1;
    }
    free(uses.items);
    return good;
}
