/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file names.h
 * Draft interface `xenograft.names/1` of a backbone: what other libraries call its tensors.
 *
 * A backbone gives it through XgComponent.get_interface. Of its maps the one that names most of
 * the network's tensors is used for a file, none when the file has the published names itself.
 */
#ifndef XENOGRAFT_DRAFT_NAMES_H
#define XENOGRAFT_DRAFT_NAMES_H

#include <xenograft/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_NAMES_INTERFACE "xenograft.names/1"

/** What a renamed tensor's values need besides the name. */
enum {
    XG_NAMED_AS_IS = 0,
    /** A matrix [out, in] behind a flattening in the order row, column, channel; `argument` is
     *  the number of channels. Its columns are put into the order channel, row, column. */
    XG_NAMED_ROWS_FIRST = 1
};

/**
 * One rule. IMMUTABLE; an array of these ends with a NULL `from`. In `from`, which is held against
 * the whole name in the file, '#' stands for a decimal number (all digits at its place), '*' for
 * any text, none too, as short as can be; other characters for themselves. In `to`, {1}, {2}, ...
 * are what they stood for, {1-1} or {2+3} a number moved by so much; one that would fall below 0
 * does not fit. The first rule that fits counts; a name that no rule fits stays, and so does one
 * of more than 512 bytes. An empty `to` leaves the tensor out.
 */
typedef struct XgNameRule {
    const char *from;
    const char *to;
    int32_t layout; /**< XG_NAMED_... */
    int32_t reserved_;
    int64_t argument;
} XgNameRule;

/** The names of one library. IMMUTABLE; an array of these ends with a NULL `id`. */
typedef struct XgNameMap {
    const char *id;  /**< "keras" */
    const char *doc; /**< which files have these names */
    /** The `to` of the end, if it has one, tells why files with these names are refused: for an
     *  instance with other parameters, say. */
    const XgNameRule *rules;
} XgNameMap;

/** The table. IMMUTABLE. */
typedef struct XgNames {
    /** Maps of this instance, static or owned by it [any]. */
    const XgNameMap *(*maps)(void *self);
} XgNames;

#ifdef __cplusplus
}
#endif

#endif
