#!/usr/bin/env python3
"""Writes Tests/GoldenTests/Resources/constants.golden: small ONNX models in which a branch of
constants meets the input, and what onnxruntime makes of them.

    tools/golden/make-constant-goldens.py [FILE]

Needs numpy, onnx and onnxruntime. The format is that of make-goldens.py. Results that are integers
or truth values are cast to float32 in the model.
"""
import os
import struct
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CASES = []
random = np.random.default_rng(5)


def floats(*shape, low=-2.0, high=2.0):
    return random.uniform(low, high, shape).astype(np.float32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def grid(*shape, low=-9, high=10):
    return random.integers(low, high, shape).astype(np.int64)


def flags(*shape):
    return random.integers(0, 2, shape).astype(bool)


def case(name, op, constants, opset=18, outputs=1, used=0, **attributes):
    """The operator on constants, cast to float32; x is there to be added to the sum of it."""
    keys = ["" if value is None else f"c{i}" for i, value in enumerate(constants)]
    made = [helper.make_node(op, keys, [f"r{i}" for i in range(outputs)], **attributes)]
    made.append(helper.make_node("Cast", [f"r{used}"], ["f"], to=TensorProto.FLOAT))
    made.append(helper.make_node("Add", ["x", "f"], ["y"]))
    finish(name, made, {k: v for k, v in zip(keys, constants) if k}, opset)


def finish(name, nodes, constants, opset):
    x = np.array([0.5], dtype=np.float32)
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, key) for key, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, {"x": x})
    assert all(np.isfinite(r).all() for r in results), name
    CASES.append((name, model.SerializeToString(), [x], results))


def arithmetic():
    case("Mod", "Mod", [grid(3, 4), ints(3, -4, 5, -7)])
    case("Mod fmod integers", "Mod", [grid(3, 4), ints(3, -4, 5, -7)], fmod=1)
    case("Mod fmod", "Mod", [floats(3, 4), floats(4, low=0.3)], fmod=1)
    case("Pow integers", "Pow", [grid(3, 4), ints(0, 1, 2, 5)])
    case("Pow integers to floats", "Pow", [grid(3, 3, low=0), np.float32([2, 1, 0.5])])
    case("Range", "Range", [np.int64(3), np.int64(-9), np.int64(-2)])
    case("Range floats", "Range", [np.float32(-1), np.float32(2.1), np.float32(0.5)])
    case("CumSum", "CumSum", [floats(2, 3, 4), np.int64(1)])
    case("CumSum exclusive", "CumSum", [grid(2, 3, 4), np.int64(-1)], exclusive=1)
    case("CumSum reverse", "CumSum", [floats(5), np.int64(0)], reverse=1)
    case("CumSum both", "CumSum", [floats(3, 2), np.int64(0)], reverse=1, exclusive=1)
    case("Sign", "Sign", [np.float32([-2, -0.5, 0, 3])])
    case("Sign integers", "Sign", [ints(-7, 0, 9)])
    for op in ("Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh"):
        case(op, op, [floats(2, 5)])
    for op in ("Asin", "Acos"):
        case(op, op, [floats(2, 5, low=-1, high=1)])
    case("Round", "Round", [np.float32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.4, 2.6])])


def logic():
    for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
        case(f"{op} integers", op, [grid(4, 5, low=-2, high=3), grid(5, low=-2, high=3)])
        case(op, op, [np.round(floats(4, 5)), np.round(floats(4, 1))])
    for op in ("And", "Or", "Xor"):
        case(op, op, [flags(3, 4), flags(4)])
    case("Not", "Not", [flags(7)])
    case("Where", "Where", [flags(2, 3), floats(3), floats(2, 1)])
    case("Where integers", "Where", [flags(3), grid(2, 3), np.int64(7)])
    special = np.float32([1, np.nan, np.inf, -np.inf, 0])
    case("IsNaN", "IsNaN", [special])
    case("IsInf", "IsInf", [special])
    case("IsInf positive", "IsInf", [special], detect_negative=0)


