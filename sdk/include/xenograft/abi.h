/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file abi.h
 * What every xenograft plugin and the host agree on.
 *
 * A plugin is a shared object that exports one symbol, xenograft_entry_v1(). It links to
 * nothing of the host's: all host functions are reached through the tables declared here and
 * wrapped by the `static inline` functions of these headers. Standard C headers only.
 *
 * Struct classes, named in each struct's comment:
 *  - FROZEN      never changes within a major version;
 *  - APPENDABLE  starts with `struct_size`; new pointer or 64-bit fields may follow the last one;
 *                its reader uses XG_HAS(); it is never passed by value, nor put in an array;
 *  - IMMUTABLE   belongs to a versioned interface id; a change means a new id.
 *
 * Strings are NUL-terminated UTF-8. Booleans are int32_t, 0 or 1. Threads are named in each
 * callback's comment: [main] the thread that runs the study, [any] every thread, one call at a
 * time per object, [worker] several threads at once.
 */
#ifndef XENOGRAFT_ABI_H
#define XENOGRAFT_ABI_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The ABI that these headers describe. The major version is also in the entry symbol's name. */
#define XG_ABI_MAJOR 1
#define XG_ABI_MINOR 0

/** The lowest minor that a plugin needs; its author may raise it before including this header. */
#ifndef XG_ABI_MIN_REQUIRED
#define XG_ABI_MIN_REQUIRED 0
#endif

/** True when the appendable struct *p, as its writer knew it, has the field and it is not zero. */
#define XG_HAS(p, field)                                                                          \
    ((p)->struct_size >= (uint64_t) ((const char *) &(p)->field - (const char *) (p)) +           \
                             sizeof((p)->field) &&                                                \
     (p)->field)

#if defined(__GNUC__)
#define XG_EXPORT __attribute__((visibility("default")))
#define XG_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))
#define XG_UNUSED __attribute__((unused))
#else
#define XG_EXPORT
#define XG_PRINTF(format_index, first_index)
#define XG_UNUSED
#endif

/** Result of a call: XG_OK or a negative class of error. The text goes through xg_fail(). */
typedef int32_t XgStatus;

enum {
    XG_OK = 0,
    XG_INVALID = -1,     /**< an argument or value that makes no sense */
    XG_UNSUPPORTED = -2, /**< makes sense, but is not implemented here */
    XG_FORMAT = -3,      /**< a file's content is not what it should be */
    XG_LIMIT = -4,       /**< larger than a limit that guards the machine */
    XG_SHAPE = -5,       /**< shapes do not fit together */
    XG_IO = -6,          /**< the operating system refused */
    XG_NOMEM = -7,       /**< memory could not be had */
    XG_NUMERIC = -8,     /**< not a number, infinite, or no convergence */
    XG_CANCELLED = -9,   /**< stopped on request */
    XG_PLUGIN = -10      /**< a plugin broke its contract */
};

typedef struct XgHost XgHost;
typedef struct XgComponent XgComponent;

/**
 * The root table. FROZEN. One per component instance, made by the host before `create` and
 * valid until `destroy` returns. All functions: [any].
 */
struct XgHost {
    int32_t abi_major; /**< XG_ABI_MAJOR of the host */
    int32_t abi_minor; /**< XG_ABI_MINOR of the host */
    /** The interface table of that id ("xenograft.params/1", ...), owned by the host and valid
     *  as long as it; NULL when the host has none of that id. */
    const void *(*get_interface)(const XgHost *host, const char *id);
    /** Records why a call is about to return `status`. The text is copied. Use xg_fail(). */
    void (*fail)(const XgHost *host, XgStatus status, const char *text);
};

/** Type of a parameter; its bounds and default are text in the C locale. */
enum {
    XG_PARAM_BOOL = 1, /**< "true" or "false" */
    XG_PARAM_INT = 2,
    XG_PARAM_FLOAT = 3,
    XG_PARAM_STRING = 4,
    XG_PARAM_ENUM = 5, /**< one of `choices` */
    XG_PARAM_PATH = 6, /**< relative to the study file; the plugin sees it made absolute */
    XG_PARAM_INT_LIST = 7,
    XG_PARAM_FLOAT_LIST = 8,
    XG_PARAM_STRING_LIST = 9
};

