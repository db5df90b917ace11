/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* JPEG through libjpeg-turbo. */
#include <xenograft/draft/reader.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "format.h"

enum {
    SUITS = 60,      /* above the readers of many formats */
    MAX_SCANS = 512, /* a progressive file of a few bytes a scan would take hours */
    LEAST_PART = 8,  /* pictures are decoded whole, to a half, a quarter or an eighth */
    MEMORY = 16 << 20
};

typedef struct {
    const XgHost *host;
} Reader;

/* libjpeg's error handler, then what leaves it. */
typedef struct {
    struct jpeg_error_mgr face;
    jmp_buf out;
    char text[JMSG_LENGTH_MAX];
} Trouble;

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    Trouble trouble;
} Decoder;

static void on_error(j_common_ptr jpeg)
{
    Trouble *trouble = (Trouble *) (void *) jpeg->err;
    trouble->face.format_message(jpeg, trouble->text);
    longjmp(trouble->out, 1);
}

/* A warning means that pixels were made up. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0)
        on_error(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
    (void) jpeg;
}

static void on_progress(j_common_ptr common)
{
    const struct jpeg_decompress_struct *jpeg = (j_decompress_ptr) common;
    if (jpeg->input_scan_number > MAX_SCANS) {
        Trouble *trouble = (Trouble *) (void *) common->err;
        snprintf(trouble->text, sizeof trouble->text, "more than %d scans", MAX_SCANS);
        longjmp(trouble->out, 1);
    }
}

static void decoder_init(Decoder *decoder)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->jpeg.err = jpeg_std_error(&decoder->trouble.face);
    decoder->trouble.face.error_exit = on_error;
    decoder->trouble.face.emit_message = on_message;
    decoder->trouble.face.output_message = on_output;
    decoder->progress.progress_monitor = on_progress;
}

/* Grey stays grey, everything else becomes RGB; libjpeg has no way from CMYK to RGB. */
static int channels_of(const struct jpeg_decompress_struct *jpeg)
{
    return jpeg->jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
}

static int is_cmyk(const struct jpeg_decompress_struct *jpeg)
{
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

static void read_header(Decoder *decoder, const uint8_t *bytes, uint64_t size)
{
    jpeg_create_decompress(&decoder->jpeg);
    decoder->jpeg.progress = &decoder->progress;
    jpeg_mem_src(&decoder->jpeg, bytes, (unsigned long) size);
    jpeg_read_header(&decoder->jpeg, TRUE);
}

/* Asks for one pixel of each `part` x `part`: the averages of these but for rounding. The other
 * fractions of libjpeg take longer than the whole picture or are no averages. FALSE when the
 * picture's sides are no multiples, or it cannot be made smaller. */
static int reduce(struct jpeg_decompress_struct *jpeg, int part)
{
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned) part;
    jpeg_calc_output_dimensions(jpeg);
    return jpeg->output_width * (uint64_t) part == jpeg->image_width &&
           jpeg->output_height * (uint64_t) part == jpeg->image_height;
}

/* The same for a picture of that size. */
static int reduce_to(struct jpeg_decompress_struct *jpeg, const XgImageInfo *info)
{
    for (int part = 1; part <= LEAST_PART; part *= 2)
        if (info->width_px * part == (int64_t) jpeg->image_width)
            return reduce(jpeg, part) && (int64_t) jpeg->output_height == info->height_px;
    return 0;
}

/* Files hold 255 - ink, as Adobe's do. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, int64_t count)
{
    for (int64_t i = 0; i < count; i++, cmyk += 4, rgb += 3)
        for (int k = 0; k < 3; k++) {
            const int product = (255 - cmyk[k]) * cmyk[3] + 128;
            rgb[k] = (uint8_t) (cmyk[3] - (product + (product >> 8)) / 256);
        }
}

static void read_rows(Decoder *decoder, const XgImageInfo *info, uint8_t *pixels, uint8_t *ink)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    const int64_t row = info->width_px * info->channels;
    jpeg->out_color_space = info->channels == 1 ? JCS_GRAYSCALE : ink ? JCS_CMYK : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    /* Coefficients of a progressive picture are kept, three planes of 16 bits. */
    jpeg->mem->max_memory_to_use =
        (long) (MEMORY + 8 * (int64_t) jpeg->image_width * info->channels * jpeg->image_height);
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = pixels + jpeg->output_scanline * row;
        JSAMPROW line = ink ? ink : to;
        jpeg_read_scanlines(jpeg, &line, 1);
        if (ink)
            cmyk_to_rgb(ink, to, info->width_px);
    }
    jpeg_finish_decompress(jpeg);
}

static XgStatus no_image(const Reader *reader, const char *problem)
{
    return xg_fail(reader->host, XG_FORMAT, "expected a whole JPEG image, found: %s", problem);
}

static XgStatus failed(const Reader *reader, Decoder *decoder)
{
    const int code = decoder->trouble.face.msg_code;
    jpeg_destroy_decompress(&decoder->jpeg);
    if (code == JERR_OUT_OF_MEMORY)
        return xg_fail(reader->host, XG_NOMEM, "JPEG image: no memory to decode it");
    return no_image(reader, decoder->trouble.text);
}

