import Glibc
import ModelGraph
import Tensors

/// Every operation as its definition says, element by element in double precision: slow and plain.
enum Reference {
  static func evaluate(
    _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape
  ) -> [Float] {
    let x = operands.first.map(DoubleArray.init) ?? DoubleArray(shape: [], values: [])
    let rest = operands.dropFirst().map(DoubleArray.init)
    switch operation {
    case .convolution(let c): return convolution(c, x, rest, output)
    case .dense(let dense): return Self.dense(dense, x, rest, output)
    case .matMul: return matMul(x, rest[0], output)
    case .pooling(let p): return pooling(p, x, output)
    case .activation(let a): return x.values.map { Float(activate(a, $0)) }
    case .unary(let f): return x.values.map { Float(apply(f, $0)) }
    case .binary(let f):
      return map(output) { apply(f, x.broadcast($0), rest[0].broadcast($0)) }
    case .choice:
      return map(output) {
        x.broadcast($0) != 0 ? rest[0].broadcast($0) : rest[1].broadcast($0)
      }
    case .channelAffine:
      return map(output) { x[$0] * rest[0].values[$0[1]] + rest[1].values[$0[1]] }
    case .layerNormalization(let norm): return layerNormalization(norm, x, rest, output)
    case .softmax(let axis, let logarithmic):
      return map(output) { index in
        let row = (0..<output[axis]).map { x[index.replacing(axis, $0)] }
        let top = row.max() ?? 0
        let sum = row.reduce(0) { $0 + exp($1 - top) }
        let value = x[index] - top
        return logarithmic ? value - log(sum) : exp(value) / sum
      }
    case .concatenation(let axis):
      return map(output) { index in
        var position = index[axis]
        for operand in [x] + rest {
          if position < operand.shape[axis] { return operand[index.replacing(axis, position)] }
          position -= operand.shape[axis]
        }
        return .nan
      }
    case .transpose(let permutation):
      return map(output) { index in
        var source = index
        for (axis, from) in permutation.enumerated() { source[from] = index[axis] }
        return x[source]
      }
    case .reshape: return x.values.map(Float.init)
    case .slice(let ranges):
      return map(output) { index in
        x[zip(index, ranges).map { $1.start + $0 * $1.step }]
      }
    case .pad(let before, _, let value):
      return map(output) { index in
        let source = zip(index, before).map { $0 - $1 }
        return zip(source, x.shape.dimensions).allSatisfy { $0 >= 0 && $0 < $1 }
          ? x[source] : Double(value)
      }
    case .reduction(let r): return reduction(r, x, output)
    case .extremum(let e):
      return map(output) { index in
        let row = (0..<x.shape[e.axis]).map { x[index.replacing(e.axis, $0)] }
        let best = (e.isSmallest ? row.min() : row.max()) ?? .nan
        return Double((e.isLast ? row.lastIndex(of: best) : row.firstIndex(of: best)) ?? -1)
      }
    case .selection(let axis, let indices):
      return map(output) { x[$0.replacing(axis, indices[$0[axis]])] }
    case .resize(let r): return resize(r, x, output)
    case .combination(let combination):
      return map(output) { index in
        combination.rows[index[combination.axis]].reduce(0) { sum, term in
          sum + Double(term.factor) * x[index.replacing(combination.axis, term.index)]
        }
      }
    case .exchange: return []
    }
  }

  static func activate(_ activation: Activation?, _ x: Double) -> Double {
    switch activation {
    case nil: x
    case .relu: max(x, 0)
    case .clip(let low, let high): min(max(x, Double(low)), Double(high))
    case .leakyRelu(let slope): x > 0 ? x : Double(slope) * x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .silu: x / (1 + exp(-x))
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .hardSigmoid(let slope, let offset): min(max(Double(slope) * x + Double(offset), 0), 1)
    case .hardSwish: x * min(max(x / 6 + 0.5, 0), 1)
    case .elu(let slope): x > 0 ? x : Double(slope) * expm1(x)
    case .selu(let slope, let scale): Double(scale) * (x > 0 ? x : Double(slope) * expm1(x))
    case .celu(let slope): x > 0 ? x : Double(slope) * expm1(x / Double(slope))
    case .softplus: max(x, 0) + log1p(exp(-abs(x)))
    case .mish: x * tanh(max(x, 0) + log1p(exp(-abs(x))))
    case .softsign: x / (1 + abs(x))
    case .thresholdedRelu(let threshold): x > Double(threshold) ? x : 0
    }
  }

