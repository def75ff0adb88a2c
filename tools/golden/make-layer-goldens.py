#!/usr/bin/env python3
"""Writes more golden vectors of Tests/GoldenTests, in the format of make-goldens.py: activations,
reductions, normalisations, transposed convolutions, blocks, conditions, and images with channels last.

    tools/golden/make-layer-goldens.py [FILE]
"""
import importlib.util
import os
import sys

import numpy as np

FOLDER = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("goldens", os.path.join(FOLDER, "make-goldens.py"))
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)
goldens.random = np.random.default_rng(16)
case, floats, ints, single = goldens.case, goldens.floats, goldens.ints, goldens.single


def activations():
    x = np.concatenate([floats(2, 3, 9) * 8, np.zeros((2, 3, 1), np.float32)], axis=2)
    for op in ("Softplus", "Softsign", "Elu", "Selu", "ThresholdedRelu"):
        single(op, op, x)
    for op in ("Celu", "Mish"):
        single(op, op, x, opset=18)
    single("Elu slope", "Elu", x, alpha=0.3)
    single("Selu slope", "Selu", x, alpha=2.0, gamma=0.5)
    single("Celu slope", "Celu", x, alpha=2.5)
    single("ThresholdedRelu threshold", "ThresholdedRelu", x, alpha=-2.0)
    single("Softplus of large numbers", "Softplus", floats(3, 9) * 200)
    case("Conv Mish Conv", [("Conv", ["x", "w"], ["a"], {}), ("Mish", ["a"], ["b"], {}), ("Conv", ["b", "v"], ["y"], {})],
         {"x": floats(1, 2, 6, 6)}, {"w": floats(3, 2, 3, 3), "v": floats(2, 3, 1, 1)}, opset=18)


def reductions():
    for op in ("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd", "ReduceLogSumExp", "ReduceLogSum"):
        x = floats(2, 3, 4, 5, low=0.2 if op in ("ReduceLogSum", "ReduceProd") else -1)
        for axes, keep in (([2, 3], 1), ([2, 3], 0), ([1], 0), ([-1], 1), ([0, 2], 0)):
            single(f"{op} {axes} {keep}", op, x, axes=axes, keepdims=keep)
        single(f"{op} all", op, x, keepdims=0)
        single(f"{op} opset 18", op, x, opset=18, constants={"a": ints(1, -1)})
    single("ReduceLogSumExp of large numbers", "ReduceLogSumExp", floats(3, 7) * 200, axes=[1])
    case("Max of three", [("Max", ["x", "x1", "c"], ["y"], {})], {"x": floats(2, 3, 4), "x1": floats(3, 1)}, {"c": floats(4)})
    case("Min of three", [("Min", ["x", "x1", "c"], ["y"], {})], {"x": floats(2, 3, 4), "x1": floats(3, 1)}, {"c": floats(4)})
    single("Max of one", "Max", floats(2, 3))
    ties = np.round(floats(2, 5, 4, 6) * 2).astype(np.float32)
    for op in ("ArgMax", "ArgMin"):
        for axis in (0, 1, -1):
            for keep in (0, 1):
                single_float(f"{op} {axis} {keep}", op, ties, axis=axis, keepdims=keep)
        single_float(f"{op} last", op, ties, axis=1, select_last_index=1)
        single_float(f"{op} last of row", op, ties, axis=3, select_last_index=1)
        single_float(f"{op} default", op, floats(70, 3))
    case("ArgMax as integers", [("ArgMax", ["x"], ["i"], {"axis": 1, "keepdims": 0}), ("Cast", ["i"], ["j"], {"to": 6}), ("Cast", ["j"], ["y"], {"to": 1})],
         {"x": ties})
    single("Hardmax", "Hardmax", ties)
    single("Hardmax 1", "Hardmax", ties, axis=1)
    single("Hardmax opset 11", "Hardmax", ties, opset=11, axis=2)


def single_float(name, op, x, **attributes):
    """A result of integers, cast to numbers as tests read them."""
    case(name, [(op, ["x"], ["i"], attributes), ("Cast", ["i"], ["y"], {"to": 1})], {"x": x})


