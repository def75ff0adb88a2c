/// Which of OpenBLAS's kernels belong to which processors.
enum CoreTable {
  /// The names of kernels that are faster than those of `core` on a processor, best first; nil if
  /// `core` is as good as any or nothing is known.
  static func better(than core: String, on processor: Processor) -> [String]? {
    switch processor {
    case .x86(let level, let isAMD):
      guard let used = self.level(of: core), used < level else { return nil }
      return Processor.Level.allCases.reversed()
        .filter { used < $0 && $0 <= level }
        .map { name(of: $0, isAMD: isAMD) }
    case .arm(let parts):
      guard let used = armRank[core.lowercased()] else { return nil }
      // The fastest kind of core that the processor has: work goes there when there is much of it.
      return parts.compactMap { part in
        armNames(part).filter { (armRank[$0.lowercased()] ?? 0) > used }
      }
      .filter { !$0.isEmpty }
      .max { (armRank[$0[0].lowercased()] ?? 0) < (armRank[$1[0].lowercased()] ?? 0) }
    case .other: return nil
    }
  }

  /// The instructions of an x86 core's kernels; nil for a name that is not known.
  static func level(of core: String) -> Processor.Level? {
    switch core.lowercased() {
    case "prescott", "core2", "penryn", "dunnington", "nehalem", "atom", "nano", "opteron",
      "opteron_sse3", "barcelona", "bobcat":
      .baseline
    case "sandybridge", "bulldozer", "piledriver", "steamroller": .avx
    // Written for processors with AVX2, so nothing is to be gained there.
    case "haswell", "zen", "excavator": .avx2
    case "skylakex", "cooperlake", "sapphirerapids": .avx512
    default: nil
    }
  }

  private static func name(of level: Processor.Level, isAMD: Bool) -> String {
    switch level {
    case .baseline: "Prescott"
    case .avx: "Sandybridge"
    case .avx2: isAMD ? "Zen" : "Haswell"
    case .avx512: "SkylakeX"
    }
  }

  // MARK: arm64

  /// Kernels from the generic and those of small in-order cores up. Those of other processors are not
  /// here: OpenBLAS takes them only where they belong.
  private static let armRank = [
    "armv8": 0, "cortexa53": 1, "cortexa55": 2, "cortexa57": 3, "cortexa72": 4, "cortexa73": 5,
    "neoversen1": 6, "neoversen2": 7, "neoversev1": 7,
  ]

  /// The kernels for a kind of core, best first. One that is younger than the list of names gets
  /// those of the nearest older core of its family; none needs instructions that the core lacks.
  private static func armNames(_ core: Processor.ArmPart) -> [String] {
    switch (core.implementer, core.part) {
    // Cortex-A35, A53.
    case (0x41, 0xd04), (0x41, 0xd03): ["CORTEXA53"]
    // Cortex-A55, A510, A520.
    case (0x41, 0xd05), (0x41, 0xd46), (0x41, 0xd80): ["CORTEXA55", "CORTEXA53"]
    // Cortex-A57, NVIDIA's Denver 2.
    case (0x41, 0xd07), (0x4e, 0x003): ["CORTEXA57"]
    // Cortex-A72.
    case (0x41, 0xd08): ["CORTEXA72", "CORTEXA57"]
    // Cortex-A73, A75.
    case (0x41, 0xd09), (0x41, 0xd0a): ["CORTEXA73", "CORTEXA72"]
    // Cortex-A76, A76AE, A77, A78, A78AE, A78C, X1, X1C, A710, X2, A715, X3, A720, X4, A725, X925;
    // Neoverse N1, N2, N3, V1, V2, V3; NVIDIA's Carmel; Qualcomm's Kryo of the same design. Kernels
    // with SVE are left to OpenBLAS's own choice: whether the system allows it is not asked here.
    case (0x41, 0xd0b), (0x41, 0xd0e), (0x41, 0xd0d), (0x41, 0xd41), (0x41, 0xd42), (0x41, 0xd4b),
      (0x41, 0xd44), (0x41, 0xd4c), (0x41, 0xd47), (0x41, 0xd48), (0x41, 0xd4d), (0x41, 0xd4e),
      (0x41, 0xd81), (0x41, 0xd82), (0x41, 0xd87), (0x41, 0xd85), (0x41, 0xd0c), (0x41, 0xd49),
      (0x41, 0xd8e), (0x41, 0xd40), (0x41, 0xd4f), (0x41, 0xd84), (0x4e, 0x004), (0x51, 0x804):
      ["NEOVERSEN1", "CORTEXA72", "CORTEXA57"]
    // Apple's cores under Linux, Ampere's own.
    case (0x61, _), (0xc0, _): ["NEOVERSEN1", "CORTEXA72"]
    default: []
    }
  }
}
