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
    Tensor *tensor;
    int seen;
} Use;

typedef struct Uses {
    Use *items;
    size_t count;
} Uses;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Use *) a)->name, ((const Use *) b)->name);
}

static void see(const Uses *uses, const char *name, int how)
{
    const Use wanted = {name, NULL, 0};
    Use *use = bsearch(&wanted, uses->items, uses->count, sizeof wanted, by_name);
    if (use)
        use->seen |= how;
}

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

static int see_node(const Uses *uses, Slice node, Problem *p)
{
    Onnx__NodeProto *n = message_unpack(&onnx__node_proto__descriptor, node, p);
    if (!n)
        return 0;
    const char *op = n->op_type ? n->op_type : "";
    const int standard = !n->domain || !n->domain[0] || strcmp(n->domain, "ai.onnx") == 0;
    const int turned =
        standard && (strcmp(op, "MatMul") == 0 ||
                     (strcmp(op, "Gemm") == 0 && integer_attribute(node, "transB", p) == 0));
    for (size_t i = 0; i < n->n_input; i++)
        see(uses, n->input[i], turned && i == 1 ? USED_TURNED : USED_PLAIN);
    message_free(n);
    return p->status == XG_OK;
}

static void turn_matrices(const Uses *uses)
{
    for (size_t i = 0; i < uses->count; i++) {
        Tensor *t = uses->items[i].tensor;
        if (uses->items[i].seen != USED_TURNED || t->rank != 2)
            continue;
        const int64_t in = t->dims[0];
        t->dims[0] = t->dims[1];
        t->dims[1] = in;
        t->turned = 1;
    }
}

int uses_turn(Slice graph, Tensors *tensors, Problem *p)
{
    Uses uses = {malloc((size_t) (tensors->count + 1) * sizeof(Use)), (size_t) tensors->count};
    Field field;
    if (!uses.items)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (size_t i = 0; i < uses.count; i++)
        uses.items[i] = (Use){tensors->items[i].name, &tensors->items[i], 0};
    qsort(uses.items, uses.count, sizeof *uses.items, by_name);
    while (wire_next(&graph, &field, p)) {
        if (field.number != FIELD_NODE)
            continue;
        if (field.wire != WIRE_BYTES)
            problem(p, XG_FORMAT, "byte %llu: expected a node, found a number",
                    (unsigned long long) field.whole.offset);
        else
            see_node(&uses, field.body, p);
        if (p->status != XG_OK)
            break;
    }
    if (p->status == XG_OK)
        turn_matrices(&uses);
    free(uses.items);
    return p->status == XG_OK;
}
