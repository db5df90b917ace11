/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/suggest.h"
#include "base/text.h"
#include "graph/builder.h"

#include <math.h>
#include <string.h>

/* More of any of these is a mistake, and would overflow the arithmetic of shape rules. */
enum { MAX_ATTRIBUTES = 64, MAX_LIST = 64, MAX_INPUTS = 4096 };
static const gint64 max_elements = G_GINT64_CONSTANT(1) << 40;

XgAttr *xg_attrs_copy(const XgAttr *attributes, int count)
{
    XgAttr *copy = g_new0(XgAttr, MAX(count, 1));
    for (int i = 0; i < count; i++) {
        copy[i] = attributes[i];
        copy[i].s = g_strdup(attributes[i].s);
        copy[i].ints = g_memdup2(attributes[i].ints, sizeof(int64_t) * attributes[i].count);
        copy[i].floats = g_memdup2(attributes[i].floats, sizeof(double) * attributes[i].count);
    }
    return copy;
}

void xg_attrs_free(XgAttr *attributes, int count)
{
    for (int i = 0; i < count; i++) {
        g_free((gpointer) attributes[i].s);
        g_free((gpointer) attributes[i].ints);
        g_free((gpointer) attributes[i].floats);
    }
    g_free(attributes);
}

static gboolean int_ok(gint64 value)
{
    return value >= -G_MAXINT32 && value <= G_MAXINT32;
}

static gboolean attr_value_check(const XgAttr *attr, GError **error)
{
    gboolean ok = TRUE;
    if (attr->type == XG_ATTR_INTS || attr->type == XG_ATTR_FLOATS) {
        ok = attr->count >= 0 && attr->count <= MAX_LIST &&
             (attr->count == 0 ||
              (attr->type == XG_ATTR_INTS ? attr->ints != NULL : attr->floats != NULL));
        for (int i = 0; ok && i < attr->count; i++)
            ok = attr->type == XG_ATTR_INTS ? int_ok(attr->ints[i]) : isfinite(attr->floats[i]);
    } else if (attr->type == XG_ATTR_INT) {
        ok = int_ok(attr->i);
    } else if (attr->type == XG_ATTR_FLOAT) {
        ok = isfinite(attr->f);
    } else {
        ok = attr->s != NULL && strlen(attr->s) <= 1000;
    }
    return ok || xg_error_set(error, XG_LIMIT, "attribute \"%s\" has no usable value", attr->name);
}

static gboolean unknown_attribute(const XgOp *op, const char *name, GError **error)
{
    const char *names[MAX_ATTRIBUTES + 1] = {NULL};
    int count = 0;
    for (const XgOpAttr *a = op->attributes; a && a->name && count < MAX_ATTRIBUTES; a++)
        names[count++] = a->name;
    const char *nearest = xg_suggest(name, names);
    g_autofree char *quoted = xg_text_quoted(name);
    return xg_error_set(error, XG_INVALID, "no attribute %s%s%s%s", quoted,
                        nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                        nearest ? "\"?" : "");
}

