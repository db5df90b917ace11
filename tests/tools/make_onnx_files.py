#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes small ONNX models, and bad ones, into a folder (needs onnx; torch for two of them).

usage: make_onnx_files.py FOLDER
Values count from 0 in stored order, so that a test knows them without the file.
"""

import io
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import torch

TYPES = {"f32": TensorProto.FLOAT, "f64": TensorProto.DOUBLE, "f16": TensorProto.FLOAT16,
         "bf16": TensorProto.BFLOAT16, "i32": TensorProto.INT32, "i64": TensorProto.INT64}
FIELDS = {"f32": "float_data", "f64": "double_data", "f16": "int32_data", "bf16": "int32_data",
          "i32": "int32_data", "i64": "int64_data"}


def bits(kind, values):
    """The values as an array of the stored type; bfloat16 as the upper half of float32."""
    values = np.asarray(values)
    if kind == "bf16":
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2")
    return values.astype({"f32": "<f4", "f64": "<f8", "f16": "<f2", "i32": "<i4",
                          "i64": "<i8"}[kind])


def tensor(name, kind, dims, raw, first=0, count=None):
    count = int(np.prod(dims, dtype=np.int64)) if count is None else count
    values = bits(kind, np.arange(first, first + count))
    result = TensorProto(name=name, data_type=TYPES[kind], dims=dims)
    if raw:
        result.raw_data = values.tobytes()
    elif kind == "f16":
        result.int32_data.extend(int(v) for v in values.view("<u2"))
    else:
        getattr(result, FIELDS[kind]).extend(v.item() for v in values)
    return result


def model(tensors, nodes=()):
    graph = onnx.GraphProto(name="g", initializer=tensors, node=nodes)
    result = onnx.ModelProto(ir_version=8, producer_name="xenograft tests", graph=graph,
                             producer_version="1", opset_import=[helper.make_opsetid("", 13)])
    result.metadata_props.add(key="licence", value="MIT")
    return result


def types():
    """Each type in its own field and as raw bytes; a negative number, a scalar, an empty one."""
    tensors = [tensor(f"{kind}.{'raw' if raw else 'data'}", kind, [2, 3], raw)
               for kind in TYPES for raw in (False, True)]
    return model(tensors + [tensor("below", "i64", [3], False, first=-3),
                            tensor("below32", "i32", [3], False, first=-3),
                            tensor("scalar", "f32", [], True), tensor("none", "f32", [0], False)])


def matrices():
    def node(op, *inputs, **attributes):
        return helper.make_node(op, list(inputs), ["y"], **attributes)
    names = ("gemm", "gemm_t", "gemm_0", "matmul", "first", "both", "twice", "other")
    tensors = [tensor(name, "f32", [2, 3], True) for name in names]
    tensors.append(tensor("batched", "f32", [1, 2, 3], True))
    nodes = [node("Gemm", "x", "gemm"), node("Gemm", "x", "gemm_t", "", alpha=1.0, transB=1),
             node("Gemm", "x", "gemm_0", transB=0, transA=1), node("MatMul", "x", "matmul"),
             node("MatMul", "first", "x"), node("MatMul", "x", "both"),
             node("Transpose", "both", perm=[1, 0]), node("MatMul", "x", "twice"),
             node("Gemm", "x", "twice"), node("MatMul", "x", "other", domain="com.example"),
             node("MatMul", "x", "batched")]
    return model(tensors, nodes)


class Small(torch.nn.Module):
    """A network with every kind of tensor that the backbones have."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.fc = torch.nn.Linear(4, 5)
        self.qkv = torch.nn.Linear(5, 6, bias=False)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x))).mean((2, 3))
        return self.qkv(self.fc(x).unsqueeze(1))


def exported(fold):
    """As torch.onnx.export writes it: folded with new names, and with its own names."""
    network = Small().eval()
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.arange(value.numel(), dtype=value.dtype).reshape(value.shape))
    mode = torch.onnx.TrainingMode
    buffer = io.BytesIO()
    torch.onnx.export(network, torch.zeros(2, 3, 5, 5), buffer, opset_version=13,
                      do_constant_folding=fold, training=mode.EVAL if fold else mode.PRESERVE)
    return buffer.getvalue()


