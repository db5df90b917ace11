/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/grid.h"

#include <string.h>

#define LONGEST_NAME 120

static void item_free(gpointer data)
{
    XgGridItem *item = data;
    g_free(item->text);
    g_free(item->id);
    g_strfreev(item->settings);
    g_free(item);
}

static void cell_free(gpointer data)
{
    XgGridCell *cell = data;
    g_free(cell->name);
    g_free(cell->text);
    g_free(cell->folder);
    g_free(cell->file);
    g_free(cell->log);
    g_free(cell->failure);
    g_free(cell);
}

void xg_grid_plan_free(XgGridPlan *plan)
{
    if (plan == NULL)
        return;
    g_clear_pointer(&plan->cells, g_ptr_array_unref);
    g_clear_pointer(&plan->backbones, g_ptr_array_unref);
    g_clear_pointer(&plan->strategies, g_ptr_array_unref);
    g_free(plan->output);
    g_free(plan->study);
    g_free(plan->study_file);
    g_free(plan);
}

/* ---- What is compared ---------------------------------------------------------------------- */

/* "module:id:key=value": what has no equals sign belongs to the id. */
static XgGridItem *parse_item(XgSession *session, const char *kind, const char *text,
                              GError **error)
{
    g_auto(GStrv) pieces = g_strsplit(text, ":", -1);
    guint names = 0;
    while (pieces[names] != NULL && strchr(pieces[names], '=') == NULL)
        names++;
    XgGridItem *item = g_new0(XgGridItem, 1);
    item->text = g_strdup(text);
    item->settings = g_strdupv(pieces + names);
    char *first_setting = pieces[names];
    pieces[names] = NULL;
    item->id = g_strjoinv(":", pieces);
    pieces[names] = first_setting;
    item->entry = xg_registry_find(session->registry, kind, item->id, error);
    if (item->entry != NULL)
        return item;
    item_free(item);
    return NULL;
}

static GPtrArray *parse_items(XgSession *session, const char *kind, const char *what,
                              const char *const *texts, GError **error)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
    for (; texts != NULL && *texts != NULL; texts++) {
        XgGridItem *item = parse_item(session, kind, *texts, error);
        if (item == NULL)
            return NULL;
        g_ptr_array_add(items, item);
        for (guint i = 0; i + 1 < items->len; i++)
            if (strcmp(((const XgGridItem *) items->pdata[i])->text, *texts) == 0) {
                xg_error_set(error, XG_INVALID, "%s \"%s\" is given twice", what, *texts);
                return NULL;
            }
    }
    if (items->len > 0)
        return g_steal_pointer(&items);
    xg_error_set(error, XG_INVALID, "expected at least one %s to compare, found none", what);
    return NULL;
}

/* ---- Keys that only some components have --------------------------------------------------- */

static gboolean declares(const XgParam *table, const char *key)
{
    for (const XgParam *p = table; p != NULL && p->name != NULL; p++)
        if (strcmp(p->name, key) == 0)
            return TRUE;
    return FALSE;
}

/* Takes the section's keys out that are another item's; one of none stays, and is refused. */
static void keep_own_keys(XgStudyFile *file, const char *section, const GPtrArray *items,
                          const XgGridItem *own)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < xg_study_file_count(file); i++) {
        const XgStudyEntry *entry = xg_study_file_entry(file, i);
        if (strcmp(entry->section, section) != 0 || declares(own->entry->params, entry->key) ||
            declares(xg_section_params(section), entry->key))
            continue;
        for (guint k = 0; k < items->len; k++)
            if (declares(((const XgGridItem *) items->pdata[k])->entry->params, entry->key)) {
                g_ptr_array_add(others, g_strdup(entry->key));
                break;
            }
    }
    for (guint i = 0; i < others->len; i++)
        xg_study_file_remove(file, section, others->pdata[i]);
}

/* ---- Weights of other backbones ------------------------------------------------------------ */

static char *given_weights(const XgGrid *grid, const char *id)
{
    const gsize length = strlen(id);
    for (gsize i = 0; grid->weights != NULL && grid->weights[i] != NULL; i++)
        if (strncmp(grid->weights[i], id, length) == 0 && grid->weights[i][length] == '=') {
            const char *path = grid->weights[i] + length + 1;
            return strcmp(path, "random") == 0 || strcmp(path, "none") == 0
                       ? g_strdup(path)
                       : g_canonicalize_filename(path, NULL);
        }
    return NULL;
}

