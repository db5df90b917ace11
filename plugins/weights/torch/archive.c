/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "archive.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define LARGEST_PICKLE (UINT64_C(64) << 20)
#define MOST_ENTRIES 1000000
/* Deflate makes no more than 1032 bytes of one. */
#define BEST_RATIO 1032

enum { LONGEST_NAME = 1024 };

struct Archive {
    zip_t *zip;
    Slice file;
    uint64_t position;  /**< where libzip reads next */
    uint64_t last_read; /**< where it last read */
    zip_error_t error;
    char folder[LONGEST_NAME]; /**< with its slash; "" when there is none */
    uint8_t *pickle;           /**< unpacked */
    int big_endian;
};

/* ---- The mapped file as libzip sees it ----------------------------------------------------- */

static zip_int64_t read_source(Archive *a, void *data, zip_uint64_t size)
{
    const uint64_t left = a->file.size - a->position, count = size < left ? size : left;
    if (count > 0)
        memcpy(data, a->file.bytes + a->position, (size_t) count);
    a->last_read = a->position;
    a->position += count;
    return (zip_int64_t) count;
}

static zip_int64_t seek_source(Archive *a, void *data, zip_uint64_t size)
{
    const zip_int64_t to =
        zip_source_seek_compute_offset(a->position, a->file.size, data, size, &a->error);
    if (to < 0)
        return -1;
    a->position = (uint64_t) to;
    return 0;
}

static zip_int64_t stat_source(const Archive *a, void *data)
{
    zip_stat_t *facts = data;
    zip_stat_init(facts);
    facts->valid = ZIP_STAT_SIZE;
    facts->size = a->file.size;
    return sizeof *facts;
}

static zip_int64_t on_source(void *user, void *data, zip_uint64_t size, zip_source_cmd_t command)
{
    Archive *a = user;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        a->position = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return read_source(a, data, size);
    case ZIP_SOURCE_SEEK:
        return seek_source(a, data, size);
    case ZIP_SOURCE_TELL:
        return (zip_int64_t) a->position;
    case ZIP_SOURCE_STAT:
        return stat_source(a, data);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&a->error, data, size);
    case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_SEEKABLE;
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
        return 0;
    default:
        zip_error_set(&a->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

static int open_zip(Archive *a, Problem *p)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_function_create(on_source, a, &error);
    a->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    if (!a->zip) {
        const int code = zip_error_code_zip(&error);
        problem(p, code == ZIP_ER_MEMORY ? XG_NOMEM : XG_FORMAT,
                code == ZIP_ER_NOZIP
                    ? "expected the directory of a zip archive at its end, found none: the file is "
                      "cut off (download it again)"
                    : "expected a whole zip archive, found a damaged one: %s",
                zip_error_strerror(&error));
        if (source)
            zip_source_free(source);
    }
    zip_error_fini(&error);
    return a->zip != NULL;
}

/* ---- Entries ------------------------------------------------------------------------------- */

/* Number of FOLDER/name; negative when there is none. */
static zip_int64_t locate(const Archive *a, const char *name)
{
    char path[2 * LONGEST_NAME];
    snprintf(path, sizeof path, "%s%s", a->folder, name);
    return zip_name_locate(a->zip, path, ZIP_FL_ENC_RAW);
}

static int describe(const Archive *a, uint64_t entry, const char *name, zip_stat_t *facts,
                    Problem *p)
{
    const zip_uint64_t wanted =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(a->zip, entry, 0, facts) != 0 || (facts->valid & wanted) != wanted)
        return problem(p, XG_FORMAT, "%s: expected an entry of a zip archive: %s", name,
                       zip_strerror(a->zip));
    if (facts->encryption_method != ZIP_EM_NONE ||
        (facts->comp_method != ZIP_CM_STORE && facts->comp_method != ZIP_CM_DEFLATE))
        return problem(p, XG_UNSUPPORTED, "%s: expected it stored or deflated, found method %u%s",
                       name, (unsigned) facts->comp_method,
                       facts->encryption_method != ZIP_EM_NONE ? ", encrypted" : "");
    if (facts->comp_size > a->file.size ||
        (facts->comp_method == ZIP_CM_STORE && facts->size != facts->comp_size) ||
        facts->size / BEST_RATIO > facts->comp_size)
        return problem(p, XG_FORMAT, "%s: expected %llu bytes, found only %llu in the file", name,
                       (unsigned long long) facts->size, (unsigned long long) facts->comp_size);
    return 1;
}

/* libzip knows where an entry's bytes begin, and tells by reading there. */
static int find_stored(Archive *a, uint64_t entry, const char *name, uint64_t size, Slice *bytes,
                       Problem *p)
{
    uint8_t first;
    *bytes = (Slice){a->file.bytes, 0};
    if (size == 0)
        return 1;
    zip_file_t *file = zip_fopen_index(a->zip, entry, ZIP_FL_COMPRESSED);
    const int good = file && zip_fread(file, &first, 1) == 1;
    if (file)
        zip_fclose(file);
    if (!good || a->last_read >= a->file.size || a->file.size - a->last_read < size ||
        a->file.bytes[a->last_read] != first)
        return problem(p, XG_FORMAT, "%s: expected %llu bytes in the file, found fewer", name,
                       (unsigned long long) size);
    *bytes = (Slice){a->file.bytes + a->last_read, size};
    return 1;
}

