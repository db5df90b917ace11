/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "config/problems.h"

#include "base/error.h"

typedef struct {
    int line;
    guint order;
    char *text;
} Problem;

enum { KEPT = 1000 };

struct XgProblems {
    GPtrArray *list;   /* of Problem, at most KEPT */
    GHashTable *texts; /* what `list` holds, borrowed */
    guint dropped;     /* beyond KEPT */
};

static void problem_free(gpointer data)
{
    Problem *problem = data;
    g_free(problem->text);
    g_free(problem);
}

XgProblems *xg_problems_new(void)
{
    XgProblems *problems = g_new0(XgProblems, 1);
    problems->list = g_ptr_array_new_with_free_func(problem_free);
    problems->texts = g_hash_table_new(g_str_hash, g_str_equal);
    return problems;
}

void xg_problems_free(XgProblems *problems)
{
    if (!problems)
        return;
    g_hash_table_unref(problems->texts);
    g_ptr_array_unref(problems->list);
    g_free(problems);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const Problem *left = *(Problem *const *) a, *right = *(Problem *const *) b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void xg_problems_add(XgProblems *problems, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_hash_table_contains(problems->texts, text))
        return;
    if (problems->list->len == KEPT) {
        problems->dropped++;
        return;
    }
    Problem *problem = g_new0(Problem, 1);
    problem->line = line;
    problem->order = problems->list->len;
    problem->text = g_steal_pointer(&text);
    g_ptr_array_add(problems->list, problem);
    g_hash_table_add(problems->texts, problem->text);
}

guint xg_problems_count(const XgProblems *problems)
{
    return problems->list->len + problems->dropped;
}

char *xg_problems_text(const XgProblems *problems)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < problems->list->len; i++)
        g_ptr_array_add(sorted, problems->list->pdata[i]);
    g_ptr_array_sort(sorted, compare);
    for (guint i = 0; i < sorted->len; i++)
        g_string_append_printf(text, "%s%s", i ? "\n" : "", ((Problem *) sorted->pdata[i])->text);
    if (problems->dropped)
        g_string_append_printf(text, "\nand %u more", problems->dropped);
    return g_string_free(text, FALSE);
}

gboolean xg_problems_check(const XgProblems *problems, GError **error)
{
    if (problems->list->len == 0)
        return TRUE;
    g_autofree char *text = xg_problems_text(problems);
    return xg_error_set(error, XG_INVALID, "%s", text);
}
