/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* An HDF5 file of any bytes: what is accepted must have names, sizes that fit and values that can
 * be asked for. Files that libhdf5 does not survive end in a child process, as with the plugin;
 * with XG_FUZZ_NO_TRIAL in the environment they end the program. */
#include "trial.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);
/* Looked up by the sanitizer's shared library. */
const char *__lsan_default_suppressions(void) __attribute__((visibility("default")));

/* libhdf5 loses memory when a file is damaged. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static void check_layers(hid_t file, const Layers *layers)
{
    for (guint64 i = 0; i < layers->count; i++) {
        const Tensor *t = &layers->tensors[i];
        Problem p = {XG_OK, ""};
        gint64 count = 1;
        for (int d = 0; d < t->rank; d++)
            count *= t->dims[d];
        g_assert_true(count == t->facts.count && t->name[0] != '\0');
        g_autofree float *values = count <= 1 << 22 ? g_new(float, (gsize) count) : NULL;
        const gboolean good = values && layers_values(file, t, values, &p);
        g_assert_true(!values || good == (p.status == XG_OK));
    }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    Problem p = {XG_OK, ""};
    Layers layers = {0};
    const Reporting before = h5_quiet();
    const gboolean safe = g_getenv("XG_FUZZ_NO_TRIAL") || trial_survives(NULL, data, size, &p);
    const hid_t file = safe && size > 0 ? h5_open_image(data, size, &p) : -1;
    if (file >= 0) {
        const int good = layers_read(file, &layers, &p);
        g_assert_true(good == (p.status == XG_OK));
        g_assert_true(good == (p.text[0] == '\0'));
        if (good)
            check_layers(file, &layers);
        layers_clear(&layers);
        g_assert_true(H5Fclose(file) >= 0);
    }
    h5_loud(&before);
    return 0;
}
