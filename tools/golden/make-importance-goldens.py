#!/usr/bin/env python3
"""Computes the importance of every neuron of an ONNX network with PyTorch, for comparison.

    tools/golden/make-importance-goldens.py [--output FOLDER]
    tools/golden/make-importance-goldens.py --model FILE.onnx --images FOLDER --count N --json FILE

The first form writes the golden files of Tests/PartitioningTests: importance.onnx, a small network of
many kinds of layers, and importance.json with inputs, logits and scores. The second form scores any
network made of the same operators over photographs; FILE.json beside FILE.onnx says how an image
becomes an input, and images must already have the network's size. N images are taken at equal
distances from the sorted files below the folder.

Weighted layers are convolutions (depthwise ones too) and dense layers; a neuron is an output channel
or unit. Scales and shifts per channel that follow a layer (a bias of its own node, layer scale), and
those of a layer normalisation that it alone reads, are first taken into its weights and bias, in
float32, as Martlet does. The scores are those of RobustDiCE, Algorithm 1, step 1, in float64:

  s1  sum of |w| over the neuron's weights, plus |b|
  s2  sum of |dy/dw w| over its weights, plus |dy/db b|, where y is the sum over the images of the
      logit of the class with the largest one
  s3  mean over the images of the Jensen-Shannon divergence, in nats, between the softmax outputs with
      and without the neuron; without it, its channel is zero after its activation and before any
      addition of a residual

A neuron's channel is set to zero before the activation, which is the same thing because every
activation that is known here maps zero to zero; others are refused.
"""

import argparse
import io
import json
import pathlib
import sys
import warnings

try:
    import numpy as np
    import onnx
    import onnx.numpy_helper
    import onnxruntime
    import PIL.Image
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    sys.exit(
        f"make-importance-goldens: {error}\n"
        "It needs these packages: pip install torch onnx onnxruntime pillow numpy"
    )

SEED = 5
GOLDEN_INPUTS = 6


class Layer:
    """A weighted node: names of its weights, bias and output, and the axis of its neurons."""

    def __init__(self, node, weights, bias, output, axis):
        self.node, self.weights, self.bias = node, weights, bias
        self.output, self.axis = output, axis


