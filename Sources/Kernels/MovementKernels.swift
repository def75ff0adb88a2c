import CKernels
package import ModelGraph
import Tensors

/// Transpose and slice.
struct CopyKernel: Kernel {
  let offset: Int
  let copy: StridedCopy

  func run(_ operands: Operands) { copy.run(operands.input(0) + offset, operands.output) }

  static func transpose(_ x: Shape, _ permutation: [Int]) -> CopyKernel {
    let strides = x.strides
    let output = Shape(permutation.map { x[$0] })
    return CopyKernel(
      offset: 0,
      copy: StridedCopy(
        extents: output.dimensions, sourceStrides: permutation.map { strides[$0] },
        targetStrides: output.strides))
  }

  static func slice(_ x: Shape, _ ranges: [SliceRange]) -> CopyKernel {
    let strides = x.strides
    let output = Shape(ranges.map(\.count))
    let isEmpty = output.count == 0
    return CopyKernel(
      offset: isEmpty ? 0 : zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 },
      copy: StridedCopy(
        extents: output.dimensions, sourceStrides: zip(ranges, strides).map { $0.step * $1 },
        targetStrides: output.strides))
  }
}

struct PadKernel: Kernel {
  let sourceOffset: Int
  let targetOffset: Int
  let copy: StridedCopy
  let count: Int
  let value: Float

  init(_ x: Shape, before: [Int], after: [Int], value: Float, output: Shape) {
    let (from, to) = (x.strides, output.strides)
    let extents = x.dimensions.indices.map {
      max(0, x[$0] + min(before[$0], 0) + min(after[$0], 0))
    }
    let isEmpty = extents.contains(0)
    sourceOffset = isEmpty ? 0 : zip(before, from).reduce(0) { $0 + max(-$1.0, 0) * $1.1 }
    targetOffset = isEmpty ? 0 : zip(before, to).reduce(0) { $0 + max($1.0, 0) * $1.1 }
    copy = StridedCopy(extents: extents, sourceStrides: from, targetStrides: to)
    count = output.count
    self.value = value
  }

  func run(_ operands: Operands) {
    ck_fill(operands.output, count, value)
    copy.run(operands.input(0) + sourceOffset, operands.output + targetOffset)
  }
}

struct ConcatenationKernel: Kernel {
  let outer: Int
  /// Floats of each operand for one outer index.
  let runs: [Int]

  func run(_ operands: Operands) {
    let total = runs.reduce(0, +)
    var start = 0
    for (index, run) in runs.enumerated() {
      let x = operands.input(index)
      for block in 0..<outer {
        (operands.output + block * total + start).update(from: x + block * run, count: run)
      }
      start += run
    }
  }
}

struct CombinationKernel: Kernel {
  let outer: Int
  let extent: Int
  let inner: Int
  let rows: [[Combination.Term]]

  func run(_ operands: Operands) {
    operands.forEach(outer * rows.count) { task, _ in
      let (block, row) = task.quotientAndRemainder(dividingBy: rows.count)
      let x = operands.input(0) + block * extent * inner
      Combination.sum(rows[row], of: x, inner: inner, into: operands.output + task * inner)
    }
  }
}

extension Combination {
  /// One slice of the result: zero if a slice that it needs begins with a NaN.
  ///
  /// - Parameters:
  ///   - x: slices of `inner` elements.
  ///   - y: `inner` elements, none of a slice in `terms`.
  package static func sum(
    _ terms: [Term], of x: UnsafePointer<Float>, inner: Int, into y: UnsafeMutablePointer<Float>
  ) {
    let isLost = inner > 0 && terms.contains { x[$0.index * inner].isNaN }
    guard !isLost, let first = terms.first else {
      y.update(repeating: 0, count: inner)
      return
    }
    if first.factor == 1 {
      y.update(from: x + first.index * inner, count: inner)
    } else {
      let source = x + first.index * inner
      for index in 0..<inner { y[index] = first.factor * source[index] }
    }
    for term in terms.dropFirst() {
      let source = x + term.index * inner
      for index in 0..<inner { y[index] += term.factor * source[index] }
    }
  }
}

struct SelectionKernel: Kernel {
  let outer: Int
  let extent: Int
  let inner: Int
  let indices: [Int]

  func run(_ operands: Operands) {
    var target = operands.output
    for block in 0..<outer {
      let x = operands.input(0) + block * extent * inner
      for index in indices {
        target.update(from: x + index * inner, count: inner)
        target += inner
      }
    }
  }
}

extension Transposition: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    CopyKernel.transpose(site.inputs[0], permutation)
  }
}

extension Slicing: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel { CopyKernel.slice(site.inputs[0], ranges) }
}

extension ConstantPadding: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    PadKernel(site.inputs[0], before: before, after: after, value: value, output: site.output)
  }
}

extension Concatenation: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let output = site.output
    return ConcatenationKernel(
      outer: output.outerCount(before: axis),
      runs: site.inputs.map { $0[axis] * output.innerCount(after: axis) })
  }
}

extension Combination: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    CombinationKernel(
      outer: site.output.outerCount(before: axis), extent: site.inputs[0][axis],
      inner: site.output.innerCount(after: axis), rows: rows)
  }
}

extension Selection: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    SelectionKernel(
      outer: site.output.outerCount(before: axis), extent: site.inputs[0][axis],
      inner: site.output.innerCount(after: axis), indices: indices)
  }
}
