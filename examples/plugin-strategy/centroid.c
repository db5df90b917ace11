/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT-0 */
/* Nearest class mean, on the feature vectors of a frozen network: a classifier of its own. */
#include <xenograft/strategy.h>
#include <math.h>
#include <stdlib.h>
typedef struct { int64_t count, classes; float *values; } Means; /* means, image counts */
static XgStatus take(Means *m, int64_t count, int64_t classes, const float *values)
{
    float *room = realloc(m->values, (size_t) count * sizeof *room);
    for (int64_t i = 0; room && i < count; i++) room[i] = values ? values[i] : 0.0f;
    return room ? (*m = (Means){count, classes, room}, XG_OK) : XG_NOMEM;
}
static XgStatus create(const XgHost *h, const XgComponent *c, void **self)
{ return (void) h, (void) c, (*self = calloc(1, sizeof(Means))) ? XG_OK : XG_NOMEM; }
static void destroy(void *self) { free(((Means *) self)->values), free(self); }
static XgStatus plan(void *self, XgPlan *p)
{ return (void) self, xg_plan_set(p, "head", "classifier"), XG_OK; }
static XgStatus fit(void *self, const XgFit *f)
{
    const int64_t n = f->train.columns;
    if (take(self, f->classes * (n + 1), f->classes, NULL) != XG_OK) return XG_NOMEM;
    for (int64_t i = 0; i < f->train.rows; i++) {
        float *mean = ((Means *) self)->values + f->train.labels[i] * (n + 1), k = ++mean[n];
        for (int64_t j = 0; j < n; j++) mean[j] += (f->train.values[i * n + j] - mean[j]) / k;
    }
    return XG_OK;
}
static XgStatus predict(void *self, const XgFeatures *x, float *row)
{
    const Means *m = self;
    const int64_t n = x->columns, classes = m->classes;
    if (classes * (n + 1) != m->count) return XG_SHAPE;
    for (int64_t i = 0; i < x->rows; i++, row += classes) {
        float sum = 0.0f; /* of inverse distances */
        for (int64_t k = 0; k < classes; k++) {
            float square = 1e-12f;
            for (int64_t j = 0; j < n; j++)
                square += powf(x->values[i * n + j] - m->values[k * (n + 1) + j], 2.0f);
            sum += row[k] = 1.0f / sqrtf(square);
        }
        for (int64_t k = 0; k < classes; k++) row[k] /= sum;
    }
    return XG_OK;
}
static XgStatus save(void *self, XgState *s)
{ const Means *m = self; return s->api->put(s, "means", XG_DTYPE_F32, 1, &m->count, m->values); }
static XgStatus load(void *self, XgState *s)
{
    int64_t n = 0; const int64_t *classes = s->api->get(s, XG_STATE_CLASSES, XG_DTYPE_I64, &n);
    const float *means = s->api->get(s, "means", XG_DTYPE_F32, &n);
    return means && classes ? take(self, n, *classes, means) : XG_FORMAT;
}
static const XgStrategy table = {plan, NULL, NULL, fit, predict, save, load};
static const XgComponent centroid = {
    .struct_size = sizeof(XgComponent), .kind = XG_STRATEGY_KIND, .id = "centroid",
    .version = "1.0.0", .licence = "MIT-0", .summary = "nearest class mean",
    .create = create, .destroy = destroy, .interface_table = &table};
XG_MODULE("centroid", "1.0.0", &centroid)