class Network:
    """An ONNX file with static batch 1, run by PyTorch in float64 on any number of inputs."""

    def __init__(self, model):
        graph = model.graph
        self.constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        self.nodes, self.layers = [], []
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
            else:
                self.nodes.append(node)
        self.input = next(each for each in graph.input if each.name not in self.constants)
        self.output = graph.output[0].name
        for node in list(self.nodes):
            if node.op_type in ("Conv", "Gemm", "MatMul"):
                self.add_layer(node)
        self.parameters = {
            name: torch.from_numpy(value.copy()).double()
            for name, value in self.constants.items()
            if value.dtype == np.float32
        }

    def add_layer(self, node):
        """Brings a weighted node into one form: weights by neuron, one bias, scales folded."""
        if node.input[1] not in self.constants:
            sys.exit(f"make-importance-goldens: {node.name} has no constant weights")
        attributes = attributes_of(node)
        weights = self.constants[node.input[1]]
        if node.op_type == "MatMul" or (node.op_type == "Gemm" and not attributes.get("transB")):
            weights = weights.T
        if any(attributes.get(key, 1) != 1 for key in ("alpha", "beta")) or attributes.get("transA"):
            sys.exit(f"make-importance-goldens: {node.name} has alpha, beta or transA")
        given = self.constants[node.input[2]] if len(node.input) > 2 else None
        bias = np.zeros(len(weights), np.float32) if given is None else given
        if norm := self.normalisation(node, attributes):
            scale, shift = (self.constants[name].astype(np.float64) for name in norm.input[1:3])
            across = (1, -1, *[1] * (weights.ndim - 2))
            moved = (weights * shift.reshape(across)).reshape(len(weights), -1).sum(1)
            bias = (bias + moved).astype(np.float32)
            weights = (weights * scale.reshape(across)).astype(np.float32)
            for name, value in zip(norm.input[1:3], (1, 0)):
                plain = f"{norm.name}.{value}"
                self.constants[plain] = np.full_like(self.constants[name], value)
                norm.input[list(norm.input).index(name)] = plain
        output = node.output[0]
        while follower := self.per_channel(output, len(weights), node.op_type):
            operation, numbers = follower
            if operation.op_type == "Mul":
                weights = weights * numbers.reshape(-1, *[1] * (weights.ndim - 1))
                bias = bias * numbers
            else:
                bias = bias + numbers
            self.nodes.remove(operation)
            output = operation.output[0]
        names = f"{node.name}.weights", f"{node.name}.bias"
        self.constants.update(zip(names, (np.ascontiguousarray(weights), bias)))
        layer = Layer(node.name, *names, output, axis=1 if node.op_type == "Conv" else -1)
        self.layers.append(layer)
        del node.input[1:]
        node.input.extend(names)
        node.output[0] = output

    def normalisation(self, node, attributes):
        """The layer normalisation that only this node reads, if its scale and shift can move."""
        value = node.input[0]
        while True:
            makers = [each for each in self.nodes if value in each.output]
            readers = [each for each in self.nodes if value in each.input]
            if not makers or len(readers) != 1 or value == self.output:
                return None
            if makers[0].op_type != "Transpose":
                break
            value = makers[0].input[0]
        padded = any(attributes.get("pads", [])) or attributes.get("group", 1) != 1
        if makers[0].op_type != "LayerNormalization" or padded:
            return None
        return makers[0]

    def per_channel(self, value, neurons, kind):
        """The only reader of a value and its numbers, if it adds or multiplies one per neuron."""
        readers = [node for node in self.nodes if value in node.input]
        if len(readers) != 1 or readers[0].op_type not in ("Add", "Mul") or value == self.output:
            return None
        others = [name for name in readers[0].input if name != value]
        numbers = self.constants.get(others[0]) if others else None
        # Per channel of an image is [C, 1, 1]; per unit of the last axis is [C].
        shape = (neurons, 1, 1) if kind == "Conv" else (neurons,)
        if numbers is None or numbers.size != neurons or numbers.shape[-len(shape) :] != shape:
            return None
        return readers[0], numbers.reshape(-1)

    def run(self, inputs):
        """All values for a batch of inputs."""
        values = {self.input.name: inputs}
        self.evaluate(self.nodes, values)
        return values

    def rerun(self, values, layer, neuron):
        """The output when one neuron of a layer is zero."""
        changed = {layer.output: values[layer.output].clone()}
        changed[layer.output].select(layer.axis, neuron).zero_()
        overlay = {**values, **changed}
        affected = []
        for node in self.nodes:
            if node.output[0] != layer.output and any(name in changed for name in node.input):
                changed[node.output[0]] = None
                affected.append(node)
        self.evaluate(affected, overlay)
        return overlay[self.output]

    def evaluate(self, nodes, values):
        for node in nodes:
            operands = [
                values[name] if name in values else self.parameters[name] for name in node.input
            ]
            values[node.output[0]] = evaluate(node, operands)


def attributes_of(node):
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def window(attributes):
    """Kernel arguments of convolution and pooling; padding must be symmetric, as PyTorch wants."""
    pads = attributes.get("pads", [0, 0, 0, 0])
    automatic = attributes.get("auto_pad", b"NOTSET") != b"NOTSET"
    if pads[:2] != pads[2:] or attributes.get("ceil_mode") or automatic:
        sys.exit("make-importance-goldens: only symmetric explicit padding is supported")
    return {
        "stride": attributes.get("strides", [1, 1]),
        "padding": pads[:2],
        "dilation": attributes.get("dilations", [1, 1]),
    }


