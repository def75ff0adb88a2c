import CKernels
import Foundations
import Kernels
import ModelGraph
import Tensors

/// The result of a convolution or dense layer whose operand differs from a cached one in a single
/// channel: the cached sum plus that channel's columns of the weights times the difference.
struct ColumnProduct {
  private enum Kind {
    case convolution(ck_window)
    case dense
  }

  /// The cached result before the activation.
  let sum: ValueID
  let resultCount: Int
  private let kind: Kind
  private let view: ChannelView
  private let weights: [Float]
  /// Rows of the weights, and elements of a row.
  private let outputs: Int
  private let rowCount: Int
  private let activation: Activation?

  init(_ node: Node, _ graph: Graph, _ view: ChannelView, sum: ValueID) {
    let (x, w, y) = (
      graph[node.inputs[0]].shape, graph[node.inputs[1]].shape, graph[node.output].shape
    )
    self.sum = sum
    self.view = view
    resultCount = y.count
    weights = graph.constants[node.inputs[1]]?.floats ?? []
    outputs = w[0]
    rowCount = w.innerCount(after: 0)
    activation = node.operation.fusedActivation
    if case .convolution(let convolution) = node.operation {
      kind = .convolution(
        ck_window(
          x, y, kernel: convolution.kernel, strides: convolution.strides,
          dilations: convolution.dilations, padding: convolution.padding))
    } else {
      kind = .dense
    }
  }

  var scratchCount: Int {
    switch kind {
    case .convolution(let window): view.count + window.area * window.outputSize
    case .dense: view.count
    }
  }

  /// Writes the result for one item.
  func run(
    _ channel: Int, from operand: UnsafePointer<Float>, to changed: UnsafePointer<Float>,
    sum: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let difference = scratch
    for run in 0..<view.outer {
      let place = view.place(channel, run: run)
      ck_binary(
        changed + place, 1, operand + place, 1, difference + run * view.inner, view.inner,
        Int32(CK_SUBTRACT))
    }
    result.update(from: sum, count: resultCount)
    weights.withUnsafeBufferPointer { weights in
      guard let base = weights.baseAddress else { return }
      switch kind {
      case .convolution(var window):
        let (area, size) = (window.area, window.outputSize)
        var columns = UnsafePointer(difference)
        if !window.isPointwise {
          let matrix = scratch + view.count
          ck_im2col(difference, &window, 0, area, 0, size, matrix, size)
          columns = UnsafePointer(matrix)
        }
        multiply(
          m: outputs, n: size, k: area, Matrix(base: base + channel * area, stride: rowCount),
          Matrix(base: columns, stride: size), beta: 1, into: Matrix(base: result, stride: size))
      case .dense:
        multiply(
          m: view.outer, n: outputs, k: view.inner,
          Matrix(base: UnsafePointer(difference), stride: view.inner),
          Matrix(base: base + channel * view.inner, stride: rowCount), transposedB: true, beta: 1,
          into: Matrix(base: result, stride: outputs))
      }
    }
    if activation != nil { ck_activate(result, result, resultCount, activation.c) }
  }
}
