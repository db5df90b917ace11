#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes small files with PyTorch, and bad ones, into a folder (needs torch).

usage: make_torch_files.py FOLDER
Values count from 0 in stored order, so that a test knows them without the file.
"""

import argparse
import collections
import io
import os
import pickle
import sys
import tarfile
import zipfile

import torch

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "."


def count(*dims, dtype=torch.float32):
    total = 1
    for d in dims:
        total *= d
    return torch.arange(total).to(dtype).reshape(dims)


def plain():
    """A network's state as state_dict() makes it, with the attribute _metadata."""
    state = collections.OrderedDict()
    state["conv.weight"] = count(2, 3, 1, 2)
    state["conv.bias"] = torch.nn.Parameter(count(2))
    state["bn.num_batches_tracked"] = torch.tensor(7)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def types():
    kinds = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64,
             "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8,
             "u8": torch.uint8, "bool": torch.bool}
    state = {name: count(2, 2, dtype=kind) for name, kind in kinds.items()}
    state["small"] = torch.tensor([2.0 ** -24, -2.0 ** -15, float("inf"), -65504.0]).half()
    state["below"] = torch.tensor([-3, -2, -1])
    state["below8"] = torch.tensor([-3], dtype=torch.int8)
    return state


def views():
    """Storages shared by two names, turned, cut, repeated; a scalar and an empty tensor."""
    base = count(4, 6)
    return {"whole": base, "again": base, "turned": base.t(), "cut": base[1:3, 2:5],
            "steps": base[::2, ::3], "row": base[3], "channels": count(1, 2, 2, 3).permute(
                0, 3, 1, 2), "expanded": count(1, 3).expand(2, 3), "scalar": base[2, 1],
            "empty": torch.zeros(0, 3), "of.size": base.reshape(2, 12)}


def checkpoint():
    model = {"module.conv.weight": count(2, 2), "module.conv.bias": count(2)}
    return {"epoch": 3, "arch": "none", "state_dict": model, "best": 0.5, "sizes": torch.Size([2]),
            "dtype": torch.float16, "device": torch.device("cpu"), "on": True, "none": None,
            "big": 2 ** 70, "list": [1, -2, 300, 70000],
            "optimizer": {"state": {0: {"exp_avg": count(2)}}, "param_groups": [{"lr": 0.1}]}}


def path(name):
    return os.path.join(FOLDER, name)


def save(name, thing, **more):
    torch.save(thing, path(name), **more)


def write(name, content):
    with open(path(name), "wb") as stream:
        stream.write(content)


def rezip(source, target, method=zipfile.ZIP_STORED, folder="archive", change=None):
    """The entries of an archive again: compressed, elsewhere, changed or left out."""
    with zipfile.ZipFile(path(source)) as old, zipfile.ZipFile(path(target), "w", method) as new:
        for name in old.namelist():
            inner = name.split("/", 1)[1]
            content = old.read(name)
            content = change(inner, content) if change else content
            if content is not None:
                info = zipfile.ZipInfo(folder + "/" * bool(folder) + inner)
                new.writestr(info, content, method)


def big_endian(inner, content):
    """Everything here is of 4 bytes but one count of 8."""
    if not inner.startswith("data/"):
        return content
    size = 8 if len(content) == 8 and content[4:] == b"\0\0\0\0" else 4
    return b"".join(content[i:i + size][::-1] for i in range(0, len(content), size))


def add_entry(target, name, content):
    with zipfile.ZipFile(path(target), "a") as archive:
        archive.writestr(zipfile.ZipInfo("archive/" + name), content)


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, ("touch " + self.mark,)


def python2(thing):
    """As Python 2 wrote it: an ordered dictionary from a list of pairs, text as str."""
    stream = io.BytesIO()
    torch.save(thing, stream, _use_new_zipfile_serialization=False)
    content = stream.getvalue()
    name = b"\x58\x01\x00\x00\x00a"
    assert name in content
    return content.replace(name, b"\x55\x01a")


