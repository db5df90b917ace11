/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Files that tests/tools/make_torch_files.py wrote with PyTorch. Stored values count from 0. */
#include "weights.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Opened {
    Slice file;
    Weights weights;
    Problem problem;
} Opened;

static Slice load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/torch/%s", XG_TEST_DATA, name);
    FILE *stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "%s", path);
    uint8_t *bytes = malloc(1 << 20);
    ck_assert_ptr_nonnull(bytes);
    const Slice file = {bytes, fread(bytes, 1, 1 << 20, stream)};
    fclose(stream);
    return file;
}

static Opened open_named(const char *name)
{
    Opened o = {.file = load(name), .problem = {XG_OK, ""}};
    const int good = weights_read(o.file, &o.weights, &o.problem);
    ck_assert_int_eq(good, o.problem.status == XG_OK);
    return o;
}

static void close_opened(Opened *o)
{
    weights_clear(&o->weights);
    free((void *) o->file.bytes);
}

/* All values of a tensor; free() them. */
static float *values_of(Opened *o, const char *name, int64_t *count, const View **view)
{
    for (uint64_t i = 0; i < o->weights.count; i++) {
        if (strcmp(o->weights.tensors[i].name, name) != 0)
            continue;
        *view = o->weights.tensors[i].view;
        *count = (*view)->count;
        float *values = calloc((size_t) *count + 1, sizeof *values);
        ck_assert_ptr_nonnull(values);
        ck_assert_msg(weights_values(&o->weights, i, values, &o->problem), "%s", o->problem.text);
        return values;
    }
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

static void check_values(Opened *o, const char *name, int64_t expected, const float *list)
{
    int64_t count;
    const View *view;
    float *values = values_of(o, name, &count, &view);
    ck_assert_int_eq(count, expected);
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(values[i] == list[i], "%s[%d]: %g, not %g", name, (int) i, (double) values[i],
                      (double) list[i]);
    free(values);
}

static void check_shape(Opened *o, const char *name, int32_t rank, const int64_t *dims)
{
    int64_t count;
    const View *view;
    free(values_of(o, name, &count, &view));
    ck_assert_int_eq(view->rank, rank);
    for (int32_t i = 0; i < rank; i++)
        ck_assert_int_eq(view->dims[i], dims[i]);
}

static const float counted[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

/* Names of the state that plain() makes, in its order. */
static void check_plain(const char *file, const char *note)
{
    Opened o = open_named(file);
    ck_assert_msg(o.problem.status == XG_OK, "%s: %s", file, o.problem.text);
    ck_assert_uint_eq(o.weights.count, 3);
    ck_assert_str_eq(o.weights.note, note);
    ck_assert_str_eq(o.weights.tensors[0].name, "conv.weight");
    ck_assert_str_eq(o.weights.tensors[1].name, "conv.bias");
    ck_assert_str_eq(o.weights.tensors[2].name, "bn.num_batches_tracked");
    ck_assert_int_eq(tensor_dtype(&o.weights.tensors[0]), XG_DTYPE_F32);
    ck_assert_int_eq(tensor_dtype(&o.weights.tensors[2]), XG_DTYPE_I64);
    check_values(&o, "conv.weight", 12, counted);
    check_values(&o, "conv.bias", 2, counted);
    check_values(&o, "bn.num_batches_tracked", 1, counted + 7);
    check_shape(&o, "conv.weight", 4, (const int64_t[]){2, 3, 1, 2});
    check_shape(&o, "bn.num_batches_tracked", 0, NULL);
    close_opened(&o);
}

START_TEST(test_plain)
{
    check_plain("zip.pth", "");
    check_plain("legacy.pth", "");
    check_plain("flat.pth", "");
    check_plain("big_endian.pth", "");
    check_plain("only.pth", "from \"generator\"");
    check_plain("compiled.pth",
                "from \"model\", prefix \"module.\" dropped, prefix \"_orig_mod.\" dropped");
}
END_TEST

START_TEST(test_types)
{
    static const char *const whole[] = {"f16", "bf16", "f64", "i64", "i32", "i16", "i8", "u8"};
    static const char *const files[] = {"types.pth", "types_legacy.pth"};
    static const float small[] = {0x1p-24F, -0x1p-15F, INFINITY, -65504.0F};
    for (int i = 0; i < 2; i++) {
        Opened o = open_named(files[i]);
        ck_assert_msg(o.problem.status == XG_OK, "%s", o.problem.text);
        for (size_t k = 0; k < sizeof whole / sizeof whole[0]; k++)
            check_values(&o, whole[k], 4, counted);
        check_values(&o, "bool", 4, (const float[]){0, 1, 1, 1});
        check_values(&o, "small", 4, small);
        check_values(&o, "below", 3, (const float[]){-3, -2, -1});
        check_values(&o, "below8", 1, (const float[]){-3});
        ck_assert_int_eq(tensor_dtype(&o.weights.tensors[0]), XG_DTYPE_F16);
        ck_assert_int_eq(tensor_dtype(&o.weights.tensors[1]), XG_DTYPE_BF16);
        ck_assert_int_eq(tensor_dtype(&o.weights.tensors[2]), XG_DTYPE_F64);
        close_opened(&o);
    }
}
END_TEST

START_TEST(test_views)
{
    static const char *const files[] = {"views.pth", "views_legacy.pth", "deflated.pth"};
    static const float turned[] = {0, 6, 12, 18, 1, 7,  13, 19, 2, 8,  14, 20,
                                   3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23};
    for (int i = 0; i < 3; i++) {
        Opened o = open_named(files[i]);
        ck_assert_msg(o.problem.status == XG_OK, "%s", o.problem.text);
        ck_assert_uint_eq(o.weights.count, 11);
        check_values(&o, "whole", 24, counted);
        check_values(&o, "again", 24, counted);
        check_values(&o, "of.size", 24, counted);
        check_values(&o, "turned", 24, turned);
        check_shape(&o, "turned", 2, (const int64_t[]){6, 4});
        check_values(&o, "cut", 6, (const float[]){8, 9, 10, 14, 15, 16});
        check_values(&o, "steps", 4, (const float[]){0, 3, 12, 15});
        check_values(&o, "row", 6, counted + 18);
        check_values(&o, "channels", 12, (const float[]){0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11});
        check_values(&o, "expanded", 6, (const float[]){0, 1, 2, 0, 1, 2});
        check_values(&o, "scalar", 1, counted + 13);
        check_values(&o, "empty", 0, NULL);
        check_shape(&o, "empty", 2, (const int64_t[]){0, 3});
        close_opened(&o);
    }
}
END_TEST

START_TEST(test_checkpoints)
{
    static const char *const files[] = {"checkpoint.pth", "protocol4.pth", "protocol4_legacy.pth"};
    for (int i = 0; i < 3; i++) {
        Opened o = open_named(files[i]);
        ck_assert_msg(o.problem.status == XG_OK, "%s: %s", files[i], o.problem.text);
        ck_assert_uint_eq(o.weights.count, 2);
        ck_assert_str_eq(o.weights.note, "from \"state_dict\", prefix \"module.\" dropped");
        check_values(&o, "conv.weight", 4, counted);
        check_values(&o, "conv.bias", 2, counted);
        close_opened(&o);
    }
    Opened o = open_named("python2.pth");
    ck_assert_msg(o.problem.status == XG_OK, "%s", o.problem.text);
    check_values(&o, "a", 3, counted);
    close_opened(&o);
}
END_TEST

static const struct {
    const char *file;
    XgStatus status;
    const char *text;
} refused[] = {
    {"bad_namespace.pth", XG_UNSUPPORTED, "argparse.Namespace; no code of a file is ever run"},
    {"bad_module.pth", XG_UNSUPPORTED, "torch.nn.modules.linear.Linear; no code"},
    {"bad_script.pt", XG_UNSUPPORTED, "found a TorchScript archive"},
    {"bad_evil.pth", XG_UNSUPPORTED, "posix.system; no code of a file is ever run"},
    {"bad_evil_legacy.pth", XG_UNSUPPORTED, "posix.system; no code of a file is ever run"},
    {"bad_evil4.pth", XG_UNSUPPORTED, "posix.system; no code of a file is ever run"},
    {"bad_quantised.pth", XG_UNSUPPORTED, "a quantised tensor (torch._utils._rebuild_qtensor)"},
    {"bad_sparse.pth", XG_UNSUPPORTED, "a sparse tensor (torch._utils._rebuild_sparse_tensor)"},
    {"bad_complex.pth", XG_UNSUPPORTED, "complex values (torch.ComplexFloatStorage)"},
    {"bad_list.pth", XG_FORMAT, "expected a dictionary of tensors by name, found a list"},
    {"bad_empty_dict.pth", XG_FORMAT, "found a dictionary without tensors"},
    {"bad_two.pth", XG_FORMAT, "expected one dictionary of tensors, or one called state_dict"},
    {"bad_rank.pth", XG_FORMAT, "at most 8 sizes and strides"},
    {"bad_control.pth", XG_FORMAT, "found one with a control character"},
    {"bad_expanded.pth", XG_LIMIT, "a: expected tensors that repeat at most 1048576 elements"},
    {"bad_pickle.pth", XG_UNSUPPORTED, "found another Python pickle, which is never run here"},
    {"bad_protocol0.pth", XG_FORMAT, "expected a file of torch.save(), found other bytes"},
    {"bad_other.pth", XG_FORMAT, "expected a file of torch.save(), found other bytes"},
    {"bad_page.pth", XG_FORMAT, "expected a file of torch.save(), found other bytes"},
    {"bad_tar.pth", XG_UNSUPPORTED, "found the tar archive of PyTorch before 0.1.10"},
    {"bad_truncated_zip.pth", XG_FORMAT, "the file is cut off (download it again)"},
    {"bad_truncated_legacy.pth", XG_FORMAT, "the file is cut off (download it again)"},
    {"bad_no_storage.pth", XG_FORMAT, "conv.weight: data/0: expected it in the archive"},
    {"bad_short_storage.pth", XG_FORMAT, "data/0: expected 48 bytes, found 47"},
    {"bad_no_pickle.pth", XG_FORMAT, "found a zip archive without"},
    {"bad_byteorder.pth", XG_FORMAT, "byteorder: expected little or big"},
    {"bad_bzip2.pth", XG_UNSUPPORTED, "expected it stored or deflated, found method 12"},
    {"bad_bomb.pth", XG_LIMIT, "data.pkl: expected at most 67108864 bytes, found 73400"},
};

START_TEST(test_refused)
{
    Opened o = open_named(refused[_i].file);
    ck_assert_int_eq(o.problem.status, refused[_i].status);
    ck_assert_msg(strstr(o.problem.text, refused[_i].text) != NULL, "%s: %s", refused[_i].file,
                  o.problem.text);
    ck_assert_ptr_null(strchr(o.problem.text, '\n'));
    ck_assert_int_ne(access("evil_was_run", F_OK), 0);
    close_opened(&o);
}
END_TEST

/* Every shorter file is refused, in one line. */
static void check_truncated(const char *name)
{
    const Slice whole = load(name);
    for (uint64_t size = 0; size < whole.size; size++) {
        uint8_t *copy = malloc((size_t) size + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole.bytes, (size_t) size);
        uint8_t *exact = realloc(copy, size ? (size_t) size : 1);
        Weights weights;
        Problem p = {XG_OK, ""};
        ck_assert_msg(!weights_read((Slice){exact, size}, &weights, &p), "%s of %d bytes", name,
                      (int) size);
        ck_assert_int_ne(p.status, XG_OK);
        ck_assert_str_ne(p.text, "");
        weights_clear(&weights);
        free(exact);
    }
    free((void *) whole.bytes);
}

START_TEST(test_truncated)
{
    check_truncated("zip.pth");
    check_truncated("deflated.pth");
    check_truncated("legacy.pth");
    check_truncated("protocol4_legacy.pth");
}
END_TEST

#define PICKLE(text)                                                                               \
    {                                                                                              \
        (const uint8_t *) (text), sizeof(text) - 1                                                 \
    }
#define STORE "ctorch\nFloatStorage\n"
#define PLACE(count) "(U\7storage" STORE "U\1aU\3cpu" count "tQ"
#define TENSOR(count, rest) "ctorch._utils\n_rebuild_tensor\n(" PLACE(count) rest "tR."

/* Pickles that PyTorch does not write. */
static const struct {
    Slice pickle;
    const char *text;
} pickles[] = {
    {PICKLE(""), "expected 1 more bytes of a pickle, found 0"},
    {PICKLE("."), "expected a value on the stack of a pickle, found none"},
    {PICKLE("(."), "expected a value on the stack of a pickle, found none"},
    {PICKLE("t."), "expected a mark on the stack of a pickle, found none"},
    {PICKLE("\x85."), "expected a value on the stack of a pickle, found none"},
    {PICKLE("]K\1u."), "expected a mark on the stack"},
    {PICKLE("](K\1u."), "expected items of a dictionary in a pickle, found a list"},
    {PICKLE("}(K\1u."), "expected items of a dictionary in a pickle, found a dictionary"},
    {PICKLE("(K\1e."), "expected items of a list in a pickle, found nothing"},
    {PICKLE("NK\1a."), "expected items of a list in a pickle, found None"},
    {PICKLE("h\1."), "expected value number 1 of a pickle, found none"},
    {PICKLE("Nr\xff\xff\xff\xff."), "expected a pickle that numbers at most"},
    {PICKLE("X\xff\xff\xff\xff."), "expected 4294967295 more bytes of a pickle"},
    {PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), "more bytes of a pickle"},
    {PICKLE("cos\nsystem\n."), "the Python object os.system; no code of a file is ever run here"},
    {PICKLE("cos\n\x1b[2J\n."), "the Python object os.?[2J; no code"},
    {PICKLE("cos"), "expected a line of a pickle, found its end"},
    {PICKLE("(ios\nsystem\n."), "the Python object os.system; no code"},
    {PICKLE("(icollections\nOrderedDict\n."), "expected a pickle of protocol 2 or later"},
    {PICKLE("U\2osU\6system\x93."), "the Python object os.system; no code"},
    {PICKLE("K\1K\2\x93."), "expected a name of Python, found a whole number"},
    {PICKLE("cbuiltins\neval\n(U\1xtR."), "the Python object builtins.eval; no code"},
    {PICKLE("U\1x)R."), "expected the description of a tensor, found a call of text"},
    {PICKLE("ctorch\nSize\nNR."), "found a call of a name"},
    {PICKLE("ctorch\nSize\n)R."), "expected torch.Size with its arguments, found None"},
    {PICKLE("ctorch\nfloat32\n)R."), "expected torch.float32 with its arguments"},
    {PICKLE("ccollections\nOrderedDict\n]K\1a\x85R."), "expected an ordered dictionary of pairs"},
    {PICKLE("]}b."), "found attributes of a list"},
    {PICKLE("\x82\1."), "found the opcode 0x82"},
    {PICKLE("\x8f."), "found the opcode 0x8f"},
    {PICKLE("NQ."), "expected a storage's type, key and size"},
    {PICKLE("(U\6modulecos\nsystem\ntQ."), "the Python object os.system"},
    {PICKLE("(U\6moduleNtQ."), "found \"module\": the file holds a whole Python object"},
    {PICKLE("(U\7storageNU\1aU\3cpuK\1tQ."), "expected a storage's type, key and size"},
    {PICKLE(PLACE("J\xff\xff\xff\xff") "."), "expected a storage's type, key and size"},
    {PICKLE("(U\7storage" STORE "U\1aU\3cpuK\4(U\1bK\3K\2ttQ."), "a part of storage a"},
    {PICKLE(TENSOR("K\4", "K\0K\5\x85K\1\x85")), "reaches element 4 of its storage"},
    {PICKLE(TENSOR("K\4", "K\4K\1\x85K\1\x85")), "reaches element 4 of its storage"},
    {PICKLE(TENSOR("K\4", "K\0K\2\x85K\4\x85")), "reaches element 4 of its storage"},
    {PICKLE(TENSOR("K\4", "K\0J\xff\xff\xff\xff\x85K\1\x85")), "at most 8 sizes and strides"},
    {PICKLE(TENSOR("K\4", "J\xff\xff\xff\xffK\1\x85K\1\x85")), "at most 8 sizes and strides"},
    {PICKLE(TENSOR("K\4", "K\0K\1\x85)")), "at most 8 sizes and strides"},
    {PICKLE(TENSOR("K\4", "K\0\x8a\x08\0\0\0\0\0\0\0\x40\x8a\x08\0\0\0\0\0\0\0\x40\x86K\0K\0\x86")),
     "more elements than can be counted"},
    {PICKLE(TENSOR("K\4", "K\0K\3\x85\x8a\x08\0\0\0\0\0\0\0\x40\x85")),
     "reach further than can be counted"},
};

START_TEST(test_pickles)
{
    Arena arena = {0};
    Problem p = {XG_OK, ""};
    Slice rest = pickles[_i].pickle;
    ck_assert_ptr_null(pickle_take(&rest, &arena, &p));
    ck_assert_int_ne(p.status, XG_OK);
    ck_assert_msg(strstr(p.text, pickles[_i].text) != NULL, "%d: %s", _i, p.text);
    arena_clear(&arena);
}
END_TEST

/* Python 2 gives an ordered dictionary's pairs at once. */
START_TEST(test_pairs)
{
    Slice rest = PICKLE("ccollections\nOrderedDict\n]](U\1aK\1ea\x85R.");
    Arena arena = {0};
    Problem p = {XG_OK, ""};
    const Value *dict = pickle_take(&rest, &arena, &p);
    ck_assert_ptr_nonnull(dict);
    ck_assert_int_eq(dict_get(dict, "a")->as.integer, 1);
    ck_assert_ptr_null(dict_get(dict, "b"));
    arena_clear(&arena);
}
END_TEST

/* A few bytes may not ask for much memory, nor a value within itself for a deep stack. */
START_TEST(test_limits)
{
    const size_t size = 40 << 20;
    uint8_t *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, ']', size);
    Slice rest = {bytes, size};
    Arena arena = {0};
    Problem p = {XG_OK, ""};
    ck_assert_ptr_null(pickle_take(&rest, &arena, &p));
    ck_assert_int_eq(p.status, XG_LIMIT);
    arena_clear(&arena);
    free(bytes);
    Slice own = PICKLE("}q\0(U\5modelh\0U\1ah\0u.");
    p = (Problem){XG_OK, ""};
    char note[64] = "";
    const Value *value = pickle_take(&own, &arena, &p);
    ck_assert_ptr_nonnull(value);
    ck_assert_ptr_null(state_find(value, note, sizeof note, &p));
    arena_clear(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torch");
    TCase *files = tcase_create("files");
    tcase_add_test(files, test_plain);
    tcase_add_test(files, test_types);
    tcase_add_test(files, test_views);
    tcase_add_test(files, test_checkpoints);
    tcase_add_loop_test(files, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(files, test_truncated);
    tcase_add_loop_test(files, test_pickles, 0, sizeof pickles / sizeof pickles[0]);
    tcase_add_test(files, test_pairs);
    tcase_add_test(files, test_limits);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
