/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Runs a fuzz target without a fuzzer: every file of a folder, then seeded mutations of them.
 * Usage: fuzz_NAME FOLDER [MUTATIONS [SEED]]. With libFuzzer this file is left out. */
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_BYTES = 1 << 16, ROUNDS = 8 };

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

typedef struct {
    guint64 seed, stream, next;
} Random;

static gsize draw(Random *random, gsize below)
{
    return (gsize) (xg_rng_bits(random->seed, random->stream, random->next++) % below);
}

static void insert(GByteArray *bytes, gsize at, const guint8 *data, gsize size)
{
    g_autofree guint8 *copy = g_memdup2(data, size);
    const gsize tail = bytes->len - at;
    g_byte_array_set_size(bytes, (guint) (bytes->len + size));
    memmove(bytes->data + at + size, bytes->data + at, tail);
    memcpy(bytes->data + at, copy, size);
}

/* One small change; `other` is another file to take a piece of. */
static void mutate(Random *random, GByteArray *bytes, const GByteArray *other)
{
    static const guint8 marked[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\n',
                                    '"',  '[',  '{',  '=',  '#',  '0'};
    if (bytes->len == 0) {
        g_byte_array_append(bytes, marked, sizeof marked);
        return;
    }
    const gsize at = draw(random, bytes->len);
    const gsize length = 1 + draw(random, MIN(bytes->len - at, 64));
    switch (draw(random, 7)) {
    case 0:
        bytes->data[at] ^= (guint8) (1U << draw(random, 8));
        break;
    case 1:
        bytes->data[at] = marked[draw(random, sizeof marked)];
        break;
    case 2:
        g_byte_array_remove_range(bytes, (guint) at, (guint) length);
        break;
    case 3:
        insert(bytes, draw(random, bytes->len), bytes->data + at, length);
        break;
    case 4:
        insert(bytes, at, &marked[draw(random, sizeof marked)], 1);
        break;
    case 5:
        g_byte_array_set_size(bytes, (guint) at);
        break;
    default:
        if (other->len) {
            const gsize from = draw(random, other->len);
            insert(bytes, at, other->data + from, 1 + draw(random, MIN(other->len - from, 256)));
        }
    }
}

/* From a block of exactly that size, so that a sanitizer sees the first byte read beyond. */
static void run_once(const guint8 *data, gsize size)
{
    guint8 *exact = malloc(size ? size : 1);
    if (exact) {
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
}

static void byte_array_unref(gpointer bytes)
{
    g_byte_array_unref(bytes);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The files of a folder by name, so that a seed means the same on every machine. */
static GPtrArray *read_folder(const char *folder)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(byte_array_unref);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        char *text = NULL;
        gsize size = 0;
        if (g_file_get_contents(names->pdata[i], &text, &size, NULL))
            g_ptr_array_add(files, g_byte_array_new_take((guint8 *) text, size));
    }
    return files;
}

int main(int argc, char **argv)
{
    const guint64 mutations = argc > 2 ? g_ascii_strtoull(argv[2], NULL, 10) : 0;
    const guint64 seed = argc > 3 ? g_ascii_strtoull(argv[3], NULL, 10) : 1;
    g_autoptr(GPtrArray) files = argc > 1 ? read_folder(argv[1]) : NULL;
    if (!files || !files->len) {
        fprintf(stderr, "usage: %s FOLDER [MUTATIONS [SEED]], FOLDER with at least one file\n",
                argv[0]);
        return EXIT_FAILURE;
    }
    for (guint i = 0; i < files->len; i++) {
        const GByteArray *file = files->pdata[i];
        run_once(file->data, file->len);
    }
    for (guint64 i = 0; i < mutations; i++) {
        Random random = {seed, i, 0};
        const GByteArray *start = files->pdata[draw(&random, files->len)];
        const GByteArray *other = files->pdata[draw(&random, files->len)];
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_byte_array_append(bytes, start->data, start->len);
        for (gsize round = 1 + draw(&random, ROUNDS); round > 0; round--)
            if (bytes->len < LARGEST_BYTES)
                mutate(&random, bytes, other);
        run_once(bytes->data, bytes->len);
    }
    return EXIT_SUCCESS;
}