def evaluate(node, operands):
    attributes, x = attributes_of(node), operands[0]
    match node.op_type:
        case "Conv":
            groups = attributes.get("group", 1)
            return F.conv2d(x, *operands[1:], groups=groups, **window(attributes))
        case "Gemm" | "MatMul":
            return F.linear(x, *operands[1:])
        case "Relu":
            return F.relu(x)
        case "MaxPool":
            return F.max_pool2d(x, attributes["kernel_shape"], **window(attributes))
        case "GlobalAveragePool":
            return x.mean((2, 3), keepdim=True)
        case "LayerNormalization":
            if attributes.get("axis", -1) not in (-1, x.ndim - 1):
                sys.exit(f"make-importance-goldens: {node.name} is not over the last axis")
            epsilon = attributes.get("epsilon", 1e-5)
            return F.layer_norm(x, x.shape[-1:], operands[1], operands[2], epsilon)
        case "Transpose":
            return x.permute(attributes["perm"])
        case "Flatten":
            return x.flatten(attributes.get("axis", 1))
        case "Add":
            return x + operands[1]
        case "Mul":
            return x * operands[1]
        case "Div":
            return x / operands[1]
        case "Erf":
            return torch.erf(x)
        case other:
            sys.exit(f"make-importance-goldens: operator {other} of {node.name} is not known here")


def sensitivity(network, inputs):
    """s2 of each layer."""
    trained = [name for layer in network.layers for name in (layer.weights, layer.bias)]
    for name in trained:
        network.parameters[name].requires_grad_(True)
    logits = network.run(inputs)[network.output]
    logits.max(dim=1).values.sum().backward()
    scores = []
    for layer in network.layers:
        products = [
            (network.parameters[name].grad * network.parameters[name].detach()).abs()
            for name in (layer.weights, layer.bias)
        ]
        scores.append(products[0].flatten(1).sum(1) + products[1])
    for name in trained:
        network.parameters[name].requires_grad_(False)
    return scores


def divergence(first, second):
    """The Jensen-Shannon divergence of two batches of logits' distributions, in nats."""
    p, q = first.softmax(1), second.softmax(1)
    middle = ((p + q) / 2).log()
    terms = torch.special.xlogy(p, p) - p * middle + torch.special.xlogy(q, q) - q * middle
    # Rounding can take the sum for two equal distributions below zero.
    return (terms.sum(1) / 2).clamp(min=0)


def score(network, inputs, progress=False):
    """The scores of all layers and the complete network's logits."""
    s2 = sensitivity(network, inputs)
    results = []
    with torch.no_grad():
        values = network.run(inputs)
        complete = values[network.output]
        for layer, sensitivities in zip(network.layers, s2):
            weights, bias = network.parameters[layer.weights], network.parameters[layer.bias]
            s3 = [
                divergence(complete, network.rerun(values, layer, neuron)).mean().item()
                for neuron in range(len(weights))
            ]
            results.append(
                {
                    "node": layer.node,
                    "neurons": len(weights),
                    "s1": (weights.abs().flatten(1).sum(1) + bias.abs()).tolist(),
                    "s2": sensitivities.tolist(),
                    "s3": s3,
                }
            )
            if progress:
                print(f"{layer.node}: {len(weights)} neurons", file=sys.stderr, flush=True)
    return results, complete