def beside(folder):
    """Values in a file of the model's folder and in one of a folder in it."""
    data = np.arange(10, dtype="<f4").tobytes()
    os.makedirs(os.path.join(folder, "inner"), exist_ok=True)
    for name in ("beside.bin", os.path.join("inner", "beside.bin")):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    link = os.path.join(folder, "link.bin")
    if not os.path.islink(link):
        os.symlink("beside.bin", link)
    return model([outside("a", "beside.bin", [6], length=24),
                  outside("b", "beside.bin", [4], offset=24),
                  outside("c", "inner/beside.bin", [10], checksum="0")])


def outside(name, location, dims=(10,), **entries):
    result = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims,
                         data_location=TensorProto.EXTERNAL)
    for key, value in dict(location=location, **entries).items():
        if value is not None:
            result.external_data.add(key=key, value=str(value))
    return result


def length_of(size):
    out = b""
    while size >= 0x80:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size])


def field(number, body):
    return length_of(number << 3 | 2) + length_of(len(body)) + body


def in_graph(body):
    return b"\x08\x08" + field(7, body)


def bad_files():
    whole = types().SerializeToString()
    int8 = numpy_helper.from_array(np.zeros(3, "int8"), "q")
    sparse = onnx.GraphProto(initializer=[tensor("a", "f32", [1], True)])
    sparse.sparse_initializer.add()
    both = in_graph(field(5, tensor("a", "f32", [1], True).SerializeToString()))
    bad = {
        "truncated": whole[:len(whole) // 2],
        "page": b"\n <html><body>404 Not Found</body></html>\n",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "empty": b"",
        "other": b"\x89PNG\r\n\x1a\n" + bytes(20),
        "no_graph": b"\x08\x08",
        "two_graphs": both + both[2:],
        "no_values": model([]).SerializeToString(),
        "int8": model([int8]).SerializeToString(),
        "type": model([TensorProto(name="t", data_type=99)]).SerializeToString(),
        "count": model([tensor("a", "f32", [2, 3], True, count=5)]).SerializeToString(),
        "count_data": model([tensor("a", "i64", [2, 3], False, count=7)]).SerializeToString(),
        "negative": model([tensor("a", "f32", [-1, 3], True, count=3)]).SerializeToString(),
        "overflow": model([tensor("a", "f32", [1 << 40] * 2, True, count=3)]).SerializeToString(),
        "dims": model([tensor("a", "f32", [1] * 9, True)]).SerializeToString(),
        "twice": model([tensor("a", "f32", [1], True)] * 2).SerializeToString(),
        "nameless": model([tensor("", "f32", [1], True)]).SerializeToString(),
        "sparse": in_graph(sparse.SerializeToString()),
        "wire": in_graph(b"\x28\x01"),
        "node_wire": both[:2] + field(7, both[4:] + b"\x08\x01"),
        "raw_wire": in_graph(field(5, b"\x08\x01\x10\x01\x42\x01a\x48\x01")),
        "dims_wire": in_graph(field(5, b"\x0d\x01\x00\x00\x00\x10\x01\x42\x01a")),
        "huge": b"\x08\x08" + length_of(7 << 3 | 2) + length_of(1 << 62),
        "varint": in_graph(field(5, b"\x08\x01\x10\x07\x42\x01a\x3a\x02\xff\xff")),
    }
    for name, (location, entries) in {
            "up": ("../onnx/beside.bin", {}), "absolute": ("/beside.bin", {}),
            "inner_up": ("inner/../beside.bin", {}), "nothing": ("", {}), "slash": ("inner/", {}),
            "missing": ("missing.bin", {}), "folder": ("inner", {}),
            "no_location": (None, {}), "offset": ("beside.bin", {"offset": "-4"}),
            "behind": ("beside.bin", {"offset": 41}), "length": ("beside.bin", {"length": 44}),
            "short": ("beside.bin", {"length": 36}), "uneven": ("beside.bin", {"length": 39}),
            "text": ("beside.bin", {"length": "4e1"}), "link": ("link.bin", {})}.items():
        tensors = [outside("a", location, **entries)]
        bad["beside_" + name] = model(tensors).SerializeToString()
    return bad


def write(folder, name, content):
    with open(os.path.join(folder, name + ".onnx"), "wb") as file:
        file.write(content)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write(folder, "types", types().SerializeToString())
    write(folder, "matrices", matrices().SerializeToString())
    write(folder, "torch", exported(False))
    write(folder, "torch_folded", exported(True))
    write(folder, "beside", beside(folder).SerializeToString())
    for name, content in bad_files().items():
        write(folder, "bad_" + name, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
