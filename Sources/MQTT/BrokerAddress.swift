package import Foundations

/// Where a broker listens, parsed from what a user types.
///
/// Accepted: `mqtt://host:port`, `mqtts://host:port` (TLS), `unix:/path/to/socket`, `host`,
/// `host:port`, `[v6]:port`, each of the first kinds with `user:password@` before the host
/// (percent-encoded where it holds `@`, `:` or `/`). The port is 1883, or 8883 with TLS, unless given.
package struct BrokerAddress: Sendable, Equatable {
  /// How the bytes reach the broker.
  package enum Endpoint: Sendable, Equatable {
    /// A TCP host name or address and port.
    case tcp(host: String, port: UInt16)
    /// The path of a Unix-domain socket.
    case unix(path: String)
  }

  /// Where to connect.
  package var endpoint: Endpoint
  /// Whether the connection is encrypted (`mqtts`).
  package var usesTLS: Bool
  /// The user name in the address, if any.
  package var username: String?
  /// The password in the address, if any; never part of `description`.
  package var password: String?

  /// An address made of parts that are already known.
  package init(_ endpoint: Endpoint, usesTLS: Bool = false) {
    self.endpoint = endpoint
    self.usesTLS = usesTLS
  }

  /// Parses what a user typed.
  ///
  /// - Throws: `invalidArgument`, with a message that never repeats a password.
  package init(parsing text: String) throws(MartletError) {
    func invalid(_ reason: String) -> MartletError {
      MartletError(
        .invalidArgument, "The broker address \(reason)",
        hint: "write mqtt://HOST:PORT, mqtts://HOST:PORT or unix:/PATH")
    }
    guard !text.isEmpty, !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw invalid("is empty or holds spaces or control characters")
    }
    usesTLS = false
    var rest = text[...]
    if let path = Self.removing("unix://", from: text) ?? Self.removing("unix:", from: text) {
      // 108 bytes with the terminating zero is what `sockaddr_un` holds.
      guard path.hasPrefix("/"), path.utf8.count < 108 else {
        throw invalid("needs an absolute socket path of at most 107 bytes after unix:")
      }
      endpoint = .unix(path: String(path))
      return
    } else if let tail = Self.removing("mqtts://", from: text) {
      usesTLS = true
      rest = tail
    } else if let tail = Self.removing("mqtt://", from: text) {
      rest = tail
    } else if text.contains("://") {
      throw invalid("has an unknown scheme")
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.percentDecoded(parts[0]), !name.isEmpty else {
        throw invalid("has an unreadable user name")
      }
      username = name
      if parts.count == 2 {
        guard let secret = Self.percentDecoded(parts[1]) else {
          throw invalid("has an unreadable password")
        }
        password = secret
      }
      rest = rest[rest.index(after: at)...]
    }
    guard !rest.contains("/") else { throw invalid("has a path after the host") }
    let fallback: UInt16 = usesTLS ? 8883 : 1883
    let (host, portText) = try Self.splitHost(rest, invalid)
    guard !host.isEmpty, host.utf8.count <= 253 else { throw invalid("has no usable host") }
    var port = fallback
    if let portText {
      guard let number = UInt16(portText), number > 0, portText.utf8.allSatisfy({ $0 != 0x2B })
      else {
        throw invalid("has a port that is not a number from 1 to 65535")
      }
      port = number
    }
    endpoint = .tcp(host: host, port: port)
  }

  /// Whether the bytes stay on this machine, so that an unencrypted connection shows them to nobody.
  package var isLocal: Bool {
    switch endpoint {
    case .unix: return true
    case .tcp(let host, _):
      if host == "localhost" || host == "::1" { return true }
      let octets = host.split(separator: ".", omittingEmptySubsequences: false)
      return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }
  }

  private static func removing(_ prefix: String, from text: String) -> Substring? {
    text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil
  }

  private static func splitHost(
    _ text: Substring, _ invalid: (String) -> MartletError
  ) throws(MartletError) -> (host: String, port: Substring?) {
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw invalid("has an unclosed [") }
      let host = String(text[text.index(after: text.startIndex)..<end])
      let tail = text[text.index(after: end)...]
      if tail.isEmpty { return (host, nil) }
      guard tail.hasPrefix(":") else { throw invalid("has text between ] and the port") }
      return (host, tail.dropFirst())
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return (String(parts[0]), nil)
    case 2: return (String(parts[0]), parts[1])
    default: throw invalid("has several colons; write an IPv6 address in brackets")
    }
  }

  private static func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var source = text.utf8.makeIterator()
    while let byte = source.next() {
      guard byte == 0x25 else {
        bytes.append(byte)
        continue
      }
      guard let high = source.next(), let low = source.next(),
        let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), value != 0
      else { return nil }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible {
  /// The address as a user would type it, without user name and password.
  package var description: String {
    switch endpoint {
    case .unix(let path): return "unix:\(path)"
    case .tcp(let host, let port):
      let shown = host.contains(":") ? "[\(host)]" : host
      return "\(usesTLS ? "mqtts" : "mqtt")://\(shown):\(port)"
    }
  }

  /// The same as `description`, so that debug output does not show a password either.
  package var debugDescription: String { description }
}

extension BrokerAddress: CustomReflectable {
  /// Hides the stored properties, so that `dump` does not show a password.
  package var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}
