/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "ops/activation.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"none", "relu", "relu6", "silu", "hardswish", "gelu"};

static int find(const char *name)
{
    for (int i = 0; i < (int) G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

gboolean xg_activation_check(const XgNode *node, const char *attribute, GError **error)
{
    const char *name = xg_node_string(node, attribute);
    if (find(name) >= 0)
        return TRUE;
    return xg_error_set(error, XG_INVALID, "unknown activation \"%s\"", name);
}

XgActivation xg_activation_of(const XgNodeInfo *info, const char *attribute)
{
    return (XgActivation) find(xg_info_string(info, attribute));
}

double xg_activation_apply(XgActivation activation, double x)
{
    switch (activation) {
    case XG_ACTIVATION_RELU:
        return x < 0.0 ? 0.0 : x;
    case XG_ACTIVATION_RELU6:
        return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x;
    case XG_ACTIVATION_SILU:
        return x / (1.0 + exp(-x));
    case XG_ACTIVATION_HARDSWISH:
        return x <= -3.0 ? 0.0 : x >= 3.0 ? x : x * (x + 3.0) / 6.0;
    case XG_ACTIVATION_GELU:
        return 0.5 * x * (1.0 + erf(x * G_SQRT2 / 2.0));
    case XG_ACTIVATION_NONE:
    default:
        return x;
    }
}

double xg_activation_gradient(XgActivation activation, double dy, double x)
{
    switch (activation) {
    case XG_ACTIVATION_RELU:
        return x > 0.0 ? dy : 0.0;
    case XG_ACTIVATION_RELU6:
        return x > 0.0 && x < 6.0 ? dy : 0.0;
    case XG_ACTIVATION_SILU: {
        const double s = 1.0 / (1.0 + exp(-x));
        return dy * s * (1.0 + x * (1.0 - s));
    }
    case XG_ACTIVATION_HARDSWISH:
        return x <= -3.0 ? 0.0 : x >= 3.0 ? dy : dy * (2.0 * x + 3.0) / 6.0;
    case XG_ACTIVATION_GELU: {
        const double phi = exp(-0.5 * x * x) / sqrt(2.0 * G_PI);
        return dy * (0.5 * (1.0 + erf(x * G_SQRT2 / 2.0)) + x * phi);
    }
    case XG_ACTIVATION_NONE:
    default:
        return dy;
    }
}