/**
 * One parameter of a component. IMMUTABLE; an array of these ends with a NULL name. The host
 * validates the study file against it, fills defaults, documents it and records the value used.
 */
typedef struct XgParam {
    const char *name;          /**< key in the study file: [a-z][a-z0-9_]* */
    int32_t type;              /**< XG_PARAM_... */
    int32_t required;          /**< 1: no default, the study must give it */
    const char *default_value; /**< text of the default; NULL only when required */
    const char *minimum;       /**< inclusive, of each element; NULL: none */
    const char *maximum;       /**< inclusive, of each element; NULL: none */
    const char *unit;          /**< "px", "epochs", ...; "bytes": "512M", "2G" are read too; NULL:
                                    none */
    const char *choices;       /**< of an enum: "sgd|adamw"; NULL otherwise */
    const char *doc;           /**< one sentence */
} XgParam;

/**
 * A component that a module offers. APPENDABLE. All pointers are static data of the plugin.
 * Only `struct_size`, `kind`, `id`, `version`, `licence`, `summary` and `interface` (or
 * `get_interface`) must be set.
 */
struct XgComponent {
    uint64_t struct_size;     /**< sizeof(XgComponent) */
    const char *kind;         /**< "xenograft.backbone/1", ... */
    const char *id;           /**< "resnet50": [a-z][a-z0-9_]* */
    const char *version;      /**< of the component: "1.0.0" */
    const char *licence;      /**< SPDX expression */
    const char *summary;      /**< one line */
    const char *doc;          /**< paragraphs of plain text; NULL: none */
    const char *citation;     /**< reference with DOI or arXiv number; NULL: none */
    const char *const *needs; /**< host interface ids, NULL-terminated; NULL: none */
    const XgParam *params;    /**< ends with a NULL name; NULL: none */
    /** Makes an instance [main]. NULL: the instance is `data`. On failure *self is untouched.
     *  Parameters are read with xg_param_int() and its like, from `host`. */
    XgStatus (*create)(const XgHost *host, const XgComponent *component, void **self);
    /** Frees an instance [main]. NULL: nothing to free. */
    void (*destroy)(void *self);
    /** Further interfaces of an instance, by id [any]; NULL result: none of that id. */
    const void *(*get_interface)(void *self, const char *id);
    const void *interface_table; /**< the table of `kind`: `const XgBackbone *`, ... */
    const void *data;        /**< the plugin's own, opaque to the host */
};

/** What a plugin file offers. APPENDABLE. Static data of the plugin. */
typedef struct XgModule {
    uint64_t struct_size;  /**< sizeof(XgModule) */
    int64_t abi_min_minor; /**< XG_ABI_MIN_REQUIRED */
    const char *name;      /**< "resnet": a config can say "resnet:resnet50" */
    const char *version;
    const XgComponent *const *components; /**< NULL-terminated */
} XgModule;

/** The one exported symbol: a pure function [any]. */
XG_EXPORT const XgModule *xenograft_entry_v1(void);

/** Defines the entry of a module whose components are the remaining arguments. */
#define XG_MODULE(module_name, module_version, ...)                                               \
    const XgModule *xenograft_entry_v1(void)                                                      \
    {                                                                                             \
        static const XgComponent *const components[] = {__VA_ARGS__, NULL};                       \
        static const XgModule module = {sizeof(XgModule), XG_ABI_MIN_REQUIRED, module_name,       \
                                        module_version, components};                              \
        return &module;                                                                           \
    }

/** Reports a failure to the host and returns `status`, so that `return xg_fail(...)` works.
 *  The text is cut at 1023 bytes. [any] */
XG_PRINTF(3, 4)
XG_UNUSED static inline XgStatus xg_fail(const XgHost *host, XgStatus status, const char *format,
                                         ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    host->fail(host, status, text);
    return status;
}

#define XG_PARAMS_INTERFACE "xenograft.params/1"

