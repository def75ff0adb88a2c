#!/usr/bin/env python3
"""Compares scores of `martlet score` with those of make-importance-goldens.py, neuron by neuron.

    tools/golden/make-importance-goldens.py --model M.onnx --images FOLDER --count 8 --json torch.json
    martlet score M.onnx --calibration FOLDER --s2-images 8 --s3-images 8 -o scores.json
    tools/golden/compare-scores.py torch.json scores.json

Prints, for each score, the largest difference over the larger of the neuron's score and a thousandth
of its layer's largest. Exits 1 beyond 1e-6 for s1 and 1e-4 for s2 and s3. FOLDER holds no more than
the 8 images, without labels, so that both take the same.
"""

import json
import pathlib
import sys

BOUNDS = {"s1": 1e-6, "s2": 1e-4, "s3": 1e-4}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    expected, found = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:])
    worst = dict.fromkeys(BOUNDS, (0, "", 0))
    neurons = 0
    # Both list layers in the order of the network; names differ where a bias is a node of its own.
    for layer, own in zip(expected["layers"], found["layers"], strict=True):
        neurons += len(layer["s1"])
        for score in BOUNDS:
            largest = max(layer[score])
            pairs = zip(layer[score], own[score], strict=True)
            for neuron, (a, b) in enumerate(pairs):
                error = abs(a - b) / max(a, largest / 1000, 1e-300)
                worst[score] = max(worst[score], (error, layer["node"], neuron))
    print(f"{neurons} neurons of {len(expected['layers'])} layers")
    for score, (error, layer, neuron) in worst.items():
        print(f"{score}: at most {error:.2g}, at neuron {neuron} of {layer}")
    sys.exit(any(worst[score][0] > bound for score, bound in BOUNDS.items()))


if __name__ == "__main__":
    main()
