import Foundations

/// What goes wrong and when: a pure function of the seed.
///
/// Faults come in waves of up to three that overlap. After each wave all that was broken is mended,
/// and there is time for everybody to come back. Kinds are dealt from a shuffled deck, so that none
/// comes again before all have come.
package struct ChaosSchedule: Sendable, Hashable {
  /// Faults that overlap.
  package struct Wave: Sendable, Hashable {
    /// By beginning.
    package var faults: [Fault]
    /// When the last of them ends.
    package var end: Duration { faults.map(\.end).max() ?? .zero }
  }

  /// Something to do.
  package struct Step: Sendable, Hashable {
    /// What to do.
    package enum Action: Sendable, Hashable {
      /// Break something.
      case begin(Fault)
      /// Mend it again.
      case end(Fault)
      /// Everybody must be back now; the end of the wave was then.
      case settled(since: Duration)
    }
    /// When, from the start of the run.
    package var time: Duration
    /// What.
    package var action: Action
  }

  /// How long everybody has to come back after a wave, and what the steps leave for it.
  package static let returnLimit = Duration.seconds(5)
  /// Quiet time after a wave.
  package static let pause = Duration.milliseconds(6500)
  /// Time before the first wave, to see what undisturbed looks like.
  package static let calm = Duration.seconds(3)

  /// The waves, one after the other.
  package let waves: [Wave]
  /// A device whose process nothing ends, so that slow leaks show.
  package let steadyDevice: Int

  /// Draws a schedule.
  ///
  /// - Parameters:
  ///   - length: of the whole run; no wave begins that could not be followed by a pause.
  ///   - devices: how many there are, at least 2; never all of them are hit at once.
  ///   - kinds: what may go wrong, at least one.
  package init(
    seed: UInt64, length: Duration, devices: Int, kinds: [Fault.Kind] = Fault.Kind.allCases
  ) {
    precondition(devices >= 2 && !kinds.isEmpty, "nothing to break")
    var random = SeededGenerator(seed: seed)
    steadyDevice = Int.random(in: 0..<devices, using: &random)
    var deck: [Fault.Kind] = []
    var waves: [Wave] = []
    var time = Self.calm
    while true {
      var victims = (0..<devices).shuffled(using: &random)
      var faults: [Fault] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        if deck.isEmpty { deck = kinds.shuffled(using: &random) }
        guard
          let fault = Self.draw(
            deck[deck.count - 1], at: time, victims: &victims, steady: steadyDevice, &random)
        else { break }
        // The broker can only be killed while it runs.
        if fault.kind.facts.takesBrokerDown,
          faults.contains(where: { $0.kind.facts.takesBrokerDown })
        {
          break
        }
        deck.removeLast()
        faults.append(fault)
      }
      let wave = Wave(faults: faults.sorted { $0.start < $1.start })
      guard wave.end + Self.pause <= length else { break }
      waves.append(wave)
      time = wave.end + Self.pause
    }
    self.waves = waves
  }

  /// The steps in order.
  package var steps: [Step] {
    waves.flatMap { wave in
      let broken = wave.faults.flatMap {
        [Step(time: $0.start, action: .begin($0)), Step(time: $0.end, action: .end($0))]
      }
      // One device is spared in each wave, so beginnings and ends of one device never mix.
      return broken.sorted { $0.time < $1.time } + [
        Step(time: wave.end + Self.returnLimit, action: .settled(since: wave.end))
      ]
    }
  }

  private static func draw(
    _ kind: Fault.Kind, at time: Duration, victims: inout [Int], steady: Int,
    _ random: inout SeededGenerator
  ) -> Fault? {
    let facts = kind.facts
    var device: Int?
    if facts.hitsDevice {
      guard victims.count > 1,
        let index = victims.lastIndex(where: { !facts.endsProcess || $0 != steady })
      else { return nil }
      device = victims.remove(at: index)
    }
    let start = time + .milliseconds(Int.random(in: 0...1500, using: &random))
    let length = Int.random(in: facts.milliseconds, using: &random)
    let clock = kind == .clockStep ? ([-7200, 7200].randomElement(using: &random) ?? 0) : 0
    return Fault(
      kind, device: device, clockSeconds: clock, start: start, end: start + .milliseconds(length))
  }
}