  private static func apply(_ function: UnaryFunction, _ x: Double) -> Double {
    switch function {
    case .negate: -x
    case .absolute: abs(x)
    case .exponential: exp(x)
    case .logarithm: log(x)
    case .squareRoot: x.squareRoot()
    case .reciprocal: 1 / x
    case .errorFunction: erf(x)
    case .floor: floor(x)
    case .ceiling: ceil(x)
    }
  }

  private static func apply(_ function: BinaryFunction, _ a: Double, _ b: Double) -> Double {
    switch function {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: pow(a, b)
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    case .equal: a == b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    }
  }

  private static func convolution(
    _ c: Convolution, _ x: DoubleArray, _ rest: [DoubleArray], _ output: Shape
  ) -> [Float] {
    let w = rest[0]
    let depth = w.shape[1]
    let counts =
      c.groupOutputs
      ?? [Int](repeating: c.groups == 0 ? 0 : output[1] / c.groups, count: c.groups)
    let groupOf = counts.enumerated().flatMap { [Int](repeating: $0, count: $1) }
    return map(output) { index in
      var sum = rest.count > 1 ? rest[1].values[index[1]] : 0
      for channel in 0..<depth {
        for ky in 0..<c.kernel.height {
          for kx in 0..<c.kernel.width {
            var y = index[2] * c.strides.height + ky * c.dilations.height - c.padding.top
            var column = index[3] * c.strides.width + kx * c.dilations.width - c.padding.left
            if let spread = c.spread {
              // Only every so many cells are of the operand.
              guard y >= 0, column >= 0, y % spread.height == 0, column % spread.width == 0 else {
                continue
              }
              y /= spread.height
              column /= spread.width
            }
            guard y >= 0, y < x.shape[2], column >= 0, column < x.shape[3] else { continue }
            sum +=
              x[[index[0], groupOf[index[1]] * depth + channel, y, column]]
              * w[[index[1], channel, ky, kx]]
          }
        }
      }
      return activate(c.activation, sum)
    }
  }

  private static func dense(
    _ dense: Dense, _ x: DoubleArray, _ rest: [DoubleArray], _ output: Shape
  ) -> [Float] {
    map(output) { index in
      let last = index.count - 1
      var sum = rest.count > 1 ? rest[1].values[index[last]] : 0
      for k in 0..<rest[0].shape[1] {
        sum += x[index.replacing(last, k)] * rest[0][[index[last], k]]
      }
      return activate(dense.activation, sum)
    }
  }

  private static func matMul(_ a: DoubleArray, _ b: DoubleArray, _ output: Shape) -> [Float] {
    map(output) { index in
      let batch = index.dropLast(2)
      return (0..<a.shape[a.shape.rank - 1]).reduce(0) { sum, k in
        sum + a.broadcast(batch + [index[index.count - 2], k])
          * b.broadcast(batch + [k, index[index.count - 1]])
      }
    }
  }

  private static func pooling(_ p: Pooling, _ x: DoubleArray, _ output: Shape) -> [Float] {
    map(output) { index in
      var sum = 0.0
      var largest = -Double.infinity
      var cells = 0
      for ky in 0..<p.kernel.height {
        for kx in 0..<p.kernel.width {
          let y = index[2] * p.strides.height + ky * p.dilations.height - p.padding.top
          let column = index[3] * p.strides.width + kx * p.dilations.width - p.padding.left
          if y >= 0, y < x.shape[2], column >= 0, column < x.shape[3] {
            let value = x[[index[0], index[1], y, column]]
            sum += value
            largest = max(largest, value)
            cells += 1
          } else if p.countsPadding, y < x.shape[2] + p.padding.bottom,
            column < x.shape[3] + p.padding.right
          {
            cells += 1
          }
        }
      }
      return p.kind == .maximum ? largest : cells == 0 ? 0 : sum / Double(cells)
    }
  }

