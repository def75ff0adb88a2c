import CMosquitto
import Foundations

/// Turns libmosquitto's return codes and MQTT 5 reason codes into sentences a user can act on.
enum LibraryErrors {
  /// The words of the specification for a reason code, such as "Not authorized".
  static func reasonText(_ code: Int32) -> String {
    "\(String(cString: mosquitto_reason_string(code))) (MQTT reason \(code))"
  }

  static func libraryText(_ code: Int32) -> String { String(cString: mosquitto_strerror(code)) }

  /// The broker answered CONNECT with a refusal.
  static func refusedConnection(
    reason: Int32, address: String, username: String?
  ) -> MartletError {
    let context: KeyValuePairs = ["broker": address, "user": username ?? "none"]
    switch reason {
    case 134, 135, 4, 5:
      // 134 bad user name or password, 135 not authorised; 4 and 5 are their 3.1.1 forms.
      return MartletError(
        .permissionDenied, "The broker refused to log in: \(reasonText(reason))", context: context,
        hint: username == nil
          ? "give a user name and password" : "check user name and password on the broker")
    case 138:
      return MartletError(.permissionDenied, "The broker has banned this client", context: context)
    case 132, 1:
      return MartletError(
        .unsupported, "The broker does not speak MQTT 5", context: context,
        hint: "use a broker with MQTT 5, such as mosquitto 2")
    case 133, 2:
      return MartletError(.invalidArgument, "The broker refused the client id", context: context)
    case 136, 137, 151, 156, 157, 159, 3:
      return MartletError(
        .unreachable, "The broker is not accepting clients now: \(reasonText(reason))",
        context: context)
    default:
      return MartletError(
        .unreachable, "The broker refused the connection: \(reasonText(reason))", context: context)
    }
  }

  /// The reason codes of MQTT 5 for what an access list forbids, and for what is too large.
  static let notAuthorized: Int32 = 135
  static let packetTooLarge: Int32 = 149

  private static let sizeHint =
    "send smaller pieces (--chunk-bytes) or raise message_size_limit or max_packet_size at the broker"

  /// The broker acknowledged a message with a refusal.
  static func refusedMessage(reason: Int32, topic: String) -> MartletError {
    let message = "The broker refused a message: \(reasonText(reason))"
    let context: KeyValuePairs = ["topic": topic]
    switch reason {
    case notAuthorized:
      return MartletError(
        .permissionDenied, message, context: context, hint: "check the broker's access list")
    case packetTooLarge:
      return MartletError(.resourceExhausted, message, context: context, hint: sizeHint)
    case 151:
      return MartletError(
        .resourceExhausted, message, context: context, hint: "raise the user's quota at the broker")
    case 144:
      return MartletError(.invalidArgument, message, context: context)
    default: return MartletError(.io, message, context: context)
    }
  }

  /// An established connection ended; `reason` is the broker's DISCONNECT reason, if it sent one.
  static func lostConnection(code: Int32, reason: Int32?, address: String) -> MartletError {
    if let reason {
      let hint: String? =
        switch reason {
        case packetTooLarge: sizeHint
        case notAuthorized: "check the user's rights at the broker"
        case 147, 150, 151: "send less, or raise the user's quota at the broker"
        default: nil
        }
      return MartletError(
        .unreachable, "The broker closed the connection: \(reasonText(reason))",
        context: ["broker": address], hint: hint)
    }
    return MartletError(
      .unreachable, "The connection to the broker was lost: \(libraryText(code))",
      context: ["broker": address])
  }

  /// A publish or subscribe was not accepted by the library.
  static func rejectedCall(_ code: Int32, topic: String) -> MartletError {
    let context: KeyValuePairs = ["topic": topic]
    switch mosq_err_t(code) {
    case MOSQ_ERR_NO_CONN, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO:
      return MartletError(.unreachable, "The broker is not connected", context: context)
    case MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_OVERSIZE_PACKET:
      return MartletError(
        .resourceExhausted, "The message is larger than the broker accepts", context: context,
        hint: sizeHint)
    case MOSQ_ERR_INVAL, MOSQ_ERR_MALFORMED_UTF8:
      return MartletError(
        .invalidArgument, "The topic or a property is not valid MQTT", context: context)
    case MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      return MartletError(
        .unsupported, "The broker does not offer this: \(libraryText(code))", context: context)
    case MOSQ_ERR_NOMEM:
      return MartletError(.resourceExhausted, "Out of memory", context: context)
    default:
      return MartletError(.io, "MQTT failed: \(libraryText(code))", context: context)
    }
  }
}
