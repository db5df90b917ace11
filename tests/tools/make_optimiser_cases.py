#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/train/optimisers.json: steps of PyTorch's optimisers, averages of its
AveragedModel, learning rates of its schedules.

Run by hand: make_optimiser_cases.py > tests/data/train/optimisers.json. Each case has the learning
rate and the gradient of each step as PyTorch saw them, and the parameter after it, float32. The
gradient is that of a quadratic with noise."""
import json
import sys
import warnings

import torch
from torch.optim.swa_utils import AveragedModel

STEPS = 20
ELEMENTS = 6
SGD = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
RMSPROP = {"alpha": 0.99, "epsilon": 1e-8, "momentum": 0.0, "weight_decay": 0.0}
ADAMW = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}


def make(kind, parameter, s):
    if kind == "sgd":
        return torch.optim.SGD([parameter], lr=1.0, momentum=s["momentum"],
                               nesterov=s["nesterov"], weight_decay=s["weight_decay"])
    if kind == "rmsprop":
        return torch.optim.RMSprop([parameter], lr=1.0, alpha=s["alpha"], eps=s["epsilon"],
                                   momentum=s["momentum"], weight_decay=s["weight_decay"])
    made = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return made([parameter], lr=1.0, betas=(s["beta1"], s["beta2"]),
                eps=s["epsilon"], weight_decay=s["weight_decay"])


def floats(tensor):
    return [float(f"{v:.9g}") for v in tensor.tolist()]


def averaged(parameter, decay):
    """Its first update copies the start; the count of updates is that of steps from then on."""
    def average(mean, value, count):
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        return kept * mean + (1 - kept) * value
    followed = torch.nn.ParameterList([parameter])
    model = AveragedModel(followed, avg_fn=average)
    model.update_parameters(followed)
    model.followed = followed
    return model


def case(name, kind, learning_rate, **changes):
    clip_norm = changes.pop("clip_norm", 0.0)
    ema_decay = changes.pop("ema_decay", 0.0)
    settings = dict({"sgd": SGD, "rmsprop": RMSPROP}.get(kind, ADAMW), **changes)
    generator = torch.Generator().manual_seed(len(name))
    parameter = torch.nn.Parameter(torch.randn(ELEMENTS, generator=generator))
    centre = torch.randn(ELEMENTS, generator=generator)
    steepness = torch.tensor([0.1, 0.5, 1.0, 2.0, 5.0, 0.01])
    optimiser = make(kind, parameter, settings)
    average = averaged(parameter, ema_decay)
    start, rates, gradients, values = floats(parameter.detach()), [], [], []
    averages = []
    for step in range(STEPS):
        rate = learning_rate * (1.0 if step < 10 else 0.3)
        noise = 0.1 * torch.randn(ELEMENTS, generator=generator)
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = steepness * (parameter.detach() - centre) + noise
        rates.append(rate)
        gradients.append(floats(parameter.grad))
        if clip_norm > 0:
            torch.nn.utils.clip_grad_norm_([parameter], clip_norm)
        optimiser.step()
        values.append(floats(parameter.detach()))
        average.update_parameters(average.followed)
        averages.append(floats(average.module[0].detach()))
    one = {"name": name, "kind": kind, "clip_norm": clip_norm, **settings, "start": start,
           "rates": rates, "gradients": gradients, "values": values}
    return dict(one, ema_decay=ema_decay, averages=averages) if ema_decay > 0 else one


def schedule(name, kind, learning_rate, epochs, step_epochs=1, step_factor=0.1):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=learning_rate)
    if kind == "step":
        falling = torch.optim.lr_scheduler.StepLR(optimiser, step_epochs, step_factor)
    else:
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        falling.step()
    return {"name": name, "kind": kind, "learning_rate": learning_rate, "epochs": epochs,
            "step_epochs": step_epochs, "step_factor": step_factor, "rates": rates}


def one_cycle(learning_rate, epochs, steps):
    """The rate of each step."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, epochs=epochs,
                                                steps_per_epoch=steps, cycle_momentum=False)
    rates = []
    for _ in range(epochs * steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if len(rates) < epochs * steps:
            cycle.step()
    return {"learning_rate": learning_rate, "epochs": epochs, "steps": steps, "rates": rates}


def warm_up(learning_rate, epochs, steps, warm_up_epochs, step_epochs=0, step_factor=0.5):
    """The rate of each step: LinearLR, times StepLR where there is one."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)
    rising = warm_up_epochs * steps
    both = [torch.optim.lr_scheduler.LinearLR(optimiser, 1 / rising, 1.0, rising - 1)]
    if step_epochs > 0:
        both.append(torch.optim.lr_scheduler.StepLR(optimiser, step_epochs * steps, step_factor))
    chain = torch.optim.lr_scheduler.ChainedScheduler(both)
    rates = []
    for _ in range(epochs * steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        chain.step()
    return {"learning_rate": learning_rate, "epochs": epochs, "steps": steps, "rates": rates,
            "warmup_epochs": warm_up_epochs, "step_epochs": step_epochs,
            "step_factor": step_factor}


def plateau(learning_rate, patience, factor, losses):
    """The rate after each epoch's validation loss."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)
    falling = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=factor,
                                                         patience=patience)
    rates = []
    for loss in losses:
        optimiser.step()
        falling.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    return {"learning_rate": learning_rate, "step_epochs": patience, "step_factor": factor,
            "losses": losses, "rates": rates}


