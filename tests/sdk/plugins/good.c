/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A module with several components that work, each in its own way. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"

typedef struct Self {
    const XgHost *host;
    int64_t sum;
} Self;

static int64_t sum(void *self)
{
    return ((Self *) self)->sum;
}

static XgStatus work(void *self, const char *what)
{
    const XgHost *host = ((Self *) self)->host;
    if (strcmp(what, "fail") == 0)
        return xg_fail(host, XG_NUMERIC, "loss is not a number\nafter %d steps", 7);
    if (strcmp(what, "silent") == 0)
        return XG_SHAPE;
    if (strcmp(what, "odd") == 0)
        return 5;
    if (strcmp(what, "undeclared") == 0)
        return xg_param_int(host, "nothing") != 0;
    if (strcmp(what, "mistyped") == 0)
        return xg_param_float(host, "count") != 0;
    if (strcmp(what, "stale") == 0)
        host->fail(host, XG_IO, "said, but not returned");
    return XG_OK;
}

static const Sample sample = {sum, work};

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    const XgParamsApi *params = xg_params_(host);
    uint64_t ints = 0, floats = 0, words = 0;
    const int64_t *list = params->get_ints(host, "list", &ints);
    params->get_floats(host, "rates", &floats);
    const char *const *names = xg_param_strings(host, "names", &words);
    if (strcmp(xg_param_string(host, "mode"), "refuse") == 0)
        return xg_fail(host, XG_INVALID, "mode refuse was asked for");
    Self *made = malloc(sizeof *made);
    made->host = host;
    made->sum = xg_param_int(host, "count") + (int64_t) (xg_param_float(host, "rate") * 100) +
                xg_param_bool(host, "flag") * 1000 + list[ints - 1] + (int64_t) floats * 10000 +
                (int64_t) words * 100000 + (int64_t) strlen(names[0]) * 1000000 +
                xg_param_is_set(host, "count") * 10000000 + (component->data != NULL);
    *self = made;
    return XG_OK;
}

static const void *further(void *self, const char *id)
{
    (void) self;
    return strcmp(id, SAMPLE_FURTHER) == 0 ? "further" : NULL;
}

static const XgParam params[] = {
    {"count", XG_PARAM_INT, 0, "3", "0", "9", "items", NULL, "how many"},
    {"rate", XG_PARAM_FLOAT, 0, "0.5", NULL, NULL, NULL, NULL, "how fast"},
    {"flag", XG_PARAM_BOOL, 0, "false", NULL, NULL, NULL, NULL, "whether"},
    {"mode", XG_PARAM_ENUM, 0, "accept", NULL, NULL, NULL, "accept|refuse", "which way"},
    {"list", XG_PARAM_INT_LIST, 0, "1,2", NULL, NULL, NULL, NULL, "numbers"},
    {"rates", XG_PARAM_FLOAT_LIST, 0, "0.1,0.2,0.3", NULL, NULL, NULL, NULL, "numbers"},
    {"names", XG_PARAM_STRING_LIST, 0, "ab,c", NULL, NULL, NULL, NULL, "words"},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const XgComponent alpha = {
    .struct_size = sizeof(XgComponent),
    .kind = SAMPLE_KIND,
    .id = "alpha",
    .version = "1.2.0",
    .licence = "MIT",
    .summary = "adds up its parameters",
    .doc = "Says \xe2\x80\x9chello\xe2\x80\x9d.\n\nIn two paragraphs.",
    .citation = "doi:10.1000/182",
    .params = params,
    .create = create,
    .destroy = free,
    .get_interface = further,
    .interface_table = &sample,
};

static int64_t echo_sum(void *self)
{
    return *(int64_t *) self;
}

static const Sample echo_sample = {echo_sum, NULL};

static XgStatus create_echo(const XgHost *host, const XgComponent *component, void **self)
{
    const SampleEcho *echo = host->get_interface(host, SAMPLE_ECHO);
    int64_t *made = malloc(sizeof *made);
    (void) component;
    *made = echo->twice(host, 21) + (host->get_interface(host, "xenograft.nothing/1") != NULL);
    *self = made;
    return XG_OK;
}

static const char *const needs[] = {SAMPLE_ECHO, XG_PARAMS_INTERFACE, NULL};

static const XgComponent beta = {
    .struct_size = sizeof(XgComponent),
    .kind = SAMPLE_KIND,
    .id = "beta",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "needs an interface of the host",
    .needs = needs,
    .create = create_echo,
    .destroy = free,
    .interface_table = &echo_sample,
};

static int64_t constant_sum(void *self)
{
    return *(const int64_t *) self;
}

static const Sample constant_sample = {constant_sum, NULL};
static const int64_t constant = 77;

static const XgComponent gamma_ = {
    .struct_size = sizeof(XgComponent),
    .kind = "xenograft.other/1",
    .id = "gamma",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "its instance is static data",
    .interface_table = &constant_sample,
    .data = &constant,
};

static const XgParam required[] = {
    {"need", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL, "what is needed"},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static XgStatus create_delta(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    *self = NULL;
    return xg_param_int(host, "undeclared") == 0 ? XG_OK : XG_INVALID;
}

static const XgComponent delta = {
    .struct_size = sizeof(XgComponent),
    .kind = SAMPLE_KIND,
    .id = "delta",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "asks for what it did not declare",
    .params = required,
    .create = create_delta,
    .interface_table = &sample,
};

XG_MODULE("good", "1.2.0", &alpha, &beta, &gamma_, &delta)
