/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file store.h
 * The tensors of a model by published name: parameters and running statistics, in memory layout.
 */
#ifndef XG_MODEL_STORE_H
#define XG_MODEL_STORE_H

#include "graph/network.h"

G_BEGIN_DECLS

typedef struct XgInputRule XgInputRule;
typedef struct XgStored XgStored;

/** On the weight of a convolution that reads the network's input: see input.h. */
typedef struct {
    XgInputRule *rule;   /**< owned */
    XgStored *target;    /**< where the shift goes; NULL: nowhere */
    gboolean subtracted; /**< the target is a running mean, not a bias */
} XgInputMark;

/** A parameter's or buffer's values. */
struct XgStored {
    char *name;
    XgValueKind kind;
    XgShape shape;    /**< of the memory */
    XgLayout layout;
    char *init;
    float *values;    /**< 64-byte aligned, in memory layout */
    gint64 count;
    XgInputMark *input; /**< NULL unless marked; owned */
};

typedef struct XgStore XgStore;

/** A tensor for every parameter and buffer of the network that `output` needs, and for the logits
 *  those of auxiliary outputs too, values zero. */
XgStore *xg_store_new(const XgNetwork *network, XgValue *output, GError **error);
void xg_store_free(XgStore *store);
XgStored *xg_store_find(const XgStore *store, const char *name);
/** Tensors in network order. */
guint xg_store_count(const XgStore *store);
XgStored *xg_store_get(const XgStore *store, guint index);

/** Copies in published order (row-major of xg_value_published_shape()) to and from memory
 *  layout; `values` has stored->count elements. */
void xg_stored_import(XgStored *stored, const float *values);
void xg_stored_export(const XgStored *stored, float *values);
/** Frees the values, which nobody reads any more: they are NULL from then on. */
void xg_stored_drop(XgStored *stored);
XgShape xg_stored_published_shape(const XgStored *stored);

/** Fills every tensor, or that one, by its initialisation rule from (seed, name, index). */
gboolean xg_store_initialise(XgStore *store, guint64 seed, GError **error);
gboolean xg_stored_initialise(XgStored *stored, guint64 seed, GError **error);

/** SHA-256 over the names and bits of the tensors for which `chosen` says TRUE (NULL: all), in
 *  store order; 64 hexadecimal digits, owned by the caller. */
char *xg_store_hash(const XgStore *store, gboolean (*chosen)(const XgStored *, void *), void *user);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgStore, xg_store_free)

G_END_DECLS

#endif
