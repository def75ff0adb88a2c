import Runtime
import Tensors

/// How numbers travel.
public enum WireFormat: String, Sendable, CaseIterable {
  /// Four bytes each, exactly.
  case float32
  /// Two bytes each, slightly rounded.
  case float16

  /// For the modules below.
  var settings: WireSettings { WireSettings(elementType: elementType) }

  private var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    }
  }
}
