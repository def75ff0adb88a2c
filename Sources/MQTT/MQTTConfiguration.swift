import Foundations
import Glibc

/// How the broker's certificate is checked, and which one this client shows.
package struct MQTTTLS: Sendable, Equatable {
  /// A PEM file of the authorities to trust; nil trusts those of the operating system.
  package var authorityFile: String?
  /// A PEM file with this client's certificate, for brokers that ask for one.
  package var certificateFile: String?
  /// A PEM file with the key of `certificateFile`.
  package var keyFile: String?
  /// Accepts a certificate made out to another host name. For tests only: anybody holding any
  /// certificate of the same authority can then pose as the broker.
  package var allowsAnyHostname: Bool

  /// The operating system's authorities and full checking, unless told otherwise.
  package init(
    authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
    allowsAnyHostname: Bool = false
  ) {
    self.authorityFile = authorityFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.allowsAnyHostname = allowsAnyHostname
  }
}

/// How long to wait between attempts to reach the broker.
///
/// The n-th wait is drawn between half and all of `initial` doubled n times, at most `maximum`, so
/// that a fleet does not return in step after a broker restart.
package struct MQTTBackoff: Sendable, Equatable {
  /// The longest first wait.
  package var initial: Duration
  /// The longest wait of all.
  package var maximum: Duration

  /// 100 ms, doubled up to 1 s, unless told otherwise: an attempt costs a few packets, and until the
  /// next one a device is missing although the broker is back.
  package init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(1)) {
    self.initial = initial
    self.maximum = maximum
  }

  /// The wait after so many failed attempts, counted from 0.
  package func delay(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let longest = min(maximum, initial * (1 << min(attempt, 20)))
    return longest * Double.random(in: 0.5...1, using: &generator)
  }
}

/// Everything a client needs to know before it connects.
package struct MQTTConfiguration: Sendable, Equatable {
  /// Where the broker listens; may carry user name and password.
  package var address: BrokerAddress
  /// The name shown to the broker. Two connections with one name throw each other out, so the
  /// default is made unique for every client.
  package var clientID: String
  /// Silence after which the connection is probed, in seconds: 5 to 65535. The broker publishes the
  /// will after one and a half times as long.
  package var keepAliveSeconds: UInt16
  /// What the broker publishes when this client vanishes without saying goodbye.
  package var will: MQTTMessage?
  /// How TLS is checked; used when the address says `mqtts`.
  package var tls: MQTTTLS
  /// Allows an unencrypted TCP connection beyond this machine.
  package var allowsPlaintext: Bool
  /// Bytes of publishes not yet written (QoS 0) or acknowledged (QoS 1), topic and about 100 bytes
  /// of book-keeping each included. A publish beyond it fails at once.
  package var maximumQueuedBytes: Int
  /// The largest packet the broker may send to this client; it withholds larger ones.
  package var maximumInboundPacketBytes: UInt32
  /// How long one attempt to connect may take, until the broker has accepted it.
  package var connectTimeout: Duration
  /// The waits between attempts.
  package var backoff: MQTTBackoff

  /// The defaults for one broker: keep-alive 10 s, 64 MiB outbound, 16 MiB per inbound packet.
  package init(address: BrokerAddress, clientIDPrefix: String = "martlet") {
    self.address = address
    clientID = Self.uniqueClientID(prefix: clientIDPrefix)
    keepAliveSeconds = 10
    will = nil
    tls = MQTTTLS()
    allowsPlaintext = false
    maximumQueuedBytes = 64 << 20
    maximumInboundPacketBytes = 16 << 20
    connectTimeout = .seconds(10)
    backoff = MQTTBackoff()
  }

  /// `prefix-pid-random`: unique for every client of every process run.
  package static func uniqueClientID(prefix: String) -> String {
    "\(prefix)-\(getpid())-" + String(UInt64.random(in: .min ... .max), radix: 36)
  }

  /// Rejects what cannot work or would be insecure, before anything is sent.
  func validate() throws(MartletError) {
    guard keepAliveSeconds >= 5 else {
      throw MartletError(.invalidArgument, "The keep-alive must be at least 5 seconds")
    }
    guard !clientID.isEmpty, clientID.utf8.count <= 256, !clientID.utf8.contains(0) else {
      throw MartletError(.invalidArgument, "The client id must have 1 to 256 bytes")
    }
    guard maximumQueuedBytes > 0, maximumInboundPacketBytes >= 1024 else {
      throw MartletError(.invalidArgument, "The queue and packet limits must be positive")
    }
    if !address.usesTLS && !address.isLocal && !allowsPlaintext {
      throw MartletError(
        .permissionDenied, "The broker is on another machine and the connection is not encrypted",
        context: ["broker": address.description],
        hint: "use mqtts:// (TLS), or allow plaintext explicitly on a network you trust")
    }
  }
}

extension MQTTConfiguration: CustomReflectable {
  /// Shows address and client id only.
  package var customMirror: Mirror {
    Mirror(self, children: ["address": address.description, "clientID": clientID])
  }
}
