/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file config_params.h  A component's table of parameters for tests. */
#ifndef XG_TEST_CONFIG_PARAMS_H
#define XG_TEST_CONFIG_PARAMS_H

#include "base/param.h"

#define END_OF_TABLE                                                                               \
    {                                                                                              \
        NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL                                             \
    }

/* A component's table with one parameter of each type. */
static const XgParam plugin_params[] = {
    {"epochs", XG_PARAM_INT, 0, "20", "1", "1000", "epochs", NULL, "length"},
    {"learning_rate", XG_PARAM_FLOAT, 0, "1e-3", "0", "10", NULL, NULL, "step"},
    {"optimiser", XG_PARAM_ENUM, 0, "sgd", NULL, NULL, NULL, "sgd|adamw", "rule"},
    {"nesterov", XG_PARAM_BOOL, 0, "false", NULL, NULL, NULL, NULL, "look ahead"},
    {"unfreeze", XG_PARAM_STRING_LIST, 0, "", NULL, NULL, NULL, NULL, "blocks"},
    {"steps", XG_PARAM_INT_LIST, 0, "10,20", "1", NULL, NULL, NULL, "when"},
    {"rates", XG_PARAM_FLOAT_LIST, 0, "", "0", "1", NULL, NULL, "how much"},
    {"table", XG_PARAM_PATH, 0, "", NULL, NULL, NULL, NULL, "a file"},
    {"label", XG_PARAM_STRING, 1, NULL, NULL, NULL, NULL, NULL, "a name"},
    END_OF_TABLE,
};

#endif
