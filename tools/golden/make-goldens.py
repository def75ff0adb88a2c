#!/usr/bin/env python3
"""Writes the golden vectors of Tests/GoldenTests: small ONNX models with inputs and the outputs of
onnxruntime.

    tools/golden/make-goldens.py [FILE]

Needs numpy, onnx and onnxruntime. The file is a magic line and then, per case: name, model, inputs,
outputs. Strings and models are a 32-bit length and bytes; lists a 32-bit count; tensors a 32-bit rank,
32-bit extents and float32 elements. Everything is little-endian.
"""
import os
import struct
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CASES = []
random = np.random.default_rng(20)


def floats(*shape, low=-1.0, high=1.0):
    return random.uniform(low, high, shape).astype(np.float32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def case(name, nodes, inputs, constants=None, opset=17, outputs=("y",)):
    """One case: nodes are (operator, inputs, outputs, attributes); x, x1, ... are the inputs."""
    made = [helper.make_node(op, list(i), list(o), **attributes) for op, i, o, attributes in nodes]
    graph = helper.make_graph(
        made, name,
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, value.shape) for key, value in inputs.items()],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, None) for key in outputs],
        [numpy_helper.from_array(value, key) for key, value in (constants or {}).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # The plain definition of each operator, not a fused one.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, inputs)
    assert all(np.isfinite(r).all() for r in results), name
    CASES.append((name, model.SerializeToString(), list(inputs.values()), results))


def single(name, op, x, extra=None, opset=17, constants=None, outputs=("y",), **attributes):
    """A case of one operator: x, then constants in order."""
    constants = constants or {}
    case(name, [(op, ["x", *(extra or list(constants))], list(outputs), attributes)], {"x": x}, constants, opset, outputs)


def convolutions():
    def conv(name, shape, weights, bias=True, **attributes):
        constants = {"w": floats(*weights)}
        if bias:
            constants["b"] = floats(weights[0])
        single(f"Conv {name}", "Conv", floats(*shape), constants=constants, **attributes)

    conv("3x3", (1, 3, 7, 8), (4, 3, 3, 3))
    conv("3x3 no bias", (1, 3, 7, 8), (4, 3, 3, 3), bias=False)
    conv("batch 2", (2, 3, 6, 5), (5, 3, 3, 3), pads=[1, 1, 1, 1])
    conv("stride 2", (1, 3, 9, 9), (4, 3, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    conv("stride 2 1", (1, 3, 9, 8), (4, 3, 3, 2), pads=[1, 0, 1, 2], strides=[2, 1])
    conv("dilated", (1, 2, 11, 10), (3, 2, 3, 3), pads=[2, 2, 2, 2], dilations=[2, 3])
    conv("1x1", (1, 8, 5, 6), (7, 8, 1, 1))
    conv("1x1 stride 2", (1, 8, 5, 6), (7, 8, 1, 1), strides=[2, 2])
    conv("1x1 padded", (1, 4, 3, 3), (5, 4, 1, 1), pads=[1, 1, 1, 1])
    conv("grouped", (1, 6, 6, 6), (8, 3, 3, 3), group=2, pads=[1, 1, 1, 1])
    conv("grouped 3", (1, 6, 6, 6), (9, 2, 1, 1), group=3)
    conv("depthwise", (1, 6, 9, 7), (6, 1, 3, 3), group=6, pads=[1, 1, 1, 1])
    conv("depthwise stride 2", (1, 6, 9, 8), (6, 1, 5, 5), group=6, pads=[2, 2, 2, 2], strides=[2, 2])
    conv("depthwise 7x7", (1, 4, 14, 14), (4, 1, 7, 7), group=4, pads=[3, 3, 3, 3])
    conv("depthwise dilated", (1, 4, 9, 9), (4, 1, 3, 3), group=4, dilations=[2, 2])
    conv("depthwise multiplier 2", (1, 3, 7, 7), (6, 1, 3, 3), group=3)
    conv("11x11 stride 4", (1, 3, 31, 31), (4, 3, 11, 11), pads=[2, 2, 2, 2], strides=[4, 4])
    conv("patch", (1, 3, 8, 8), (6, 3, 4, 4), strides=[4, 4])
    conv("asymmetric padding", (1, 2, 6, 6), (3, 2, 3, 3), pads=[0, 1, 2, 0])
    conv("SAME_UPPER", (1, 2, 7, 8), (3, 2, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    conv("SAME_LOWER", (1, 2, 7, 8), (3, 2, 3, 2), auto_pad="SAME_LOWER", strides=[2, 3])
    conv("VALID", (1, 2, 7, 8), (3, 2, 3, 3), auto_pad="VALID")
    conv("1-D", (2, 3, 12), (4, 3, 3), pads=[1, 1], strides=[2])
    conv("1-D dilated", (1, 3, 12), (4, 3, 3), dilations=[2])
    conv("tiny image", (1, 4, 1, 1), (5, 4, 3, 3), pads=[1, 1, 1, 1])
    conv("one row", (1, 3, 1, 9), (4, 3, 1, 3))


def pooling():
    for op in ("MaxPool", "AveragePool"):
        def pool(name, shape, opset=17, **attributes):
            single(f"{op} {name}", op, floats(*shape), opset=opset, **attributes)

        pool("2x2", (1, 3, 8, 6), kernel_shape=[2, 2], strides=[2, 2])
        pool("3x3 stride 2", (2, 2, 9, 7), kernel_shape=[3, 3], strides=[2, 2])
        pool("padded", (1, 3, 8, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        pool("ceiling", (1, 3, 8, 6), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        pool("ceiling 2x2", (1, 2, 7, 5), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        pool("ceiling padded", (1, 2, 8, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
        pool("asymmetric", (1, 2, 6, 7), kernel_shape=[3, 2], strides=[1, 2], pads=[0, 1, 2, 0])
        pool("SAME_UPPER", (1, 2, 7, 7), kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        pool("1-D", (1, 3, 9), kernel_shape=[3], strides=[2])
    single("MaxPool dilated", "MaxPool", floats(1, 2, 9, 9), kernel_shape=[3, 3], dilations=[2, 2])
    for ceil in (0, 1):
        single(f"AveragePool counts padding {ceil}", "AveragePool", floats(1, 2, 8, 8), opset=19,
               kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=ceil)
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        single(op, op, floats(2, 3, 5, 4))
    single("AveragePool identity", "AveragePool", floats(1, 2, 3, 3), kernel_shape=[1, 1], strides=[1, 1])


def products():
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        single(f"Gemm {a}{b}", "Gemm", floats(*((4, 3) if a else (3, 4))), transA=a, transB=b, alpha=0.5, beta=2.0,
               constants={"w": floats(*((5, 4) if b else (4, 5))), "b": floats(5)})
    single("Gemm no bias", "Gemm", floats(1, 6), transB=1, constants={"w": floats(4, 6)})
    single("Gemm matrix bias", "Gemm", floats(3, 4), constants={"w": floats(4, 5), "b": floats(3, 5)})
    single("Gemm scalar bias", "Gemm", floats(3, 4), constants={"w": floats(4, 5), "b": floats(1)})
    case("Gemm computed", [("Gemm", ["x", "x1"], ["y"], {"transB": 1, "alpha": 0.25})],
         {"x": floats(3, 4), "x1": floats(2, 4)})
    single("MatMul constant", "MatMul", floats(2, 3, 4), constants={"w": floats(4, 5)})
    single("MatMul batched constant", "MatMul", floats(2, 3, 4), constants={"w": floats(2, 4, 5)})
    single("MatMul column", "MatMul", floats(2, 3, 4), constants={"w": floats(4)})
    case("MatMul computed", [("MatMul", ["x", "x1"], ["y"], {})], {"x": floats(2, 3, 4), "x1": floats(2, 4, 5)})
    case("MatMul broadcast", [("MatMul", ["x", "x1"], ["y"], {})], {"x": floats(2, 1, 3, 4), "x1": floats(3, 4, 2)})
    case("MatMul row", [("MatMul", ["w", "x"], ["y"], {})], {"x": floats(4, 5)}, {"w": floats(4)})
    case("MatMul constant left", [("MatMul", ["w", "x"], ["y"], {})], {"x": floats(4, 5)}, {"w": floats(3, 4)})


def normalisations():
    def batch_norm(channels):
        return {"s": floats(channels, low=0.5), "b": floats(channels), "m": floats(channels), "v": floats(channels, low=0.2, high=2)}

    single("BatchNormalization", "BatchNormalization", floats(2, 3, 4, 4), constants=batch_norm(3))
    single("BatchNormalization matrix", "BatchNormalization", floats(2, 3), constants=batch_norm(3), epsilon=1e-3)
    names = list(batch_norm(4))
    for group in (1, 2, 4):
        case(f"Conv BatchNormalization group {group}",
             [("Conv", ["x", "w", "c"], ["t"], {"pads": [1, 1, 1, 1], "group": group}),
              ("BatchNormalization", ["t", *names], ["u"], {}), ("Relu", ["u"], ["y"], {})],
             {"x": floats(1, 4, 5, 5)}, {"w": floats(4, 4 // group, 3, 3), "c": floats(4), **batch_norm(4)})
    case("Conv read twice, BatchNormalization",
         [("Conv", ["x", "w"], ["t"], {}), ("BatchNormalization", ["t", *names], ["u"], {}), ("Add", ["t", "u"], ["y"], {})],
         {"x": floats(1, 2, 5, 5)}, {"w": floats(4, 2, 3, 3), **batch_norm(4)})
    case("BatchNormalization Relu Conv",
         [("BatchNormalization", ["x", *names], ["t"], {}), ("Relu", ["t"], ["u"], {}), ("Conv", ["u", "w"], ["y"], {})],
         {"x": floats(1, 4, 5, 5)}, {"w": floats(3, 4, 3, 3), **batch_norm(4)})
    case("Gemm BatchNormalization",
         [("Gemm", ["x", "w", "c"], ["t"], {}), ("BatchNormalization", ["t", *names], ["y"], {})],
         {"x": floats(2, 3)}, {"w": floats(3, 4), "c": floats(4), **batch_norm(4)})
    single("LayerNormalization", "LayerNormalization", floats(2, 5, 6), constants={"s": floats(6), "b": floats(6)})
    single("LayerNormalization no shift", "LayerNormalization", floats(2, 5, 6), constants={"s": floats(6)}, epsilon=1e-2)
    single("LayerNormalization axis 1", "LayerNormalization", floats(2, 3, 4), constants={"s": floats(3, 4), "b": floats(3, 4)}, axis=1)
    case("LayerNormalization channels",
         [("Transpose", ["x"], ["t"], {"perm": [0, 2, 3, 1]}), ("LayerNormalization", ["t", "s", "b"], ["u"], {"epsilon": 1e-6}),
          ("Transpose", ["u"], ["y"], {"perm": [0, 3, 1, 2]})],
         {"x": floats(2, 6, 3, 4)}, {"s": floats(6), "b": floats(6)})
    two = np.array(2, dtype=np.float32)
    for form in ("divide", "reciprocal"):
        tail = ([("Div", ["d", "r"], ["n"], {})] if form == "divide"
                else [("Reciprocal", ["r"], ["q"], {}), ("Mul", ["d", "q"], ["n"], {})])
        case(f"LayerNormalization decomposed {form}",
             [("ReduceMean", ["x"], ["m"], {"axes": [-1]}), ("Sub", ["x", "m"], ["d"], {}), ("Pow", ["d", "two"], ["p"], {}),
              ("ReduceMean", ["p"], ["v"], {"axes": [-1]}), ("Add", ["v", "e"], ["a"], {}), ("Sqrt", ["a"], ["r"], {}),
              *tail, ("Mul", ["n", "s"], ["k"], {}), ("Add", ["k", "b"], ["y"], {})],
             {"x": floats(2, 5, 6)}, {"two": two, "e": np.array(1e-5, dtype=np.float32), "s": floats(6), "b": floats(6)}, opset=13)
    for op in ("Softmax", "LogSoftmax"):
        for opset in (11, 13):
            for axis in (1, 2):
                single(f"{op} {axis} opset {opset}", op, floats(2, 3, 4) * 5, opset=opset, axis=axis)
        single(f"{op} default", op, floats(3, 10) * 20)
    for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"):
        for axes, keep in (([2, 3], 1), ([2, 3], 0), ([1], 0), ([-1], 1), ([0, 2], 0)):
            if op == "ReduceSum":
                single(f"{op} {axes} {keep}", op, floats(2, 3, 4, 5), constants={"a": ints(*axes)}, keepdims=keep)
            else:
                single(f"{op} {axes} {keep}", op, floats(2, 3, 4, 5), axes=axes, keepdims=keep)
        single(f"{op} all", op, floats(2, 3, 4), keepdims=0)
        single(f"{op} opset 18", op, floats(2, 3, 4), opset=18, constants={"a": ints(1)})


def elementwise():
    for op in ("Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Erf", "Exp", "Neg", "Abs", "Floor", "Ceil"):
        single(op, op, np.concatenate([floats(2, 3, 9) * 8, np.zeros((2, 3, 1), np.float32)], axis=2))
    for op in ("Sqrt", "Log", "Reciprocal"):
        single(op, op, floats(2, 3, 9, low=0.1, high=9))
    single("LeakyRelu slope", "LeakyRelu", floats(2, 9), alpha=0.3)
    single("HardSigmoid slope", "HardSigmoid", floats(2, 9) * 8, alpha=0.1, beta=0.4)
    single("PRelu scalar", "PRelu", floats(2, 3, 4, 4), constants={"s": np.array([0.2], np.float32)})
    single("PRelu channels", "PRelu", floats(2, 3, 4, 4), constants={"s": floats(3, 1, 1)})
    for approximate in ("none", "tanh"):
        single(f"Gelu {approximate}", "Gelu", floats(2, 3, 10) * 5, opset=20, approximate=approximate)
    bounds = {"a": np.array(-0.5, np.float32), "b": np.array(0.25, np.float32)}
    single("Clip", "Clip", floats(2, 9), constants=bounds)
    single("Clip maximum", "Clip", floats(2, 9), extra=["", "b"], constants=bounds)
    single("Clip opset 7", "Clip", floats(2, 9) * 9, opset=7, min=0.0, max=6.0)
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        single(f"{op} constant", op, floats(2, 3, 4, 4), constants={"c": floats(3, 1, 1, low=0.5)})
        case(f"{op} computed", [(op, ["x", "x1"], ["y"], {})], {"x": floats(2, 3, 4, 4), "x1": floats(2, 3, 1, 1, low=0.5)})
        case(f"{op} widening", [(op, ["x", "x1"], ["y"], {})], {"x": floats(3, 1), "x1": floats(2, 1, 4, low=0.5)})
    case("Sub from constant", [("Sub", ["c", "x"], ["y"], {})], {"x": floats(2, 3)}, {"c": floats(3)})
    case("Sum", [("Sum", ["x", "x1", "x"], ["y"], {})], {"x": floats(2, 3), "x1": floats(2, 3)})
    single("Pow 2", "Pow", floats(2, 9), constants={"e": np.array(2, np.float32)})
    single("Pow 1.5", "Pow", floats(2, 9, low=0.1), constants={"e": np.array(1.5, np.float32)})
    single("Pow integer", "Pow", floats(2, 9), constants={"e": np.array(3, np.int64)})
    one, half = np.array(1, np.float32), np.array(0.5, np.float32)
    root = np.array(np.sqrt(2), np.float32)
    case("Gelu decomposed",
         [("Div", ["x", "r"], ["a"], {}), ("Erf", ["a"], ["e"], {}), ("Add", ["e", "o"], ["s"], {}), ("Mul", ["x", "s"], ["m"], {}), ("Mul", ["m", "h"], ["y"], {})],
         {"x": floats(2, 3, 10) * 5}, {"r": root, "o": one, "h": half})
    case("Gelu decomposed, half first",
         [("Mul", ["x", "h"], ["k"], {}), ("Mul", ["x", "r"], ["a"], {}), ("Erf", ["a"], ["e"], {}), ("Add", ["o", "e"], ["s"], {}), ("Mul", ["k", "s"], ["y"], {})],
         {"x": floats(2, 3, 10) * 5}, {"r": 1 / root, "o": one, "h": half})
    case("Swish", [("Sigmoid", ["x"], ["s"], {}), ("Mul", ["x", "s"], ["y"], {})], {"x": floats(2, 10) * 5})
    three, six, zero = np.array(3, np.float32), np.array(6, np.float32), np.array(0, np.float32)
    case("HardSwish decomposed",
         [("Add", ["x", "t"], ["a"], {}), ("Clip", ["a", "z", "s"], ["c"], {}), ("Mul", ["x", "c"], ["m"], {}), ("Div", ["m", "s"], ["y"], {})],
         {"x": floats(2, 20) * 5}, {"t": three, "s": six, "z": zero})


def arrangements():
    x = floats(2, 3, 4, 5)
    case("Concat", [("Concat", ["x", "x1", "x"], ["y"], {"axis": 1})], {"x": floats(2, 3, 4), "x1": floats(2, 1, 4)})
    case("Concat last", [("Concat", ["x", "x1"], ["y"], {"axis": -1})], {"x": floats(2, 3, 4), "x1": floats(2, 3, 2)})
    case("Split", [("Split", ["x", "s"], ["a", "b"], {"axis": 1}), ("Concat", ["b", "a"], ["y"], {"axis": 1})], {"x": x}, {"s": ints(1, 2)})
    case("Split equal opset 11", [("Split", ["x"], ["a", "b"], {"axis": 2}), ("Sub", ["a", "b"], ["y"], {})], {"x": x}, opset=11)
    case("Split uneven opset 18", [("Split", ["x"], ["a", "b"], {"axis": 1, "num_outputs": 2}), ("Sub", ["a", "b"], ["y"], {})], {"x": x}, opset=18)
    single("Slice", "Slice", x, constants={"s": ints(1, -3), "e": ints(9, -1), "a": ints(2, -1)})
    single("Slice backwards", "Slice", x, constants={"s": ints(-1), "e": ints(-100), "a": ints(3), "t": ints(-2)})
    single("Slice steps", "Slice", x, constants={"s": ints(0, 1), "e": ints(4, 5), "a": ints(2, 3), "t": ints(2, 3)})
    single("Slice opset 9", "Slice", x, opset=9, starts=[1, 0], ends=[3, 2], axes=[1, 2])
    for perm in ([0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 3, 2]):
        single(f"Transpose {perm}", "Transpose", x, perm=perm)
    single("Transpose default", "Transpose", floats(3, 4))
    single("Reshape", "Reshape", x, constants={"s": ints(0, -1, 10)})
    for axis in (0, 1, 2, -1, 4):
        single(f"Flatten {axis}", "Flatten", x, axis=axis)
    single("Squeeze", "Squeeze", floats(1, 3, 1, 2), constants={"a": ints(0, -2)})
    single("Squeeze opset 11", "Squeeze", floats(1, 3, 1, 2), opset=11, axes=[2])
    single("Squeeze all", "Squeeze", floats(1, 3, 1, 2))
    single("Unsqueeze", "Unsqueeze", floats(3, 2), constants={"a": ints(0, -1)})
    single("Unsqueeze opset 11", "Unsqueeze", floats(3, 2), opset=11, axes=[1])
    pads = {"p": ints(0, 0, 1, 2, 0, 0, 2, 1)}
    single("Pad", "Pad", x, constants={**pads, "v": np.array(0.5, np.float32)})
    single("Pad cropping", "Pad", x, constants={"p": ints(0, -1, 1, 0, 0, 1, -2, 0)})
    single("Pad reflect", "Pad", x, constants=pads, mode="reflect")
    single("Pad edge", "Pad", x, constants=pads, mode="edge")
    single("Pad opset 9", "Pad", x, opset=9, pads=[0, 0, 1, 1, 0, 0, 1, 1], value=1.0)
    case("Pad Conv", [("Pad", ["x", "p"], ["t"], {}), ("Conv", ["t", "w"], ["y"], {"strides": [2, 2], "pads": [1, 0, 0, 0]})],
         {"x": floats(1, 2, 6, 6)}, {"p": ints(0, 0, 0, 1, 0, 0, 1, 1), "w": floats(3, 2, 3, 3)})
    case("Pad one Conv", [("Pad", ["x", "p", "v"], ["t"], {}), ("Conv", ["t", "w"], ["y"], {})],
         {"x": floats(1, 2, 6, 6)}, {"p": ints(0, 0, 0, 1, 0, 0, 1, 1), "v": np.array(1, np.float32), "w": floats(3, 2, 3, 3)})
    case("Identity and Dropout", [("Identity", ["x"], ["t"], {}), ("Dropout", ["t"], ["u"], {}), ("Relu", ["u"], ["y"], {})], {"x": floats(2, 3)})
    case("Identity of an input", [("Identity", ["x"], ["y"], {})], {"x": floats(2, 3)})
    case("one value, two outputs", [("Relu", ["x"], ["y"], {}), ("Identity", ["y"], ["z"], {})], {"x": floats(2, 3)}, outputs=("y", "z"))
    case("Gather scalar", [("Gather", ["x", "i"], ["y"], {"axis": 1})], {"x": x}, {"i": np.array(-1, np.int64)})
    case("Gather list", [("Gather", ["x", "i"], ["y"], {"axis": 2})], {"x": x}, {"i": ints(3, 0, 0)})
    case("Gather matrix", [("Gather", ["x", "i"], ["y"], {"axis": 0})], {"x": x}, {"i": np.array([[1, 0], [0, 1]], np.int64)})
    single("Expand", "Expand", floats(3, 1), constants={"s": ints(2, 1, 4)})
    case("Flatten computed",
         [("Shape", ["x"], ["s"], {}), ("Gather", ["s", "z"], ["n"], {}), ("Unsqueeze", ["n", "a"], ["u"], {}),
          ("Concat", ["u", "m"], ["t"], {"axis": 0}), ("Reshape", ["x", "t"], ["y"], {})],
         {"x": x}, {"z": np.array(0, np.int64), "a": ints(0), "m": ints(-1)})
    case("shape arithmetic",
         [("Shape", ["x"], ["s"], {}), ("ConstantOfShape", ["k"], ["c"], {"value": numpy_helper.from_array(ints(2))}),
          ("Mul", ["s", "c"], ["d"], {}), ("Div", ["d", "c"], ["q"], {}), ("Equal", ["q", "s"], ["e"], {}),
          ("Where", ["e", "q", "d"], ["w"], {}), ("Cast", ["w"], ["f"], {"to": 1}), ("Cast", ["f"], ["i"], {"to": 7}),
          ("Range", ["r0", "r1", "r2"], ["g"], {}), ("Cast", ["g"], ["h"], {"to": 1}), ("Expand", ["x", "i"], ["v"], {}), ("Add", ["v", "h"], ["y"], {})],
         {"x": x}, {"k": ints(4), "r0": np.array(0, np.int64), "r1": np.array(5, np.int64), "r2": np.array(1, np.int64)})


def networks():
    """Small graphs as exporters write them, for the passes that work on several nodes."""
    c, m = 6, 8
    case("NHWC block",
         [("Conv", ["x", "dw"], ["a"], {"group": c, "pads": [3, 3, 3, 3]}), ("Transpose", ["a"], ["b"], {"perm": [0, 2, 3, 1]}),
          ("LayerNormalization", ["b", "s", "o"], ["d"], {"epsilon": 1e-6}), ("MatMul", ["d", "w1"], ["e"], {}), ("Add", ["b1", "e"], ["f"], {}),
          ("Relu", ["f"], ["g"], {}), ("MatMul", ["g", "w2"], ["h"], {}), ("Add", ["b2", "h"], ["i"], {}),
          ("Transpose", ["i"], ["j"], {"perm": [0, 3, 1, 2]}), ("Mul", ["ls", "j"], ["k"], {}), ("Add", ["k", "x"], ["y"], {})],
         {"x": floats(2, c, 5, 4)},
         {"dw": floats(c, 1, 7, 7), "s": floats(c), "o": floats(c), "w1": floats(c, m), "b1": floats(m), "w2": floats(m, c), "b2": floats(c), "ls": floats(c, 1, 1)})
    case("NHWC head",
         [("Transpose", ["x"], ["a"], {"perm": [0, 2, 3, 1]}), ("Mul", ["a", "s"], ["b"], {}), ("ReduceMean", ["b"], ["m"], {"axes": [1, 2], "keepdims": 0}),
          ("Gemm", ["m", "w"], ["y"], {})],
         {"x": floats(2, c, 5, 4)}, {"s": floats(c), "w": floats(c, 3)})
    case("NHWC residual and softmax",
         [("Transpose", ["x"], ["a"], {"perm": [0, 2, 3, 1]}), ("Transpose", ["x1"], ["b"], {"perm": [0, 2, 3, 1]}), ("Add", ["a", "b"], ["d"], {}),
          ("Concat", ["d", "a"], ["e"], {"axis": 3}), ("Softmax", ["e"], ["y"], {"axis": 3})],
         {"x": floats(1, 3, 4, 5), "x1": floats(1, 3, 4, 5)})
    case("NHWC slice and pad",
         [("Transpose", ["x"], ["a"], {"perm": [0, 2, 3, 1]}), ("Slice", ["a", "st", "en", "ax"], ["b"], {}), ("Pad", ["b", "p"], ["d"], {}),
          ("ReduceSum", ["d", "r"], ["e"], {"keepdims": 1}), ("Transpose", ["e"], ["y"], {"perm": [0, 3, 1, 2]})],
         {"x": floats(1, 3, 4, 5)}, {"st": ints(1), "en": ints(3), "ax": ints(2), "p": ints(0, 1, 0, 0, 0, 0, 2, 1), "r": ints(1)})
    case("squeeze and excite",
         [("Conv", ["x", "w"], ["a"], {"pads": [1, 1, 1, 1]}), ("GlobalAveragePool", ["a"], ["g"], {}), ("Conv", ["g", "v"], ["h"], {}),
          ("HardSigmoid", ["h"], ["s"], {}), ("Mul", ["a", "s"], ["y"], {})],
         {"x": floats(1, 3, 6, 6)}, {"w": floats(4, 3, 3, 3), "v": floats(4, 4, 1, 1)})
    case("channel shuffle",
         [("Reshape", ["x", "s1"], ["a"], {}), ("Transpose", ["a"], ["b"], {"perm": [0, 2, 1, 3, 4]}), ("Reshape", ["b", "s2"], ["y"], {})],
         {"x": floats(1, 6, 3, 3)}, {"s1": ints(1, 2, 3, 3, 3), "s2": ints(1, 6, 3, 3)})
    case("residual",
         [("Conv", ["x", "w", "b"], ["a"], {"pads": [1, 1, 1, 1]}), ("Relu", ["a"], ["r"], {}), ("Conv", ["r", "v"], ["d"], {"pads": [1, 1, 1, 1]}),
          ("Add", ["d", "x"], ["e"], {}), ("Relu", ["e"], ["y"], {})],
         {"x": floats(1, 4, 5, 5)}, {"w": floats(5, 4, 3, 3), "b": floats(5), "v": floats(4, 5, 3, 3)})


def resizing():
    def resize(name, shape, opset=18, scales=None, sizes=None, region=None, op="Resize", **attributes):
        """Operands as each opset has them; what is left out stays out."""
        constants, names = {}, []
        if op == "Resize" and opset > 10:
            names.append("r" if region is not None else "")
        if scales is not None:
            constants["s"] = np.array(scales, np.float32)
        if region is not None:
            constants["r"] = np.array(region, np.float32)
        names.append("s" if scales is not None else "")
        if sizes is not None:
            constants["z"] = ints(*sizes)
            names.append("z")
        if op == "Upsample" and opset == 7:
            attributes["scales"], constants, names = list(map(float, scales)), {}, []
        case(f"{op} {name}", [(op, ["x", *names], ["y"], attributes)], {"x": floats(*shape)}, constants, opset)

    image = (1, 1, 4, 5)
    modes = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize")
    for mode in modes:
        region = [0, 0, -0.1, 0.2, 1, 1, 0.7, 1.1] if mode == "tf_crop_and_resize" else None
        common = {"coordinate_transformation_mode": mode, "region": region, "opset": 19, "extrapolation_value": 2.5}
        for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            resize(f"nearest {mode} {nearest}", image, sizes=[1, 1, 7, 3], mode="nearest", nearest_mode=nearest, **common)
        for filter in ("linear", "cubic"):
            resize(f"{filter} {mode}", image, sizes=[1, 1, 3, 8], mode=filter, **common)
            resize(f"{filter} {mode} scales", image, scales=[1, 1, 1.7, 0.7], mode=filter, **common)
        resize(f"cubic {mode} one", image, sizes=[1, 1, 1, 1], mode="cubic", **common)
    resize("cubic coefficient", image, sizes=[1, 1, 6, 9], mode="cubic", cubic_coeff_a=-0.5)
    resize("cubic exclude outside", image, sizes=[1, 1, 6, 3], mode="cubic", exclude_outside=1)
    for filter in ("linear", "cubic"):
        for outside in (0, 1):
            resize(f"{filter} antialias {outside}", (1, 2, 9, 11), sizes=[1, 2, 4, 5], mode=filter, antialias=1, exclude_outside=outside)
        resize(f"{filter} antialias up", image, sizes=[1, 1, 6, 3], mode=filter, antialias=1)
    resize("axes", image, sizes=[7, 3], axes=[3, 2], mode="linear")
    resize("axis", image, scales=[2], axes=[2], mode="nearest")
    resize("region of axes", image, sizes=[3, 3], region=[0.4, 0.6, 0.6, 0.8], axes=[2, 3], mode="linear", coordinate_transformation_mode="tf_crop_and_resize")
    for policy in ("not_larger", "not_smaller"):
        resize(policy, image, sizes=[7, 8], axes=[2, 3], mode="nearest", keep_aspect_ratio_policy=policy)
    resize("nothing", image, scales=[1, 1, 1, 1], mode="linear")
    for opset in (11, 13):
        resize(f"opset {opset}", image, opset=opset, scales=[1, 1, 2, 2], region=[], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        resize(f"opset {opset} sizes", image, opset=opset, scales=[], sizes=[1, 1, 8, 10], region=[], mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
    resize("opset 11 half pixel for nearest", image, opset=11, scales=[1, 1, 1.5, 0.6], region=[], mode="nearest", coordinate_transformation_mode="tf_half_pixel_for_nn")
    for filter in ("nearest", "linear"):
        resize(f"opset 10 {filter}", image, opset=10, scales=[1, 1, 1.5, 0.6], mode=filter)
        resize(f"7 {filter}", (1, 2, 3, 4), opset=7, scales=[1, 1, 2, 3], op="Upsample", mode=filter)
        resize(f"9 {filter}", (1, 2, 3, 4), opset=9, scales=[1, 1, 1.5, 2], op="Upsample", mode=filter)
    resize("vector", (6,), scales=[1.7], mode="nearest")
    resize("matrix", (3, 4), sizes=[5, 2], mode="cubic")
    resize("batch and channels", (2, 3, 2, 2), sizes=[3, 5, 4, 3], mode="nearest")
    resize("volume", (1, 2, 3, 4, 2), scales=[1, 1, 2, 0.5, 1.5], mode="linear")
    resize("volume nearest", (1, 2, 3, 4, 2), scales=[1, 1, 2, 0.5, 1.5], mode="nearest")
    resize("channels last", (1, 3, 4, 2), scales=[1, 2, 2, 1], mode="linear")
    case("Resize between convolutions",
         [("Conv", ["x", "w"], ["a"], {"strides": [2, 2]}), ("Resize", ["a", "", "s"], ["b"], {"mode": "linear"}),
          ("Concat", ["b", "x"], ["d"], {"axis": 1}), ("Conv", ["d", "v"], ["y"], {})],
         {"x": floats(1, 2, 6, 6)}, {"w": floats(3, 2, 2, 2), "s": np.array([1, 1, 2, 2], np.float32), "v": floats(2, 5, 1, 1)})


def write(path):
    def text(value):
        return struct.pack("<I", len(value)) + value

    def tensor(value):
        value = np.asarray(value, dtype="<f4")
        return struct.pack(f"<I{value.ndim}I", value.ndim, *np.shape(value)) + value.tobytes()

    data = b"martlet golden 1\n" + struct.pack("<I", len(CASES))
    for name, model, inputs, outputs in CASES:
        data += text(name.encode()) + text(model)
        for tensors in (inputs, outputs):
            data += struct.pack("<I", len(tensors)) + b"".join(tensor(t) for t in tensors)
    with open(path, "wb") as file:
        file.write(data)
    print(f"{len(CASES)} cases, {len(data)} bytes")


if __name__ == "__main__":
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for part in (convolutions, pooling, products, normalisations, elementwise, arrangements, networks, resizing):
        part()
    write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "Tests/GoldenTests/Resources/operators.golden"))
