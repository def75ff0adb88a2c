import ArgumentParser
import Benchmarks
import Foundations
import Plan
import Planning

/// What `martlet plan` predicts for: devices, links, and what to be best at.
struct PredictionArguments: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Predict for links of this speed: 50mbit,2ms for all, d0=10mbit for one device or the client.",
      valueName: "[device=]rate[,latency]"))
  var link: [String] = []

  @Option(
    help: ArgumentHelp(
      "The broker's own link, which everything passes (default: no limit).",
      valueName: "rate[,latency]"))
  var brokerLink: String?

  @Option(
    parsing: .upToNextOption,
    help: """
      Files of martlet bench device, or folders of them: one for all devices, or DEVICE.json for each. \
      Without them this machine is measured.
      """, completion: .file())
  var profiles: [String] = []

  @Option(
    help: "What the plan should be best at: latency, throughput or memory (default: latency).")
  var goal: PlanGoal?

  /// Whether a prediction is wanted without `--method auto`.
  var isWanted: Bool {
    !link.isEmpty || brokerLink != nil || !profiles.isEmpty || goal != nil
  }

  /// What the plan should be best at.
  var wantedGoal: PlanGoal { goal ?? .latency }

  func validate() throws {
    do throws(MartletError) {
      // Devices are not known yet: only speeds are looked at.
      for text in link {
        _ = try LinkSpeed(parsing: text.split(separator: "=").last.map(String.init) ?? text)
      }
      if let brokerLink { _ = try LinkSpeed(parsing: brokerLink) }
    } catch {
      throw ValidationError("\(error.message): \(error.hint ?? "")")
    }
  }

  /// The model to predict with.
  func model(of names: [String], stopped: StopFlag) throws(MartletError) -> CostModel {
    let network = try NetworkSpeed(parsing: link, broker: brokerLink, names: names)
    let profiles = try deviceProfiles(of: names, stopped)
    return CostModel(CostAssumptions(profiles, network: network))
  }

  private func deviceProfiles(
    of names: [String], _ stopped: StopFlag
  ) throws(MartletError) -> DeviceProfiles {
    guard profiles.isEmpty else { return try DeviceProfiles(reading: profiles, names: names) }
    let benchmark = DeviceBenchmark(length: .milliseconds(20), measuresMessages: false)
    let profile = try benchmark.run(progress: {
      Terminal.progress("measuring this machine: kernel \($0) of \($1)")
    }) { () throws(MartletError) in try stopped.check() }.profile
    Terminal.endProgress()
    Terminal.printLine(
      "martlet: predictions are for devices like this machine (\(profile.machine.processor)); "
        + "--profiles takes those of martlet bench device")
    return DeviceProfiles(all: profile, devices: names.count)
  }
}

extension PlanGoal: ExpressibleByArgument {}
