/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "classical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

XgStatus classical_put(XgState *state, const char *name, int32_t dtype, int64_t rows,
                       int64_t columns, const void *values)
{
    const int64_t dims[2] = {rows, columns};
    return state->api->put(state, name, dtype, 2, dims, values);
}

static int all_finite(const void *values, int32_t dtype, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if ((dtype == XG_DTYPE_F32 && !isfinite(((const float *) values)[i])) ||
            (dtype == XG_DTYPE_F64 && !isfinite(((const double *) values)[i])))
            return 0;
    return 1;
}

void *classical_get(XgState *state, const char *name, int32_t dtype, int64_t count, int64_t *found)
{
    const size_t size = dtype == XG_DTYPE_F32 ? sizeof(float) : sizeof(double);
    int64_t present = 0;
    const void *values = state->api->get(state, name, dtype, &present);
    if (values == NULL || (count >= 0 && present != count) || !all_finite(values, dtype, present))
        return NULL;
    void *copy = classical_new(present, size);
    if (copy != NULL)
        memcpy(copy, values, (size_t) present * size);
    if (found != NULL)
        *found = present;
    return copy;
}

int classical_fits_classes(XgState *state, int64_t classes)
{
    int64_t count = 0;
    const int64_t *room = state->api->get(state, XG_STATE_CLASSES, XG_DTYPE_I64, &count);
    return room == NULL || (count == 1 && *room == classes);
}

XgStatus classical_scaler_save(const ClassicalScaler *scaler, XgState *state)
{
    const XgStatus status =
        classical_put(state, "mean", XG_DTYPE_F32, 1, scaler->columns, scaler->mean);
    return status != XG_OK
               ? status
               : classical_put(state, "scale", XG_DTYPE_F32, 1, scaler->columns, scaler->scale);
}

int classical_scaler_load(ClassicalScaler *scaler, XgState *state)
{
    classical_scaler_clear(scaler);
    scaler->mean = classical_get(state, "mean", XG_DTYPE_F32, scaler->columns, NULL);
    scaler->scale = classical_get(state, "scale", XG_DTYPE_F32, scaler->columns, NULL);
    int good = scaler->mean != NULL && scaler->scale != NULL;
    for (int64_t j = 0; good && j < scaler->columns; j++)
        good = scaler->scale[j] > 0.0f;
    if (!good)
        classical_scaler_clear(scaler);
    return good;
}
