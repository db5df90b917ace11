#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Images per second of a torchvision network with random weights, the last number printed.

torch_peer.py MODEL infer|partial|full [--form eager|channels_last|jit|bf16] [--train PREFIX,...]
              [--batch 32] [--size 224] [--threads 2] [--seconds 4]
torch_peer.py MODEL export --onnx FILE

`partial` trains the parameters with these prefixes (layer4,fc); the frozen part runs in every step,
as in common training scripts. `export` writes what onnx_peer.js reads.
"""
import argparse
import statistics
import time

import torch
import torchvision

SGD = {"lr": 1e-6, "momentum": 0.9}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("model")
    parser.add_argument("mode", choices=["infer", "partial", "full", "export"])
    parser.add_argument("--form", default="eager", choices=["eager", "channels_last", "jit", "bf16"])
    parser.add_argument("--train", default="")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--onnx")
    given = parser.parse_args()
    if (given.mode == "partial") != bool(given.train) or (given.mode == "export") != bool(given.onnx):
        parser.error("--train belongs to partial, --onnx to export")
    return given


def freeze(network, prefixes):
    """Frozen modules keep their running statistics, as bn = frozen does."""
    network.eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(prefixes))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SystemExit("torch_peer.py: no parameter begins with %s" % ", ".join(prefixes))


def inference(network, images, form):
    network.eval()
    if form == "jit":
        with torch.no_grad():
            network = torch.jit.freeze(torch.jit.trace(network, images))
            network = torch.jit.optimize_for_inference(network)

    def step():
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=form == "bf16"):
            network(images)
    return step


def training(network, images):
    labels = torch.arange(len(images)) % 1000
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, **SGD)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = network(images)
        logits = getattr(logits, "logits", logits)
        torch.nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    return step


def main():
    given = arguments()
    torch.manual_seed(1)
    torch.set_num_threads(given.threads)
    network = getattr(torchvision.models, given.model)()
    images = torch.rand(given.batch, 3, given.size, given.size)
    if given.form == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    if given.mode == "export":
        torch.onnx.export(network.eval(), images, given.onnx, input_names=["images"])
        return
    if given.mode == "partial":
        freeze(network, tuple(given.train.split(",")))
    step = inference(network, images, given.form) if given.mode == "infer" else training(network, images)
    for _ in range(2):
        step()
    times = []
    while len(times) < 3 or sum(times) < given.seconds:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    print("%s %s %s: %.2f" % (given.model, given.mode, given.form,
                              given.batch / statistics.median(times)))


if __name__ == "__main__":
    main()
