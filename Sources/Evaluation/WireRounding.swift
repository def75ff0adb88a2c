package import Plan
package import Tensors

/// What a model's chosen values lose on the wire, as a receiver that computes none of their parts sees
/// them: each part rounded by itself, in the arithmetic of the messages.
package struct WireRounding: Sendable, Hashable {
  /// How one value travels.
  package struct Point: Sendable, Hashable {
    /// The element type of its parts.
    package var type: ElementType
    /// The channels of each part, ascending. What is in none is exact.
    package var parts: [[Int]]

    /// Parts of this type.
    package init(type: ElementType, parts: [[Int]]) {
      self.type = type
      self.parts = parts
    }
  }

  /// By point of the model; empty if all is exact.
  package var points: [Point]

  /// Rounds the given points.
  package init(_ points: [Point]) {
    self.points = points.allSatisfy { $0.type == .float32 } ? [] : points
  }

  /// Nothing is lost.
  package static let none = WireRounding([])

  /// Whether two do the same to these points.
  func agrees(with other: WireRounding, at points: [Int]) -> Bool {
    points.allSatisfy { rounded($0) == other.rounded($0) }
  }

  /// A point that is rounded; nil for one that is exact.
  private func rounded(_ point: Int) -> Point? {
    points.isEmpty || points[point].type == .float32 ? nil : points[point]
  }

  /// Rounds the parts of a point's value, each entry of the batch by itself: every frame's part has a
  /// scale of its own.
  ///
  /// - Parameters:
  ///   - shape: of the value, the batch first.
  ///   - axis: of its channels.
  func apply(
    to values: UnsafeMutableBufferPointer<Float>, point: Int, shape: Shape, axis: Int
  ) {
    guard let rounding = rounded(point) else { return }
    let (channels, inner) = (shape[axis], shape.innerCount(after: axis))
    let blocks = shape.outerCount(before: axis) / shape[0]
    for entry in 0..<shape[0] {
      for part in rounding.parts where !part.isEmpty {
        var elements: [Float] = []
        elements.reserveCapacity(blocks * part.count * inner)
        func runs(_ body: (Range<Int>) -> Void) {
          for block in 0..<blocks {
            for channel in part {
              let start = ((entry * blocks + block) * channels + channel) * inner
              body(start..<start + inner)
            }
          }
        }
        runs { elements.append(contentsOf: values[$0]) }
        elements.withUnsafeMutableBufferPointer {
          PackedElements.roundTrip($0, as: rounding.type)
        }
        var next = 0
        runs { range in
          for index in range {
            values[index] = elements[next]
            next += 1
          }
        }
      }
    }
  }
}

extension WireRounding {
  /// What travelling does to values of a plan while all devices are there: a part is what one device
  /// has of the value then. Others may stand in later, whose parts are cut otherwise; that makes a
  /// difference of less than a step.
  ///
  /// - Parameters:
  ///   - points: of the model; those that the plan does not divide along that axis are exact.
  ///   - types: by exchange of the plan.
  package init(_ plan: Plan, points: [ChannelPoint], types: [ElementType]) {
    let known = plan.wirePoints
    self.init(
      points.map { point in
        guard let own = known.first(where: { $0.value == point.value && $0.axis == point.axis })
        else { return Point(type: .float32, parts: []) }
        return Point(type: types[own.exchanges[0]], parts: own.parts)
      })
  }

  /// Words for how many values travel as what, such as `i8 (12), f16 (2)`; nil if all is exact.
  package var text: String? {
    guard !points.isEmpty else { return nil }
    return WireType.text(
      points.compactMap { point in WireType.allCases.first { $0.elementType == point.type } })
  }
}
