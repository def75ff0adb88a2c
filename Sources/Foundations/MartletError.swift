/// The one error type of Martlet: what went wrong, where, and what to do about it.
///
/// Every message that reaches a user is built from these fields, so a throwing site names the layer,
/// device, file or offset in `context` instead of writing it into free text.
package struct MartletError: Error, Sendable, Equatable {
  /// What kind of failure this is; scripts see it as the exit code.
  package enum Code: String, Sendable, CaseIterable {
    /// An argument or option that cannot be used as given.
    case invalidArgument
    /// A file that is not what it should be: wrong format, truncated, or with sizes that lie.
    case invalidFile
    /// A model that uses an operator, attribute or type that is not supported.
    case unsupported
    /// Shapes that do not fit each other, or are too large to be real.
    case invalidShape
    /// Two things that should belong together do not (plan and model, plan and shard).
    case mismatch
    /// Something named does not exist.
    case notFound
    /// The operating system or the broker refused.
    case permissionDenied
    /// The broker or a peer cannot be reached.
    case unreachable
    /// Something did not happen in time.
    case timedOut
    /// Another process took over this name.
    case superseded
    /// The user asked to stop.
    case cancelled
    /// A limit (memory, disk, queue) was reached.
    case resourceExhausted
    /// Reading or writing failed.
    case io
  }

  /// The kind of failure.
  package var code: Code
  /// One sentence that says what is wrong.
  package var message: String
  /// Where: ordered pairs such as `("file", "model.onnx")`, `("node", "Conv_3")`.
  package var context: [(key: String, value: String)]
  /// What the user can do, when that is known.
  package var hint: String?

  /// Makes an error; `context` keeps the order given.
  package init(
    _ code: Code, _ message: String, context: KeyValuePairs<String, String> = [:],
    hint: String? = nil
  ) {
    self.code = code
    self.message = message
    self.context = context.map { ($0.key, $0.value) }
    self.hint = hint
  }

  /// The same error with one more piece of context, added by a caller that knows more.
  package func adding(_ key: String, _ value: String) -> MartletError {
    var copy = self
    copy.context.append((key, value))
    return copy
  }

  /// Compares code, message, context and hint.
  package static func == (lhs: MartletError, rhs: MartletError) -> Bool {
    lhs.code == rhs.code && lhs.message == rhs.message && lhs.hint == rhs.hint
      && lhs.context.elementsEqual(rhs.context) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension MartletError: CustomStringConvertible {
  /// `message (key: value, …); hint` on one line.
  package var description: String {
    var text = message
    if !context.isEmpty {
      text += " (" + context.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + ")"
    }
    if let hint { text += "; \(hint)" }
    return text
  }

  /// The process exit status for this error: 64 and up as in `sysexits.h`, 130 after Ctrl-C.
  package var exitCode: Int32 {
    switch code {
    case .invalidArgument: 64
    case .invalidFile, .unsupported, .invalidShape, .mismatch: 65
    case .notFound: 66
    case .unreachable: 69
    case .superseded: 70
    case .io: 74
    case .timedOut, .resourceExhausted: 75
    case .permissionDenied: 77
    // As after a SIGINT that nobody caught.
    case .cancelled: 130
    }
  }
}

/// Throws when the user asked to stop, and does nothing otherwise.
package typealias StopCheck = () throws(MartletError) -> Void
