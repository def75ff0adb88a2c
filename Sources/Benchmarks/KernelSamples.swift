import Foundations
import ModelGraph
import Tensors

/// Small graphs of one node each, of shapes that real networks have whole or divided: what a profile's
/// rates are fitted to.
enum KernelSamples {
  /// All of them.
  static func graphs() throws(MartletError) -> [Graph] {
    var graphs: [Graph] = []
    // Input and output channels, height and width, kernel, stride. The kernels choose for themselves
    // how they compute them; that of 48 rows and more are transformed.
    for (inputs, outputs, size, kernel, stride) in [
      (3, 64, 224, 11, 4), (256, 256, 28, 3, 1), (256, 64, 28, 3, 1), (512, 512, 14, 3, 1),
      (512, 128, 14, 3, 1), (192, 96, 13, 5, 1),
      (64, 64, 112, 3, 1), (64, 16, 112, 3, 1), (128, 128, 56, 3, 1), (256, 64, 56, 3, 1),
      (16, 96, 112, 1, 1), (24, 144, 56, 1, 1), (96, 24, 56, 1, 1), (96, 384, 28, 1, 1),
      (576, 96, 28, 1, 1), (384, 384, 14, 1, 1), (672, 48, 14, 1, 1), (1152, 192, 7, 1, 1),
    ] {
      graphs.append(try convolution(inputs, outputs, size, kernel, stride))
    }
    for (channels, size, kernel, stride) in [
      (96, 112, 3, 2), (144, 56, 3, 1), (240, 28, 5, 1), (672, 14, 5, 1), (96, 56, 7, 1),
      (384, 14, 7, 1),
    ] {
      graphs.append(
        try convolution(channels, channels, size, kernel, stride, groups: channels))
    }
    for (rows, inputs, outputs) in [
      (1, 4096, 4096), (1, 9216, 1024), (784, 192, 768), (196, 384, 384), (196, 1536, 96),
    ] {
      graphs.append(
        try graph([1, rows, inputs].shape, .dense(Dense()), weights: [[outputs, inputs]]))
    }
    for (channels, size, kernel) in [(64, 112, 2), (128, 56, 2), (192, 27, 3), (256, 28, 3)] {
      let pooling = Pooling(kind: .maximum, kernel: Pair(kernel, kernel), strides: Pair(2, 2))
      graphs.append(try graph([1, channels, size, size].shape, .pooling(pooling)))
    }
    for activation in [Activation.silu, .gelu, .sigmoid] {
      graphs.append(try graph([1, 96, 56, 56].shape, .activation(activation)))
    }
    graphs.append(try graph([1, 64, 112, 112].shape, .activation(.relu)))
    graphs.append(try graph([1, 256, 28, 28].shape, .binary(.add), operands: 2))
    graphs.append(try graph([1, 64, 112, 112].shape, .binary(.add), operands: 2))
    graphs.append(
      try graph([1, 512, 14, 14].shape, .reduction(Reduction(kind: .mean, axes: [2, 3]))))
    for (shape, axis) in [([1, 96, 56, 56].shape, 1), ([1, 784, 192].shape, 2)] {
      graphs.append(
        try graph(
          shape, .layerNormalization(LayerNormalization(axes: [axis], epsilon: 1e-6)),
          weights: [[shape[axis]], [shape[axis]]]))
    }
    for shape in [[1, 96, 56, 56].shape, [1, 384, 14, 14].shape] {
      graphs.append(try graph(shape, .transpose(permutation: [0, 2, 3, 1])))
    }
    graphs.append(try graph([1, 64, 56, 56].shape, .concatenation(axis: 1), operands: 2))
    graphs.append(try graph([1, 128, 28, 28].shape, .concatenation(axis: 1), operands: 2))
    return graphs
  }

  /// A node with hardly anything to do: what any kernel costs.
  static func smallest() throws(MartletError) -> Graph {
    try graph([1, 16].shape, .activation(.relu))
  }

  private static func convolution(
    _ inputs: Int, _ outputs: Int, _ size: Int, _ kernel: Int, _ stride: Int, groups: Int = 1
  ) throws(MartletError) -> Graph {
    let pad = kernel / 2
    let convolution = Convolution(
      kernel: Pair(kernel, kernel), strides: Pair(stride, stride),
      padding: Padding(pad, pad, pad, pad), groups: groups, activation: .relu)
    return try graph(
      [1, inputs, size, size].shape, .convolution(convolution),
      weights: [[outputs, inputs / groups, kernel, kernel], [outputs]])
  }

  private static func graph(
    _ shape: Shape, _ operation: Operation, operands: Int = 1, weights: [[Int]] = []
  ) throws(MartletError) -> Graph {
    var builder = GraphBuilder(name: "bench")
    var inputs = (0..<operands).map { builder.addInput(name: "x\($0)", shape: shape) }
    for weight in weights {
      let shape = Shape(weight)
      // Neither zero nor growing: the time must not depend on it.
      let tensor = Tensor(shape, [Float](repeating: 0.01, count: shape.count))
      inputs.append(builder.add(constant: tensor, name: "w"))
    }
    let result = try builder.add(operation, inputs, name: operation.kindName)
    try builder.addOutput(result, name: "y")
    return builder.graph
  }
}

extension [Int] {
  fileprivate var shape: Shape { Shape(self) }
}
