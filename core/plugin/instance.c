/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/param.h"
#include "plugin/registry.h"
#include "plugin/registry_private.h"

enum { TEXT_SIZE = 1024 };

struct XgInstance {
    XgHost host; /* first: a plugin's XgHost * is the instance */
    const XgRegistry *registry;
    const XgEntry *entry;
    const XgComponent *component;
    const void *table;
    void *self;
    gboolean made; /* there is a `self` to destroy */
    XgParamSet *params;
    guint64 serial;
    GMutex lock; /* of the two below */
    XgStatus said_status;
    char said[TEXT_SIZE];
    char broken[TEXT_SIZE]; /* how the plugin broke its contract; "": it has not */
};

/* What this thread's last xg_fail() said, so that the workers of one instance do not mix. A
 * serial number and not the address tells instances apart, since addresses come back. */
static _Thread_local struct {
    guint64 serial;
    XgStatus status;
    char text[TEXT_SIZE];
} said_here;

static XgInstance *instance_of(const XgHost *host)
{
    return (XgInstance *) host;
}

/* ---- The host table ---- */

static void host_fail(const XgHost *host, XgStatus status, const char *text)
{
    XgInstance *instance = instance_of(host);
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    g_strdelimit(valid, "\r\n\t", ' ');
    g_strstrip(valid);
    said_here.serial = instance->serial;
    said_here.status = status;
    g_strlcpy(said_here.text, valid, TEXT_SIZE);
    g_mutex_lock(&instance->lock);
    instance->said_status = status;
    g_strlcpy(instance->said, valid, TEXT_SIZE);
    g_mutex_unlock(&instance->lock);
}

/* The parameter's set if the plugin may ask for it so; otherwise the instance has failed. */
static const XgParamSet *asked(const XgHost *host, const char *name, guint types)
{
    XgInstance *instance = instance_of(host);
    const XgParam *param = xg_param_find(xg_param_set_table(instance->params), name);
    if (param && (types & 1u << param->type))
        return instance->params;
    g_mutex_lock(&instance->lock);
    if (!*instance->broken)
        g_snprintf(instance->broken, TEXT_SIZE,
                   param ? "asked for its parameter \"%s\" as another type than it declared"
                         : "asked for a parameter \"%s\" that it did not declare",
                   name);
    g_mutex_unlock(&instance->lock);
    return NULL;
}

static int32_t params_get_bool(const XgHost *host, const char *name)
{
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_BOOL);
    return set ? xg_param_set_get_bool(set, name) : 0;
}

static int64_t params_get_int(const XgHost *host, const char *name)
{
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_INT);
    return set ? xg_param_set_get_int(set, name) : 0;
}

static double params_get_float(const XgHost *host, const char *name)
{
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_FLOAT);
    return set ? xg_param_set_get_float(set, name) : 0;
}

static const char *params_get_string(const XgHost *host, const char *name)
{
    const XgParamSet *set =
        asked(host, name, 1u << XG_PARAM_STRING | 1u << XG_PARAM_ENUM | 1u << XG_PARAM_PATH);
    return set ? xg_param_set_get_string(set, name) : NULL;
}

static const int64_t *params_get_ints(const XgHost *host, const char *name, uint64_t *count)
{
    gsize found = 0;
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_INT_LIST);
    const gint64 *values = set ? xg_param_set_get_ints(set, name, &found) : NULL;
    *count = found;
    return values;
}

static const double *params_get_floats(const XgHost *host, const char *name, uint64_t *count)
{
    gsize found = 0;
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_FLOAT_LIST);
    const double *values = set ? xg_param_set_get_floats(set, name, &found) : NULL;
    *count = found;
    return values;
}

static const char *const *params_get_strings(const XgHost *host, const char *name, uint64_t *count)
{
    gsize found = 0;
    const XgParamSet *set = asked(host, name, 1u << XG_PARAM_STRING_LIST);
    const char *const *values = set ? xg_param_set_get_strings(set, name, &found) : NULL;
    *count = found;
    return values;
}

static int32_t params_is_set(const XgHost *host, const char *name)
{
    const XgParamSet *set = asked(host, name, ~0u);
    return set ? xg_param_set_is_set(set, name) : 0;
}

static const XgParamsApi params_api = {
    params_get_bool, params_get_int,    params_get_float,   params_get_string,
    params_get_ints, params_get_floats, params_get_strings, params_is_set,
};

static const void *host_get_interface(const XgHost *host, const char *id)
{
    if (strcmp(id, XG_PARAMS_INTERFACE) == 0)
        return &params_api;
    const XgInterface *interface = xg_registry_interface(instance_of(host)->registry, id);
    return interface ? interface->table : NULL;
}

void *xg_host_data(const XgHost *host, const char *id)
{
    const XgInterface *interface = xg_registry_interface(instance_of(host)->registry, id);
    return interface ? interface->data : NULL;
}

/* ---- Making ---- */

static gboolean params_fit(const XgInstance *instance, GError **error)
{
    const XgParam *params = instance->component->params;
    for (const XgParam *p = xg_param_set_table(instance->params); p->name; p++) {
        const XgParam *loaded = xg_param_find(params, p->name);
        if (!loaded || loaded->type != p->type)
            return xg_error_set(error, XG_PLUGIN,
                                "%s: parameter \"%s\" has changed since the file was examined",
                                instance->entry->path, p->name);
    }
    return xg_param_set_complete(instance->params, error);
}

