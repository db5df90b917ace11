/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file builder.h  What a network knows only while a backbone describes it. Private to core/graph.
 */
#ifndef XG_GRAPH_BUILDER_H
#define XG_GRAPH_BUILDER_H

#include "graph/op.h"

G_BEGIN_DECLS

typedef struct XgBuilder XgBuilder;

struct XgBuilder {
    GError *error;       /**< the first one */
    GString *scope;      /**< "layer1.0." */
    GArray *depths;      /**< of gsize: length of `scope` before each push */
    GHashTable *members; /**< set of XgValue: what a plugin may hand back */
    XgValue *input;
    guint tags;
};

/** The functions of `xenograft.graph/1`. */
extern const XgGraphApi xg_builder_api;

XgBuilder *xg_builder_new(void);
void xg_builder_free(XgBuilder *builder);

/** Makes the graph fail unless it has failed already; gives the poisoned value. */
XgValue *xg_builder_fail(XgNetwork *network, XgStatus status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** Whether `name` may name a node, a scope or a block: 1 to 100 letters, digits and "_-.". */
gboolean xg_builder_name_ok(const char *name);

/** The tag() of the interface; `value` is known to belong to the network. */
void xg_builder_tag(XgNetwork *network, XgValue *value, const char *tag);

/** Makes a value, its id set; the rest is the caller's. */
XgValue *xg_network_add_value(XgNetwork *network, XgValueKind kind, const char *name,
                              const XgShape *shape);

/** Appends a node of `op` without looking at shapes: copies `attributes` and the arrays of
 *  pointers; outputs get `shapes`. */
XgNode *xg_network_append(XgNetwork *network, const XgOp *op, const char *name,
                          XgValue *const *inputs, int input_count, const XgAttr *attributes,
                          const XgShape *shapes, int output_count);

/** Adds a layer as xg_network_add_layer() does; `named` FALSE: `name` is a stand-in and must not
 *  become the name of parameters. */
XgNode *xg_network_add_checked(XgNetwork *network, const char *op, const char *name, gboolean named,
                               XgValue *const *inputs, int input_count, const XgAttr *attributes,
                               int attribute_count, GError **error);

void xg_value_free(XgValue *value);
void xg_node_free(XgNode *node);

/** A copy of `count` attributes with all they point to, but names; freed as below. */
XgAttr *xg_attrs_copy(const XgAttr *attributes, int count);
void xg_attrs_free(XgAttr *attributes, int count);

G_END_DECLS

#endif
