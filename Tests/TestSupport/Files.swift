import CDemoAssets
import Processes

/// The package's folder.
package let checkout = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

/// The executable that was built with the tests: it lies beside them.
package func martletExecutable() throws -> String {
  try System.executablePath().split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    + "/martlet"
}

/// What the executable carries.
package enum DemoFiles {
  /// An ONNX model.
  package static let model = bytes(martlet_demo_model())
  /// Its card.
  package static let about = bytes(martlet_demo_about())
  /// A tar archive of images.
  package static let digits = bytes(martlet_demo_digits())

  private static func bytes(_ bytes: martlet_bytes) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
  }
}
