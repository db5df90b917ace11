/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugin/module.h"
#include "plugin/scan.h"

/* A plugin's own prints must not mix with the answer, and its crash shall be a plain one. */
static int seclude(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM};
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        signal(deadly[i], SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    const int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    const int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; nowhere >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(nowhere, fd);
    return answer;
}

static JsonNode *ask(const char *path)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    gboolean unloadable = FALSE;
    const XgModule *module = xg_module_open(path, warnings, &unloadable, &error);
    JsonObject *object = json_object_new();
    if (module) {
        json_object_set_member(object, "module", xg_module_describe(module));
    } else {
        g_autofree char *text = g_utf8_make_valid(error->message, -1);
        json_object_set_string_member(object, "error", text);
        json_object_set_boolean_member(object, "unloadable", unloadable);
    }
    JsonArray *array = json_array_new();
    for (guint i = 0; i < warnings->len; i++)
        json_array_add_string_element(array, warnings->pdata[i]);
    json_object_set_array_member(object, "warnings", array);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

int xg_scan_child(const char *path)
{
    const int fd = seclude();
    g_autoptr(JsonNode) node = ask(path);
    g_autofree char *text = json_to_string(node, FALSE);
    for (gsize done = 0, size = strlen(text); done < size;) {
        const ssize_t wrote = write(fd, text + done, size - done);
        if (wrote < 0 && errno != EINTR)
            _exit(EXIT_FAILURE);
        done += (gsize) MAX(wrote, 0);
    }
    /* Not exit(): the plugin's destructors have nothing to do here. */
    _exit(EXIT_SUCCESS);
}
