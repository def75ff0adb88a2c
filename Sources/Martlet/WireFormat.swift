import Runtime
import Tensors

/// How numbers travel.
public enum WireFormat: String, Sendable, CaseIterable {
  /// Four bytes each, exactly.
  case float32
  /// Two bytes each, slightly rounded.
  case float16
  /// One byte each and a scale for all of a tensor: rounded to 255 steps.
  case int8

  /// For the modules below.
  var settings: WireSettings { WireSettings(elementType: elementType) }

  private var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .int8: .int8
    }
  }
}
