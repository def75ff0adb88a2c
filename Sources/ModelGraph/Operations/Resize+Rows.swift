import Foundations
package import Tensors

// Resizes whose rows are computed apart, such as those of a device's strip.
extension Resize.Axis {
  /// Which elements of a resized axis are computed, and which of the operand's are there for it: places
  /// and weights are those of the whole axis, to the last bit.
  package struct Part: Sendable, Hashable, Codable {
    /// The whole result's extent.
    package var result: Int
    /// The whole operand's extent.
    package var operand: Int
    /// The first element of the whole result that is computed.
    package var first: Int
    /// The first element of the whole operand that is there.
    package var start: Int

    /// Describes a part; `Resize.Axis.extent` says how many elements are computed.
    package init(result: Int, operand: Int, first: Int, start: Int) {
      self.result = result
      self.operand = operand
      self.first = first
      self.start = start
    }
  }

  /// The part that this axis computes of an operand of some extent: all unless it says otherwise.
  func part(of operand: Int) -> Part {
    part ?? Part(result: extent, operand: operand, first: 0, start: 0)
  }

  /// Whether the whole axis is no longer than before.
  package func shrinks(_ operand: Int) -> Bool {
    let part = part(of: operand)
    return part.result <= part.operand
  }
}

extension Resize {
  /// Whether everything that the computed elements are made of is there.
  ///
  /// - Precondition: numbers are so small that nothing overflows.
  func reads(within extent: Int, _ axis: Axis) -> Bool {
    guard let part = axis.part else { return true }
    let allowed = 1...Self.maximumExtent
    guard allowed.contains(part.result), allowed.contains(part.operand), part.first >= 0,
      part.first <= part.result - axis.extent, part.start >= 0,
      part.start <= part.operand - extent
    else { return false }
    return taps(axis, extent: extent).indices.allSatisfy { (0..<Int32(extent)).contains($0) }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    guard let resized = axes.first(where: { $0.axis == axis }) else {
      return leadingRows(inputs, along: axis)
    }
    guard resized.part == nil else { return nil }
    let places = ResizedRows(resize: self, axis: resized, extent: inputs[0][axis])
    return leadingRows(inputs, along: axis, .places(places))
  }

  /// The same with some rows of the result only, from those of the operand that they read.
  ///
  /// - Parameters:
  ///   - rows: along a resized axis.
  ///   - read: the rows of the operand that are there.
  ///   - extent: the whole operand's.
  package func computing(
    _ rows: Range<Int>, axis: Int, reading read: Range<Int>, of extent: Int
  ) -> Resize {
    var other = self
    for index in axes.indices where axes[index].axis == axis {
      other.axes[index].part = Axis.Part(
        result: axes[index].extent, operand: extent, first: rows.lowerBound, start: read.lowerBound)
      other.axes[index].extent = rows.count
    }
    return other
  }
}

/// The rows around the places where a resize samples.
package struct ResizedRows: Sendable, Hashable {
  /// The resize.
  package let resize: Resize
  /// Its axis of rows.
  package let axis: Resize.Axis
  /// Rows of the operand.
  package let extent: Int

  /// Describes the rows of a resize.
  package init(resize: Resize, axis: Resize.Axis, extent: Int) {
    self.resize = resize
    self.axis = axis
    self.extent = extent
  }

  /// The rows that some result rows read, those of weight zero included.
  ///
  /// Places follow each other in one direction, and so do the first and the last row around them: it is
  /// enough to look at the first and the last place.
  package func operand(_ rows: Range<Int>) -> Range<Int> {
    guard let first = rows.first, let last = rows.last else { return 0..<0 }
    let (one, other) = (reach(of: first), reach(of: last))
    return min(one.lowerBound, other.lowerBound)..<max(one.upperBound, other.upperBound)
  }

  /// Whether a result row reads other rows than those that lie beside it where both heights are the same.
  package var reachesOut: Bool {
    (0..<axis.extent).contains { row in
      let beside = row * extent / axis.extent..<((row + 1) * extent + axis.extent - 1) / axis.extent
      let read = reach(of: row)
      return read.clamped(to: beside) != read
    }
  }

  /// From the first to the last row that a row is made of.
  private func reach(of row: Int) -> Range<Int> {
    let one = resize.computing(row..<row + 1, axis: axis.axis, reading: 0..<extent, of: extent)
    let taps = one.axes.first { $0.axis == axis.axis }.map { one.taps($0, extent: extent).indices }
    guard let first = taps?.min(), let last = taps?.max() else { return 0..<0 }
    return Int(first)..<Int(last) + 1
  }
}
