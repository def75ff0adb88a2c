import COpenSSL
import Foundations
import Glibc

/// Looks at what listens on a broker's port after a connection has failed, because libmosquitto tells an
/// expired certificate, one for another host, an unknown authority and a port without TLS all in the
/// same words, and a port with TLS that is reached without it not at all.
///
/// It sends nothing that is secret: no user, no password, no certificate of this client.
struct TLSExamination {
  /// What was found.
  enum Finding: Equatable {
    /// TLS can be spoken, and the certificate stands the checks.
    case valid
    /// The certificate, or one of its authorities, has expired.
    case expired(until: String, isAuthority: Bool)
    /// The certificate is not valid yet, by this machine's clock.
    case notYetValid(from: String)
    /// The certificate is made out to other names.
    case otherHost(names: String)
    /// Nobody who is trusted has signed the certificate.
    case untrusted(String)
    /// The certificate does not stand another check.
    case invalid(String)
    /// The port speaks TLS but not with this client, and says why.
    case alert(String)
    /// The port speaks MQTT without TLS.
    case plainMQTT
    /// Something else listens there, or nothing any more.
    case unknown
  }

  let host: String
  let port: UInt16
  let tls: MQTTTLS
  /// How long each of the two connections may take.
  private static let timeout = timeval(tv_sec: 3, tv_usec: 0)

  /// - Parameter connect: gives a connected, blocking socket, or nil.
  func run(connect: () -> Int32?) -> Finding {
    guard let descriptor = connect() else { return .unknown }
    let finding = shakeHands(descriptor)
    close(descriptor)
    guard finding == .unknown, let second = connect() else { return finding }
    defer { close(second) }
    return speaksPlainMQTT(second) ? .plainMQTT : .unknown
  }

  private static func limit(_ descriptor: Int32) {
    var timeout = timeout
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(
        descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  // MARK: TLS

  private func shakeHands(_ descriptor: Int32) -> Finding {
    Self.limit(descriptor)
    guard let context = SSL_CTX_new(TLS_client_method()) else { return .unknown }
    defer { SSL_CTX_free(context) }
    // The handshake goes on whatever the certificate is, and its flaws are looked at afterwards.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    if let file = tls.authorityFile {
      SSL_CTX_load_verify_locations(context, file, nil)
    } else {
      SSL_CTX_set_default_verify_paths(context)
    }
    guard let session = SSL_new(context) else { return .unknown }
    defer { SSL_free(session) }
    setHost(session)
    SSL_set_fd(session, descriptor)
    ERR_clear_error()
    guard SSL_connect(session) == 1 else {
      let code = ERR_peek_last_error()
      let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? ""
      return reason.contains("alert") ? .alert(reason) : .unknown
    }
    defer { SSL_shutdown(session) }
    guard let certificate = copenssl_peer_certificate(session) else { return .unknown }
    defer { X509_free(certificate) }
    return judge(certificate, result: Int32(truncatingIfNeeded: SSL_get_verify_result(session)))
  }

  private func setHost(_ session: OpaquePointer) {
    var address = in6_addr()
    let isAddress =
      inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
    if !isAddress { copenssl_name_host(session, host) }
    guard !tls.allowsAnyHostname, let parameters = SSL_get0_param(session) else { return }
    if isAddress {
      X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
    } else {
      X509_VERIFY_PARAM_set1_host(parameters, host, 0)
    }
  }

  private func judge(_ certificate: OpaquePointer, result: Int32) -> Finding {
    let reason = X509_verify_cert_error_string(Int(result)).map { String(cString: $0) } ?? ""
    switch result {
    case X509_V_OK: return .valid
    case X509_V_ERR_CERT_HAS_EXPIRED:
      let end = X509_get0_notAfter(certificate)
      return .expired(until: text(end), isAuthority: X509_cmp_current_time(end) > 0)
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return .notYetValid(from: text(X509_get0_notBefore(certificate)))
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      return .otherHost(names: names(certificate))
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE,
      X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_INVALID_CA:
      return .untrusted(reason)
    default: return .invalid(reason)
    }
  }

  /// A moment of a certificate, such as `Nov 26 12:00:00 2026 GMT`.
  private func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
    printed { ASN1_TIME_print($0, time) }
  }

  /// The names that a certificate is for, such as `DNS:localhost, IP Address:127.0.0.1`.
  private func names(_ certificate: OpaquePointer) -> String {
    let place = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
    guard place >= 0, let names = X509_get_ext(certificate, place) else {
      var line = [CChar](repeating: 0, count: 256)
      X509_NAME_oneline(X509_get_subject_name(certificate), &line, Int32(line.count))
      return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return printed { X509V3_EXT_print($0, names, 0, 0) }
  }

  /// What `body` writes, at most 512 bytes of it.
  private func printed(_ body: (OpaquePointer) -> Int32) -> String {
    guard let output = BIO_new(BIO_s_mem()) else { return "" }
    defer { BIO_free(output) }
    _ = body(output)
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
  }

  // MARK: MQTT

  /// Whether a CONNECT, without a user, is answered with a CONNACK, be it a refusal.
  private func speaksPlainMQTT(_ descriptor: Int32) -> Bool {
    Self.limit(descriptor)
    let name = Array(MQTTConfiguration.uniqueClientID(prefix: "check").utf8)
    let body =
      [0, 4] + Array("MQTT".utf8) + [5, 2, 0, 10, 0] + [0, UInt8(truncatingIfNeeded: name.count)]
      + name
    let packet = [0x10, UInt8(truncatingIfNeeded: body.count)] + body
    let sent = packet.withUnsafeBytes {
      send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard sent == packet.count else { return false }
    var first: UInt8 = 0
    return recv(descriptor, &first, 1, 0) == 1 && first == 0x20
  }
}