def normalisations():
    for shape in ((2, 3, 4, 5), (1, 4, 9), (2, 2, 3, 4, 2)):
        single(f"InstanceNormalization {len(shape)}", "InstanceNormalization", floats(*shape),
               constants={"s": floats(shape[1], low=0.5), "b": floats(shape[1])})
    single("InstanceNormalization epsilon", "InstanceNormalization", floats(1, 3, 5, 5) * 0.1, epsilon=0.02,
           constants={"s": floats(3), "b": floats(3)})
    case("InstanceNormalization with computed scales", [("InstanceNormalization", ["x", "x1", "b"], ["y"], {})],
         {"x": floats(2, 3, 4, 5), "x1": floats(3)}, {"b": floats(3)})
    for groups in (1, 2, 6):
        single(f"GroupNormalization {groups}", "GroupNormalization", floats(2, 6, 3, 4), opset=18, num_groups=groups,
               constants={"s": floats(groups, low=0.5), "b": floats(groups)})
        single(f"GroupNormalization {groups} opset 21", "GroupNormalization", floats(2, 6, 3, 4), opset=21, num_groups=groups,
               epsilon=1e-3, constants={"s": floats(6, low=0.5), "b": floats(6)})
    zeros = floats(2, 3, 4)
    zeros[0, 1] = 0
    for p in (1, 2):
        single(f"LpNormalization {p}", "LpNormalization", zeros, p=p)
        single(f"LpNormalization {p} axis 1", "LpNormalization", floats(2, 3, 4), p=p, axis=1)
    for size in (1, 3, 5):
        single(f"LRN {size}", "LRN", floats(2, 7, 3, 4) * 3, size=size, alpha=0.5, beta=0.6, bias=1.5)
    single("LRN default", "LRN", floats(1, 5, 4, 4) * 9, size=5)
    single("MeanVarianceNormalization", "MeanVarianceNormalization", floats(2, 3, 4, 5), opset=13)
    single("MeanVarianceNormalization axes", "MeanVarianceNormalization", floats(2, 3, 4, 5), opset=13, axes=[2, 3])
    for axis in (-1, 1):
        count = (4,) if axis == -1 else (3, 4)
        single(f"RMSNormalization {axis}", "RMSNormalization", floats(2, 3, 4), opset=23, axis=axis, constants={"s": floats(*count)})
    case("LayerNormalization, other outputs unused",
         [("LayerNormalization", ["x", "s", "b"], ["y", "mean", "deviation"], {})],
         {"x": floats(2, 5, 6)}, {"s": floats(6), "b": floats(6)})
    case("Conv InstanceNormalization Relu Conv",
         [("Conv", ["x", "w"], ["a"], {}), ("InstanceNormalization", ["a", "s", "b"], ["c"], {}), ("Relu", ["c"], ["d"], {}),
          ("Conv", ["d", "v"], ["y"], {})],
         {"x": floats(1, 2, 6, 6)}, {"w": floats(4, 2, 3, 3), "s": floats(4), "b": floats(4), "v": floats(3, 4, 3, 3)})


