import Glibc
public import Plan
import Processes
public import TensorCore
import TensorFiles

/// The worker processes, each behind a proxy of its own, and how each of them has ended.
public final class Fleet {
  /// The devices' names, by number.
  public let names: [String]
  /// Unexpected ends and failures to end.
  public private(set) var failures: [String] = []
  /// Processes started.
  public private(set) var starts = 0

  private let plan: PlanFolder
  private let proxies: [TCPProxy]
  private let folder: String
  private let options: [String]
  private var workers: [ChildProcess?]
  /// Devices that were asked to stop.
  private var leaving: Set<Int> = []
  /// Processes that must give way to a newer one of the same name.
  private var superseded: [(name: String, process: ChildProcess)] = []
  /// The status with which a worker ends that another one has taken over from.
  private static let supersededStatus = ExitStatus.exited(70)

  /// Prepares a fleet; nothing runs yet.
  ///
  /// - Parameters:
  ///   - folder: for the workers' logs.
  ///   - options: further options of `martlet worker`.
  /// - Throws: `io` when no ports can be had.
  public init(
    plan: PlanFolder, broker: UInt16, folder: String, options: [String]
  ) throws(MartletError) {
    self.plan = plan
    self.folder = folder
    self.options = options
    names = plan.plan.devices.map(\.name)
    proxies = try names.map { _ throws(MartletError) in try TCPProxy(target: broker) }
    workers = names.map { _ in nil }
  }

  /// Starts a device's worker.
  ///
  /// - Parameter clockSeconds: how wrong its wall clock is.
  public func start(_ device: Int, clockSeconds: Int = 0) throws(MartletError) {
    starts += 1
    var arguments = [
      "worker", "--broker", "mqtt://127.0.0.1:\(proxies[device].port)", "--plan", plan.path,
      "--device", names[device], "--log-level", "warning", "--allow-faults",
      "--state", folder + "/state",
    ]
    if clockSeconds != 0 { arguments += ["--clock-offset=\(clockSeconds)"] }
    workers[device] = try ChildProcess(
      .init(
        executable: try System.executablePath(), arguments: arguments + options,
        standardOutput: .discarded, standardError: .appended(log(device))))
  }

  /// Sends a signal to a device's worker.
  public func signal(_ device: Int, _ number: Int32) { workers[device]?.signal(number) }

  /// Kills a device's worker.
  public func kill(_ device: Int) {
    guard let worker = workers[device] else { return }
    check(device)
    worker.signal(SIGKILL)
    _ = worker.wait(timeout: .seconds(10))
    workers[device] = nil
  }

  /// Asks a device's worker to stop.
  public func terminate(_ device: Int) {
    leaving.insert(device)
    workers[device]?.signal(SIGTERM)
  }

  /// Takes note of how a device's worker has stopped that was asked to.
  public func expectEnd(_ device: Int, patience: Duration) {
    leaving.remove(device)
    guard let worker = workers[device] else { return }
    workers[device] = nil
    let status = worker.wait(timeout: patience)
    if status == .exited(0) { return }
    failures.append(
      "\(names[device]) was asked to stop: " + (status?.description ?? "it did not end in time"))
    worker.signal(SIGKILL)
    _ = worker.wait(timeout: .seconds(10))
  }

  /// Takes note of how a device's worker has ended that was asked to with this status.
  public func expectExit(_ device: Int, status expected: Int32) {
    guard let worker = workers[device] else { return }
    workers[device] = nil
    let status = worker.wait(timeout: .seconds(2))
    if status == .exited(expected) { return }
    failures.append(
      "\(names[device]) was asked to exit with \(expected): "
        + (status?.description ?? "it did not"))
    worker.signal(SIGKILL)
    _ = worker.wait(timeout: .seconds(10))
  }

  /// Starts a second worker of the same name.
  public func duplicate(_ device: Int) throws(MartletError) {
    if let worker = workers[device] { superseded.append((names[device], worker)) }
    try start(device)
  }

  /// Takes note of whether the older of two workers of one name have given way.
  public func expectGivenWay() {
    for (name, process) in superseded {
      let status = process.wait(timeout: .seconds(2))
      if status == Self.supersededStatus { continue }
      failures.append(
        "the older of two workers of \(name): " + (status?.description ?? "it did not give way"))
      process.signal(SIGKILL)
      _ = process.wait(timeout: .seconds(10))
    }
    superseded = []
  }

  /// Cuts a device's connection, or mends it.
  public func setCut(_ isCut: Bool, _ device: Int) {
    isCut ? proxies[device].cut() : proxies[device].mend()
  }

  /// The process of a device's worker, if there is one.
  public func process(_ device: Int) -> Int32? {
    workers[device].flatMap { $0.exitStatus == nil ? $0.processID : nil }
  }

  /// Takes note of workers that have ended although nobody ended them, and starts them again so that
  /// the run can go on.
  public func check() throws(MartletError) {
    for device in workers.indices where !check(device) { try start(device) }
  }

  @discardableResult
  private func check(_ device: Int) -> Bool {
    guard !leaving.contains(device), let status = workers[device]?.exitStatus else { return true }
    failures.append("\(names[device]) ended by itself: \(status); \(lastWords(device))")
    return false
  }

  /// Asks all to stop and takes note of how they do.
  public func stop() {
    let running = workers.indices.filter { process($0) != nil }
    for device in running { terminate(device) }
    for device in running { expectEnd(device, patience: .seconds(10)) }
    close()
  }

  /// Ends everything at once; may be called any number of times.
  public func close() {
    for worker in workers.compactMap({ $0 }) + superseded.map(\.process) {
      worker.signal(SIGKILL)
      _ = worker.wait(timeout: .seconds(10))
    }
    workers = names.map { _ in nil }
    superseded = []
    for proxy in proxies { proxy.close() }
  }

  private func log(_ device: Int) -> String { "\(folder)/\(names[device]).log" }

  private func lastWords(_ device: Int) -> String {
    let lines = (try? FileSystem.readText(log(device)))?.split(separator: "\n").suffix(3) ?? []
    return lines.isEmpty ? "it left no message" : lines.joined(separator: " / ")
  }
}
