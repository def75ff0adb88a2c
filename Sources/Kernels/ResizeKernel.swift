import CKernels
import ModelGraph
import Tensors

/// One resized axis after the other. Axes that shrink come first, so that little is left to do for
/// the others; those that grow begin with the innermost, whose elements are gathered one by one.
struct ResizeKernel: Kernel {
  /// Parts of the operand that are resized by themselves.
  let planes: Int
  /// Floats of one.
  let inputSize, outputSize: Int
  let passes: [Pass]
  /// Floats of the largest plane between two passes.
  let between: Int
  let borders: [Border]
  let extrapolation: Float

  /// The resizing of one axis.
  struct Pass: Sendable {
    let outer, extent, count, inner: Int
    let taps: Resize.Taps
  }

  /// The places along an axis that are outside of the operand.
  struct Border: Sendable {
    let outer, count, inner: Int
    let indices: [Int]
  }

  init(_ x: Shape, _ resize: Resize, output: Shape) {
    let first = resize.axes[0].axis
    planes = x.outerCount(before: first)
    inputSize = x.count / planes
    outputSize = output.count / planes
    extrapolation = resize.extrapolation
    // A part of an axis goes where the whole would: the order decides the last bit.
    let shrinking = resize.axes.filter { $0.shrinks(x[$0.axis]) }
    let growing = resize.axes.filter { !$0.shrinks(x[$0.axis]) }.reversed()
    var shape = x.dimensions
    var passes: [Pass] = []
    var sizes: [Int] = []
    var borders: [Border] = []
    for axis in shrinking + growing {
      let taps = resize.taps(axis, extent: x[axis.axis])
      passes.append(
        Pass(
          outer: shape[first..<axis.axis].reduce(1, *), extent: shape[axis.axis],
          count: axis.extent, inner: shape[(axis.axis + 1)...].reduce(1, *), taps: taps))
      shape[axis.axis] = axis.extent
      sizes.append(shape[first...].reduce(1, *))
      if !taps.outside.isEmpty {
        borders.append(
          Border(
            outer: output.dimensions[first..<axis.axis].reduce(1, *), count: axis.extent,
            inner: output.innerCount(after: axis.axis), indices: taps.outside))
      }
    }
    self.passes = passes
    self.borders = borders
    between = sizes.dropLast().max() ?? 0
  }

  /// What one pass leaves to the next; two in turn.
  var scratchCount: Int { min(passes.count - 1, 2) * between }

  func run(_ operands: Operands) {
    operands.forEach(planes) { plane, scratch in
      var source = operands.input(0) + plane * inputSize
      let output = operands.output + plane * outputSize
      for (index, pass) in passes.enumerated() {
        let target = index == passes.count - 1 ? output : scratch + index % 2 * between
        pass.run(source, target)
        source = UnsafePointer(target)
      }
      for border in borders { border.fill(output, extrapolation) }
    }
  }
}

extension ResizeKernel.Pass {
  func run(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
    taps.indices.withUnsafeBufferPointer { indices in
      taps.weights.withUnsafeBufferPointer { weights in
        for block in 0..<outer {
          let x = source + block * extent * inner
          let y = target + block * count * inner
          if inner == 1 {
            gather(x, y, indices, weights)
          } else {
            addRows(x, y, indices, weights)
          }
        }
      }
    }
  }

  private func gather(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ indices: UnsafeBufferPointer<Int32>, _ weights: UnsafeBufferPointer<Float>
  ) {
    switch taps.width {
    case 1:
      for index in 0..<count { y[index] = x[Int(indices[index])] }
    case 2:
      for index in 0..<count {
        let (low, high) = (Int(indices[2 * index]), Int(indices[2 * index + 1]))
        y[index] = weights[2 * index] * x[low] + weights[2 * index + 1] * x[high]
      }
    case let width:
      for index in 0..<count {
        var sum: Float = 0
        for tap in index * width..<(index + 1) * width {
          sum += weights[tap] * x[Int(indices[tap])]
        }
        y[index] = sum
      }
    }
  }

  private func addRows(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ indices: UnsafeBufferPointer<Int32>, _ weights: UnsafeBufferPointer<Float>
  ) {
    let width = taps.width
    for index in 0..<count {
      let row = y + index * inner
      let first = x + Int(indices[index * width]) * inner
      guard width > 1 else {
        row.update(from: first, count: inner)
        continue
      }
      ck_affine(first, weights[index * width], 0, row, inner)
      for tap in index * width + 1..<(index + 1) * width {
        ck_axpy(weights[tap], x + Int(indices[tap]) * inner, row, inner)
      }
    }
  }
}

extension ResizeKernel.Border {
  func fill(_ y: UnsafeMutablePointer<Float>, _ value: Float) {
    for block in 0..<outer {
      for index in indices { ck_fill(y + (block * count + index) * inner, inner, value) }
    }
  }
}

extension Resize: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    ResizeKernel(site.inputs[0], self, output: site.output)
  }
}
