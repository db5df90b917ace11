#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/ops/cases.json: operators and their gradients computed by PyTorch in double.

Values are in the order of memory: NHWC, convolution weights [O,kh,kw,I]. dims[0] is -1 for values
with one row per image. `gradients` are of sum(dy * output) by each input, null where none.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20261122)
BATCH = 2
cases = []


def flat(t):
    return [float(f"{v:.8g}") for v in t.detach().reshape(-1).tolist()]


def single(*shape):
    """Random numbers that float32 holds exactly."""
    return torch.randn(*shape).double()


def case(op, function, inputs, attributes=None, wanted=None, fixed=(), after=None):
    """inputs: tensors in memory order, None when absent; fixed: indices without batch."""
    leaves = [None if t is None else t.clone().requires_grad_(True) for t in inputs]
    y = function(*leaves)
    dy = single(*y.shape)
    wanted = [i for i, t in enumerate(leaves) if t is not None] if wanted is None else wanted
    grads = [None] * len(leaves)
    if wanted:
        found = torch.autograd.grad((dy * y).sum(), [leaves[i] for i in wanted])
        for i, g in zip(wanted, found):
            grads[i] = flat(g)
    def dims(i, t):
        return list(t.shape) if i in fixed else [-1] + list(t.shape[1:])
    cases.append({
        "op": op, "attributes": attributes or {},
        "inputs": [None if t is None else {"dims": dims(i, t), "data": flat(t)}
                   for i, t in enumerate(inputs)],
        "output": flat(y), "dy": flat(dy), "gradients": grads,
        "after": [None if t is None else flat(t) for t in after] if after else None})


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous()