def indexing():
    case("GatherND", "GatherND", [floats(3, 4, 5), np.int64([[0, 1], [2, -1]])])
    case("GatherND elements", "GatherND", [grid(3, 4), np.int64([[[0, 1]], [[-3, 3]]])])
    case("GatherND batch", "GatherND", [floats(2, 3, 4), np.int64([[2], [0]])], batch_dims=1)
    case("GatherND batch rows", "GatherND", [floats(2, 3, 4), grid(2, 5, 1, low=0, high=3)],
         batch_dims=1)
    case("GatherElements", "GatherElements", [floats(3, 4), grid(2, 4, low=-3, high=3)], axis=0)
    case("GatherElements last", "GatherElements", [grid(3, 4), grid(3, 6, low=-4, high=4)], axis=-1)
    case("ScatterND", "ScatterND", [floats(5, 3), np.int64([[4], [1]]), floats(2, 3)])
    case("ScatterND elements", "ScatterND", [grid(4, 4), np.int64([[0, 1], [-1, 2]]), ints(70, 80)])
    for reduction in ("add", "mul", "max", "min"):
        case(f"ScatterND {reduction}", "ScatterND",
             [floats(5, 2), np.int64([[1], [1], [3]]), floats(3, 2)], reduction=reduction)
    case("ScatterElements", "ScatterElements", [floats(3, 4), np.int64([[0, 2, 1]]), floats(1, 3)])
    case("ScatterElements add", "ScatterElements",
         [floats(3, 4), np.int64([[1, 1], [0, -1]]), floats(2, 2)], axis=1, reduction="add")
    case("NonZero", "NonZero", [np.int64([[0, 3, 0], [1, 0, 0], [0, 2, 5]])])
    case("NonZero scalar", "NonZero", [np.int64(3)])
    case("NonZero flags", "NonZero", [flags(3, 4, 2)])
    case("OneHot", "OneHot", [ints(0, 2, -1, 7), np.int64(4), np.float32([0.5, 2])])
    case("OneHot axis", "OneHot", [grid(2, 3, low=0, high=5), ints(5), ints(0, 1)], axis=1)


def shaping():
    case("Tile", "Tile", [floats(2, 3), ints(2, 3)])
    case("Tile integers", "Tile", [grid(2, 1, 3), ints(1, 4, 2)])
    case("Trilu", "Trilu", [floats(4, 5)])
    case("Trilu lower", "Trilu", [grid(2, 4, 3), np.int64(-1)], upper=0)
    case("Trilu above", "Trilu", [floats(3, 5), np.int64(2)])
    case("EyeLike", "EyeLike", [floats(3, 5)], k=1)
    case("EyeLike integers", "EyeLike", [grid(4, 4)], dtype=TensorProto.INT64, k=-2)
    case("Expand", "Expand", [grid(3, 1), ints(2, 3, 4)])
    case("ConstantOfShape", "ConstantOfShape", [ints(2, 3)],
         value=numpy_helper.from_array(np.float32([1.5])))


def folds():
    for op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"):
        extra = [ints(0, 2)] if op == "ReduceSum" else []
        axes = {} if extra else {"axes": [0, 2]}
        case(f"{op} integers", op, [grid(2, 3, 4, low=-3, high=4), *extra], opset=13, **axes)
        case(f"{op} integers flat", op, [grid(2, 3, low=1, high=4)], opset=13, keepdims=0)
    case("ReduceMean integers", "ReduceMean", [grid(2, 3, 4)], opset=13, axes=[1])
    case("ReduceProd", "ReduceProd", [floats(2, 3, 4)], opset=13, axes=[1], keepdims=0)
    for op in ("ArgMax", "ArgMin"):
        case(op, op, [grid(3, 4, 2, low=0, high=4)], axis=1)
        case(f"{op} last", op, [np.round(floats(3, 6))], axis=-1, select_last_index=1, keepdims=0)


