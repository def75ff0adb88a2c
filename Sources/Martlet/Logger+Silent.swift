import Logging

extension Logger {
  /// Logs nothing.
  static let silent = Logger(label: "martlet") { _ in SwiftLogNoOpLogHandler() }
}
