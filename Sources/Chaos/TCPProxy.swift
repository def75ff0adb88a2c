import CProcess
import Dispatch
package import Foundations
import Glibc
import Synchronization

/// A relay on the loopback address, between a worker and the broker, that can be cut like a cable:
/// nothing gets through, nobody is told, and what was under way arrives when it is mended.
package final class TCPProxy: Sendable {
  /// Where to connect instead of the broker.
  package let port: UInt16
  private let state: Mutex<State>
  /// Written to after every change of `state`, to wake the thread.
  private let wake: Int32
  private let finished = DispatchGroup()

  fileprivate struct State {
    var isCut = false
    var isClosed = false
  }

  /// Begins to relay connections to a port on this machine.
  ///
  /// - Throws: `io` when no port can be had.
  package init(target: UInt16) throws(MartletError) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000 | 0o4000, 0)
    var name = loopback(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
          && listen(listener, 16) == 0
      }
    }
    var ends: [Int32] = [-1, -1]
    guard listener >= 0, isListening, cprocess_pipe(&ends) == 0 else {
      throw MartletError(.io, "A relay cannot listen: \(String(cString: strerror(errno)))")
    }
    port = UInt16(bigEndian: name.sin_port)
    wake = ends[1]
    state = Mutex(State())
    let relay = Relay(listener: listener, wake: ends[0], target: target)
    // A thread of its own: it sleeps in `poll` for as long as the proxy lives.
    DispatchQueue(label: "martlet.proxy").async(group: finished) { [self] in
      while true {
        let now = state.withLock { $0 }
        if now.isClosed { break }
        relay.turn(isCut: now.isCut)
      }
      relay.close()
    }
  }

  /// Lets nothing through from now on.
  package func cut() { set { $0.isCut = true } }

  /// Lets everything through again.
  package func mend() { set { $0.isCut = false } }

  /// Ends all connections; may be called any number of times.
  package func close() {
    let wasClosed = state.withLock { state in
      defer { state.isClosed = true }
      return state.isClosed
    }
    guard !wasClosed else { return }
    notify()
    finished.wait()
    Glibc.close(wake)
  }

  private func set(_ change: (inout State) -> Void) {
    state.withLock { state in
      guard !state.isClosed else { return }
      change(&state)
      notify()
    }
  }

  private func notify() {
    var byte: UInt8 = 0
    _ = write(wake, &byte, 1)
  }
}

/// The connections of a proxy; used by its thread only.
///
/// `@unchecked Sendable`: made by the initialiser, then handed to one thread.
private final class Relay: @unchecked Sendable {
  private let listener: Int32
  private let wake: Int32
  private let target: UInt16
  private var pairs: [Pair] = []

  init(listener: Int32, wake: Int32, target: UInt16) {
    self.listener = listener
    self.wake = wake
    self.target = target
  }

  /// Waits until something can be done and does it.
  func turn(isCut: Bool) {
    var entries = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
    if !isCut {
      entries.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
      for pair in pairs { entries += pair.entries }
    }
    guard poll(&entries, nfds_t(entries.count), -1) > 0 else { return }
    if entries[0].revents != 0 {
      var bytes = [UInt8](repeating: 0, count: 64)
      _ = read(wake, &bytes, bytes.count)
      return
    }
    for (index, pair) in pairs.enumerated() {
      pair.move(entries[2 + 2 * index].revents, entries[3 + 2 * index].revents)
    }
    for pair in pairs where pair.isOver { pair.close() }
    pairs.removeAll(where: \.isOver)
    if entries[1].revents != 0 { accept() }
  }

  func close() {
    for pair in pairs { pair.close() }
    Glibc.close(listener)
    Glibc.close(wake)
  }

  private func accept() {
    let worker = Glibc.accept(listener, nil, nil)
    guard worker >= 0 else { return }
    let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
    var name = loopback(port: target)
    let isConnected = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(broker, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      Glibc.close(worker)
      Glibc.close(broker)
      return
    }
    for end in [worker, broker] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    pairs.append(Pair(worker: worker, broker: broker))
  }
}

/// One relayed connection.
private final class Pair {
  private var ends: [Int32]
  /// What was read from each end and waits for the other.
  private var held: [[UInt8]]
  private var waiting: [Range<Int>] = [0..<0, 0..<0]
  private var hasEnded = [false, false]

  init(worker: Int32, broker: Int32) {
    ends = [worker, broker]
    held = [0, 1].map { _ in [UInt8](repeating: 0, count: 256 << 10) }
    var on: Int32 = 1
    for end in ends {
      setsockopt(
        end, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Over once an end has gone and what came from it is delivered, or cannot be.
  var isOver: Bool { [0, 1].contains { hasEnded[$0] && waiting[$0].isEmpty } }

  var entries: [pollfd] {
    [0, 1].map { end in
      var events: Int16 = 0
      if waiting[end].isEmpty && !hasEnded[end] { events |= Int16(POLLIN) }
      if !waiting[1 - end].isEmpty { events |= Int16(POLLOUT) }
      // An end that has gone would be reported again and again while nothing can be done about it.
      return pollfd(fd: events == 0 ? -1 : ends[end], events: events, revents: 0)
    }
  }

  func move(_ first: Int16, _ second: Int16) {
    for (end, events) in [(0, first), (1, second)] where events != 0 {
      if waiting[end].isEmpty && !hasEnded[end] { fill(from: end) }
      deliver(from: end)
      deliver(from: 1 - end)
    }
  }

  private func fill(from end: Int) {
    let count = held[end].withUnsafeMutableBytes { read(ends[end], $0.baseAddress, $0.count) }
    if count > 0 {
      waiting[end] = 0..<count
    } else if count == 0 || errno != EAGAIN {
      hasEnded[end] = true
    }
  }

  private func deliver(from end: Int) {
    guard !waiting[end].isEmpty else { return }
    let range = waiting[end]
    let count = held[end].withUnsafeBytes {
      send(
        ends[1 - end], $0.baseAddress.map { $0 + range.lowerBound }, range.count,
        Int32(MSG_NOSIGNAL))
    }
    if count >= 0 {
      waiting[end] = (range.lowerBound + count)..<range.upperBound
    } else if errno != EAGAIN {
      waiting[end] = 0..<0
      hasEnded[1 - end] = true
    }
  }

  func close() {
    for end in ends { Glibc.close(end) }
  }
}

private func loopback(port: UInt16) -> sockaddr_in {
  var name = sockaddr_in()
  name.sin_family = sa_family_t(AF_INET)
  name.sin_port = port.bigEndian
  name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return name
}