  private static func layerNormalization(
    _ norm: LayerNormalization, _ x: DoubleArray, _ rest: [DoubleArray], _ output: Shape
  ) -> [Float] {
    let extents = Shape(norm.axes.map { output[$0] })
    return map(output) { index in
      let values = indices(extents).map { inner in
        var full = index
        for (axis, value) in zip(norm.axes, inner) { full[axis] = value }
        return x[full]
      }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      let inner = zip(norm.axes, extents.strides).reduce(0) { $0 + index[$1.0] * $1.1 }
      var y = (x[index] - mean) / (variance + Double(norm.epsilon)).squareRoot()
      if rest.count > 0 { y *= rest[0].values[inner] }
      if rest.count > 1 { y += rest[1].values[inner] }
      return y
    }
  }

  private static func reduction(_ r: Reduction, _ x: DoubleArray, _ output: Shape) -> [Float] {
    let kept = Shape(x.shape.dimensions.indices.map { r.axes.contains($0) ? 1 : x.shape[$0] })
    let folded = Shape(r.axes.map { x.shape[$0] })
    return map(kept) { index in
      let values = indices(folded).map { inner in
        var full = index
        for (axis, value) in zip(r.axes, inner) { full[axis] = value }
        return x[full]
      }
      return switch r.kind {
      case .sum: values.reduce(0, +)
      case .mean: values.reduce(0, +) / Double(values.count)
      case .maximum: values.max() ?? -.infinity
      case .minimum: values.min() ?? .infinity
      case .product: values.reduce(1, *)
      }
    }
  }

  /// All axes at once, each element a sum over products of weights. Places and weights are compared
  /// with onnxruntime in GoldenTests.
  private static func resize(_ r: Resize, _ x: DoubleArray, _ output: Shape) -> [Float] {
    let taps = r.axes.map { r.taps($0, extent: x.shape[$0.axis]) }
    let widths = Shape(taps.map(\.width))
    return map(output) { index in
      if zip(r.axes, taps).contains(where: { $1.outside.contains(index[$0.axis]) }) {
        return Double(r.extrapolation)
      }
      return indices(widths).reduce(0) { sum, chosen in
        var source = index
        var weight = 1.0
        for (position, axis) in r.axes.enumerated() {
          let tap = index[axis.axis] * taps[position].width + chosen[position]
          source[axis.axis] = Int(taps[position].indices[tap])
          weight *= Double(taps[position].weights[tap])
        }
        return sum + weight * x[source]
      }
    }
  }

  private static func indices(_ shape: Shape) -> [[Int]] {
    let strides = shape.strides
    return (0..<shape.count).map { position in
      shape.dimensions.indices.map { position / strides[$0] % shape[$0] }
    }
  }

  private static func map(_ output: Shape, _ body: ([Int]) -> Double) -> [Float] {
    indices(output).map { Float(body($0)) }
  }
}

/// A tensor read by index.
private struct DoubleArray {
  let shape: Shape
  let strides: [Int]
  let values: [Double]

  init(_ tensor: Tensor) {
    self.init(shape: tensor.shape, values: (tensor.floats ?? []).map(Double.init))
  }

  init(shape: Shape, values: [Double]) {
    self.shape = shape
    self.strides = shape.strides
    self.values = values
  }

  subscript(index: [Int]) -> Double {
    values[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
  }

  /// The element at an index of a shape that this one broadcasts to.
  func broadcast(_ index: [Int]) -> Double {
    let own = index.suffix(shape.rank)
    return self[zip(own, shape.dimensions).map { $1 == 1 ? 0 : $0 }]
  }
}

extension [Int] {
  fileprivate func replacing(_ axis: Int, _ value: Int) -> [Int] {
    var copy = self
    copy[axis] = value
    return copy
  }
}