def transposed():
    def conv(name, shape, weights, bias=True, **attributes):
        constants = {"w": floats(*weights)}
        if bias:
            constants["b"] = floats(weights[1] * attributes.get("group", 1))
        single(f"ConvTranspose {name}", "ConvTranspose", floats(*shape), constants=constants, **attributes)

    conv("3x3", (1, 3, 5, 6), (3, 4, 3, 3))
    conv("3x3 no bias", (1, 3, 5, 6), (3, 4, 3, 3), bias=False)
    conv("2x2 stride 2", (2, 4, 5, 6), (4, 3, 2, 2), strides=[2, 2])
    conv("4x4 stride 2", (1, 4, 5, 6), (4, 3, 4, 4), strides=[2, 2], pads=[1, 1, 1, 1])
    conv("3x3 stride 2 output padding", (1, 4, 5, 6), (4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    conv("stride 3 1", (1, 2, 4, 5), (2, 3, 2, 3), strides=[3, 1], pads=[0, 1, 1, 0], output_padding=[2, 0])
    conv("dilated", (1, 2, 4, 5), (2, 3, 3, 2), dilations=[2, 3])
    conv("dilated stride 2", (1, 2, 4, 5), (2, 3, 3, 2), dilations=[3, 2], strides=[2, 3], pads=[2, 1, 1, 0])
    conv("kernel smaller than stride", (1, 2, 4, 5), (2, 3, 1, 2), strides=[3, 3])
    conv("padding beyond the window", (1, 2, 7, 8), (2, 3, 2, 1), strides=[2, 1], pads=[2, 1, 3, 2])
    conv("grouped", (1, 6, 4, 4), (6, 2, 3, 3), group=3, strides=[2, 2])
    conv("grouped batch 2", (2, 4, 3, 5), (4, 3, 2, 2), group=2, pads=[1, 0, 0, 1])
    conv("depthwise", (1, 5, 4, 4), (5, 1, 4, 4), group=5, strides=[2, 2], pads=[1, 1, 1, 1])
    conv("depthwise stride 1", (1, 5, 4, 4), (5, 1, 3, 3), group=5)
    conv("1x1", (1, 5, 4, 4), (5, 6, 1, 1))
    for mode in ("SAME_UPPER", "SAME_LOWER"):
        conv(mode, (1, 2, 4, 5), (2, 3, 3, 4), auto_pad=mode, strides=[2, 3])
        conv(f"{mode} odd", (1, 2, 4, 5), (2, 3, 4, 3), auto_pad=mode, strides=[1, 2])
    conv("VALID", (1, 2, 4, 5), (2, 3, 3, 3), auto_pad="VALID", strides=[2, 2])
    conv("output shape", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], output_shape=[8, 10])
    conv("output shape upper", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], output_shape=[8, 10], auto_pad="SAME_UPPER")
    conv("output shape beyond", (1, 2, 4, 5), (2, 3, 2, 2), strides=[3, 3], output_shape=[12, 15])
    conv("1-D", (2, 3, 7), (3, 4, 3), strides=[2], pads=[1, 1], output_padding=[1])
    conv("1-D grouped", (1, 4, 7), (4, 2, 4), strides=[3], group=2)
    conv("many cells", (1, 2, 33, 34), (2, 2, 2, 2), strides=[2, 2])
    # What is between the cells, and at the border, is 0: neither a shift nor padding before may be taken into the layer.
    case("ConvTranspose of shifted channels",
         [("Transpose", ["x"], ["t"], {"perm": [0, 2, 3, 1]}), ("LayerNormalization", ["t", "s", "b"], ["n"], {}),
          ("Transpose", ["n"], ["c"], {"perm": [0, 3, 1, 2]}), ("ConvTranspose", ["c", "w"], ["y"], {"strides": [2, 2]})],
         {"x": floats(1, 4, 3, 3)}, {"s": floats(4), "b": floats(4, low=0.5), "w": floats(4, 3, 3, 3)})
    case("ConvTranspose of a padded image",
         [("Pad", ["x", "p"], ["c"], {}), ("ConvTranspose", ["c", "w"], ["y"], {"strides": [2, 2], "pads": [1, 1, 1, 1]})],
         {"x": floats(1, 2, 3, 3)}, {"p": ints(0, 0, 1, 2, 0, 0, 0, 1), "w": floats(2, 3, 3, 3)})
    case("ConvTranspose in a hourglass",
         [("Conv", ["x", "w"], ["a"], {"strides": [2, 2]}), ("Relu", ["a"], ["b"], {}), ("ConvTranspose", ["b", "u", "c"], ["d"], {"strides": [2, 2]}),
          ("BatchNormalization", ["d", "s", "c", "m", "v"], ["e"], {}), ("LeakyRelu", ["e"], ["f"], {}), ("Concat", ["f", "x"], ["g"], {"axis": 1}),
          ("Conv", ["g", "k"], ["y"], {})],
         {"x": floats(1, 2, 6, 6)},
         {"w": floats(4, 2, 2, 2), "u": floats(4, 3, 2, 2), "c": floats(3), "s": floats(3), "m": floats(3), "v": floats(3, low=0.5), "k": floats(2, 5, 1, 1)})


def blocks():
    for mode in ("DCR", "CRD"):
        single(f"DepthToSpace {mode}", "DepthToSpace", floats(2, 12, 3, 4), blocksize=2, mode=mode)
    single("DepthToSpace 3", "DepthToSpace", floats(1, 9, 2, 3), blocksize=3)
    single("DepthToSpace opset 7", "DepthToSpace", floats(1, 8, 2, 3), opset=7, blocksize=2)
    single("SpaceToDepth", "SpaceToDepth", floats(2, 3, 4, 6), blocksize=2)
    single("Tile", "Tile", floats(2, 3, 4), constants={"r": ints(1, 2, 3)})
    single("Tile channels", "Tile", floats(1, 3, 2, 2), constants={"r": ints(2, 3, 1, 1)})
    single("Tile nothing", "Tile", floats(2, 3), constants={"r": ints(1, 1)})