def main():
    warnings.simplefilter("error")
    cases = [
        case("plain", "sgd", 0.1),
        case("momentum", "sgd", 0.05, momentum=0.9),
        case("nesterov", "sgd", 0.05, momentum=0.9, nesterov=True),
        case("decay", "sgd", 0.1, weight_decay=0.1),
        case("nesterov and decay", "sgd", 0.02, momentum=0.8, nesterov=True, weight_decay=0.05),
        case("adamw", "adamw", 0.05),
        case("adamw and decay", "adamw", 0.05, weight_decay=0.2),
        case("adamw, other betas", "adamw", 0.1, beta1=0.5, beta2=0.9, epsilon=1e-3,
             weight_decay=0.01),
        case("adam and decay", "adam", 0.05, weight_decay=0.1),
        case("rmsprop", "rmsprop", 0.01),
        case("rmsprop, momentum and decay", "rmsprop", 0.01, alpha=0.9, momentum=0.8,
             epsilon=1e-4, weight_decay=0.05),
        case("momentum, clipped", "sgd", 0.05, momentum=0.9, clip_norm=0.5),
        case("adam, clipped", "adam", 0.05, clip_norm=0.1),
        case("adamw, clipped", "adamw", 0.05, weight_decay=0.2, clip_norm=0.1),
        case("rmsprop, clipped", "rmsprop", 0.01, momentum=0.5, clip_norm=0.2),
        case("adam", "adam", 0.02),
        case("nesterov, averaged", "sgd", 0.05, momentum=0.9, nesterov=True, ema_decay=0.9),
        case("adamw, slowly averaged", "adamw", 0.05, weight_decay=0.1, ema_decay=0.999),
    ]
    schedules = [
        schedule("step", "step", 0.1, 25, step_epochs=10),
        schedule("step, uneven", "step", 0.01, 11, step_epochs=3, step_factor=0.5),
        schedule("cosine", "cosine", 0.1, 20),
        schedule("cosine, odd", "cosine", 3e-4, 7),
    ]
    cycles = [one_cycle(0.1, 10, 7), one_cycle(3e-3, 3, 5)]
    plateaus = [plateau(0.1, 2, 0.1, [1.0, 0.9, 0.95, 0.91, 0.90001, 0.8, 0.85, 0.9, 0.81, 0.7]),
                plateau(1.0, 1, 0.5, [2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.5, 1.2, 1.3, 0.99995])]
    warm_ups = [warm_up(0.1, 3, 4, 2), warm_up(1e-3, 6, 5, 3, step_epochs=2)]
    json.dump({"made_with": f"PyTorch {torch.__version__}", "cases": cases,
               "schedules": schedules, "cycles": cycles, "plateaus": plateaus,
               "warm_ups": warm_ups}, sys.stdout, indent=None, separators=(",", ":"))
    print()


main()
