package import Foundations

/// The status codes of gRPC, with its numbers and names
/// (<https://grpc.io/docs/guides/status-codes/>).
package enum RPCCode: Int, Sendable, CaseIterable {
  /// It worked.
  case ok = 0
  /// The caller asked to stop.
  case cancelled
  /// Something failed that has no code of its own.
  case unknown
  /// The request is malformed, whatever state the callee is in.
  case invalidArgument
  /// The deadline passed first.
  case deadlineExceeded
  /// What the request names does not exist.
  case notFound
  /// What the request would make exists.
  case alreadyExists
  /// The caller may not do this.
  case permissionDenied
  /// The callee has no room for the call now.
  case resourceExhausted
  /// The callee is not in a state in which this can be done.
  case failedPrecondition
  /// Given up, for example because the same call was answered before and its answer was not kept.
  case aborted
  /// Past the end of something.
  case outOfRange
  /// No such service or method here.
  case unimplemented
  /// The callee broke a rule of its own.
  case internalError
  /// The callee cannot do this now; trying again later may help.
  case unavailable
  /// Something is lost for good, such as the middle of a stream.
  case dataLoss
  /// The caller did not say who it is.
  case unauthenticated

  /// gRPC's name, such as `DEADLINE_EXCEEDED`.
  package var name: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internalError: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }

  /// What a caller's process makes of it; decides its exit status.
  package var errorCode: MartletError.Code {
    switch self {
    case .ok, .unknown, .internalError, .dataLoss: .io
    case .cancelled: .cancelled
    case .invalidArgument, .outOfRange: .invalidArgument
    case .deadlineExceeded: .timedOut
    case .notFound: .notFound
    case .alreadyExists, .failedPrecondition, .aborted: .mismatch
    case .permissionDenied, .unauthenticated: .permissionDenied
    case .resourceExhausted: .resourceExhausted
    case .unimplemented: .unsupported
    case .unavailable: .unreachable
    }
  }
}

/// How a call ended.
package struct RPCStatus: Error, Sendable, Equatable {
  /// The code.
  package var code: RPCCode
  /// One sentence for people; empty for `ok`.
  package var message: String

  /// The longest message in bytes; longer ones are cut.
  package static let maximumMessageBytes = 1024

  /// A status.
  package init(_ code: RPCCode, _ message: String = "") {
    self.code = code
    // A character cut in two reads as U+FFFD.
    self.message = String(
      decoding: message.utf8.prefix(RPCStatus.maximumMessageBytes), as: UTF8.self)
  }

  /// It worked.
  package static let ok = RPCStatus(.ok)

  /// What failed while a call was answered, for its caller.
  package init(_ error: MartletError) {
    let code: RPCCode =
      switch error.code {
      case .invalidArgument, .invalidFile, .invalidShape: .invalidArgument
      case .unsupported: .unimplemented
      case .mismatch: .failedPrecondition
      case .notFound: .notFound
      case .permissionDenied: .permissionDenied
      case .unreachable: .unavailable
      case .timedOut: .deadlineExceeded
      case .superseded: .aborted
      case .cancelled: .cancelled
      case .resourceExhausted: .resourceExhausted
      case .io: .internalError
      }
    self.init(code, error.description)
  }
}