def conv(h, w, c, o, kh, kw, stride=(1, 1), pad=(0, 0, 0, 0), dilation=1, groups=1, bias=True):
    top, bottom, left, right = pad

    def run(x, weight, b=None):
        padded = F.pad(nchw(x), (left, right, top, bottom))
        return nhwc(F.conv2d(padded, weight.permute(0, 3, 1, 2), b, stride, 0, dilation, groups))
    attributes = dict(out_channels=o, kernel_h=kh, kernel_w=kw, stride_h=stride[0],
                      stride_w=stride[1], pad_top=top, pad_bottom=bottom, pad_left=left,
                      pad_right=right, dilation=dilation, groups=groups, no_bias=int(not bias))
    case("conv2d/1", run, [single(BATCH, h, w, c), single(o, kh, kw, c // groups),
                           single(o) if bias else None], attributes, fixed=(1, 2))


def convolutions():
    conv(5, 6, 3, 4, 3, 3, pad=(1, 1, 1, 1))
    conv(7, 5, 4, 4, 3, 2, stride=(2, 1), pad=(0, 2, 1, 0), groups=2)
    conv(6, 7, 5, 5, 3, 3, stride=(2, 2), pad=(0, 1, 0, 1), groups=5, bias=False)
    conv(8, 7, 2, 3, 3, 2, pad=(2, 1, 0, 3), dilation=2)
    conv(4, 3, 6, 5, 1, 1)
    conv(5, 5, 2, 4, 5, 5, groups=2)
    conv(6, 6, 3, 6, 1, 1, stride=(2, 3), groups=3, bias=False)


def norms():
    for shape, affine in (((BATCH, 3, 2, 4), True), ((BATCH, 6, 5), True), ((BATCH, 3, 3), False)):
        c = shape[-1]
        weight, bias = (single(c), single(c)) if affine else (None, None)
        mean, var = single(c), single(c).abs() + 0.5
        attributes = {"eps": 1e-3, "no_affine": int(not affine)}

        def evaluate(x, w, b, m, v):
            y = F.batch_norm(x.reshape(-1, c), m.detach(), v.detach(), w, b, False, 0.1, 1e-3)
            return y.reshape(x.shape)
        x = single(*shape)
        wanted = [0, 1, 2] if affine else [0]
        case("batch_norm/1", evaluate, [x, weight, bias, mean, var], attributes, wanted,
             (1, 2, 3, 4))
        new_mean, new_var = mean.clone(), var.clone()
        F.batch_norm(x.reshape(-1, c), new_mean, new_var, None, None, True, 0.3, 1e-3)

        def train(x, w, b, m, v):
            return F.batch_norm(x.reshape(-1, c), None, None, w, b, True, 0.3,
                                1e-3).reshape(x.shape)
        case("batch_norm_train/1", train, [x, weight, bias, mean, var],
             {**attributes, "momentum": 0.3}, wanted, (1, 2, 3, 4),
             [None, None, None, new_mean, new_var])
    for shape in ((BATCH, 7), (BATCH, 3, 6)):
        case("layer_norm/1", lambda x, w, b: F.layer_norm(x, (x.shape[-1],), w, b, 1e-6),
             [single(*shape), single(shape[-1]), single(shape[-1])], {"eps": 1e-6}, fixed=(1, 2))
    for size, k in ((5, 1.0), (4, 2.0), (3, 1.0)):
        case("lrn/1", lambda x: nhwc(F.local_response_norm(nchw(x), size, 0.02, 0.75, k)),
             [single(BATCH, 2, 3, 7) * 3], {"size": size, "alpha": 0.02, "beta": 0.75, "k": k})


def pointwise():
    functions = {"relu": F.relu, "relu6": F.relu6, "gelu": F.gelu, "sigmoid": torch.sigmoid,
                 "silu": F.silu, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
                 "softmax": lambda x: x.softmax(-1)}
    for name, function in functions.items():
        for shape in ((BATCH, 7), (BATCH, 3, 2, 5)):
            case(name + "/1", function, [single(*shape) * 4])
    case("scale/1", lambda x: x * -1.75, [single(BATCH, 5)], {"factor": -1.75})
    case("dropout/1", lambda x: x, [single(BATCH, 6)], {"probability": 0.4})
    image = (BATCH, 3, 2, 4)
    for name, function in (("add/1", torch.add), ("mul/1", torch.mul)):
        case(name, function, [single(*image), single(*image)])
        case(name, function, [single(*image), single(BATCH, 1, 1, 4)])
        case(name, lambda a, b: function(a, b[:, None, None, :]),
             [single(*image), single(BATCH, 4)])
        case(name, function, [single(BATCH, 5), single(BATCH, 5)])


def maps():
    for shape, o, bias in (((BATCH, 5), 3, True), ((BATCH, 4, 3), 6, True), ((BATCH, 7), 2, False)):
        case("linear/1", F.linear, [single(*shape), single(o, shape[-1]),
                                    single(o) if bias else None],
             {"out_features": o, "no_bias": int(not bias)}, fixed=(1, 2))
    case("concat/1", lambda *x: torch.cat(x, -1),
         [single(BATCH, 2, 3, 2), single(BATCH, 2, 3, 3), single(BATCH, 2, 3, 1)])
    case("concat/1", lambda *x: torch.cat(x, -1), [single(BATCH, 4), single(BATCH, 1)])
    case("slice/1", lambda x: x[:, 1:3].contiguous(), [single(BATCH, 4, 3)],
         {"axis": 1, "begin": 1, "end": 3})
    case("slice/1", lambda x: x[..., 2:5].contiguous(), [single(BATCH, 2, 2, 6)],
         {"axis": 3, "begin": 2, "end": 5})
    case("flatten/1", lambda x: nchw(x).reshape(BATCH, -1), [single(BATCH, 3, 2, 4)])
    case("reshape/1", lambda x: x.reshape(BATCH, 6, 4), [single(BATCH, 3, 2, 4)],
         {"dims": [-1, 4]})
    case("permute/1", lambda x: x.permute(0, 3, 1, 2), [single(BATCH, 3, 2, 4)],
         {"axes": [0, 3, 1, 2]})
    case("permute/1", lambda x: x.permute(0, 2, 1), [single(BATCH, 3, 5)], {"axes": [0, 2, 1]})
    case("class_token/1", lambda x, t: torch.cat([t.expand(BATCH, 1, -1), x], 1),
         [single(BATCH, 3, 4), single(1, 1, 4)], fixed=(1,))
    case("position/1", torch.add, [single(BATCH, 3, 4), single(1, 3, 4)], fixed=(1,))
    for heads, f in ((1, 4), (2, 6), (3, 12)):
        def attend(qkv):
            t = qkv.shape[1]
            q, k, v = (p.reshape(BATCH, t, heads, -1).transpose(1, 2) for p in qkv.split(f, -1))
            p = (q @ k.transpose(-1, -2) / math.sqrt(f // heads)).softmax(-1)
            return (p @ v).transpose(1, 2).reshape(BATCH, t, f)
        case("attention/1", attend, [single(BATCH, 5, 3 * f)], {"heads": heads})
    for k in (2, 5):
        case("cross_entropy/1", lambda x, t: F.cross_entropy(x, t, reduction="none"),
             [single(BATCH, k) * 3, single(BATCH, k).softmax(-1).float().double()], wanted=[0])


def pools():
    for h, w, kernel, stride, pad, ceil, exclude in (
            (6, 5, (2, 2), (2, 2), (0, 0), 0, 0), (7, 7, (3, 3), (2, 2), (1, 1), 0, 0),
            (6, 7, (3, 2), (2, 2), (1, 1), 1, 0), (6, 7, (3, 2), (2, 2), (1, 1), 1, 1),
            (6, 6, (3, 3), (2, 2), (0, 0), 1, 0), (5, 5, (2, 2), (3, 3), (1, 1), 1, 0),
            (5, 4, (3, 3), (1, 1), (1, 1), 0, 1)):
        attributes = dict(kernel_h=kernel[0], kernel_w=kernel[1], stride_h=stride[0],
                          stride_w=stride[1], pad_top=pad[0], pad_bottom=pad[0], pad_left=pad[1],
                          pad_right=pad[1], ceil_mode=ceil)
        case("avg_pool/1", lambda x: nhwc(F.avg_pool2d(nchw(x), kernel, stride, pad, bool(ceil),
                                                       not exclude)),
             [single(BATCH, h, w, 2)], {**attributes, "exclude_pad": exclude})
        case("max_pool/1", lambda x: nhwc(F.max_pool2d(nchw(x), kernel, stride, pad, 1,
                                                       bool(ceil))),
             [single(BATCH, h, w, 2)], attributes)
    case("max_pool/1", lambda x: nhwc(F.max_pool2d(nchw(x), 3, 1, 1)),
         [single(BATCH, 5, 5, 2).round()], dict(kernel_h=3, kernel_w=3, stride_h=1, stride_w=1,
                                                pad_top=1, pad_bottom=1, pad_left=1, pad_right=1))
    for h, w, oh, ow in ((5, 7, 3, 2), (2, 3, 4, 4), (6, 6, 1, 3)):
        case("adaptive_avg_pool/1", lambda x: nhwc(F.adaptive_avg_pool2d(nchw(x), (oh, ow))),
             [single(BATCH, h, w, 3)], {"out_h": oh, "out_w": ow})
    for shape in ((BATCH, 3, 4, 5), (BATCH, 1, 1, 3)):
        case("global_avg_pool/1", lambda x: x.mean((1, 2)), [single(*shape)])


def zero_pools():
    """The largest of each window of a map with zeros around it."""
    for h, w in ((5, 6), (6, 7)):
        case("max_pool/1", lambda x: nhwc(F.max_pool2d(F.pad(nchw(x), [1] * 4), 3, 2)),
             [single(BATCH, h, w, 2) - 1],
             dict(kernel_h=3, kernel_w=3, stride_h=2, stride_w=2, pad_top=1, pad_bottom=1,
                  pad_left=1, pad_right=1, zero_pad=1))


convolutions()
norms()
pointwise()
maps()
pools()
zero_pools()
out = pathlib.Path(__file__).resolve().parent.parent / "data" / "ops" / "cases.json"
out.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
