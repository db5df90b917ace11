/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file train_checkpoint.h  Opens a checkpoint for the trainer, as a session would. */
#ifndef XG_TEST_TRAIN_CHECKPOINT_H
#define XG_TEST_TRAIN_CHECKPOINT_H

#include "base/error.h"
#include "model/tensors.h"

#include "directory.h"

#include <check.h>
#include <string.h>

typedef struct {
    char *bytes;
    Directory directory;
    XgTensorSource source;
} Checkpoint;

static gboolean checkpoint_info(void *user, gsize index, XgWeightInfo *info,
                                GError **error G_GNUC_UNUSED)
{
    const Tensor *t = &((Checkpoint *) user)->directory.tensors[index];
    *info = (XgWeightInfo){.name = t->name, .dtype = t->dtype, .rank = t->rank};
    memcpy(info->dims, t->dims, sizeof info->dims);
    return TRUE;
}

static gboolean checkpoint_read(void *user, gsize index, float *values, gsize count,
                                GError **error G_GNUC_UNUSED)
{
    const Checkpoint *c = user;
    ck_assert_int_eq(c->directory.tensors[index].count, (gint64) count);
    directory_read(&c->directory, (const uint8_t *) c->bytes, &c->directory.tensors[index], values);
    return TRUE;
}

static const char *checkpoint_metadata(void *user, const char *key)
{
    const Directory *d = &((Checkpoint *) user)->directory;
    for (uint64_t i = 0; i < d->metadata_count; i++)
        if (strcmp(d->metadata[i].key, key) == 0)
            return d->metadata[i].value;
    return NULL;
}

static Checkpoint *checkpoint_open(const char *path)
{
    char text[512] = "";
    gsize size = 0;
    Checkpoint *c = g_new0(Checkpoint, 1);
    ck_assert(g_file_get_contents(path, &c->bytes, &size, NULL));
    ck_assert_msg(directory_parse((const uint8_t *) c->bytes, size, &c->directory, text,
                                  sizeof text) == XG_OK,
                  "%s", text);
    c->source = (XgTensorSource){.path = path,
                                 .count = c->directory.count,
                                 .info = checkpoint_info,
                                 .read = checkpoint_read,
                                 .metadata = checkpoint_metadata,
                                 .user = c};
    return c;
}

static void checkpoint_close(Checkpoint *c)
{
    directory_clear(&c->directory);
    g_free(c->bytes);
    g_free(c);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Checkpoint, checkpoint_close)

#endif
