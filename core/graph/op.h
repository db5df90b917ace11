/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file op.h
 * What an operator is: attributes, shape rule, gradient rule, plain reference kernel. One file
 * each in core/ops; the table of all is xg_op_table (core/ops/table.c).
 */
#ifndef XG_GRAPH_OP_H
#define XG_GRAPH_OP_H

#include "graph/network.h"

#include <xenograft/draft/engine.h>

G_BEGIN_DECLS

enum {
    XG_OP_IN_PLACE = 1,  /**< output 0 may share the memory of data input 0, of the same size */
    XG_OP_VIEW = 2,      /**< output 0 is data input 0 under another shape: nothing to compute */
    XG_OP_MUTATES = 4,   /**< changes its buffers (running statistics) in place */
    XG_OP_INTERNAL = 8   /**< made by gradient rules and programs only; has no gradient rule */
};

/** An attribute that an operator takes. An array ends with a NULL name. */
typedef struct {
    const char *name;
    int type;             /**< XG_ATTR_... */
    gboolean required;
    gint64 i;             /**< defaults */
    double f;
    const char *s;
} XgOpAttr;

/** State of a shape rule. */
typedef struct {
    const XgNode *node;    /**< attributes complete; inputs as given */
    gboolean create;       /**< TRUE: inputs are the data inputs, parameters are to be created */
    XgShape outputs[4];    /**< set by the rule */
    int output_count;      /**< set by the rule */
    /* Parameters in input order, filled by xg_infer_parameter(). */
    struct {
        const char *name;  /**< "weight"; "" for the node's scoped name itself */
        XgValueKind kind;
        XgShape shape;
        XgLayout layout;
        const char *init;
        gboolean absent;   /**< its place among the inputs stays NULL */
    } parameters[6];
    int parameter_count;
} XgInfer;

/** State of a gradient rule. */
typedef struct {
    XgNetwork *network;
    const XgNode *node;            /**< the forward node */
    XgValue *const *grad_outputs;  /**< per output; NULL where the loss does not depend on it */
    XgValue **grad_inputs;         /**< per input, set by the rule where wanted[i] */
    const gboolean *wanted;        /**< per input */
    GError **error;
} XgBackward;

struct XgOp {
    const char *id;          /**< "conv2d/1" */
    int min_data_inputs;
    int max_data_inputs;     /**< inputs past these are parameters */
    int flags;               /**< XG_OP_... */
    const XgOpAttr *attributes; /**< NULL: none */
    /** Sets outputs and parameters; FALSE with XG_SHAPE or XG_INVALID when nothing fits. */
    gboolean (*infer)(XgInfer *infer, GError **error);
    /** Appends backward nodes; FALSE on error (already in b->error). NULL: no gradient. */
    gboolean (*gradient)(XgBackward *b);
    /** Computes one run in plain C, sums in double. NULL only for XG_OP_VIEW. */
    void (*reference)(const XgNodeInfo *node, const XgRun *run);
};

/** All operators, NULL-terminated. */
extern const XgOp *const xg_op_table[];

/** The operator of that id, or NULL. */
const XgOp *xg_op_find(const char *id);

/* Helpers for shape rules. */

/** Declares the next parameter. `absent`: the operator has it not in this node. */
void xg_infer_parameter(XgInfer *infer, const char *name, XgValueKind kind, const XgShape *shape,
                        XgLayout layout, const char *init, gboolean absent);

/* Helpers for gradient rules: append a backward node, give its first output (or all in
 * `outputs`); NULL and *b->error on failure. */
XgValue *xg_backward_node(XgBackward *b, const char *op, XgValue *const *inputs, int input_count,
                          const XgAttr *attributes, int attribute_count);

/* Helpers for kernels: attributes of an XgNodeInfo. Assert that the attribute is there. */
gint64 xg_info_int(const XgNodeInfo *node, const char *name);
double xg_info_float(const XgNodeInfo *node, const char *name);
const char *xg_info_string(const XgNodeInfo *node, const char *name);

/** Elements of a tensor with `batch` rows. */
gint64 xg_tensor_elements(const XgTensor *tensor, gint64 batch);

/** The XgNodeInfo of a node; arrays inside belong to the result. `constants` and `strides` (by
 *  value id, may be NULL) give XgTensor.constant and XgTensor.stride; 0: no gaps. */
typedef struct XgNodeView XgNodeView;
XgNodeView *xg_node_view_new(const XgNode *node, gint64 max_batch, const float *const *constants,
                             const gint64 *strides);
/** XgNodeInfo.alone; FALSE at first. */
void xg_node_view_set_alone(XgNodeView *view, gboolean alone);
const XgNodeInfo *xg_node_view_info(const XgNodeView *view);
void xg_node_view_free(XgNodeView *view);

G_END_DECLS

#endif
