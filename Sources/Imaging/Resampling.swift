import ModelCards

extension Interpolation {
  /// The half width of the filter, in source pixels at full size.
  fileprivate var support: Double { self == .bilinear ? 1 : 2 }

  fileprivate func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear: return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
  }
}

/// The weights of the source pixels for each output pixel along one axis.
///
/// The filter widens with the reduction, so that every source pixel counts (antialiasing), and the
/// weights are fixed-point numbers with 22 fraction bits: the rounding of PIL's 8-bit resampling,
/// which TorchVision uses for images (`Resample.c` of Pillow describes it).
private struct AxisWeights {
  static let fractionBits: Int32 = 22
  /// The first source pixel for each output pixel.
  var starts: [Int] = []
  /// How many source pixels count for each output pixel.
  var counts: [Int] = []
  /// The weights, `stride` for each output pixel.
  var weights: [Int32] = []
  var stride = 0

  init(from source: Int, to target: Int, window: Range<Int>, _ filter: Interpolation) {
    let scale = Double(source) / Double(target)
    let widening = max(scale, 1)
    let support = filter.support * widening
    stride = Int(support.rounded(.up)) * 2 + 1
    weights = [Int32](repeating: 0, count: stride * window.count)
    for (row, position) in window.enumerated() {
      let centre = (Double(position) + 0.5) * scale
      let start = max(0, Int(centre - support + 0.5))
      let end = min(source, Int(centre + support + 0.5))
      let raw = (start..<end).map { filter.weight((Double($0) - centre + 0.5) / widening) }
      let sum = raw.reduce(0, +)
      for (index, weight) in raw.enumerated() {
        let fixed = (sum == 0 ? 0 : weight / sum) * Double(Int32(1) << AxisWeights.fractionBits)
        weights[row * stride + index] = Int32(fixed.rounded(.toNearestOrAwayFromZero))
      }
      starts.append(start)
      counts.append(raw.count)
    }
  }
}

extension Image {
  /// The image resampled to `width` x `height`, or the given window of that result.
  ///
  /// Equal to PIL's `Image.resize` with the same filter, columns first, 8 bits in between.
  ///
  /// - Precondition: the window lies inside the new extents, which are at least 1.
  func resized(
    width newWidth: Int, height newHeight: Int, columns: Range<Int>? = nil, rows: Range<Int>? = nil,
    _ filter: Interpolation
  ) -> Image {
    let columns = columns ?? 0..<newWidth
    let rows = rows ?? 0..<newHeight
    let vertical = AxisWeights(from: height, to: newHeight, window: rows, filter)
    let firstRow = vertical.starts.min() ?? 0
    let lastRow = zip(vertical.starts, vertical.counts).map(+).max() ?? 0
    let narrowed = resampledAcross(to: newWidth, window: columns, rows: firstRow..<lastRow, filter)
    return narrowed.resampledDown(vertical, offset: firstRow, rowCount: rows.count)
  }

  private func resampledAcross(
    to newWidth: Int, window: Range<Int>, rows: Range<Int>, _ filter: Interpolation
  ) -> Image {
    let axis = AxisWeights(from: width, to: newWidth, window: window, filter)
    let count = rows.count * window.count * channels
    let result = [UInt8](unsafeUninitializedCapacity: count) { output, initialised in
      var next = 0
      pixels.withUnsafeBufferPointer { input in
        axis.weights.withUnsafeBufferPointer { weights in
          for row in rows {
            for column in 0..<window.count {
              let source = (row * width + axis.starts[column]) * channels
              let weight = column * axis.stride
              if channels == 3 {
                // One pass for the three sums: each weight is loaded once.
                var (red, green, blue) = (half, half, half)
                for index in 0..<axis.counts[column] {
                  let factor = weights[weight + index]
                  let pixel = source + 3 * index
                  red &+= Int32(input[pixel]) &* factor
                  green &+= Int32(input[pixel + 1]) &* factor
                  blue &+= Int32(input[pixel + 2]) &* factor
                }
                output.initializeElement(at: next, to: clamped(red))
                output.initializeElement(at: next + 1, to: clamped(green))
                output.initializeElement(at: next + 2, to: clamped(blue))
              } else {
                var sum = half
                for index in 0..<axis.counts[column] {
                  sum &+= Int32(input[source + index]) &* weights[weight + index]
                }
                output.initializeElement(at: next, to: clamped(sum))
              }
              next += channels
            }
          }
        }
      }
      initialised = next
    }
    return Image(width: window.count, height: rows.count, channels: channels, pixels: result)
  }

  private func resampledDown(_ axis: AxisWeights, offset: Int, rowCount: Int) -> Image {
    let rowLength = width * channels
    let result = [UInt8](unsafeUninitializedCapacity: rowCount * rowLength) { output, initialised in
      var sums = [Int32](repeating: 0, count: rowLength)
      pixels.withUnsafeBufferPointer { input in
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<rowCount {
            sums.update(repeating: half)
            for index in 0..<axis.counts[row] {
              let weight = axis.weights[row * axis.stride + index]
              let source = (axis.starts[row] - offset + index) * rowLength
              for position in 0..<rowLength {
                sums[position] &+= Int32(input[source + position]) &* weight
              }
            }
            for position in 0..<rowLength {
              output.initializeElement(at: row * rowLength + position, to: clamped(sums[position]))
            }
          }
        }
      }
      initialised = rowCount * rowLength
    }
    return Image(width: width, height: rowCount, channels: channels, pixels: result)
  }
}

/// One half in fixed point, so that the shift below rounds.
private let half = Int32(1) << (AxisWeights.fractionBits - 1)

@inline(__always)
private func clamped(_ sum: Int32) -> UInt8 {
  UInt8(truncatingIfNeeded: max(0, min(255, sum >> AxisWeights.fractionBits)))
}
