/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file network.h
 * The graph that a backbone describes and that the executor runs: values, nodes, blocks, tags.
 *
 * A network owns its nodes and values and, after building, never changes but by the functions
 * below. Values are NHWC float32; dims[0] == XG_BATCH marks one row per image. A parameter's
 * shape is that of its memory; `layout` says how the published shape differs. All: [main].
 */
#ifndef XG_GRAPH_NETWORK_H
#define XG_GRAPH_NETWORK_H

#include "base/error.h"

#include <xenograft/backbone.h>

G_BEGIN_DECLS

typedef struct XgNetwork XgNetwork;
typedef struct XgNode XgNode;
typedef struct XgOp XgOp;

typedef struct {
    int rank;
    gint64 dims[XG_MAX_RANK]; /**< outermost first */
} XgShape;

typedef enum {
    XG_VALUE_INPUT,     /**< given at each run: images, boundary values, targets */
    XG_VALUE_PARAMETER, /**< trainable: weight, bias */
    XG_VALUE_BUFFER,    /**< running statistics */
    XG_VALUE_NODE       /**< computed */
} XgValueKind;

typedef enum {
    XG_LAYOUT_PLAIN, /**< memory order is the published one */
    XG_LAYOUT_OHWI,  /**< memory [O,kh,kw,I], published [O,I,kh,kw] */
    XG_LAYOUT_GRID   /**< plain [1,T,F]: positions of a square grid, after the class token's if
                          any; a file's other grid is resized */
} XgLayout;

struct XgValue {
    guint id;         /**< index in the network */
    XgValueKind kind;
    char *name;       /**< parameters: the published name; others may be NULL */
    XgShape shape;    /**< of the memory */
    XgLayout layout;
    char *init;       /**< of a parameter: see xg_linear(); buffers: "zeros", "ones" */
    XgNode *producer; /**< NULL unless XG_VALUE_NODE */
    int output;       /**< which of the producer's outputs */
    int block;        /**< of the producer or of the only user; -1: head */
    gboolean poisoned;
};

struct XgNode {
    guint id;              /**< index in the network: nodes are in topological order */
    const XgOp *op;
    char *name;            /**< scoped */
    XgValue **inputs;      /**< data inputs, then parameters; NULL: optional and not given */
    int input_count;
    XgValue **outputs;
    int output_count;
    XgAttr *attributes;    /**< every attribute of the operator, in its order; owned */
    int attribute_count;
    int block;             /**< index in the network's blocks; -1: head */
};

typedef struct {
    XgValue *logits;
    double weight;
} XgAuxiliary;

/** What a network is built for. */
typedef struct {
    gint64 classes;
    gint64 height_px;
    gint64 width_px;
    gint64 channels;
} XgNetworkInfo;

struct XgNetwork {
    XgGraph graph;          /**< the face that a backbone sees; first member */
    XgNetworkInfo info;
    GPtrArray *nodes;       /**< of XgNode */
    GPtrArray *values;      /**< of XgValue, index == id */
    GPtrArray *blocks;      /**< of char *: names from the input upwards */
    GPtrArray *inputs;      /**< of XgValue, not owned */
    GHashTable *parameters; /**< name -> XgValue of parameters and buffers, not owned */
    GHashTable *taps;       /**< name ("features", ...) -> XgValue */
    GArray *auxiliaries;    /**< of XgAuxiliary */
    XgValue *logits;
    struct XgBuilder *builder; /**< scopes, sticky error, names; NULL when not building */
};

/* ---- Building ------------------------------------------------------------------------------ */

/** The functions of `xenograft.graph/1`. */
const XgGraphApi *xg_graph_api(void);

/** An empty network. `host` is what a backbone finds in graph->host; it may be NULL. Its
 *  builder is open: network->graph can be used at once. */
XgNetwork *xg_network_new(const XgNetworkInfo *info, const XgHost *host);
void xg_network_free(XgNetwork *network);

/** Lets `backbone` describe itself and checks the result: no sticky error, tags "logits"
 *  [N, classes] and "features" [N, F], at least one block, unique parameter names. Assigns
 *  blocks. The caller adds the component's name to the error. */
XgNetwork *xg_network_build(const XgBackbone *backbone, void *self, const XgHost *host,
                            const XgNetworkInfo *info, GError **error);

/** A further input with dims as given (dims[0] may be XG_BATCH). */
XgValue *xg_network_add_input(XgNetwork *network, const char *name, const XgShape *shape);

/** A parameter or buffer with that memory shape. */
XgValue *xg_network_add_parameter(XgNetwork *network, XgValueKind kind, const char *name,
                                  const XgShape *shape, XgLayout layout, const char *init);

/** Appends a node whose inputs, parameters among them, are all given (an entry may be NULL where
 *  the operator allows). Checks attributes and shapes by the operator's rule. NULL on error. */
XgNode *xg_network_add_node(XgNetwork *network, const char *op, const char *name,
                            XgValue *const *inputs, int input_count, const XgAttr *attributes,
                            int attribute_count, GError **error);

/** As above, but data inputs only: creates the parameters that the operator's rule asks for,
 *  named `name` and a dot and their own name. This is what the builder's op() does. */
XgNode *xg_network_add_layer(XgNetwork *network, const char *op, const char *name,
                             XgValue *const *inputs, int input_count, const XgAttr *attributes,
                             int attribute_count, GError **error);

