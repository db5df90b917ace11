// SPDX-FileCopyrightText: 2026 The xenograft authors
// SPDX-License-Identifier: MIT-0
// The nearest training image's class, in C++: no exception leaves a callback.
#include <limits>
#include <new>
#include <vector>
#include <xenograft/strategy.h>

namespace {

struct Nearest { std::vector<float> rows, labels; };

template <class Call> XgStatus guarded(Call call)
{
    try { return call(); } catch (const std::bad_alloc &) { return XG_NOMEM; }
}
XgStatus create(const XgHost *, const XgComponent *, void **self)
{
    return (*self = new (std::nothrow) Nearest) ? XG_OK : XG_NOMEM;
}
void destroy(void *self) { delete static_cast<Nearest *>(self); }
XgStatus plan(void *, XgPlan *p) { xg_plan_set(p, "head", "classifier"); return XG_OK; }
XgStatus fit(void *self, const XgFit *f)
{
    return guarded([&] {
        auto &m = *static_cast<Nearest *>(self);
        m.rows.assign(f->train.values, f->train.values + f->train.rows * f->train.columns);
        m.labels.assign(f->train.labels, f->train.labels + f->train.rows);
        m.labels.push_back(float(f->classes));
        return XG_OK;
    });
}
XgStatus predict(void *self, const XgFeatures *x, float *out)
{
    const auto &m = *static_cast<Nearest *>(self);
    const int64_t n = x->columns, classes = int64_t(m.labels.back());
    if (int64_t(m.rows.size()) != n * int64_t(m.labels.size() - 1)) return XG_SHAPE;
    for (int64_t i = 0; i < x->rows; i++, out += classes) {
        float nearest = std::numeric_limits<float>::infinity();
        for (size_t k = 0; k + 1 < m.labels.size(); k++) {
            float d = 0;
            for (int64_t j = 0; j < n; j++) {
                const float e = x->values[i * n + j] - m.rows[k * size_t(n) + size_t(j)];
                d += e * e;
            }
            for (int64_t c = 0; d < nearest && c < classes; c++) out[c] = c == int64_t(m.labels[k]);
            if (d < nearest) nearest = d;
        }
    }
    return XG_OK;
}
XgStatus put(XgState *s, const char *name, const std::vector<float> &v)
{
    const int64_t count = int64_t(v.size());
    return s->api->put(s, name, XG_DTYPE_F32, 1, &count, v.data());
}
XgStatus get(XgState *s, const char *name, std::vector<float> &v)
{
    int64_t count = 0;
    auto values = static_cast<const float *>(s->api->get(s, name, XG_DTYPE_F32, &count));
    return values ? guarded([&] { v.assign(values, values + count); return XG_OK; }) : XG_FORMAT;
}
XgStatus save(void *self, XgState *s)
{
    auto &m = *static_cast<Nearest *>(self);
    const XgStatus status = put(s, "rows", m.rows);
    return status == XG_OK ? put(s, "labels", m.labels) : status;
}
XgStatus load(void *self, XgState *s)
{
    auto &m = *static_cast<Nearest *>(self);
    int64_t count = 0;
    auto classes = static_cast<const int64_t *>(
        s->api->get(s, XG_STATE_CLASSES, XG_DTYPE_I64, &count));
    XgStatus status = get(s, "rows", m.rows);
    if (status == XG_OK) status = get(s, "labels", m.labels);
    if (status != XG_OK) return status;
    const bool fits = classes && !m.labels.empty() && m.labels.back() == float(*classes);
    return fits ? XG_OK : XG_FORMAT;
}
const XgStrategy table = {plan, nullptr, nullptr, fit, predict, save, load};
const XgComponent nearest = {sizeof(XgComponent), XG_STRATEGY_KIND, "nearest", "1.0.0", "MIT-0",
    "class of the nearest training image, as an example in C++", nullptr, nullptr, nullptr, nullptr,
    create, destroy, nullptr, &table, nullptr};

}

extern "C" { XG_MODULE("nearest", "1.0.0", &nearest) }
