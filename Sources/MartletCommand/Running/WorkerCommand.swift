import ArgumentParser
import Engine
import Foundations
import Kernels
import Plan
import Processes
import Resilience
import Runtime
package import Telemetry

/// `martlet worker`: one device of a deployment.
struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Runs one device's share of a plan until it is stopped.",
    discussion: """
      SIGTERM or Ctrl-C finishes the frames under way, says goodbye and ends with status 0; a second
      one ends at once. Status 70 means that another worker took over the device's name.

      Examples:
        martlet worker --broker unix:/run/mosquitto.sock --plan plan --device d0 --profile d0.json
        martlet worker --broker mqtts://broker.local --ca-file ca.pem --username d0 \\
          --password-file d0.password --plan plan --device d0
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var wire: WireOptions
  @OptionGroup var log: LogOptions

  @Option(help: "The plan's folder.", completion: .directory)
  var plan: String

  @Option(help: "This device's name in the plan.")
  var device: String

  @OptionGroup var waiting: DeadlineOptions

  @Option(
    help: ArgumentHelp(
      "read or all: which layers to publish.",
      discussion: """
        read leaves out what neither the client nor another device that takes part in the frame gathers, \
        such as all layers but the last of a device that works alone. all publishes every layer, \
        for martlet inspect, martlet record and whatever else looks on.
        """))
  var publish = Publications.read

  /// Which layers are published.
  enum Publications: String, ExpressibleByArgument, CaseIterable {
    case read, all
  }

  @Option(
    help: "Where the device's last epoch is kept, for boards whose clock may go back.",
    completion: .directory)
  var state: String?

  @Option(help: "Time between heartbeats.")
  var heartbeat = TimeArgument(.milliseconds(500), "500ms")

  @Option(help: "How long to try to reach the broker at the start (default: for ever).")
  var patience: TimeArgument?

  @Flag(
    help: "Let device/fault stall, cut off or end this worker, or damage what it sends: for tests.")
  var allowFaults = false

  @Option(help: "Threads that compute.")
  var threads = 1

  @Option(
    help: """
      Where the energy is read: rapl, ina3221, hwmon, battery, or estimate from CPU time (default: \
      the first of these that the machine has).
      """)
  var energy: EnergyMeter.Source?

  @Option(
    help: "This device's profile, of martlet bench device, to publish with what the device is.",
    completion: .file())
  var profile: String?

  @Flag(help: "Publish no metrics.")
  var noMetrics = false

  @Option(help: "Power of a busy core in watts, for the estimate where there is no meter.")
  var busyWatts = 1.0

  @Flag(help: .hidden)
  var mute = false

  @Option(help: "Power of the idle board in watts, for the same estimate.")
  var idleWatts = 2.7

  @Option(help: .hidden)
  var clockOffset = 0

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be 1 to 256") }
  }

  func run() throws {
    ProcessHeap.keepSmall()
    let logger = try log.logger("martlet.worker")
    let folder = try PlanFolder(reading: plan)
    let number = try folder.plan.deviceNumber(device)
    ComputeThreads.set(threads)
    let engines = try DeviceEngines(folder: folder, device: number)
    var configuration = WorkerConfiguration(address: try broker.address())
    configuration.wire = wire.settings
    configuration.limits.deadline = waiting.deadline.policy
    configuration.limits.study = try FailureTable.read(beside: folder)
    configuration.limits.publishesAll = publish == .all
    configuration.stateFolder = state
    configuration.isMute = mute
    configuration.heartbeat = heartbeat.duration
    configuration.patience = patience?.duration
    configuration.allowsFaults = allowFaults
    configuration.busyWatts = busyWatts
    configuration.idleWatts = idleWatts
    configuration.clockOffsetSeconds = clockOffset
    configuration.energySource = energy
    configuration.profile = try ownProfile()
    configuration.publishesMetrics = !noMetrics
    configuration.tidy = { ProcessHeap.trim() }
    let prepared = configuration
    let worker = try Host { least throws(MartletError) in
      var configuration = prepared
      configuration.leastEpoch = least
      return try Worker(
        engines: engines, planID: folder.id, configuration: configuration, logger: logger)
    }
    let stop = worker.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try worker.run()
  }

  /// The profile that is published, if it is one of this machine.
  private func ownProfile() throws(MartletError) -> DeviceProfile? {
    guard let path = profile else { return nil }
    let profile = try DeviceProfile.read(path)
    try profile.require(.current, file: path)
    return profile
  }
}

extension EnergyMeter.Source: ExpressibleByArgument {}
