/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* conformance [OPTIONS] [MODULE...]: what every backbone must keep, whoever wrote it. Each network
 * is built at the sizes and with the settings that it allows; names, the gradient's way to every
 * parameter and the freezing of each block are checked on its graph, its numbers on made-up
 * weights at its smallest size. Exits 1 when one breaks a rule, 2 when none is found. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    gboolean (*check)(const Case *c, GError **error);
} rules[] = {
    {"sizes", check_sizes},       {"settings", check_settings}, {"names", check_names},
    {"reached", check_reached},   {"freezing", check_freezing}, {"evaluation", check_evaluation},
    {"training", check_training},
};

/* Whether all rules are kept; the broken ones are printed. */
static gboolean check_backbone(const Host *host, const Host *reference, const XgEntry *entry)
{
    gboolean good = TRUE;
    g_autoptr(GError) error = NULL;
    g_autofree char *id = g_strconcat(entry->module, ":", entry->id, NULL);
    Case c = {.host = host, .reference = reference, .entry = entry, .id = id};
    g_autoptr(XgInstance) instance =
        xg_registry_create(host_registry(host), XG_BACKBONE_KIND, id, NULL, &error);
    g_autoptr(XgNetwork) network = instance ? host_network(host, id, 3, 0, &error) : NULL;
    if (network == NULL) {
        printf("%s FAILED: %s\n", entry->id, error->message);
        return FALSE;
    }
    const XgBackbone *table = xg_instance_table(instance);
    c.size = table->input_size(xg_instance_self(instance));
    c.network = network;
    g_autoptr(GTimer) timer = g_timer_new();
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_clear_error(&error);
        if (rules[i].check(&c, &error))
            continue;
        printf("%s %s FAILED: %s\n", entry->id, rules[i].name, error->message);
        good = FALSE;
    }
    printf("%-24s %6.2f s\n", entry->id, g_timer_elapsed(timer, NULL));
    fflush(stdout);
    return good;
}

static gboolean is_asked(char **modules, const XgEntry *entry)
{
    return *modules == NULL || g_strv_contains((const char *const *) modules, entry->module);
}

int main(int argc, char **argv)
{
    HostOptions options = {0}, plain;
    g_auto(GStrv) plugins = NULL;
    g_autofree char *engine = NULL, *scanner = NULL;
    const GOptionEntry entries[] = {
        {"engine", 'e', 0, G_OPTION_ARG_STRING, &engine, "an installed engine (default: openblas)",
         "ID"},
        {"plugins", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &plugins,
         "folder of plugins instead of the installed ones; may be repeated", "DIR"},
        {"scanner", 0, 0, G_OPTION_ARG_FILENAME, &scanner, "the xenograft-scan to use", "PROGRAM"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("[MODULE...]");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    options.engine = engine ? engine : "openblas";
    options.scanner = scanner;
    options.plugins = (const char *const *) plugins;
    plain = options;
    plain.engine = "reference";
    g_autoptr(Host) host = host_new(&options, &error);
    g_autoptr(Host) reference = host ? host_new(&plain, &error) : NULL;
    if (reference == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    int found = 0, broken = 0;
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(host_registry(host), XG_BACKBONE_KIND, entry)) != NULL)
        if (is_asked(argv + 1, entry)) {
            found++;
            broken += !check_backbone(host, reference, entry);
        }
    printf("%d backbones, %d of them broken\n", found, broken);
    return found == 0 ? 2 : broken > 0;
}
