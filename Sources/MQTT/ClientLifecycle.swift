import CMosquitto
import Foundations
import Glibc

/// Making, closing and the calls that wait.
extension ConnectionCore {
  /// Creates the library's client and sets everything that must be set before the first connection.
  func makeHandle() throws(MartletError) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    guard let handle = mosquitto_new(configuration.clientID, true, context) else {
      throw MartletError(
        .invalidArgument, "The client id is not usable",
        context: ["client": configuration.clientID])
    }
    self.handle = handle
    mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5)
    mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
    Self.installCallbacks(on: handle)
    if let username { mosquitto_username_pw_set(handle, username, password) }
    if configuration.address.usesTLS { try configureTLS(handle) }
    if let will = configuration.will { try setWill(will, handle) }
  }

  private func configureTLS(_ handle: OpaquePointer) throws(MartletError) {
    let tls = configuration.tls
    for case let file? in [tls.authorityFile, tls.certificateFile, tls.keyFile] {
      guard access(file, R_OK) == 0 else {
        throw MartletError(
          .invalidFile, "A TLS file cannot be read: \(String(cString: strerror(errno)))",
          context: ["file": file])
      }
    }
    // The library insists on a file or a folder; these are where distributions keep theirs.
    let folders = ["/etc/ssl/certs", "/etc/pki/tls/certs"]
    let folder = tls.authorityFile == nil ? folders.first { access($0, R_OK) == 0 } : nil
    var code = mosquitto_tls_set(
      handle, tls.authorityFile, folder, tls.certificateFile, tls.keyFile, nil)
    // 1 is SSL_VERIFY_PEER.
    if code == 0 { code = mosquitto_tls_opts_set(handle, 1, "tlsv1.2", nil) }
    if code == 0 { code = mosquitto_tls_insecure_set(handle, tls.allowsAnyHostname) }
    guard code == 0 else {
      throw MartletError(
        .invalidArgument, "TLS cannot be set up: \(LibraryErrors.libraryText(code))",
        hint: "give an authority file, and certificate and key together")
    }
  }

  private func setWill(_ will: MQTTMessage, _ handle: OpaquePointer) throws(MartletError) {
    let list = try PropertyList.make(will.properties, topic: will.topic)
    let code = will.payload.withUnsafeBytes {
      mosquitto_will_set_v5(
        handle, will.topic, Int32($0.count), $0.baseAddress, Int32(will.quality.rawValue),
        will.retain, list)
    }
    guard code == 0 else {
      // The library owns the list only when it succeeds.
      PropertyList.free(list)
      throw LibraryErrors.rejectedCall(code, topic: will.topic)
    }
  }

  func close(publishingWill: Bool) {
    lock.lock()
    if phase == .idle {
      phase = .closed
      mosquitto_destroy(handle)
      handle = nil
    }
    if !closing {
      closing = true
      closesWithWill = publishingWill
      wake.signal()
      lock.broadcast()
    }
    let isNetworkThread = thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
    // Exactly one caller joins, or detaches when it is the thread itself.
    let duty = needsJoin ? thread : nil
    needsJoin = false
    if !isNetworkThread && duty == nil {
      while phase != .closed { _ = lock.wait(until: MonotonicTime.now() + .seconds(1)) }
    }
    lock.unlock()
    guard let duty else { return }
    if isNetworkThread { pthread_detach(duty) } else { pthread_join(duty, nil) }
  }

  func flush(timeout: Duration) throws(MartletError) {
    let deadline = MonotonicTime.now() + timeout
    lock.lock()
    defer { lock.unlock() }
    while !outbox.isEmpty {
      guard phase != .closed, phase != .takenOver else { throw offlineError }
      guard lock.wait(until: deadline) else {
        if outbox.isEmpty { return }
        if phase != .online { throw offlineError }
        throw MartletError(
          .timedOut, "The broker has not taken everything in time",
          context: ["broker": address, "waiting bytes": "\(outbox.bytes)"])
      }
    }
  }
}
