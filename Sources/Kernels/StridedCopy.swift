import CKernels
import Glibc

/// Moves a block of a multidimensional array: slices, transposes, padding and concatenation are all
/// this, with different strides.
struct StridedCopy: Sendable {
  /// Extents, outermost first, merged where both sides allow.
  private(set) var extents: [Int] = []
  private(set) var sourceStrides: [Int] = []
  private(set) var targetStrides: [Int] = []
  private let isEmpty: Bool

  init(extents: [Int], sourceStrides: [Int], targetStrides: [Int]) {
    isEmpty = extents.contains(0)
    for axis in extents.indices where extents[axis] != 1 {
      if let last = self.extents.indices.last,
        self.sourceStrides[last] == sourceStrides[axis] * extents[axis],
        self.targetStrides[last] == targetStrides[axis] * extents[axis]
      {
        self.extents[last] *= extents[axis]
        self.sourceStrides[last] = sourceStrides[axis]
        self.targetStrides[last] = targetStrides[axis]
      } else {
        self.extents.append(extents[axis])
        self.sourceStrides.append(sourceStrides[axis])
        self.targetStrides.append(targetStrides[axis])
      }
    }
  }

  func run(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
    guard !isEmpty else { return }
    copy(axis: 0, source, target)
  }

  private func copy(
    axis: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    let remaining = extents.count - axis
    guard remaining > 0 else {
      target.pointee = source.pointee
      return
    }
    let (count, from, to) = (extents[axis], sourceStrides[axis], targetStrides[axis])
    if remaining == 1, to == 1 {
      if from == 1 {
        target.update(from: source, count: count)
      } else {
        ck_gather(source, from, target, count)
      }
      return
    }
    if remaining == 2, from == 1, sourceStrides[axis + 1] == extents[axis], to > 0,
      targetStrides[axis + 1] == 1, to == extents[axis + 1]
    {
      // The result's rows are the operand's columns.
      ck_transpose(source, target, extents[axis + 1], count)
      return
    }
    for index in 0..<count { copy(axis: axis + 1, source + index * from, target + index * to) }
  }
}
