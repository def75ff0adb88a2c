/// How pixels between pixels are weighed when an image changes its size.
package enum Interpolation: String, Codable, Sendable {
  /// Triangle filter.
  case bilinear
  /// Cubic filter with a = -0.5.
  case bicubic
}
