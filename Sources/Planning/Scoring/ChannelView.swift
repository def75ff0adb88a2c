import ModelGraph
import Tensors

/// Where the elements of one channel lie in a value: `outer` runs of `inner`, `extent * inner` apart.
struct ChannelView: Equatable {
  let outer: Int
  let extent: Int
  let inner: Int

  init(_ shape: Shape, axis: Int) {
    outer = shape.outerCount(before: axis)
    extent = shape[axis]
    inner = shape.innerCount(after: axis)
  }

  /// A channel that occupies `factor` neighbours of an axis.
  init(_ shape: Shape, axis: Int, factor: Int) {
    outer = shape.outerCount(before: axis)
    extent = shape[axis] / factor
    inner = factor * shape.innerCount(after: axis)
  }

  /// Elements of one channel.
  var count: Int { outer * inner }

  func place(_ channel: Int, run: Int) -> Int { (run * extent + channel) * inner }

  /// Whether a channel of a value is the same, bit for bit, as that of another.
  func isEqual(
    _ channel: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>
  ) -> Bool {
    for run in 0..<outer {
      let start = place(channel, run: run)
      for index in start..<start + inner where a[index] != b[index] { return false }
    }
    return true
  }
}
