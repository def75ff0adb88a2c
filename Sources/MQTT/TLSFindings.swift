import Foundations
import Glibc

/// What a user is told about a broker's port that could not be used.
extension TLSExamination {
  /// - Parameters:
  ///   - address: as it is shown.
  ///   - detail: what the library said.
  ///   - usesTLS: whether it was tried with TLS.
  /// - Returns: nil when the finding does not explain the failure.
  static func error(
    _ finding: Finding, address: String, detail: String, usesTLS: Bool, tls: MQTTTLS
  ) -> MartletError? {
    guard usesTLS else {
      // Without TLS only its presence is of interest, whatever its certificate.
      guard finding != .unknown && finding != .plainMQTT else { return nil }
      return MartletError(
        .invalidArgument, "The broker's port speaks TLS, and this client does not",
        context: ["broker": address],
        hint: "write mqtts://HOST:PORT and name the broker's authority with --ca-file")
    }
    switch finding {
    case .expired(let until, let isAuthority):
      return MartletError(
        .permissionDenied,
        isAuthority
          ? "An authority of the broker's certificate has expired"
          : "The broker's certificate has expired",
        context: isAuthority
          ? ["broker": address, "this machine's clock": clock]
          : ["broker": address, "valid until": until, "this machine's clock": clock],
        hint: "renew it at the broker, or set this machine's clock")
    case .notYetValid(let from):
      // A machine without a clock of its own learns the time after it has started: worth waiting for.
      return MartletError(
        .unreachable, "The broker's certificate is not valid yet",
        context: ["broker": address, "valid from": from, "this machine's clock": clock],
        hint: "set this machine's clock")
    case .otherHost(let names):
      return MartletError(
        .permissionDenied, "The broker's certificate is for another host",
        context: ["broker": address, "certificate": names],
        hint: "write the address with a name of the certificate, or have one made for this name")
    case .untrusted(let reason):
      return MartletError(
        .permissionDenied, "The broker's certificate is of an authority that is not trusted here",
        context: [
          "broker": address, "trusted": tls.authorityFile ?? "the operating system's authorities",
          "reason": reason,
        ],
        hint: tls.authorityFile == nil
          ? "name the broker's authority with --ca-file"
          : "copy the broker's authority file here again, if it was made anew")
    case .invalid(let reason):
      return MartletError(
        .permissionDenied, "The broker's certificate cannot be used: \(reason)",
        context: ["broker": address])
    case .plainMQTT:
      return MartletError(
        .invalidArgument, "The broker's port speaks MQTT without TLS",
        context: ["broker": address],
        hint: """
          write mqtt://HOST:PORT (with --allow-plaintext beyond this machine), or the port of its \
          listener with TLS, usually 8883
          """)
    case .alert, .valid, .unknown:
      guard Self.asksForCertificate(detail) else { return nil }
      return MartletError(
        .permissionDenied, "The broker asks for a certificate of this client",
        context: ["broker": address, "reason": detail],
        hint: tls.certificateFile == nil
          ? "give one with --cert and --key"
          : "check that --cert is of an authority that the broker trusts")
    }
  }

  /// Whether the broker ended the handshake over this client's certificate or the lack of it.
  private static func asksForCertificate(_ detail: String) -> Bool {
    [
      "certificate required", "alert handshake failure", "alert bad certificate",
      "alert unknown ca",
    ]
    .contains { detail.contains($0) }
  }

  /// The wall clock, as certificates write it.
  private static var clock: String {
    var now = time(nil)
    var fields = tm()
    gmtime_r(&now, &fields)
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, "%b %e %H:%M:%S %Y GMT", &fields)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
