package import Foundations
import Glibc

/// Decides which parts of a device are dropped, delayed or damaged, and how. The same requests with
/// the same seeds give the same decisions, part by part.
package struct FaultInjector: Sendable {
  /// What happens to one part.
  package struct Fate: Sendable, Equatable {
    /// It is not sent.
    package var isDropped = false
    /// It is sent so many nanoseconds later.
    package var delayNanoseconds: UInt64 = 0
    /// Where it is damaged, if it is.
    package var damage: FaultRequest.Place?

    /// It is sent as it is.
    package init() {}
  }

  /// One kind of fault in force.
  private struct Fault: Sendable {
    var request: FaultRequest
    var end: MonotonicTime
    var random: SeededGenerator
  }

  private var faults: [FaultRequest.Kind: Fault] = [:]
  private var damages = SeededGenerator(seed: 0)

  /// Nothing in force.
  package init() {}

  /// Whether any fault may be in force; false costs a comparison and nothing more.
  package var isActive: Bool { !faults.isEmpty }

  /// Begins a fault of parts, in place of an earlier one of the same kind, or ends them all with
  /// `clear`. Kinds that are not about parts change nothing here.
  ///
  /// - Parameter seed: what `request.seed` is, or stands for when it is absent.
  package mutating func apply(_ request: FaultRequest, seed: UInt64, at now: MonotonicTime) {
    guard request.kind.isAboutParts else { return }
    guard request.kind != .clear else {
      faults = [:]
      return
    }
    faults[request.kind] = Fault(
      request: request, end: now.adding(nanoseconds: request.nanoseconds),
      random: SeededGenerator(seed: seed))
    if request.kind == .corrupt { damages = SeededGenerator(seed: ~seed) }
  }

  /// The fate of the next part.
  package mutating func next(at now: MonotonicTime) -> Fate {
    var fate = Fate()
    guard isActive else { return fate }
    for kind in FaultRequest.Kind.allCases {
      guard var fault = faults[kind] else { continue }
      guard now < fault.end else {
        faults[kind] = nil
        continue
      }
      let isHit = fault.random.unit() < fault.request.fraction ?? 1
      if isHit {
        switch kind {
        case .drop: fate.isDropped = true
        case .delay: fate.delayNanoseconds = fault.request.delay(using: &fault.random)
        case .corrupt: fate.damage = fault.request.place ?? .any
        // These are not about parts, and are never kept here.
        case .clear, .stall, .disconnect, .exit: break
        }
      }
      faults[kind] = fault
    }
    return fate
  }

  /// Flips one to eight bits of a message.
  ///
  /// - Parameters:
  ///   - headerBytes: where the elements begin.
  package mutating func damage(
    _ message: inout [UInt8], at place: FaultRequest.Place, headerBytes: Int
  ) {
    let split = min(max(headerBytes, 0), message.count)
    let range =
      switch place {
      case .header: 0..<split
      case .data: split..<message.count
      case .any: 0..<message.count
      }
    guard !range.isEmpty else { return }
    for _ in 0..<(1 + damages.next() % 8) {
      let index = range.lowerBound + Int(damages.next() % UInt64(range.count))
      message[index] ^= 1 << UInt8(damages.next() % 8)
    }
  }
}

extension FaultRequest {
  fileprivate func delay(using random: inout SeededGenerator) -> UInt64 {
    let mean = meanMilliseconds ?? 0
    let spread = spreadMilliseconds ?? 0
    let milliseconds =
      switch distribution ?? .fixed {
      case .fixed: mean
      case .uniform: mean + (2 * random.unit() - 1) * spread
      case .exponential: -mean * log(1 - random.unit())
      // The method of Box and Muller (1958).
      case .normal:
        mean + spread * (-2 * log(1 - random.unit())).squareRoot() * cos(2 * .pi * random.unit())
      }
    return UInt64(min(max(milliseconds, 0), 600_000) * 1e6)
  }
}
