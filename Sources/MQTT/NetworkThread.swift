import CMosquitto
import Foundations
import Glibc
import Logging
import Synchronization

/// The thread that connects, reads, writes what publishers could not, and reconnects.
extension ConnectionCore {
  /// Starts the thread. The lock must be held; the thread owns one reference to this core.
  func launch() throws(MartletError) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let core = Unmanaged<ConnectionCore>.fromOpaque(context).takeRetainedValue()
        core.run()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw MartletError(
        .resourceExhausted, "A thread cannot be started: \(String(cString: strerror(code)))")
    }
    self.thread = thread
    needsJoin = true
  }

  private func run() {
    var attempt = 0
    var detector = TakeoverDetector()
    var generator = SystemRandomNumberGenerator()
    while lock.withLock({ !closing }) {
      let began = MonotonicTime.now()
      isUnexplained = false
      var failure = connectOnce(began + configuration.connectTimeout) ?? serve(began)
      if let error = failure, isUnexplained { failure = explained(error) }
      let lifetime = endConnection(failure, &detector)
      report()
      guard lock.withLock({ !closing && phase != .takenOver }) else { break }
      // A connection that held was no part of a series of failures.
      if let lifetime, lifetime > .seconds(5) { attempt = 0 }
      rest(configuration.backoff.delay(attempt: attempt, using: &generator))
      attempt += 1
    }
    finish()
  }

  /// Reaches the broker and sends CONNECT. Returns what went wrong.
  private func connectOnce(_ deadline: MonotonicTime) -> MartletError? {
    lock.withLock {
      phase = .connecting
      refusal = nil
      disconnectReason = nil
      severed = false
      unsentIsLimited = false
      lastRead = nil
    }
    complaint.withLock { $0 = nil }
    if let handle { Self.listenToLog(of: handle, true) }
    do throws(MartletError) {
      try Reachability.check(configuration.address, deadline: deadline, wake: wake)
    } catch {
      return error
    }
    var limit: OpaquePointer?
    mosquitto_property_add_int32(
      &limit, Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue), configuration.maximumInboundPacketBytes
    )
    defer { PropertyList.free(limit) }
    let keepAlive = Int32(configuration.keepAliveSeconds)
    // Without the lock, because it may block: in phase `.connecting` nobody else uses the handle.
    let code: Int32
    switch configuration.address.endpoint {
    case .unix(let path):
      code = mosquitto_connect_bind_v5(handle, path, 0, keepAlive, nil, limit)
    case .tcp(let host, let port):
      code = mosquitto_connect_bind_v5(handle, host, Int32(port), keepAlive, nil, limit)
    }
    guard code == 0 else {
      return connectFailure(code)
    }
    lock.withLock { phase = .handshake }
    return nil
  }

  private func connectFailure(_ code: Int32) -> MartletError {
    isUnexplained = true
    let detail = complaint.withLock { $0 } ?? LibraryErrors.libraryText(code)
    if code == MOSQ_ERR_TLS.rawValue {
      return MartletError(
        .permissionDenied, "The encrypted connection could not be made: \(detail)",
        context: ["broker": address],
        hint: "check the authority file and that the certificate names this host")
    }
    return MartletError(
      .unreachable, "The broker cannot be reached: \(detail)", context: ["broker": address])
  }

  /// A better error for a connection that failed before the broker answered: the port is looked at, not
  /// more often than every half minute.
  private func explained(_ failure: MartletError) -> MartletError {
    guard case .tcp(let host, let port) = configuration.address.endpoint,
      !lock.withLock({ closing })
    else { return failure }
    let now = MonotonicTime.now()
    if examination.map({ $0.until < now }) ?? true {
      let look = TLSExamination(host: host, port: port, tls: configuration.tls)
      let finding = look.run {
        try? Reachability.connect(host: host, port: port, deadline: now + .seconds(5), wake: wake)
      }
      examination = (finding, MonotonicTime.now() + .seconds(30))
    }
    guard let finding = examination?.finding else { return failure }
    return TLSExamination.error(
      finding, address: address, detail: complaint.withLock { $0 } ?? "",
      usesTLS: configuration.address.usesTLS, tls: configuration.tls) ?? failure
  }

  /// Reads and writes until the connection ends or the client closes.
  private func serve(_ began: MonotonicTime) -> MartletError? {
    let handshakeDeadline = began + configuration.connectTimeout
    var code: Int32 = 0
    var nextMisc = MonotonicTime.now()
    var descriptors = [
      pollfd(fd: -1, events: 0, revents: 0),
      pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    var isListening = true
    // Unix sockets have no acknowledgements.
    var acknowledges = true
    lock.lock()
    defer { lock.unlock() }
    while code == 0 && !closing {
      if isListening, phase == .online, let handle {
        Self.listenToLog(of: handle, false)
        isListening = false
      }
      let socket = mosquitto_socket(handle)
      guard socket >= 0 else { break }
      pollsForWrite = mosquitto_want_write(handle)
      descriptors[0].fd = socket
      descriptors[0].events = Int16(POLLIN | (pollsForWrite ? POLLOUT : 0))
      lock.unlock()
      poll(&descriptors, 2, 1000)
      if descriptors[1].revents != 0 { wake.drain() }
      lock.lock()
      if closing { break }
      let hasRead = descriptors[0].revents & Int16(POLLIN) != 0
      if descriptors[0].revents & Int16(POLLIN | POLLERR | POLLHUP) != 0 {
        code = mosquitto_loop_read(handle, 1)
        // A broker with Nagle's algorithm, mosquitto as it comes, holds the next message back until
        // this one is acknowledged. Each time: the kernel forgets it with the next thing sent.
        if acknowledges && code == 0 { acknowledges = martlet_acknowledge_now(socket) != 0 }
      }
      if code == 0 && mosquitto_want_write(handle) { code = mosquitto_loop_write(handle, 1) }
      if code == 0 && !outbox.bulk.isEmpty { handBulk() }
      let now = MonotonicTime.now()
      if hasRead { lastRead = now }
      if code == 0 && now >= nextMisc {
        nextMisc = now + .milliseconds(500)
        code = mosquitto_loop_misc(handle)
        if phase == .handshake && now >= handshakeDeadline {
          return MartletError(
            .timedOut, "The broker accepts connections but does not answer",
            context: ["broker": address])
        }
      }
      if !events.isEmpty {
        lock.unlock()
        report()
        lock.lock()
      }
    }
    if closing { return nil }
    if let refusal {
      return LibraryErrors.refusedConnection(reason: refusal, address: address, username: username)
    }
    if phase == .handshake {
      isUnexplained = true
      if code == MOSQ_ERR_TLS.rawValue { return connectFailure(code) }
    }
    return LibraryErrors.lostConnection(code: code, reason: disconnectReason, address: address)
  }

  /// Puts the books in order after a connection or an attempt. Returns how long it had been online,
  /// or nil.
  private func endConnection(
    _ failure: MartletError?, _ detector: inout TakeoverDetector
  ) -> Duration? {
    lock.lock()
    defer { lock.unlock() }
    guard let failure, !closing else { return nil }
    let lifetime = phase == .online ? onlineSince.duration(to: .now) : nil
    let socket = mosquitto_socket(handle)
    if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    statistics.droppedOut += outbox.dropUnwritten()
    var isTakeover = false
    if let lifetime {
      isTakeover = detector.lost(
        lifetime: lifetime, reason: disconnectReason, deliberate: severed || isTryingSize)
    } else {
      detector.attemptFailed()
    }
    if isTakeover {
      phase = .takenOver
      lastFailure = takeover
      events.append(.takenOver(takeover))
      logger.error("\(takeover)")
    } else {
      phase = .connecting
      lastFailure = failure
      events.append(lifetime != nil ? .disconnected(failure) : .refused(failure))
      if lifetime != nil { failureLog.reset() }
      if let line = failureLog.line(for: failure, at: .now()) { logger.warning("\(line)") }
    }
    packetLimit = nil
    if isTryingSize { replaceHandle() }
    lock.broadcast()
    return lifetime
  }

  /// Makes the library forget what it would send again after a reconnection: a message that is too
  /// large for the broker would end that connection, too, and all after it.
  private func replaceHandle() {
    statistics.droppedOut += outbox.dropAll()
    mosquitto_destroy(handle)
    handle = nil
    do throws(MartletError) {
      try makeHandle()
    } catch {
      logger.error("\(error)")
    }
  }

  /// Waits, but not when the client closes.
  private func rest(_ duration: Duration) {
    let deadline = MonotonicTime.now() + duration
    while lock.withLock({ !closing }) && MonotonicTime.now() < deadline {
      var descriptor = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&descriptor, 1, deadline.millisecondsLeft) > 0 { wake.drain() }
    }
  }

  /// Says goodbye, destroys the handle and lets waiting callers go.
  private func finish() {
    lock.lock()
    if phase == .online {
      hasSaidGoodbye = false
      // 0x04 asks the broker to publish the will all the same.
      mosquitto_disconnect_v5(handle, closesWithWill ? 4 : 0, nil)
      let deadline = MonotonicTime.now() + .seconds(1)
      var descriptor = pollfd(fd: mosquitto_socket(handle), events: Int16(POLLOUT), revents: 0)
      // Newer libraries keep the socket open afterwards, and the goodbye among what is to be written.
      while !hasSaidGoodbye, MonotonicTime.now() < deadline, mosquitto_socket(handle) >= 0,
        mosquitto_want_write(handle), poll(&descriptor, 1, deadline.millisecondsLeft) > 0
      {
        if mosquitto_loop_write(handle, 1) != 0 { break }
      }
    }
    // A client that was taken over says so until it is closed.
    while !closing { _ = lock.wait(until: MonotonicTime.now() + .seconds(3600)) }
    statistics.droppedOut += outbox.dropUnwritten()
    mosquitto_destroy(handle)
    handle = nil
    phase = .closed
    events.append(.closed)
    lock.broadcast()
    lock.unlock()
    report()
  }

  /// Tells the handler what happened, with no lock held.
  private func report() {
    let batch = lock.withLock {
      let batch = events
      events = []
      return batch
    }
    for event in batch { onEvent(event) }
  }
}
