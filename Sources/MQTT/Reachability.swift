import Foundations
import Glibc

/// Tries the way to the broker before the library does.
///
/// libmosquitto's own connect blocks for as long as the kernel does, minutes for a host that drops
/// packets, and reports little more than a number. This one ends at a deadline or when `wake` is
/// signalled, and says what is wrong.
enum Reachability {
  /// - Throws: `unreachable`, `permissionDenied` or `timedOut`.
  static func check(
    _ address: BrokerAddress, deadline: MonotonicTime, wake: WakeEvent
  ) throws(MartletError) {
    switch address.endpoint {
    case .unix(let path): try checkUnix(path)
    case .tcp(let host, let port):
      Glibc.close(try connectTCP(host, port, deadline, wake, address.description))
    }
  }

  /// A connected, blocking socket.
  ///
  /// - Throws: as `check`.
  static func connect(
    host: String, port: UInt16, deadline: MonotonicTime, wake: WakeEvent
  ) throws(MartletError) -> Int32 {
    let descriptor = try connectTCP(host, port, deadline, wake, "\(host):\(port)")
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~0o4000)
    return descriptor
  }

  private static func checkUnix(_ path: String) throws(MartletError) {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
    guard descriptor >= 0 else { throw failure(errno, "unix:\(path)") }
    defer { Glibc.close(descriptor) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: name.sun_path)
    guard path.utf8.count < capacity else {
      throw MartletError(.invalidArgument, "The socket path is too long", context: ["path": path])
    }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if result != 0 { throw failure(errno, "unix:\(path)") }
  }

  private static func connectTCP(
    _ host: String, _ port: UInt16, _ deadline: MonotonicTime, _ wake: WakeEvent, _ shown: String
  ) throws(MartletError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &list)
    guard code == 0 else {
      throw MartletError(
        .unreachable,
        "The broker's name cannot be resolved: \(String(cString: gai_strerror(code)))",
        context: ["broker": shown], hint: "check the host name")
    }
    defer { freeaddrinfo(list) }
    var last: Int32 = ECONNREFUSED
    var entry = list
    while let current = entry {
      let target = current.pointee
      let descriptor = socket(
        target.ai_family, Int32(SOCK_STREAM.rawValue) | 0o2000000 | 0o4000, 0)
      last = descriptor < 0 ? errno : connectOnce(descriptor, target, deadline, wake)
      if last == 0 { return descriptor }
      if descriptor >= 0 { Glibc.close(descriptor) }
      entry = target.ai_next
    }
    throw failure(last, shown)
  }

  /// Returns 0 or an errno value.
  private static func connectOnce(
    _ descriptor: Int32, _ target: addrinfo, _ deadline: MonotonicTime, _ wake: WakeEvent
  ) -> Int32 {
    if Glibc.connect(descriptor, target.ai_addr, target.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    var descriptors = [
      pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&descriptors, 2, deadline.millisecondsLeft) > 0 else { return ETIMEDOUT }
    // The client is closing; the signal stays for the caller to see.
    guard descriptors[0].revents != 0 else { return ECANCELED }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
    return code
  }

  private static func failure(_ code: Int32, _ shown: String) -> MartletError {
    let context: KeyValuePairs = ["broker": shown]
    switch code {
    case ECONNREFUSED, ENOENT:
      return MartletError(
        .unreachable, "No broker is listening there", context: context,
        hint: "start the broker or check its address")
    case EACCES, EPERM:
      return MartletError(
        .permissionDenied, "The broker's socket may not be used by this user", context: context)
    case ETIMEDOUT:
      return MartletError(.unreachable, "The broker does not answer", context: context)
    default:
      return MartletError(
        .unreachable, "The broker cannot be reached: \(String(cString: strerror(code)))",
        context: context)
    }
  }
}
