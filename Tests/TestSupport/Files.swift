import CDemoAssets
import Processes

/// The package's folder.
public let checkout = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

/// The executable that was built with the tests: it lies beside them.
public func martletExecutable() throws -> String {
  try System.executablePath().split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    + "/martlet"
}

/// What the executable carries.
public enum DemoFiles {
  /// An ONNX model.
  public static let model = bytes(martlet_demo_model())
  /// Its card.
  public static let about = bytes(martlet_demo_about())
  /// A tar archive of images.
  public static let digits = bytes(martlet_demo_digits())

  private static func bytes(_ bytes: martlet_bytes) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
  }
}
