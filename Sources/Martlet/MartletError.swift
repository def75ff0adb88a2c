import Foundations

/// What went wrong, where, and what to do about it: the only error that this library throws.
///
/// ``code`` says what kind of failure it is, ``message`` is one sentence for people, ``context`` names
/// the file, device or layer, and ``hint`` says what helps, where that is known. Hints speak of the
/// command `martlet` and its options; the properties of this library bear the same names.
public struct MartletError: Error, Sendable, Hashable {
  /// A kind of failure.
  public enum Code: String, Sendable, CaseIterable {
    /// An argument or option that cannot be used as given.
    case invalidArgument
    /// A file that is not what it should be: wrong format, truncated, or with sizes that lie.
    case invalidFile
    /// A model that uses an operator, attribute or type that is not supported, or something that the
    /// model cannot do.
    case unsupported
    /// Shapes that do not fit each other, or are too large to be real.
    case invalidShape
    /// Two things that should belong together do not, such as a plan and a model.
    case mismatch
    /// Something named does not exist.
    case notFound
    /// The operating system or the broker refused.
    case permissionDenied
    /// The broker, or every device, cannot be reached.
    case unreachable
    /// Something did not happen in time.
    case timedOut
    /// Another process took over this name.
    case superseded
    /// The task was cancelled, or the session closed.
    case cancelled
    /// A limit (memory, disk, queue) was reached.
    case resourceExhausted
    /// Reading or writing failed.
    case io
  }

  /// One fact about a failure, such as `file` and `model.onnx`.
  public struct Detail: Sendable, Hashable {
    /// What it is about.
    public let name: String
    /// What is the case.
    public let value: String
  }

  /// The kind of failure.
  public let code: Code
  /// One sentence that says what is wrong.
  public let message: String
  /// Where, the most important first.
  public let context: [Detail]
  /// What can be done; nil where that is not known.
  public let hint: String?

  init(
    _ code: Code, _ message: String, context: KeyValuePairs<String, String> = [:],
    hint: String? = nil
  ) {
    self.code = code
    self.message = message
    self.context = context.map { Detail(name: $0.key, value: $0.value) }
    self.hint = hint
  }

  /// An error of the modules below, field by field.
  init(_ error: Foundations.MartletError) {
    code = Code(error.code)
    message = error.message
    context = error.context.map { Detail(name: $0.key, value: $0.value) }
    hint = error.hint
  }

  /// The task was cancelled.
  static let cancelled = MartletError(.cancelled, "the task was cancelled")
}

extension MartletError: CustomStringConvertible {
  /// `message (name: value, …); hint` on one line.
  public var description: String {
    var text = message
    if !context.isEmpty {
      text += " (" + context.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + ")"
    }
    if let hint { text += "; \(hint)" }
    return text
  }
}

extension MartletError.Code {
  /// The same kind. A new one below does not compile before it is named here.
  fileprivate init(_ code: Foundations.MartletError.Code) {
    self =
      switch code {
      case .invalidArgument: .invalidArgument
      case .invalidFile: .invalidFile
      case .unsupported: .unsupported
      case .invalidShape: .invalidShape
      case .mismatch: .mismatch
      case .notFound: .notFound
      case .permissionDenied: .permissionDenied
      case .unreachable: .unreachable
      case .timedOut: .timedOut
      case .superseded: .superseded
      case .cancelled: .cancelled
      case .resourceExhausted: .resourceExhausted
      case .io: .io
      }
  }
}

/// What `body` gives, with errors of the modules below as this library's.
func wrappingErrors<Value>(
  _ body: () throws(Foundations.MartletError) -> Value
) throws(MartletError) -> Value {
  do throws(Foundations.MartletError) {
    return try body()
  } catch {
    throw MartletError(error)
  }
}