static gboolean has_no_parameters(XgSession *session, const XgGridItem *backbone)
{
    gint64 classes = 2;
    XgSessionBackbone *built = xg_session_backbone_from(
        session, backbone->id, (const char *const *) backbone->settings, &classes, NULL);
    XgNetwork *network = built ? xg_session_backbone_build(built, 2, NULL) : NULL;
    XgValue *tap = network ? g_hash_table_lookup(network->taps, "features") : NULL;
    const gboolean none = tap != NULL && xg_network_count(network, tap).parameters == 0;
    xg_network_free(network);
    xg_session_backbone_free(built);
    return none;
}

static char *weights_of(XgSession *session, const XgGrid *grid, const XgStudyFile *file,
                        const XgGridItem *backbone, GError **error)
{
    static const char *const endings[] = {"safetensors", "pth", "pt", "h5", "caffemodel", "onnx"};
    const char *weights = xg_study_file_value(file, "backbone", "weights");
    const char *own = xg_study_file_value(file, "backbone", "plugin");
    char *given = given_weights(grid, backbone->id);
    if (given != NULL)
        return given;
    if (weights == NULL || strcmp(weights, "random") == 0 || g_strcmp0(own, backbone->id) == 0)
        return g_strdup(weights ? weights : "random");
    if (has_no_parameters(session, backbone))
        return g_strdup("none");
    g_autofree char *path = xg_study_file_resolve(file, weights);
    g_autofree char *folder = g_path_get_dirname(path);
    for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *name = g_strconcat(backbone->id, ".", endings[i], NULL);
        g_autofree char *beside = g_build_filename(folder, name, NULL);
        if (g_file_test(beside, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&beside);
    }
    xg_error_set(error, XG_INVALID,
                 "no weights for %s: expected %s/%s.safetensors, or --weights %s=FILE",
                 backbone->id, folder, backbone->id, backbone->id);
    return NULL;
}

/* ---- Cells --------------------------------------------------------------------------------- */