def good():
    save("zip.pth", plain())
    save("legacy.pth", plain(), _use_new_zipfile_serialization=False)
    save("types.pth", types())
    save("types_legacy.pth", types(), _use_new_zipfile_serialization=False)
    save("views.pth", views())
    save("views_legacy.pth", views(), _use_new_zipfile_serialization=False)
    save("checkpoint.pth", checkpoint())
    save("protocol4.pth", checkpoint(), pickle_protocol=4)
    save("protocol4_legacy.pth", checkpoint(), pickle_protocol=4,
         _use_new_zipfile_serialization=False)
    save("compiled.pth", {"model": {"module._orig_mod." + k: v for k, v in plain().items()}})
    save("only.pth", {"epoch": 1, "generator": plain()})
    write("python2.pth", python2({"a": count(3)}))
    rezip("views.pth", "deflated.pth", zipfile.ZIP_DEFLATED, "other name")
    rezip("zip.pth", "flat.pth", folder="")
    rezip("zip.pth", "big_endian.pth", change=big_endian)
    add_entry("big_endian.pth", "byteorder", b"big")


def bad():
    save("bad_namespace.pth", {"state_dict": plain(), "args": argparse.Namespace(lr=1)})
    save("bad_module.pth", torch.nn.Linear(2, 1))
    torch.jit.script(torch.nn.Linear(2, 1)).save(path("bad_script.pt"))
    save("bad_evil.pth", {"a": count(2), "b": Evil("evil_was_run")})
    save("bad_evil_legacy.pth", {"a": count(2), "b": Evil("evil_was_run")},
         _use_new_zipfile_serialization=False)
    save("bad_evil4.pth", {"a": count(2), "b": Evil("evil_was_run")}, pickle_protocol=4)
    save("bad_quantised.pth", {"a": torch.quantize_per_tensor(count(4), 0.1, 0, torch.qint8)})
    save("bad_sparse.pth", {"a": count(2, 2).to_sparse()})
    save("bad_complex.pth", {"a": torch.zeros(2, dtype=torch.complex64)})
    save("bad_list.pth", [count(2)])
    save("bad_empty_dict.pth", {"epoch": 3})
    save("bad_two.pth", {"a": {"x": count(2)}, "b": {"x": count(2)}})
    save("bad_rank.pth", {"a": torch.zeros([1] * 9)})
    save("bad_control.pth", {"a\n": count(1)})
    save("bad_expanded.pth", {"a": count(1).expand(1 << 21)})
    write("bad_pickle.pth", pickle.dumps({"a": 1}, 2))
    write("bad_protocol0.pth", pickle.dumps(collections.OrderedDict(a=1), 0))
    write("bad_page.pth", b"<!DOCTYPE html><html><body>404</body></html>\n")
    write("bad_pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    write("bad_empty.pth", b"")
    write("bad_other.pth", bytes(range(1, 100)))
    with tarfile.open(path("bad_tar.pth"), "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    write("bad_tar.pth", open(path("bad_tar.pth"), "rb").read()[:1024])
    for name in ("zip", "legacy"):
        content = open(path(name + ".pth"), "rb").read()
        write("bad_truncated_%s.pth" % name, content[:len(content) - 8])
    rezip("zip.pth", "bad_no_storage.pth", change=lambda n, c: None if n == "data/0" else c)
    rezip("zip.pth", "bad_short_storage.pth", change=lambda n, c: c[:-1] if n == "data/0" else c)
    rezip("zip.pth", "bad_no_pickle.pth", change=lambda n, c: None if n == "data.pkl" else c)
    rezip("zip.pth", "bad_byteorder.pth")
    add_entry("bad_byteorder.pth", "byteorder", b"middle")
    rezip("zip.pth", "bad_bzip2.pth", zipfile.ZIP_BZIP2)
    rezip("zip.pth", "bad_bomb.pth", zipfile.ZIP_DEFLATED,
          change=lambda n, c: c + bytes(70 << 20) if n == "data.pkl" else c)
    content = open(path("bad_bomb.pth"), "rb").read()
    assert len(content) < 100000


def main():
    os.makedirs(FOLDER, exist_ok=True)
    good()
    bad()


if __name__ == "__main__":
    main()