/** A linear map of `tap` [N,F] to info.classes named `name`, made the network's logits. `hidden`
 *  > 0: one hidden layer with ReLU, NAME.0 and NAME.2. What neither `tap` nor an auxiliary output
 *  of the blocks below it needs, the native head among it, is removed first (see
 *  xg_network_prune()). */
gboolean xg_network_replace_head(XgNetwork *network, XgValue *tap, const char *name, gint64 hidden,
                                 GError **error);

/** The scoped name of the native head's last linear map or 1x1 convolution ("fc"), whose
 *  parameters depend on the class count; NULL when the logits come from something else. */
const char *xg_network_head_name(const XgNetwork *network);
/** The same of any logits of the network, such as an auxiliary output's. */
const char *xg_network_classifier_name(const XgNetwork *network, const XgValue *logits);

/* ---- Auxiliary outputs (auxiliary.c) ------------------------------------------------------- */

/** Marks by value id the head of an auxiliary output: what it needs, is of no block and the logits
 *  do not need. One byte per value, freed with g_free(). */
guint8 *xg_network_auxiliary_head(const XgNetwork *network, guint index);
/** The auxiliary output of whose head the value is; -1: of none. */
int xg_network_auxiliary_of(const XgNetwork *network, const XgValue *value);
/** TRUE when the blocks that the auxiliary output needs are all below `end`. */
gboolean xg_network_auxiliary_fits(const XgNetwork *network, guint index, XgValue *end);
/** Removes an auxiliary output and its head. */
void xg_network_forget_auxiliary(XgNetwork *network, guint index);

/* ---- Looking ------------------------------------------------------------------------------- */

/** "layer1.0.conv1 (conv2d/1) of [N,56,56,64]" for messages; owned by the caller. */
char *xg_node_text(const XgNode *node);

/** The attribute of a node; asserts that its operator declares it. */
const XgAttr *xg_node_attr(const XgNode *node, const char *name);
gint64 xg_node_int(const XgNode *node, const char *name);
double xg_node_float(const XgNode *node, const char *name);
const char *xg_node_string(const XgNode *node, const char *name);

/** TRUE for convolutions and linear maps: what papers count as a layer. */
gboolean xg_node_is_layer(const XgNode *node);

/** Elements of one row of a value (XG_BATCH counts as 1). */
gint64 xg_shape_elements(const XgShape *shape);
/** "[N,56,56,64]", owned by the caller. */
char *xg_shape_text(const XgShape *shape);
gboolean xg_shape_equal(const XgShape *a, const XgShape *b);
/** The shape that published files give a parameter. */
XgShape xg_value_published_shape(const XgValue *parameter);

/** The parameter or buffer of that name, or NULL. */
XgValue *xg_network_find_parameter(const XgNetwork *network, const char *name);

/** Marks by value id what `outputs` need, walking up to and not past `stops` (may be NULL); the
 *  result has one byte per value, freed by the caller with g_free(). */
guint8 *xg_network_needed(const XgNetwork *network, XgValue *const *outputs, int output_count,
                          XgValue *const *stops, int stop_count);

/** Counts for `show`, over what the tap or the logits need. */
typedef struct {
    gint64 parameters; /**< elements of weights and biases */
    gint64 buffers;
    gint64 layers;     /**< convolutions and linear maps */
} XgNetworkCount;
XgNetworkCount xg_network_count(const XgNetwork *network, XgValue *output);

/** Text, one node a line, or Graphviz DOT with blocks as clusters; owned by the caller. */
char *xg_network_dump_text(const XgNetwork *network);
char *xg_network_dump_dot(const XgNetwork *network);

/* ---- Changing ------------------------------------------------------------------------------ */

/**
 * A copy of the part that computes `outputs` from `inputs`: each of `inputs` becomes a
 * XG_VALUE_INPUT of the copy (a value between, or an input of the original). Names, blocks and
 * parameters are kept. *map (optional, freed with g_free()) has the copy's value per id of the
 * original, NULL where not copied. Fails when an output needs an input not listed.
 */
XgNetwork *xg_network_extract(const XgNetwork *network, XgValue *const *inputs, int input_count,
                              XgValue *const *outputs, int output_count, XgValue ***map,
                              GError **error);

/**
 * Appends the nodes that compute the gradient of sum(loss * weight), `loss` and `weight` being
 * [N] each, by every one of `wanted` (parameters or inputs). gradients[i], of the memory shape of
 * wanted[i], is NULL where the loss does not depend on it. Only nodes between `wanted` and the
 * loss are differentiated.
 */
gboolean xg_network_backward(XgNetwork *network, XgValue *loss, XgValue *weight,
                             XgValue *const *wanted, int wanted_count, XgValue **gradients,
                             GError **error);

/** Removes nodes and values that none of `outputs` needs, renumbering ids. Inputs stay. Taps,
 *  auxiliary outputs and logits that are removed are forgotten. Nodes whose operator mutates
 *  buffers stay when their data output is needed. */
void xg_network_prune(XgNetwork *network, XgValue *const *outputs, int output_count);

/** Lets every user of `from` use `to` instead (fusing, folding), the producer of `to` excepted;
 *  logits, taps and auxiliary outputs too. Keeps topological order as long as `to` is computed
 *  before the users; else see xg_network_sort(). */
void xg_network_replace_value(XgNetwork *network, XgValue *from, XgValue *to);

/** Puts the nodes into topological order again, otherwise in the order of their ids, and
 *  renumbers them. The graph must have no cycle. */
void xg_network_sort(XgNetwork *network);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgNetwork, xg_network_free)

G_END_DECLS

#endif
