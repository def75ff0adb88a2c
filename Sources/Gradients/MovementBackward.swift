import CKernels
import ModelGraph
import Tensors

/// Whatever only moves elements: each place of the result came from one place of the operand.
struct StridedBackward: BackwardKernel {
  private let sourceOffset: Int
  private let resultOffset: Int
  /// Places in the operand and in the result.
  private let walk: StridedWalk

  private init(
    extents: [Int], source: [Int], result: [Int], sourceOffset: Int = 0, resultOffset: Int = 0
  ) {
    self.sourceOffset = sourceOffset
    self.resultOffset = resultOffset
    walk = StridedWalk(
      extents: extents, source, result, [Int](repeating: 0, count: extents.count))
  }

  func run(_ operands: BackwardOperands) {
    guard let gradient = operands.gradients[0] else { return }
    let (source, result) = (gradient + sourceOffset, operands.cotangent + resultOffset)
    let (sourceStep, resultStep, _) = walk.steps
    walk.forEachRun { to, from, _ in
      if resultStep == 1 {
        ck_scatter_add(result + from, source + to, sourceStep, walk.count)
      } else {
        for index in 0..<walk.count {
          source[to + index * sourceStep] += result[from + index * resultStep]
        }
      }
    }
  }

  static func reshape(_ shape: Shape) -> StridedBackward {
    StridedBackward(extents: [shape.count], source: [1], result: [1])
  }

  static func transpose(_ x: Shape, _ permutation: [Int]) -> StridedBackward {
    let strides = x.strides
    let output = Shape(permutation.map { x[$0] })
    return StridedBackward(
      extents: output.dimensions, source: permutation.map { strides[$0] },
      result: output.strides)
  }

  static func slice(_ x: Shape, _ ranges: [SliceRange]) -> StridedBackward {
    let strides = x.strides
    let output = Shape(ranges.map(\.count))
    return StridedBackward(
      extents: output.dimensions, source: zip(ranges, strides).map { $0.step * $1 },
      result: output.strides,
      sourceOffset: output.count == 0
        ? 0 : zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 })
  }

  static func pad(_ x: Shape, before: [Int], after: [Int], output: Shape) -> StridedBackward {
    let (from, to) = (x.strides, output.strides)
    let extents = x.dimensions.indices.map {
      max(0, x[$0] + min(before[$0], 0) + min(after[$0], 0))
    }
    let isEmpty = extents.contains(0)
    return StridedBackward(
      extents: extents, source: from, result: to,
      sourceOffset: isEmpty ? 0 : zip(before, from).reduce(0) { $0 + max(-$1.0, 0) * $1.1 },
      resultOffset: isEmpty ? 0 : zip(before, to).reduce(0) { $0 + max($1.0, 0) * $1.1 })
  }
}

struct ConcatenationBackward: BackwardKernel {
  let outer: Int
  /// Floats of each operand for one outer index.
  let runs: [Int]

  func run(_ operands: BackwardOperands) {
    let total = runs.reduce(0, +)
    var start = 0
    for (run, gradient) in zip(runs, operands.gradients) {
      if let gradient {
        for block in 0..<outer {
          ck_axpy(1, operands.cotangent + block * total + start, gradient + block * run, run)
        }
      }
      start += run
    }
  }
}

struct SelectionBackward: BackwardKernel {
  let outer: Int
  let extent: Int
  let inner: Int
  let indices: [Int]

  func run(_ operands: BackwardOperands) {
    guard let gradient = operands.gradients[0] else { return }
    var source = UnsafePointer(operands.cotangent)
    for block in 0..<outer {
      for index in indices {
        ck_axpy(1, source, gradient + (block * extent + index) * inner, inner)
        source += inner
      }
    }
  }
}
