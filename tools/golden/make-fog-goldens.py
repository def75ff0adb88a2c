#!/usr/bin/env python3
"""Three steps of training a small network across edge, fog and cloud, computed with PyTorch.

Needs numpy and torch. Writes Tests/FogTrainingTests/Goldens/three-steps.json: the samples, the
weights to start from (exact in float32), and losses and weights after each of three steps of Adam
in float64, one of them with a node missing. Adam is Keras's: epsilon is added to the uncorrected
root, which PyTorch's does when epsilon is divided by the square root of the bias correction.
"""

import argparse
import json
import pathlib

import numpy as np
import torch

# Name, input width, layer widths; the last layer of the cloud is linear. As FogTopology.small.
UNITS = {"e1": (2, [4]), "e2": (3, [6]), "f1": (6, [5, 5]), "c": (5, [7, 3])}
CONNECTIONS = [
    ("a", "e1", 1), ("b", "e2", 1), ("e1", "f1", 1), ("e2", "f1", 0.5), ("f1", "c", 1),
    ("e1", "c", 1), ("a", "f1", 1),
]
CLASS_WEIGHTS = [0.5, 1.0, 2.0]
ALIVE = [
    {"e1": True, "e2": True, "f1": True, "c": True},
    {"e1": False, "e2": True, "f1": True, "c": True},
    {"e1": True, "e2": False, "f1": False, "c": True},
]
BATCH, RATE, EPSILON = 8, 1e-2, 1e-7


def forward(parameters, samples, alive):
    values = {"a": samples[:, :2], "b": samples[:, 2:]}
    for unit, (width, layers) in UNITS.items():
        arriving = [
            weight * torch.nn.functional.pad(values[source], (0, width - values[source].shape[1]))
            for source, target, weight in CONNECTIONS
            if target == unit and values[source] is not None
        ]
        if not alive[unit] or not arriving:
            values[unit] = None
            continue
        value = sum(arriving)
        for index in range(len(layers)):
            value = torch.nn.functional.linear(
                value, parameters[f"{unit}.{index}.weight"], parameters[f"{unit}.{index}.bias"])
            if unit != "c" or index + 1 < len(layers):
                value = torch.relu(value)
        values[unit] = value
    return values["c"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument(
        "--output", type=pathlib.Path,
        default=root / "Tests/FogTrainingTests/Goldens/three-steps.json")
    output = parser.parse_args().output
    random = np.random.default_rng(6)
    start = {}
    for unit, (width, layers) in UNITS.items():
        for index, units in enumerate(layers):
            start[f"{unit}.{index}.weight"] = random.uniform(-1, 1, (units, width)).astype("f4")
            start[f"{unit}.{index}.bias"] = random.uniform(-0.2, 0.5, units).astype("f4")
            width = units
    samples = random.uniform(-1, 1, (BATCH, 5)).astype("f4")
    labels = random.integers(0, 3, BATCH)

    parameters = {
        name: torch.tensor(value.astype("f8"), requires_grad=True) for name, value in start.items()}
    optimiser = torch.optim.Adam(parameters.values(), lr=RATE, betas=(0.9, 0.999))
    weights = torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    steps = []
    for step, alive in enumerate(ALIVE):
        logits = forward(parameters, torch.tensor(samples.astype("f8")), alive)
        losses = torch.nn.functional.cross_entropy(
            logits, torch.tensor(labels), weight=weights, reduction="none")
        loss = losses.sum() / BATCH
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        for parameter in parameters.values():
            # A parameter that nothing flowed through still moves by its moments.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        optimiser.param_groups[0]["eps"] = EPSILON / (1 - 0.999 ** (step + 1)) ** 0.5
        optimiser.step()
        steps.append({
            "alive": [alive[unit] for unit in UNITS],
            "loss": loss.item(),
            "parameters": {k: v.detach().flatten().tolist() for k, v in parameters.items()},
        })
    document = {
        "rate": RATE, "classWeights": CLASS_WEIGHTS, "samples": samples.flatten().tolist(),
        "labels": labels.tolist(),
        "start": {name: value.flatten().tolist() for name, value in start.items()},
        "steps": steps,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(document, indent=None, separators=(",", ":")) + "\n")
    print(output)


if __name__ == "__main__":
    main()
