package import Foundations

/// Which plan a deployment runs. Topic `plan`, retained.
package struct PlanAnnouncement: WireMessage, Equatable {
  /// The plan's id.
  package var plan: String
  /// The fencing epoch: of two announcements the higher one counts.
  package var epoch: UInt64
  /// By device: the SHA-256 digest of its shard, 64 hexadecimal digits.
  package var shards: [String: String]

  /// Announces a plan.
  package init(plan: String, epoch: UInt64, shards: [String: String]) {
    self.plan = plan
    self.epoch = epoch
    self.shards = shards
  }

  /// The most bytes of a payload.
  package static let maximumBytes = 256 * 1024

  /// Checks ranges and lengths; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.text(plan, "plan", atMost: TensorHeader.maximumPlanBytes)
    try Field.number(epoch, "epoch")
    try Field.count(shards.count, "shards", atMost: 1024)
    for (device, digest) in shards {
      try Field.identifier(device, "shards")
      try Field.require(
        digest.utf8.count == 64 && digest.allSatisfy { $0.isHexDigit && $0.isASCII }, "shards",
        digest)
    }
  }
}