static gboolean make_self(XgInstance *instance, GError **error)
{
    const XgComponent *component = instance->component;
    void *self = (void *) component->data;
    if (component->create) {
        const XgStatus status = component->create(&instance->host, component, &self);
        if (status != XG_OK)
            return xg_instance_error(instance, status, error);
    }
    instance->self = self;
    instance->made = TRUE;
    instance->table = component->interface_table ? component->interface_table
                                                 : component->get_interface(self, component->kind);
    if (*instance->broken || instance->table)
        return xg_instance_error(instance, XG_OK, error);
    host_fail(&instance->host, XG_PLUGIN, "it gives no table for its own kind");
    return xg_instance_error(instance, XG_PLUGIN, error);
}

static XgInstance *instance_new(XgRegistry *registry, const XgEntry *entry,
                                const XgParamSet *params)
{
    static guint64 instances;
    XgInstance *instance = g_new0(XgInstance, 1);
    instance->host = (XgHost){XG_ABI_MAJOR, XG_ABI_MINOR, host_get_interface, host_fail};
    instance->registry = registry;
    instance->entry = entry;
    instance->serial = ++instances;
    instance->params = params ? xg_param_set_copy(params) : xg_param_set_new(entry->params);
    g_mutex_init(&instance->lock);
    return instance;
}

/* "module:id", or the id alone when the module is named like it; owned by the caller. */
static char *component_name(const XgEntry *entry)
{
    return strcmp(entry->module, entry->id) == 0
               ? g_strdup(entry->id)
               : g_strdup_printf("%s:%s", entry->module, entry->id);
}

XgInstance *xg_registry_create(XgRegistry *registry, const char *kind, const char *name,
                               const XgParamSet *params, GError **error)
{
    const XgEntry *entry = xg_registry_find(registry, kind, name, error);
    if (!entry)
        return NULL;
    const char *missing = xg_registry_missing_interface(registry, entry);
    if (missing) {
        xg_error_set(error, XG_PLUGIN, "%s: component \"%s\" needs interface \"%s\"", entry->path,
                     entry->id, missing);
        return NULL;
    }
    const XgComponent *component = xg_registry_load(registry, entry, error);
    if (!component)
        return NULL;
    XgInstance *instance = instance_new(registry, entry, params);
    instance->component = component;
    if (!params_fit(instance, error)) {
        g_autofree char *shown = component_name(entry);
        g_prefix_error(error, "%s: ", shown);
    } else if (make_self(instance, error)) {
        return instance;
    }
    xg_instance_free(instance);
    return NULL;
}

void xg_instance_free(XgInstance *instance)
{
    if (!instance)
        return;
    if (instance->made && instance->component->destroy)
        instance->component->destroy(instance->self);
    g_mutex_clear(&instance->lock);
    xg_param_set_free(instance->params);
    g_free(instance);
}

/* ---- Using ---- */

void *xg_instance_self(const XgInstance *instance)
{
    return instance->self;
}

const void *xg_instance_table(const XgInstance *instance)
{
    return instance->table;
}

const void *xg_instance_interface(const XgInstance *instance, const char *id)
{
    const XgComponent *component = instance->component;
    return component->get_interface ? component->get_interface(instance->self, id) : NULL;
}

const XgHost *xg_instance_host(const XgInstance *instance)
{
    return &instance->host;
}

const XgComponent *xg_instance_component(const XgInstance *instance)
{
    return instance->component;
}

const XgEntry *xg_instance_entry(const XgInstance *instance)
{
    return instance->entry;
}

const XgParamSet *xg_instance_params(const XgInstance *instance)
{
    return instance->params;
}

/* This thread's text if it belongs to that status, or else any thread's. */
static void take_text(XgInstance *instance, XgStatus status, char *text)
{
    const gboolean here = said_here.serial == instance->serial && said_here.status == status;
    if (here)
        g_strlcpy(text, said_here.text, TEXT_SIZE);
    else if (instance->said_status == status)
        g_strlcpy(text, instance->said, TEXT_SIZE);
    said_here.serial = 0;
    instance->said_status = XG_OK;
}

gboolean xg_instance_error(XgInstance *instance, XgStatus status, GError **error)
{
    const gboolean known = status <= XG_OK && status >= XG_PLUGIN;
    char text[TEXT_SIZE] = "";
    g_mutex_lock(&instance->lock);
    if (*instance->broken) {
        status = XG_PLUGIN;
        g_strlcpy(text, instance->broken, TEXT_SIZE);
    } else if (!known) {
        g_snprintf(text, TEXT_SIZE, "returned %d, which is no status", status);
        status = XG_PLUGIN;
    } else if (status != XG_OK) {
        take_text(instance, status, text);
    }
    g_mutex_unlock(&instance->lock);
    if (status == XG_OK)
        return TRUE;
    if (!*text)
        g_snprintf(text, TEXT_SIZE, "failed without saying why (status %d)", status);
    g_autofree char *name = component_name(instance->entry);
    return xg_error_set(error, status, "%s: %s", name, text);
}