def check(model, network, inputs, complete):
    """The file must give the same logits in onnxruntime, one input at a time."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for each, expected in zip(inputs.float().numpy(), complete.numpy()):
        logits = session.run(None, {network.input.name: each[None]})[0][0]
        if not np.allclose(logits, expected, rtol=1e-4, atol=1e-4):
            sys.exit("make-importance-goldens: onnxruntime gives other logits for the file")


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, value):
        return F.relu(value + self.second(F.relu(self.first(value))))


class PointwiseBlock(nn.Module):
    """As in ConvNeXt: depthwise convolution, layer normalisation, expansion, layer scale."""

    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.reduce = nn.Linear(2 * width, width)
        self.layer_scale = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, value):
        inner = self.norm(self.depthwise(value).permute(0, 2, 3, 1))
        inner = self.layer_scale * self.reduce(F.gelu(self.expand(inner)))
        return value + inner.permute(0, 3, 1, 2)


def golden_model():
    """A network of random weights, large enough that most neurons move the output measurably."""
    torch.manual_seed(SEED)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
        ResidualBlock(12), PointwiseBlock(12),
        nn.Conv2d(12, 14, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(14),
        nn.Linear(14, 10), nn.GELU(), nn.Linear(10, 5),
    ).eval()  # fmt: skip
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                # The default bounds make small networks nearly constant.
                module.weight.mul_(1.7)
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                # Mostly positive: a channel without input then still gives something after its
                # ReLU, so that removing it before and after the depthwise layer differs.
                module.bias.uniform_(-0.1, 0.4)
            if isinstance(module, nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
    output = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter warns that it is the older one; it is the one that folds batch norms.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (torch.zeros(1, 3, 12, 12),), output, dynamo=False, opset_version=17,
            input_names=["input"], output_names=["logits"],
        )  # fmt: skip
    return onnx.load_model_from_string(output.getvalue())


def write_goldens(folder):
    model = golden_model()
    # Two decimals, so that the text stands for the same float32 everywhere.
    values = np.random.default_rng(SEED).standard_normal((GOLDEN_INPUTS, 3, 12, 12)).round(2)
    values = values.astype(np.float32)
    inputs = torch.from_numpy(values).double()
    network = Network(onnx.load_model_from_string(model.SerializeToString()))
    layers, complete = score(network, inputs)
    check(model, network, inputs, complete)
    golden = {
        "model": "importance.onnx",
        "inputs": {
            "shape": list(values.shape),
            "values": [float(str(value)) for value in values.reshape(-1)],
        },
        "logits": complete.tolist(),
        "layers": layers,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "importance.onnx").write_bytes(model.SerializeToString())
    (folder / "importance.json").write_text(json.dumps(golden) + "\n")
    for layer in layers:
        print(f"{layer['node']}: {layer['neurons']} neurons, s3 {min(layer['s3']):.1e} "
              f"to {max(layer['s3']):.1e}")  # fmt: skip


def read_images(folder, count, preprocessing, shape):
    """The chosen files' names and the float64 inputs made of them."""
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    if not 1 <= count <= len(files):
        sys.exit(f"make-importance-goldens: --count must be 1 to {len(files)}, the files in {folder}")
    chosen = [files[index * len(files) // count] for index in range(count)]
    mode = {1: "L", 3: "RGB"}[preprocessing["channels"]]
    mean, deviation = (np.float32(preprocessing[key]) for key in ("mean", "deviation"))
    inputs = []
    for path in chosen:
        pixels = np.asarray(PIL.Image.open(path).convert(mode), dtype=np.float32)
        if list(pixels.shape[:2]) != shape[2:]:
            sys.exit(f"make-importance-goldens: {path} is {pixels.shape[:2]}, not {shape[2:]}")
        # In float32, as Martlet does.
        scaled = pixels.reshape(*shape[2:], -1) * np.float32(preprocessing["scale"])
        inputs.append(((scaled - mean) / deviation).transpose(2, 0, 1))
    names = [path.relative_to(folder).as_posix() for path in chosen]
    return names, torch.from_numpy(np.stack(inputs)).double()


def write_scores(arguments):
    model = onnx.load(arguments.model)
    network = Network(onnx.load(arguments.model))
    shape = [each.dim_value for each in network.input.type.tensor_type.shape.dim]
    card = json.loads(arguments.model.with_suffix(".json").read_text())
    names, inputs = read_images(arguments.images, arguments.count, card["preprocessing"], shape)
    layers, complete = score(network, inputs, progress=True)
    check(model, network, inputs, complete)
    result = {
        "model": arguments.model.name,
        "images": names,
        "classes": complete.argmax(1).tolist(),
        "layers": layers,
    }
    arguments.json.write_text(json.dumps(result) + "\n")


def main():
    tests = pathlib.Path(__file__).resolve().parents[2] / "Tests/PartitioningTests/Goldens"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=pathlib.Path, default=tests, help="folder of the goldens")
    parser.add_argument("--model", type=pathlib.Path, metavar="FILE", help="score this network")
    parser.add_argument("--images", type=pathlib.Path, metavar="FOLDER", help="calibration images")
    parser.add_argument("--count", type=int, metavar="N", help="how many of the images")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the scores of --model")
    parser.add_argument("--threads", type=int, default=2, help="threads that compute (2)")
    arguments = parser.parse_args()
    second_form = [arguments.model, arguments.images, arguments.count, arguments.json]
    torch.set_num_threads(max(1, arguments.threads))
    if all(each is not None for each in second_form):
        write_scores(arguments)
    elif any(each is not None for each in second_form):
        parser.error("--model, --images, --count and --json belong together")
    else:
        write_goldens(arguments.output)


if __name__ == "__main__":
    main()