/* Whether each given attribute is one of the operator's, once. */
static gboolean attrs_known(const XgOp *op, const XgAttr *given, int count, GError **error)
{
    if (count < 0 || count > MAX_ATTRIBUTES || (count > 0 && !given))
        return xg_error_set(error, XG_INVALID, "%d attributes", count);
    for (int i = 0; i < count; i++) {
        if (!given[i].name)
            return xg_error_set(error, XG_INVALID, "an attribute has no name");
        const XgOpAttr *found = op->attributes;
        while (found && found->name && strcmp(found->name, given[i].name) != 0)
            found++;
        if (!found || !found->name)
            return unknown_attribute(op, given[i].name, error);
        if (found->type != given[i].type)
            return xg_error_set(error, XG_INVALID, "attribute \"%s\" is of the wrong type",
                                found->name);
        for (int k = 0; k < i; k++)
            if (strcmp(given[k].name, given[i].name) == 0)
                return xg_error_set(error, XG_INVALID, "attribute \"%s\" is given twice",
                                    found->name);
        if (!attr_value_check(&given[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Every attribute of the operator in its order, into `complete` (nothing in it is owned). */
static gboolean attrs_complete(const XgOp *op, const XgAttr *given, int count, XgAttr *complete,
                               int *complete_count, GError **error)
{
    if (!attrs_known(op, given, count, error))
        return FALSE;
    int n = 0;
    for (const XgOpAttr *a = op->attributes; a && a->name; a++) {
        g_assert(n < MAX_ATTRIBUTES);
        const XgAttr *found = NULL;
        for (int i = 0; i < count && !found; i++)
            if (strcmp(given[i].name, a->name) == 0)
                found = &given[i];
        if (!found && a->required)
            return xg_error_set(error, XG_INVALID, "attribute \"%s\" is missing", a->name);
        XgAttr value = {a->name, a->type, 0, a->i, a->f, a->s, NULL, NULL};
        if (found) {
            const gboolean list = a->type == XG_ATTR_INTS || a->type == XG_ATTR_FLOATS;
            value.count = list ? found->count : 0;
            value.i = a->type == XG_ATTR_INT ? found->i : 0;
            value.f = a->type == XG_ATTR_FLOAT ? found->f : 0.0;
            value.s = a->type == XG_ATTR_STRING ? found->s : NULL;
            value.ints = a->type == XG_ATTR_INTS ? found->ints : NULL;
            value.floats = a->type == XG_ATTR_FLOATS ? found->floats : NULL;
        }
        complete[n++] = value;
    }
    *complete_count = n;
    return TRUE;
}

static gboolean shape_check(const XgShape *shape, const char *what, GError **error)
{
    gboolean ok = shape->rank >= 1 && shape->rank <= XG_MAX_RANK;
    gint64 factors[XG_MAX_RANK] = {1};
    for (int i = 0; ok && i < shape->rank; i++) {
        const gboolean batch = i == 0 && shape->dims[i] == XG_BATCH;
        factors[i] = batch ? 1 : shape->dims[i];
        ok = factors[i] > 0;
    }
    gint64 elements = 0;
    if (ok && xg_size_product(factors, shape->rank, &elements) && elements <= max_elements)
        return TRUE;
    g_autofree char *text = ok || shape->rank <= XG_MAX_RANK ? xg_shape_text(shape) : NULL;
    return xg_error_set(error, ok ? XG_LIMIT : XG_SHAPE, "%s would be %s", what,
                        text ? text : "of too high a rank");
}

static gboolean shapes_check(const XgInfer *infer, GError **error)
{
    g_assert(infer->output_count >= 1 && infer->output_count <= (int) G_N_ELEMENTS(infer->outputs));
    for (int i = 0; i < infer->output_count; i++)
        if (!shape_check(&infer->outputs[i], "the result", error))
            return FALSE;
    for (int i = 0; i < infer->parameter_count; i++)
        if (!infer->parameters[i].absent &&
            !shape_check(&infer->parameters[i].shape, infer->parameters[i].name, error))
            return FALSE;
    return TRUE;
}

/* Parameters that are given, against what the rule asks for. */
static gboolean given_check(const XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    for (int i = 0; i < infer->parameter_count; i++) {
        const int place = node->op->max_data_inputs + i;
        const XgValue *value = place < node->input_count ? node->inputs[place] : NULL;
        if ((value == NULL) != infer->parameters[i].absent)
            return xg_error_set(error, XG_INVALID, "\"%s\" is %s", infer->parameters[i].name,
                                value ? "given, but not used" : "missing");
        if (value && !xg_shape_equal(&value->shape, &infer->parameters[i].shape)) {
            g_autofree char *expected = xg_shape_text(&infer->parameters[i].shape);
            g_autofree char *found = xg_shape_text(&value->shape);
            return xg_error_set(error, XG_SHAPE, "\"%s\": expected %s, found %s",
                                infer->parameters[i].name, expected, found);
        }
    }
    return TRUE;
}

static gboolean inputs_check(const XgOp *op, XgValue *const *inputs, int count, gboolean create,
                             GError **error)
{
    const gboolean fits = count >= op->min_data_inputs && (!create || count <= op->max_data_inputs);
    if (count < 0 || count > MAX_INPUTS || !fits || (count > 0 && !inputs))
        return xg_error_set(error, XG_INVALID, "%d inputs; expected %d to %d", count,
                            op->min_data_inputs, MIN(op->max_data_inputs, MAX_INPUTS));
    for (int i = 0; create && i < count; i++)
        if (!inputs[i])
            return xg_error_set(error, XG_INVALID, "input %d is missing", i + 1);
    return TRUE;
}

/* The names of the parameters to create; FALSE when one is taken. */
static gboolean parameter_names(const XgNetwork *network, const XgInfer *infer, const char *name,
                                char **names, GError **error)
{
    for (int i = 0; i < infer->parameter_count; i++) {
        if (infer->parameters[i].absent)
            continue;
        if (!name)
            return xg_error_set(error, XG_INVALID, "needs a name for its parameters");
        const char *own = infer->parameters[i].name;
        names[i] = *own ? g_strconcat(name, ".", own, NULL) : g_strdup(name);
        gboolean taken = xg_network_find_parameter(network, names[i]) != NULL;
        for (int k = 0; k < i; k++)
            taken = taken || g_strcmp0(names[k], names[i]) == 0;
        if (taken)
            return xg_error_set(error, XG_INVALID, "there is a parameter \"%s\" already", names[i]);
    }
    return TRUE;
}

static XgNode *create_layer(XgNetwork *network, const XgInfer *infer, const char *name,
                            GError **error)
{
    char *names[G_N_ELEMENTS(infer->parameters) + 1] = {NULL};
    XgNode *made = NULL;
    if (parameter_names(network, infer, name, names, error)) {
        const XgNode *node = infer->node;
        const int count = node->input_count + infer->parameter_count;
        g_autofree XgValue **inputs = g_new0(XgValue *, MAX(count, 1));
        for (int i = 0; i < node->input_count; i++)
            inputs[i] = node->inputs[i];
        for (int i = 0; i < infer->parameter_count; i++)
            if (!infer->parameters[i].absent)
                inputs[node->input_count + i] = xg_network_add_parameter(
                    network, infer->parameters[i].kind, names[i], &infer->parameters[i].shape,
                    infer->parameters[i].layout, infer->parameters[i].init);
        made = xg_network_append(network, node->op, node->name, inputs, count, node->attributes,
                                 infer->outputs, infer->output_count);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(names[i]);
    return made;
}

static char *stem(const char *id)
{
    return g_strndup(id, strcspn(id, "/"));
}

typedef struct {
    const char *name;  /* of the node */
    const char *owner; /* of its parameters; NULL: it must have none */
    gboolean create;
} Place;

static XgNode *add(XgNetwork *network, const XgOp *op, const Place *place, XgValue *const *inputs,
                   int input_count, const XgAttr *attributes, int attribute_count, GError **error)
{
    XgAttr complete[MAX_ATTRIBUTES];
    XgNode node = {.op = op, .name = (char *) place->name, .block = -1};
    XgInfer infer = {.node = &node, .create = place->create};
    GError *local = NULL;
    XgNode *made = NULL;
    if (inputs_check(op, inputs, input_count, place->create, &local)) {
        node.inputs = (XgValue **) inputs;
        node.input_count = input_count;
        node.attributes = complete;
        const gboolean ok = attrs_complete(op, attributes, attribute_count, complete,
                                           &node.attribute_count, &local) &&
                            op->infer(&infer, &local) && shapes_check(&infer, &local) &&
                            (place->create || given_check(&infer, &local));
        if (ok && place->create)
            made = create_layer(network, &infer, place->owner, &local);
        else if (ok)
            made = xg_network_append(network, op, node.name, inputs, input_count, complete,
                                     infer.outputs, infer.output_count);
    }
    if (!made) {
        g_autofree char *text = xg_node_text(&node);
        g_propagate_prefixed_error(error, local, "%s: ", text);
    }
    return made;
}

static XgNode *find_and_add(XgNetwork *network, const char *id, Place *place,
                            XgValue *const *inputs, int input_count, const XgAttr *attributes,
                            int attribute_count, GError **error)
{
    const XgOp *op = id ? xg_op_find(id) : NULL;
    if (!op) {
        g_autofree char *quoted = xg_text_quoted(id ? id : "");
        xg_error_set(error, XG_UNSUPPORTED, "%s: there is no operator %s",
                     place->name ? place->name : "node", quoted);
        return NULL;
    }
    g_autofree char *stand_in = place->name ? NULL : stem(id);
    if (!place->name)
        place->name = stand_in;
    return add(network, op, place, inputs, input_count, attributes, attribute_count, error);
}

XgNode *xg_network_add_node(XgNetwork *network, const char *op, const char *name,
                            XgValue *const *inputs, int input_count, const XgAttr *attributes,
                            int attribute_count, GError **error)
{
    Place place = {name, NULL, FALSE};
    return find_and_add(network, op, &place, inputs, input_count, attributes, attribute_count,
                        error);
}

XgNode *xg_network_add_layer(XgNetwork *network, const char *op, const char *name,
                             XgValue *const *inputs, int input_count, const XgAttr *attributes,
                             int attribute_count, GError **error)
{
    Place place = {name, name, TRUE};
    return find_and_add(network, op, &place, inputs, input_count, attributes, attribute_count,
                        error);
}

XgNode *xg_network_add_checked(XgNetwork *network, const char *op, const char *name, gboolean named,
                               XgValue *const *inputs, int input_count, const XgAttr *attributes,
                               int attribute_count, GError **error)
{
    Place place = {name, named ? name : NULL, TRUE};
    return find_and_add(network, op, &place, inputs, input_count, attributes, attribute_count,
                        error);
}