def conditions():
    x, other = np.round(floats(2, 3, 4) * 2), np.round(floats(3, 1) * 2)
    for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
        case(f"{op} computed", [(op, ["x", "x1"], ["b"], {}), ("Cast", ["b"], ["y"], {"to": 1})],
             {"x": x.astype(np.float32), "x1": other.astype(np.float32)})
        case(f"{op} constant", [(op, ["c", "x"], ["b"], {}), ("Cast", ["b"], ["y"], {"to": 1})],
             {"x": x.astype(np.float32)}, {"c": np.float32(1)})
    case("Cast to bool", [("Cast", ["x"], ["b"], {"to": 9}), ("Not", ["b"], ["n"], {}), ("Cast", ["n"], ["i"], {"to": 7}), ("Cast", ["i"], ["y"], {"to": 1})],
         {"x": x.astype(np.float32)})
    for op in ("And", "Or", "Xor"):
        case(op, [("Less", ["x", "c"], ["a"], {}), ("Greater", ["x1", "c"], ["b"], {}), (op, ["a", "b"], ["d"], {}), ("Not", ["d"], ["e"], {}),
                  ("Cast", ["e"], ["y"], {"to": 1})],
             {"x": floats(2, 3, 4), "x1": floats(3, 1)}, {"c": np.float32(0.2)})
    case("Where", [("Less", ["x", "c"], ["b"], {}), ("Where", ["b", "x", "x1"], ["y"], {})],
         {"x": floats(2, 3, 4), "x1": floats(3, 1)}, {"c": floats(4)})
    case("Where of constants", [("Greater", ["x", "c"], ["b"], {}), ("Where", ["b", "k", "z"], ["y"], {})],
         {"x": floats(2, 3, 4)}, {"c": np.float32(0), "k": floats(1, 3, 1), "z": np.float32(-1)})
    case("Where with a constant mask", [("Where", ["m", "x", "z"], ["y"], {})],
         {"x": floats(2, 4, 4)}, {"m": np.tril(np.ones((4, 4), bool)), "z": np.float32(-9)})
    case("Where widening", [("Less", ["x", "c"], ["b"], {}), ("Where", ["b", "x1", "x2"], ["y"], {})],
         {"x": floats(3, 1, 1), "x1": floats(2, 1), "x2": floats(5)}, {"c": np.float32(0)})


def sums():
    def einsum(equation, *shapes, constant=None):
        inputs = {("x" if i == 0 else f"x{i}"): floats(*shape) for i, shape in enumerate(shapes)}
        constants = {"c": floats(*constant)} if constant else {}
        case(f"Einsum {equation}", [("Einsum", [*inputs, *constants], ["y"], {"equation": equation})], inputs, constants)

    einsum("ij,jk->ik", (3, 4), (4, 5))
    einsum("bij,bjk->bik", (2, 3, 4), (2, 4, 5))
    einsum("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4))
    einsum("bhij,bhjd->bhid", (2, 2, 3, 5), (2, 2, 5, 4))
    einsum("bthd,bshd->bhts", (2, 3, 2, 4), (2, 5, 2, 4))
    einsum("b i d , d o -> b i o", (2, 3, 4), constant=(4, 5))
    einsum("bhwc,hkc->bhwk", (2, 3, 4, 5), constant=(3, 4, 5))
    einsum("nctw,cd->ndtw", (2, 3, 4, 5), constant=(3, 6))
    einsum("ij,ij->", (3, 4), (3, 4))
    einsum("i,j->ij", (3,), (4,))
    einsum("ij->ji", (3, 4))
    einsum("ijk->j", (2, 3, 4))
    einsum("ij,jk", (3, 4), (4, 5))
    einsum("ij,jk,kl->il", (3, 4), (4, 5), (5, 2))
    einsum("abc,cd->ad", (2, 3, 4), (4, 5))


def channels_last():
    into, back = {"perm": [0, 3, 1, 2]}, {"perm": [0, 2, 3, 1]}
    case("channels last",
         [("Transpose", ["x"], ["a"], into), ("Conv", ["a", "w"], ["b"], {"strides": [2, 2]}), ("Relu", ["b"], ["c"], {}),
          ("Conv", ["c", "v"], ["d"], {}), ("Transpose", ["d"], ["y"], back)],
         {"x": floats(1, 7, 8, 3)}, {"w": floats(4, 3, 3, 3), "v": floats(2, 4, 1, 1)})
    case("channels last, scaled first",
         [("Sub", ["x", "m"], ["s"], {}), ("Transpose", ["s"], ["a"], into), ("Conv", ["a", "w"], ["b"], {}),
          ("GlobalAveragePool", ["b"], ["c"], {}), ("Flatten", ["c"], ["y"], {})],
         {"x": floats(1, 7, 8, 3)}, {"m": floats(3), "w": floats(4, 3, 3, 3)})


if __name__ == "__main__":
    for part in (activations, reductions, normalisations, transposed, blocks, conditions, sums, channels_last):
        part()
    root = os.path.dirname(os.path.dirname(FOLDER))
    goldens.write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "Tests/GoldenTests/Resources/layers.golden"))
