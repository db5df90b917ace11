/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/param.h"

enum { HIGHEST_MAJOR_LOOKED_FOR = 9 };

typedef const XgModule *(*EntryFunc)(void);

static gboolean trusted(const char *path, const struct stat *info, GError **error)
{
    g_autofree char *quoted = g_shell_quote(path);
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return xg_error_set(error, XG_PLUGIN,
                            "%s: refused: it belongs to user %u, neither to root nor to you; if "
                            "you trust it: sudo chown root %s",
                            path, (unsigned) info->st_uid, quoted);
    if (info->st_mode & S_IWOTH)
        return xg_error_set(error, XG_PLUGIN,
                            "%s: refused: every user may write to it; mend with: chmod o-w %s",
                            path, quoted);
    return TRUE;
}

gboolean xg_module_trusted(const char *path, GError **error)
{
    struct stat info;
    g_autofree char *real = realpath(path, NULL);
    if (!real || stat(real, &info) != 0)
        return xg_error_set(error, XG_IO, "%s: %s", path, g_strerror(errno));
    if (!trusted(real, &info, error))
        return FALSE;
    if (S_ISDIR(info.st_mode))
        return TRUE;
    g_autofree char *folder = g_path_get_dirname(real);
    if (stat(folder, &info) != 0)
        return xg_error_set(error, XG_IO, "%s: %s", folder, g_strerror(errno));
    return trusted(folder, &info, error);
}

/* ---- What loading must leave alone ---- */

typedef struct Surroundings {
    guint64 float_control;
    char *locale;
} Surroundings;

static guint64 read_float_control(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_stmxcsr() & ~0x3Fu; /* without the sticky exception flags */
#elif defined(__aarch64__)
    guint64 control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
#else
    return 0;
#endif
}

static void write_float_control(guint64 control)
{
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((unsigned) control);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(control));
#else
    (void) control;
#endif
}

static void surroundings_save(Surroundings *saved)
{
    saved->float_control = read_float_control();
    saved->locale = g_strdup(setlocale(LC_ALL, NULL));
}

static void surroundings_restore(Surroundings *saved, const char *path, GPtrArray *warnings)
{
    if (read_float_control() != saved->float_control) {
        write_float_control(saved->float_control);
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s: loading it changed how the processor rounds or "
                                        "treats tiny numbers (undone); it should be built without "
                                        "-ffast-math",
                                        path));
    }
    if (g_strcmp0(setlocale(LC_ALL, NULL), saved->locale) != 0) {
        setlocale(LC_ALL, saved->locale);
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s: loading it changed the locale (undone)", path));
    }
    g_free(saved->locale);
}

/* ---- Checks of what a module declares ---- */

static gboolean is_identifier(const char *text)
{
    if (!text || !g_ascii_islower(*text))
        return FALSE;
    for (; *text; text++)
        if (!g_ascii_islower(*text) && !g_ascii_isdigit(*text) && *text != '_')
            return FALSE;
    return TRUE;
}

static gboolean is_text(const char *text)
{
    return text && *text && g_utf8_validate(text, -1, NULL);
}

static gboolean is_line(const char *text)
{
    return is_text(text) && !strpbrk(text, "\r\n");
}

static gboolean check_params(const XgParam *table, GError **error)
{
    for (const XgParam *p = table; p && p->name; p++) {
        const char *texts[] = {p->name, p->default_value, p->minimum, p->maximum,
                               p->unit, p->choices,       p->doc};
        for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
            if (texts[i] && !g_utf8_validate(texts[i], -1, NULL))
                return xg_error_set(error, XG_PLUGIN, "a parameter's text is not UTF-8");
    }
    return xg_param_table_check(table, error);
}

static const char *component_fault(const XgComponent *c)
{
    if (c->struct_size < G_STRUCT_OFFSET(XgComponent, data) + sizeof c->data)
        return "its struct_size is smaller than the first version of the struct";
    if (!is_line(c->kind) || !strchr(c->kind, '/'))
        return "no kind such as \"xenograft.backbone/1\"";
    if (!is_identifier(c->id))
        return "an id is a-z, then a-z, 0-9 and _";
    if (!is_line(c->version))
        return "no version";
    if (!is_line(c->licence))
        return "no licence";
    if (!is_line(c->summary))
        return "no summary, or one of several lines";
    if ((c->doc && !is_text(c->doc)) || (c->citation && !is_text(c->citation)))
        return "its doc or citation is empty or not UTF-8";
    if (!c->interface_table && !c->get_interface)
        return "neither an interface table nor get_interface";
    for (const char *const *need = c->needs; need && *need; need++)
        if (!is_line(*need))
            return "one of the interfaces that it needs has no id";
    return NULL;
}

