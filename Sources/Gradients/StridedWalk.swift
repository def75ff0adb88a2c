import Tensors

/// Goes through a multidimensional block in step in three arrays, run by run along the innermost
/// axis. Axes along which all three advance alike are merged, so that runs are long.
struct StridedWalk: Sendable {
  private var extents: [Int] = []
  private var strides: [(Int, Int, Int)] = []
  private let isEmpty: Bool

  init(extents: [Int], _ a: [Int], _ b: [Int], _ c: [Int]) {
    isEmpty = extents.contains(0)
    for axis in extents.indices where extents[axis] != 1 {
      let (extent, stride) = (extents[axis], (a[axis], b[axis], c[axis]))
      if let last = strides.last,
        last == (stride.0 * extent, stride.1 * extent, stride.2 * extent)
      {
        self.extents[self.extents.count - 1] *= extent
        strides[strides.count - 1] = stride
      } else {
        self.extents.append(extent)
        strides.append(stride)
      }
    }
    if self.extents.isEmpty {
      self.extents = [1]
      strides = [(0, 0, 0)]
    }
  }

  /// Elements of a run.
  var count: Int { extents[extents.count - 1] }
  /// Distances between the elements of a run in each array.
  var steps: (Int, Int, Int) { strides[strides.count - 1] }

  /// Calls `body` with the place of each run's first element in each array.
  func forEachRun(_ body: (Int, Int, Int) -> Void) {
    if !isEmpty { walk(axis: 0, 0, 0, 0, body) }
  }

  private func walk(axis: Int, _ a: Int, _ b: Int, _ c: Int, _ body: (Int, Int, Int) -> Void) {
    guard axis < extents.count - 1 else { return body(a, b, c) }
    let step = strides[axis]
    for index in 0..<extents[axis] {
      walk(axis: axis + 1, a + index * step.0, b + index * step.1, c + index * step.2, body)
    }
  }
}

extension Shape {
  /// Strides of this shape's elements along the axes of the shape that it is broadcast to.
  func broadcastStrides(to target: Shape) -> [Int] {
    let own = strides
    return target.dimensions.indices.map {
      let axis = $0 - (target.rank - rank)
      return axis < 0 || self[axis] == 1 ? 0 : own[axis]
    }
  }
}