static void add_setting(GStrvBuilder *settings, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_setting(GStrvBuilder *settings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_strv_builder_add(settings, text);
}

/* Each of `jobs` gets its share of threads and of the memory limit. */
static void share_machine(GStrvBuilder *settings, const XgStudy *study, gint64 jobs)
{
    const gint64 threads = xg_resolved_int(study->resolved, "engine", "threads");
    const gint64 memory = xg_resolved_int(study->resolved, "engine", "memory");
    const gint64 all = threads > 0 ? threads : g_get_num_processors();
    if (jobs <= 1)
        return;
    add_setting(settings, "engine.threads=%" G_GINT64_FORMAT, MAX(all / jobs, 1));
    if (memory > 0)
        add_setting(settings, "engine.memory=%" G_GINT64_FORMAT, memory / jobs);
}

/* Long settings are cut, and told apart by a hash. */
static char *folder_name(const XgGridItem *backbone, const XgGridItem *strategy)
{
    g_autofree char *name = g_strconcat(backbone->text, "-", strategy->text, NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.=,+-", '_');
    return strlen(name) <= LONGEST_NAME ? g_steal_pointer(&name)
                                        : g_strdup_printf("%.*s-%.8s", LONGEST_NAME - 9, name, sum);
}

static XgStudy *open_cell(XgSession *session, XgStudyFile *file, XgProblems *problems,
                          const char *const *overrides, const GStrv settings, GError **error)
{
    g_auto(GStrv) own = g_strdupv(settings);
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    if (overrides != NULL)
        g_strv_builder_addv(all, (const char **) overrides);
    g_strv_builder_addv(all, (const char **) own);
    g_auto(GStrv) texts = g_strv_builder_end(all);
    return xg_study_new(session, file, (const char *const *) texts, problems, error);
}

/* The cell's study; settings of `plan` that all cells have in common are taken from the first. */
static gboolean plan_cell(XgSession *session, const XgGrid *grid, XgGridPlan *plan,
                          const XgStudyFile *common, XgGridCell *cell, GError **error)
{
    XgStudyFile *file = xg_study_file_copy(common);
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(GStrvBuilder) settings = g_strv_builder_new();
    g_autofree char *weights = weights_of(session, grid, file, cell->backbone, error);
    if (weights == NULL) {
        xg_study_file_free(file);
        return FALSE;
    }
    const char *own = xg_study_file_value(file, "backbone", "plugin");
    if (g_strcmp0(own, cell->backbone->id) != 0)
        xg_study_file_remove(file, "backbone", "weights_family");
    keep_own_keys(file, "backbone", plan->backbones, cell->backbone);
    keep_own_keys(file, "strategy", plan->strategies, cell->strategy);
    add_setting(settings, "backbone.plugin=%s", cell->backbone->id);
    add_setting(settings, "backbone.weights=%s", weights);
    add_setting(settings, "strategy.plugin=%s", cell->strategy->id);
    for (char **s = cell->backbone->settings; *s != NULL; s++)
        add_setting(settings, "backbone.%s", *s);
    for (char **s = cell->strategy->settings; *s != NULL; s++)
        add_setting(settings, "strategy.%s", *s);
    g_auto(GStrv) texts = g_strv_builder_end(settings);
    g_autoptr(XgStudy) study = open_cell(session, file, problems, NULL, texts, error);
    if (study == NULL) {
        g_prefix_error(error, "%s with %s:\n", cell->backbone->text, cell->strategy->text);
        return FALSE;
    }
    if (plan->output == NULL) {
        plan->output = grid->output ? g_canonicalize_filename(grid->output, NULL)
                                    : g_strconcat(study->output, "-compare", NULL);
        plan->study = g_strdup(xg_resolved_text(study->resolved, "study", "name"));
        plan->study_file = g_strdup(xg_study_file_name(study->file));
        plan->seed = (guint64) xg_resolved_int(study->resolved, "study", "seed");
    }
    cell->folder = g_build_filename(plan->output, cell->name, NULL);
    g_autoptr(GStrvBuilder) last = g_strv_builder_new();
    add_setting(last, "study.output=%s", cell->folder);
    share_machine(last, study, grid->jobs);
    g_auto(GStrv) more = g_strv_builder_end(last);
    g_autoptr(XgStudy) final =
        open_cell(session, xg_study_file_copy(study->file), problems, NULL, more, error);
    if (final == NULL)
        return FALSE;
    cell->text = xg_resolved_write(final->resolved, "One cell of a comparison.", error);
    return cell->text != NULL;
}

static XgGridCell *cell_new(const XgGridItem *backbone, const XgGridItem *strategy)
{
    XgGridCell *cell = g_new0(XgGridCell, 1);
    cell->backbone = backbone;
    cell->strategy = strategy;
    cell->name = folder_name(backbone, strategy);
    return cell;
}

static gboolean plan_cells(XgSession *session, const XgGrid *grid, XgGridPlan *plan,
                           const XgStudyFile *common, GError **error)
{
    for (guint b = 0; b < plan->backbones->len; b++)
        for (guint s = 0; s < plan->strategies->len; s++) {
            XgGridCell *cell = cell_new(plan->backbones->pdata[b], plan->strategies->pdata[s]);
            for (guint i = 0; i < plan->cells->len; i++)
                if (strcmp(((const XgGridCell *) plan->cells->pdata[i])->name, cell->name) == 0) {
                    char *longer = g_strconcat(cell->name, "_", NULL);
                    g_free(cell->name);
                    cell->name = longer;
                }
            g_ptr_array_add(plan->cells, cell);
            if (!plan_cell(session, grid, plan, common, cell, error))
                return FALSE;
            g_autofree char *ini = g_strconcat(cell->name, ".ini", NULL);
            g_autofree char *log = g_strconcat(cell->name, ".log", NULL);
            cell->file = g_build_filename(plan->output, ini, NULL);
            cell->log = g_build_filename(plan->output, log, NULL);
        }
    return TRUE;
}

XgGridPlan *xg_grid_plan(XgSession *session, const XgGrid *grid, GError **error)
{
    g_autoptr(XgGridPlan) plan = g_new0(XgGridPlan, 1);
    g_autoptr(XgProblems) problems = xg_problems_new();
    plan->cells = g_ptr_array_new_with_free_func(cell_free);
    plan->backbones = parse_items(session, XG_BACKBONE_KIND, "backbone", grid->backbones, error);
    plan->strategies = plan->backbones ? parse_items(session, XG_STRATEGY_KIND, "strategy",
                                                     grid->strategies, error)
                                       : NULL;
    if (plan->strategies == NULL)
        return NULL;
    g_autoptr(XgStudyFile) common = xg_study_file_load(grid->study, problems, error);
    if (common == NULL)
        return NULL;
    for (gsize i = 0; grid->overrides != NULL && grid->overrides[i] != NULL; i++)
        if (!xg_study_file_override(common, grid->overrides[i], error))
            return NULL;
    if (!xg_problems_check(problems, error) || !plan_cells(session, grid, plan, common, error))
        return NULL;
    return g_steal_pointer(&plan);
}