static gboolean check_components(const XgModule *module, GError **error)
{
    for (const XgComponent *const *p = module->components; *p; p++) {
        const char *fault = component_fault(*p);
        if (fault)
            return xg_error_set(error, XG_PLUGIN, "component \"%s\": %s",
                                is_identifier((*p)->id) ? (*p)->id : "?", fault);
        if (!check_params((*p)->params, error)) {
            g_prefix_error(error, "component \"%s\": ", (*p)->id);
            return FALSE;
        }
        for (const XgComponent *const *q = module->components; q < p; q++)
            if (strcmp((*p)->id, (*q)->id) == 0 && strcmp((*p)->kind, (*q)->kind) == 0)
                return xg_error_set(error, XG_PLUGIN, "component \"%s\": declared twice", (*p)->id);
    }
    return TRUE;
}

static gboolean check_module(const XgModule *module, GError **error)
{
    if (!module)
        return xg_error_set(error, XG_PLUGIN, "its entry function returned NULL");
    if (module->struct_size < G_STRUCT_OFFSET(XgModule, components) + sizeof module->components)
        return xg_error_set(error, XG_PLUGIN,
                            "its module's struct_size, %" G_GUINT64_FORMAT
                            ", is smaller than the first version of the struct",
                            module->struct_size);
    if (module->abi_min_minor > XG_ABI_MINOR)
        return xg_error_set(error, XG_PLUGIN,
                            "needs xenograft ABI %d.%" G_GINT64_FORMAT ", this host has %d.%d",
                            XG_ABI_MAJOR, module->abi_min_minor, XG_ABI_MAJOR, XG_ABI_MINOR);
    if (!is_identifier(module->name))
        return xg_error_set(error, XG_PLUGIN, "a module's name is a-z, then a-z, 0-9 and _");
    if (!is_line(module->version))
        return xg_error_set(error, XG_PLUGIN, "its module has no version");
    if (!module->components || !module->components[0])
        return xg_error_set(error, XG_PLUGIN, "its module has no components");
    return check_components(module, error);
}

/* ---- Loading ---- */

static gboolean wrong_entry(void *library, GError **error)
{
    for (int major = 0; major <= HIGHEST_MAJOR_LOOKED_FOR; major++) {
        g_autofree char *symbol = g_strdup_printf("xenograft_entry_v%d", major);
        if (dlsym(library, symbol))
            return xg_error_set(error, XG_PLUGIN,
                                "was built for xenograft ABI %d (it has %s), this host has %d.%d",
                                major, symbol, XG_ABI_MAJOR, XG_ABI_MINOR);
    }
    return xg_error_set(error, XG_PLUGIN, "not a xenograft plugin: no symbol xenograft_entry_v%d",
                        XG_ABI_MAJOR);
}

/* The table at an ELF file's end shows a copy that stopped half way, which the system's loader may
 * only notice by a crash. Whatever is no such file is left to the loader to refuse. */
static gboolean is_whole(const char *path, GError **error)
{
    ElfW(Ehdr) header;
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return xg_error_set(error, XG_IO, "cannot be opened: %s", g_strerror(errno));
    const ssize_t got = read(fd, &header, sizeof header);
    const gboolean known = fstat(fd, &info) == 0 && got == (ssize_t) sizeof header &&
                           memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
    close(fd);
    const guint64 table = known ? (guint64) header.e_shnum * header.e_shentsize : 0;
    if (known && (header.e_shoff > (guint64) info.st_size ||
                  table > (guint64) info.st_size - header.e_shoff))
        return xg_error_set(error, XG_PLUGIN,
                            "is cut short: it has %" G_GINT64_FORMAT " bytes, its header says more",
                            (gint64) info.st_size);
    return TRUE;
}

static gboolean load(const char *path, const XgModule **module, gboolean *unloadable,
                     GError **error)
{
    if (!is_whole(path, error))
        return FALSE;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        const gsize named = strlen(path);
        if (strncmp(reason, path, named) == 0 && g_str_has_prefix(reason + named, ": "))
            reason += named + 2;
        if (unloadable)
            *unloadable = TRUE;
        return xg_error_set(error, XG_PLUGIN, "cannot be loaded: %s", reason);
    }
    void *symbol = dlsym(library, "xenograft_entry_v1");
    if (!symbol)
        return wrong_entry(library, error);
    EntryFunc entry;
    memcpy(&entry, &symbol, sizeof entry);
    *module = entry();
    return check_module(*module, error);
}

const XgModule *xg_module_open(const char *path, GPtrArray *warnings, gboolean *unloadable,
                               GError **error)
{
    if (!xg_module_trusted(path, error))
        return NULL;
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    const XgModule *module = NULL;
    Surroundings saved;
    surroundings_save(&saved);
    const gboolean loaded = load(absolute, &module, unloadable, error);
    surroundings_restore(&saved, path, warnings);
    if (!loaded)
        g_prefix_error(error, "%s: ", path);
    return loaded ? module : NULL;
}