static XgStatus reader_info(void *self, const uint8_t *bytes, uint64_t size, XgImageInfo *info)
{
    const Reader *reader = self;
    const char *problem = format_problem(FORMAT_JPEG, bytes, size);
    if (problem)
        return no_image(reader, problem);
    Decoder decoder;
    decoder_init(&decoder);
    if (setjmp(decoder.trouble.out))
        return failed(reader, &decoder);
    read_header(&decoder, bytes, size);
    *info = (XgImageInfo){decoder.jpeg.image_width, decoder.jpeg.image_height,
                          channels_of(&decoder.jpeg), 8};
    jpeg_destroy_decompress(&decoder.jpeg);
    return XG_OK;
}

static XgStatus decode(const Reader *reader, const uint8_t *bytes, uint64_t size,
                       const XgImageInfo *info, uint8_t *pixels, uint8_t *ink)
{
    Decoder decoder;
    decoder_init(&decoder);
    if (setjmp(decoder.trouble.out))
        return failed(reader, &decoder);
    read_header(&decoder, bytes, size);
    struct jpeg_decompress_struct *jpeg = &decoder.jpeg;
    if (channels_of(jpeg) != info->channels || !reduce_to(jpeg, info)) {
        jpeg_destroy_decompress(jpeg);
        return xg_fail(reader->host, XG_INVALID,
                       "expected the size that the file's header says, or one that was offered");
    }
    read_rows(&decoder, info, pixels, is_cmyk(jpeg) ? ink : NULL);
    jpeg_destroy_decompress(&decoder.jpeg);
    return XG_OK;
}

static XgStatus reader_decode(void *self, const uint8_t *bytes, uint64_t size,
                              const XgImageInfo *info, void *pixels, uint64_t capacity)
{
    const Reader *reader = self;
    const uint64_t row = (uint64_t) info->width_px * (uint64_t) info->channels;
    if (row == 0 || info->bit_depth != 8 || (uint64_t) info->height_px > capacity / row)
        return xg_fail(reader->host, XG_INVALID, "expected room for the whole picture");
    const char *problem = format_problem(FORMAT_JPEG, bytes, size);
    if (problem)
        return no_image(reader, problem);
    uint8_t *ink = malloc((size_t) info->width_px * 4);
    if (!ink)
        return xg_fail(reader->host, XG_NOMEM, "JPEG image: no memory to decode it");
    const XgStatus status = decode(reader, bytes, size, info, pixels, ink);
    free(ink);
    return status;
}

static int32_t reader_sizes(void *self, const uint8_t *bytes, uint64_t size,
                            const XgImageInfo *full, XgImageInfo *sizes, int32_t capacity)
{
    (void) self;
    Decoder decoder;
    volatile int32_t count = 0;
    decoder_init(&decoder);
    if (setjmp(decoder.trouble.out) == 0) {
        read_header(&decoder, bytes, size);
        for (int part = 2; part <= LEAST_PART && count < capacity; part *= 2)
            if (reduce(&decoder.jpeg, part)) {
                sizes[count] = (XgImageInfo){full->width_px / part, full->height_px / part,
                                             full->channels, full->bit_depth};
                count = count + 1;
            }
    }
    jpeg_destroy_decompress(&decoder.jpeg);
    return count;
}

static const void *get_interface(void *self, const char *id)
{
    static const XgReaderSizes sizes = {reader_sizes};
    (void) self;
    return strcmp(id, XG_READER_SIZES_INTERFACE) == 0 ? &sizes : NULL;
}

static int32_t reader_probe(void *self, const uint8_t *head, uint64_t size)
{
    (void) self;
    return format_of(head, size) == FORMAT_JPEG ? SUITS : 0;
}

static XgStatus reader_create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Reader *reader = malloc(sizeof *reader);
    if (!reader)
        return xg_fail(host, XG_NOMEM, "no memory for the reader");
    reader->host = host;
    *self = reader;
    return XG_OK;
}

static const XgReader reader_table = {reader_probe, reader_info, reader_decode};

static const XgComponent reader_jpeg = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_READER_KIND,
    .id = "jpeg",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "JPEG by libjpeg-turbo",
    .doc = "Preferred to reader stb for JPEG; the pixels are those that Pillow gives (accurate "
           "integer transform, smooth upsampling of colour). A file that ends before its picture "
           "does or holds damaged data is refused. With [data] decode = scaled a picture may be "
           "decoded to a half, a quarter or an eighth of its sides. Orientation tags and colour "
           "profiles are not "
           "applied; CMYK becomes RGB.",
    .citation = "libjpeg-turbo, https://libjpeg-turbo.org",
    .create = reader_create,
    .destroy = free,
    .get_interface = get_interface,
    .interface_table = &reader_table,
};

XG_MODULE("jpeg", "1.0.0", &reader_jpeg)
