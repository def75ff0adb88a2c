/// How a flattened tensor is cut: runs of equal length, the last one perhaps shorter.
///
/// Because all but the last run are equal, a single chunk tells the whole layout, and two chunks
/// that agree on it cannot overlap or leave a gap.
struct ChunkLayout: Equatable, Sendable {
  /// Elements in the whole tensor.
  let total: Int
  /// Elements in every chunk but the last.
  let stride: Int

  /// The most chunks of one tensor.
  static let maximumChunks = 1 << 16

  /// Cuts into chunks of at most `elements`; more when there would be too many of them.
  init(total: Int, chunksOf elements: Int) {
    self.total = total
    let least = (total + Self.maximumChunks - 1) / Self.maximumChunks
    stride = max(elements, least, 1)
  }

  /// The layout in which chunk `chunk` of `chunks` has that run, or nil when there is none.
  init?(total: Int, chunk: Int, chunks: Int, offset: Int, count: Int) {
    guard (1...Self.maximumChunks).contains(chunks), (0..<chunks).contains(chunk), total >= 0,
      (0...total).contains(offset), (0...total - offset).contains(count)
    else { return nil }
    self.total = total
    if chunks == 1 {
      stride = max(total, 1)
    } else if chunk < chunks - 1 {
      stride = count
    } else {
      stride = offset / chunk
    }
    guard stride > 0, self.chunks == chunks, offset == chunk * stride,
      count == min(stride, total - offset)
    else { return nil }
  }

  /// How many chunks there are; one for an empty tensor.
  var chunks: Int { max(1, total / stride + (total % stride == 0 ? 0 : 1)) }

  /// The elements of one chunk.
  func range(of chunk: Int) -> Range<Int> {
    chunk * stride..<min(total, (chunk + 1) * stride)
  }
}
