import Foundations
import Glibc
import LocalFleet
import Processes

/// The workers of a fleet, each behind a proxy of its own, and how each of them has ended.
final class WatchedFleet {
  /// The devices' names, by number.
  let names: [String]
  /// Unexpected ends and failures to end.
  private(set) var failures: [String] = []

  private let fleet: Fleet
  private let proxies: [TCPProxy]
  /// Devices that were asked to stop.
  private var leaving: Set<Int> = []
  /// Processes that must give way to a newer one of the same name.
  private var superseded: [(name: String, process: ChildProcess)] = []
  /// The status with which a worker ends that another one has taken over from.
  private static let supersededStatus = ExitStatus.exited(70)

  /// Puts proxies between a fleet and its broker; nothing runs yet.
  ///
  /// - Throws: `io` when no ports can be had.
  init(_ fleet: Fleet, broker: UInt16) throws(MartletError) {
    self.fleet = fleet
    names = fleet.names
    proxies = try names.map { _ throws(MartletError) in try TCPProxy(target: broker) }
    let ports = Dictionary(uniqueKeysWithValues: zip(names, proxies.map(\.port)))
    fleet.site.workerAccess = { ["--broker", "mqtt://127.0.0.1:\(ports[$0] ?? broker)"] }
  }

  /// Processes started.
  var starts: Int { fleet.starts }

  /// Starts a device's worker.
  ///
  /// - Parameter clockSeconds: how wrong its wall clock is.
  func start(_ device: Int, clockSeconds: Int = 0) throws(MartletError) {
    let clock = clockSeconds == 0 ? [] : ["--clock-offset=\(clockSeconds)"]
    try fleet.start(names[device], clock)
  }

  /// Sends a signal to a device's worker.
  func signal(_ device: Int, _ number: Int32) { fleet.signal(names[device], number) }

  /// Kills a device's worker.
  func kill(_ device: Int) {
    check(device)
    fleet.kill(names[device])
  }

  /// Asks a device's worker to stop.
  func terminate(_ device: Int) {
    leaving.insert(device)
    signal(device, SIGTERM)
  }

  /// Takes note of how a device's worker has stopped that was asked to.
  func expectEnd(_ device: Int, patience: Duration) {
    leaving.remove(device)
    guard let worker = fleet.letGo(names[device]) else { return }
    expect(
      .exited(0), of: worker, within: patience, "\(names[device]) was asked to stop",
      otherwise: "it did not end in time")
  }

  /// Takes note of how a device's worker has ended that was asked to with this status.
  func expectExit(_ device: Int, status: Int32) {
    guard let worker = fleet.letGo(names[device]) else { return }
    expect(
      .exited(status), of: worker, "\(names[device]) was asked to exit with \(status)",
      otherwise: "it did not")
  }

  /// Starts a second worker of the same name.
  func duplicate(_ device: Int) throws(MartletError) {
    if let worker = fleet.workers[names[device]] { superseded.append((names[device], worker)) }
    try start(device)
  }

  /// Takes note of whether the older of two workers of one name have given way.
  func expectGivenWay() {
    for (name, process) in superseded {
      expect(
        Self.supersededStatus, of: process, "the older of two workers of \(name)",
        otherwise: "it did not give way")
    }
    superseded = []
  }

  /// Takes note of another end than the expected one, and sees to it that there is one.
  private func expect(
    _ expected: ExitStatus, of worker: ChildProcess, within patience: Duration = .seconds(2),
    _ what: String, otherwise: String
  ) {
    let status = worker.wait(timeout: patience)
    if status == expected { return }
    failures.append("\(what): " + (status?.description ?? otherwise))
    worker.signal(SIGKILL)
    _ = worker.wait(timeout: .seconds(10))
  }

  /// Cuts a device's connection, or mends it.
  func setCut(_ isCut: Bool, _ device: Int) {
    isCut ? proxies[device].cut() : proxies[device].mend()
  }

  /// The process of a device's worker, if there is one.
  func process(_ device: Int) -> Int32? {
    fleet.workers[names[device]].flatMap { $0.exitStatus == nil ? $0.processID : nil }
  }

  /// Takes note of workers that have ended although nobody ended them, and starts them again so that
  /// the run can go on.
  func check() throws(MartletError) {
    for device in names.indices where !check(device) { try start(device) }
  }

  @discardableResult
  private func check(_ device: Int) -> Bool {
    guard !leaving.contains(device), let status = fleet.workers[names[device]]?.exitStatus else {
      return true
    }
    let lines = fleet.standardError(of: names[device]).split(separator: "\n").suffix(3)
    let words = lines.isEmpty ? "it left no message" : lines.joined(separator: " / ")
    failures.append("\(names[device]) ended by itself: \(status); \(words)")
    return false
  }

  /// Asks all to stop and takes note of how they do.
  func stop() {
    let running = names.indices.filter { process($0) != nil }
    for device in running { terminate(device) }
    for device in running { expectEnd(device, patience: .seconds(10)) }
  }

  /// Ends everything at once; may be called any number of times.
  func close() {
    fleet.stop()
    superseded = []
    for proxy in proxies { proxy.close() }
  }
}
