import Tensors

/// How the weights of convolutions and dense layers are stored, in files and in memory. What is computed
/// with them is float32.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// Four bytes each, exactly.
  case float32
  /// Two bytes each, slightly rounded.
  case float16
  /// One byte each and a scale for each output channel: rounded to 255 steps.
  case int8

  init(_ type: WeightType) {
    switch type {
    case .f32: self = .float32
    case .f16: self = .float16
    case .i8: self = .int8
    }
  }
}