static uint8_t *unpack(Archive *a, uint64_t entry, const char *name, uint64_t size, Problem *p)
{
    uint8_t *bytes = malloc((size_t) size + 1);
    if (!bytes) {
        problem(p, XG_NOMEM, "%s: memory for %llu bytes could not be had", name,
                (unsigned long long) size);
        return NULL;
    }
    zip_file_t *file = zip_fopen_index(a->zip, entry, 0);
    uint64_t had = 0;
    zip_int64_t count = file ? 1 : -1;
    /* The byte too many makes libzip reach the end and compare the checksum. */
    while (count > 0 && had <= size) {
        count = zip_fread(file, bytes + had, size + 1 - had);
        had += count > 0 ? (uint64_t) count : 0;
    }
    const int ended = count == 0 && had == size;
    if (!ended)
        problem(p, XG_FORMAT, "%s: expected %llu bytes, found damaged ones: %s", name,
                (unsigned long long) size, file ? zip_file_strerror(file) : zip_strerror(a->zip));
    if (file)
        zip_fclose(file);
    if (!ended) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* ---- The archive --------------------------------------------------------------------------- */

static int find_folder(Archive *a, Problem *p)
{
    static const char tail[] = "data.pkl";
    const zip_int64_t count = zip_get_num_entries(a->zip, 0);
    if (count > MOST_ENTRIES)
        return problem(p, XG_LIMIT, "expected an archive of at most %d entries, found %lld",
                       MOST_ENTRIES, (long long) count);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(a->zip, (zip_uint64_t) i, ZIP_FL_ENC_RAW);
        const size_t length = name ? strlen(name) : 0, end = sizeof tail - 1;
        if (length < end || length - end >= LONGEST_NAME || strcmp(name + length - end, tail) != 0)
            continue;
        if (length > end && name[length - end - 1] != '/')
            continue;
        memcpy(a->folder, name, length - end);
        a->folder[length - end] = '\0';
        return 1;
    }
    return problem(p, XG_FORMAT,
                   "expected an archive of torch.save() with the entry data.pkl, found a zip "
                   "archive without");
}

static int is_script(const Archive *a)
{
    char code[LONGEST_NAME + 8];
    snprintf(code, sizeof code, "%scode/", a->folder);
    if (locate(a, "constants.pkl") >= 0)
        return 1;
    for (zip_int64_t i = zip_get_num_entries(a->zip, 0); i > 0; i--) {
        const char *name = zip_get_name(a->zip, (zip_uint64_t) i - 1, ZIP_FL_ENC_RAW);
        if (name && strncmp(name, code, strlen(code)) == 0)
            return 1;
    }
    return 0;
}

static int read_byte_order(Archive *a, Problem *p)
{
    zip_stat_t facts;
    const zip_int64_t entry = locate(a, "byteorder");
    if (entry < 0)
        return 1;
    if (!describe(a, (uint64_t) entry, "byteorder", &facts, p))
        return 0;
    uint8_t *text =
        facts.size > 16 ? NULL : unpack(a, (uint64_t) entry, "byteorder", facts.size, p);
    const Slice order = {text, text ? facts.size : 0};
    a->big_endian = text && slice_is(order, "big");
    const int good = a->big_endian || (text && slice_is(order, "little"));
    free(text);
    return good || problem(p, XG_FORMAT, "byteorder: expected little or big, found something else");
}

Archive *archive_open(Slice file, Problem *p)
{
    Archive *a = calloc(1, sizeof *a);
    if (!a) {
        problem(p, XG_NOMEM, "memory could not be had");
        return NULL;
    }
    a->file = file;
    zip_error_init(&a->error);
    if (open_zip(a, p) && find_folder(a, p) && is_script(a))
        problem(p, XG_UNSUPPORTED,
                "expected weights, found a TorchScript archive, a program; save its weights alone, "
                "torch.save(torch.jit.load(FILE).state_dict(), OTHER)");
    if (p->status == XG_OK && read_byte_order(a, p))
        return a;
    archive_close(a);
    return NULL;
}

void archive_close(Archive *a)
{
    if (!a)
        return;
    if (a->zip)
        zip_discard(a->zip);
    zip_error_fini(&a->error);
    free(a->pickle);
    free(a);
}

int archive_pickle(Archive *a, Slice *pickle, Problem *p)
{
    zip_stat_t facts;
    const zip_int64_t entry = locate(a, "data.pkl");
    if (entry < 0)
        return problem(p, XG_FORMAT, "data.pkl: expected it in the archive, found none");
    if (!describe(a, (uint64_t) entry, "data.pkl", &facts, p))
        return 0;
    if (facts.size > LARGEST_PICKLE)
        return problem(p, XG_LIMIT, "data.pkl: expected at most %llu bytes, found %llu",
                       (unsigned long long) LARGEST_PICKLE, (unsigned long long) facts.size);
    a->pickle = unpack(a, (uint64_t) entry, "data.pkl", facts.size, p);
    *pickle = (Slice){a->pickle, facts.size};
    return a->pickle != NULL;
}

int archive_is_big_endian(const Archive *a)
{
    return a->big_endian;
}

int archive_find(Archive *a, Slice key, uint64_t size, Place *place, Problem *p)
{
    char text[128], name[160];
    zip_stat_t facts;
    snprintf(name, sizeof name, "data/%s", shown(key, text, sizeof text));
    const zip_int64_t entry = locate(a, name);
    if (entry < 0)
        return problem(p, XG_FORMAT, "%s: expected it in the archive, found none", name);
    if (!describe(a, (uint64_t) entry, name, &facts, p))
        return 0;
    if (facts.size < size)
        return problem(p, XG_FORMAT, "%s: expected %llu bytes, found %llu", name,
                       (unsigned long long) size, (unsigned long long) facts.size);
    *place = (Place){{NULL, facts.size}, (uint64_t) entry};
    return facts.comp_method == ZIP_CM_DEFLATE ||
           find_stored(a, (uint64_t) entry, name, facts.size, &place->bytes, p);
}

uint8_t *archive_unpack(Archive *a, const Place *place, Problem *p)
{
    return unpack(a, place->entry, "a compressed storage", place->bytes.size, p);
}