def products():
    """What has kernels: nothing of it is left to a frame."""
    node = helper.make_node
    finish("MatMul", [node("MatMul", ["a", "b"], ["p"]), node("Add", ["x", "p"], ["y"])],
           {"a": floats(2, 3, 4), "b": floats(4, 5)}, 18)
    finish("Gemm",
           [node("Gemm", ["a", "b", "c"], ["p"], alpha=0.5, transA=1, transB=1),
            node("Add", ["x", "p"], ["y"])],
           {"a": floats(4, 3), "b": floats(5, 4), "c": floats(5)}, 18)
    finish("Conv, Relu, MaxPool",
           [node("Conv", ["a", "b"], ["p"], pads=[1, 1, 1, 1]), node("Relu", ["p"], ["q"]),
            node("MaxPool", ["q"], ["r"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Add", ["x", "r"], ["y"])],
           {"a": floats(1, 3, 6, 8), "b": floats(4, 3, 3, 3)}, 18)
    finish("Softmax, LayerNormalization",
           [node("Softmax", ["a"], ["p"], axis=1), node("LayerNormalization", ["p", "s"], ["q"]),
            node("ReduceMean", ["q"], ["r"], axes=[1]), node("Add", ["x", "r"], ["y"])],
           {"a": floats(2, 3, 5), "s": floats(5)}, 17)
    # Weights that are standardised in the model.
    finish("standardised weights",
           [node("ReduceMean", ["w"], ["m"], axes=[1]), node("Sub", ["w", "m"], ["d"]),
            node("Mul", ["d", "d"], ["q"]), node("ReduceMean", ["q"], ["v"], axes=[1]),
            node("Sqrt", ["v"], ["r"]), node("Div", ["d", "r"], ["n"]),
            node("MatMul", ["n", "k"], ["z"]), node("Add", ["x", "z"], ["y"])],
           {"w": floats(3, 4), "k": floats(4, 2)}, 17)
    # Positions of a shifted window, as exporters write them.
    finish("window mask",
           [node("Range", ["zero", "n", "one"], ["i"]), node("Mod", ["i", "three"], ["j"]),
            node("Unsqueeze", ["j", "one1"], ["a"]), node("Unsqueeze", ["j", "zero1"], ["b"]),
            node("Sub", ["a", "b"], ["d"]), node("Equal", ["d", "zero"], ["e"]),
            node("Where", ["e", "f0", "f1"], ["w"]), node("Add", ["x", "w"], ["y"])],
           {"zero": np.int64(0), "n": np.int64(7), "one": np.int64(1), "three": np.int64(3),
            "one1": ints(1), "zero1": ints(0), "f0": np.float32(0), "f1": np.float32(-100)}, 18)
    for opset in (21, 22, 23):
        finish(f"opset {opset}",
               [node("Transpose", ["a"], ["t"]), node("Reshape", ["t", "s"], ["r"]),
                node("Cast", ["i"], ["j"], to=TensorProto.FLOAT), node("Add", ["r", "j"], ["u"]),
                node("Add", ["x", "u"], ["y"])],
               {"a": floats(2, 3), "s": ints(3, -1), "i": ints(1, 2)}, opset)


def write(path):
    def number(value):
        return struct.pack("<I", value)

    def text(value):
        return number(len(value)) + value

    def tensors(values):
        parts = [number(len(values))]
        for value in values:
            parts += [number(value.ndim), *(number(extent) for extent in value.shape)]
            parts.append(np.ascontiguousarray(value, dtype="<f4").tobytes())
        return b"".join(parts)

    with open(path, "wb") as file:
        file.write(b"martlet golden 1\n" + number(len(CASES)))
        for name, model, inputs, outputs in CASES:
            file.write(text(name.encode()) + text(model) + tensors(inputs) + tensors(outputs))


def main():
    for make in (arithmetic, logic, indexing, shaping, folds, products):
        make()
    folder = os.path.join(os.path.dirname(__file__), "../../Tests/GoldenTests/Resources")
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "constants.golden")
    write(path)
    print(f"{len(CASES)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