/**
 * Effective parameter values of an instance: validated, defaults filled in. IMMUTABLE, [any].
 * Asking for a name that the component did not declare, or as another type, gives 0 or NULL and
 * fails the instance. Returned memory lives as long as the instance.
 */
typedef struct XgParamsApi {
    int32_t (*get_bool)(const XgHost *host, const char *name);
    int64_t (*get_int)(const XgHost *host, const char *name);
    double (*get_float)(const XgHost *host, const char *name);
    /** of a string, enum or path */
    const char *(*get_string)(const XgHost *host, const char *name);
    const int64_t *(*get_ints)(const XgHost *host, const char *name, uint64_t *count);
    const double *(*get_floats)(const XgHost *host, const char *name, uint64_t *count);
    const char *const *(*get_strings)(const XgHost *host, const char *name, uint64_t *count);
    /** 1 when the study file gives the parameter, 0 when its default is in force */
    int32_t (*is_set)(const XgHost *host, const char *name);
} XgParamsApi;

XG_UNUSED static inline const XgParamsApi *xg_params_(const XgHost *host)
{
    return (const XgParamsApi *) host->get_interface(host, XG_PARAMS_INTERFACE);
}

XG_UNUSED static inline int32_t xg_param_bool(const XgHost *host, const char *name)
{
    return xg_params_(host)->get_bool(host, name);
}

XG_UNUSED static inline int64_t xg_param_int(const XgHost *host, const char *name)
{
    return xg_params_(host)->get_int(host, name);
}

XG_UNUSED static inline double xg_param_float(const XgHost *host, const char *name)
{
    return xg_params_(host)->get_float(host, name);
}

XG_UNUSED static inline const char *xg_param_string(const XgHost *host, const char *name)
{
    return xg_params_(host)->get_string(host, name);
}

XG_UNUSED static inline const char *const *xg_param_strings(const XgHost *host, const char *name,
                                                            uint64_t *count)
{
    return xg_params_(host)->get_strings(host, name, count);
}

XG_UNUSED static inline int32_t xg_param_is_set(const XgHost *host, const char *name)
{
    return xg_params_(host)->is_set(host, name);
}

/** Element type of a tensor. */
enum { XG_DTYPE_F32 = 1, XG_DTYPE_F16 = 2, XG_DTYPE_BF16 = 3, XG_DTYPE_F64 = 4, XG_DTYPE_I64 = 5 };

/** Type of an attribute. */
enum { XG_ATTR_INT = 1, XG_ATTR_FLOAT = 2, XG_ATTR_STRING = 3, XG_ATTR_INTS = 4, XG_ATTR_FLOATS = 5 };

/**
 * A named value of a node, a plan or a phase. IMMUTABLE; arrays of these are passed with a
 * count. Which of the last fields counts follows from `type`; the host copies what it keeps.
 */
typedef struct XgAttr {
    const char *name;
    int32_t type;
    int32_t count; /**< elements of `ints` or `floats`; 0 for the single kinds */
    int64_t i;
    double f;
    const char *s;
    const int64_t *ints;
    const double *floats;
} XgAttr;

XG_UNUSED static inline XgAttr xg_attr_int(const char *name, int64_t value)
{
    XgAttr a = {name, XG_ATTR_INT, 0, value, 0.0, NULL, NULL, NULL};
    return a;
}

XG_UNUSED static inline XgAttr xg_attr_float(const char *name, double value)
{
    XgAttr a = {name, XG_ATTR_FLOAT, 0, 0, value, NULL, NULL, NULL};
    return a;
}

XG_UNUSED static inline XgAttr xg_attr_string(const char *name, const char *value)
{
    XgAttr a = {name, XG_ATTR_STRING, 0, 0, 0.0, value, NULL, NULL};
    return a;
}

XG_UNUSED static inline XgAttr xg_attr_ints(const char *name, const int64_t *values, int32_t count)
{
    XgAttr a = {name, XG_ATTR_INTS, count, 0, 0.0, NULL, values, NULL};
    return a;
}

#ifdef __cplusplus
}
#endif

#endif
