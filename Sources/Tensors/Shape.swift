package import Foundations

/// The extents of a tensor, outermost first (row-major). A scalar has no dimensions.
package struct Shape: Hashable, Sendable {
  /// The extents, each zero or more.
  package let dimensions: [Int]
  /// The number of elements: the product of the extents.
  package let count: Int

  /// The largest number of elements that any tensor may have (2^33, 32 GiB of float32).
  package static let maximumCount = 1 << 33

  /// Checks the extents of untrusted input.
  ///
  /// - Throws: `MartletError.Code.invalidShape` for a negative extent, more than 16 dimensions or
  ///   more than `maximumCount` elements.
  package init(checking dimensions: [Int]) throws(MartletError) {
    guard dimensions.count <= 16 else {
      throw MartletError(
        .invalidShape, "a shape has \(dimensions.count) dimensions, at most 16 are allowed")
    }
    var count = 1
    for extent in dimensions {
      guard extent >= 0 else {
        throw MartletError(
          .invalidShape, "a shape has a negative extent", context: ["shape": "\(dimensions)"])
      }
      // Extents of 0 do not excuse absurd ones beside them: partial products must fit, too.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, product <= Shape.maximumCount else {
        throw MartletError(
          .invalidShape, "a shape has too many elements",
          context: ["shape": "\(dimensions)", "limit": "\(Shape.maximumCount)"])
      }
      count = product
    }
    self.dimensions = dimensions
    self.count = dimensions.contains(0) ? 0 : count
  }

  /// A shape from trusted extents; a programming error traps.
  package init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "negative extent in \(dimensions)")
    self.dimensions = dimensions
    self.count = dimensions.reduce(1, *)
  }

  /// The number of dimensions.
  package var rank: Int { dimensions.count }

  /// The extent of one axis.
  package subscript(axis: Int) -> Int { dimensions[axis] }

  /// The product of the extents before `axis`.
  package func outerCount(before axis: Int) -> Int { dimensions[..<axis].reduce(1, *) }

  /// The product of the extents after `axis`.
  package func innerCount(after axis: Int) -> Int { dimensions[(axis + 1)...].reduce(1, *) }

  /// The same shape with another extent on one axis.
  package func replacing(axis: Int, with extent: Int) -> Shape {
    var copy = dimensions
    copy[axis] = extent
    return Shape(copy)
  }

  /// Row-major strides in elements.
  package var strides: [Int] {
    var result = [Int](repeating: 1, count: rank)
    var running = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      result[axis] = running
      running *= dimensions[axis]
    }
    return result
  }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
  /// `[1, 3, 224, 224]`
  package init(arrayLiteral elements: Int...) { self.init(elements) }
  /// `1x3x224x224`, or `scalar`.
  package var description: String {
    rank == 0 ? "scalar" : dimensions.map(String.init).joined(separator: "x")
  }
}

extension Shape: Codable {
  /// Decodes and checks an array of extents.
  package init(from decoder: any Decoder) throws {
    try self.init(checking: [Int](from: decoder))
  }
  /// Encodes the extents as an array.
  package func encode(to encoder: any Encoder) throws { try dimensions.encode(to: encoder) }
}
