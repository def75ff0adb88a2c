// swift-tools-version: 6.1
import PackageDescription

/// Every Swift target is compiled under the same, strict rules.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func systemLibrary(_ name: String, _ pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let services = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "martlet",
  products: [
    .executable(name: "martlet", targets: ["MartletTool"]),
    .library(name: "Martlet", targets: ["Martlet"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    systemLibrary("CMosquitto", "libmosquitto", apt: "libmosquitto-dev"),
    systemLibrary("CJSONC", "json-c", apt: "libjson-c-dev"),
    systemLibrary("COpenBLAS", "openblas", apt: "libopenblas-dev"),
    systemLibrary("CTurboJPEG", "libturbojpeg", apt: "libturbojpeg0-dev"),
    systemLibrary("COpenSSL", "libcrypto", apt: "libssl-dev"),
    systemLibrary("CZlib", "zlib", apt: "zlib1g-dev"),
    .target(name: "CKernels"),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
    .target(name: "CDemoAssets", exclude: ["files"], cSettings: [.headerSearchPath("files")]),

    module("TensorCore", ["CKernels"]),
    module("JSONCoding", ["CJSONC", "TensorCore"]),
    module("TensorFiles", ["TensorCore", "COpenSSL"]),
    module("Imaging", ["TensorCore", "TensorFiles", "JSONCoding", "CTurboJPEG", "CPNG"]),
    module("ModelGraph", ["TensorCore"]),
    .target(
      name: "ONNXImport", dependencies: ["TensorCore", "ModelGraph", protobuf],
      exclude: ["onnx.proto"], swiftSettings: settings),
    module("Kernels", ["TensorCore", "ModelGraph", "CKernels", "COpenBLAS"]),
    module("Gradients", ["TensorCore", "ModelGraph", "Kernels", "CKernels"]),
    module("Plan", ["TensorCore", "TensorFiles", "ModelGraph", "JSONCoding", "Imaging"]),
    module("Resilience", ["TensorCore", "TensorFiles", "JSONCoding", "Plan"]),
    module(
      "Evaluation",
      ["TensorCore", "TensorFiles", "Imaging", "ModelGraph", "Kernels", "Plan", "Resilience"]),
    module("Charts", []),
    module("Tables", []),
    module(
      "Planning",
      [
        "CKernels", "TensorCore", "TensorFiles", "JSONCoding", "Imaging", "ModelGraph", "Kernels",
        "Gradients", "Plan", "Resilience", "Evaluation", "Tables",
      ]),
    module(
      "FogNetwork", ["TensorCore", "TensorFiles", "JSONCoding", "ModelGraph", "Kernels", "Plan"]),
    module(
      "FogTraining",
      [
        "FogNetwork", "TensorCore", "TensorFiles", "JSONCoding", "ModelGraph", "Kernels",
        "Gradients", "COpenBLAS",
      ]),
    module("WireProtocol", ["CKernels", "TensorCore", "TensorFiles", "JSONCoding", "Plan"]),
    module(
      "Engine", ["TensorCore", "ModelGraph", "Kernels", "Plan", "Resilience", "WireProtocol"]),
    module("Inspection", ["TensorCore", "JSONCoding", "WireProtocol"]),
    module("MQTT", ["CMosquitto", "COpenSSL", "TensorCore", logging]),
    .target(name: "CProcess"),
    module("Processes", ["CProcess", "TensorCore"]),
    module("Telemetry", ["TensorCore", "TensorFiles"]),
    module("Recording", ["CZlib", "TensorCore", "TensorFiles"]),
    module(
      "Runtime",
      [
        "TensorCore", "TensorFiles", "ModelGraph", "Kernels", "Plan", "WireProtocol", "Engine",
        "MQTT", "Telemetry", "Recording", "Imaging", "JSONCoding", "Resilience", logging,
      ]),
    module(
      "LocalFleet",
      [
        "MQTT", "Processes", "Plan", "Engine", "Runtime", "TensorCore", "TensorFiles", logging,
      ]),
    module(
      "Benchmarks",
      [
        "LocalFleet", "MQTT", "Processes", "TensorCore", "Plan", "Engine", "Runtime", logging,
      ]),
    module(
      "Chaos",
      [
        "CProcess", "LocalFleet", "TensorCore", "TensorFiles", "ModelGraph", "Plan", "WireProtocol",
        "MQTT",
        "Processes", "Recording", "Engine", "Runtime", logging,
      ]),
    module("FlightReport", ["TensorCore", "JSONCoding", "WireProtocol"]),
    module("ReportViews", ["FlightReport", "Charts", "Tables", "TensorCore", mustache]),
    module(
      "MartletCommand",
      [
        "CDemoAssets", "TensorCore", "TensorFiles", "JSONCoding", "Imaging", "ModelGraph",
        "ONNXImport", "Kernels",
        "Plan", "Resilience", "Evaluation", "Planning", "Charts",
        "FogNetwork", "FogTraining",
        "WireProtocol", "Inspection", "MQTT", "Processes", "Benchmarks", "Telemetry", "Recording",
        "FlightReport", "ReportViews", "Engine", "Runtime", "LocalFleet", "Chaos", "Tables",
        argumentParser, logging,
      ]),
    // What programs embed. Its interface names no type of another module of this package.
    module(
      "Martlet",
      [
        "TensorCore", "TensorFiles", "Imaging", "ModelGraph", "ONNXImport", "Kernels", "Plan",
        "Resilience", "Evaluation", "Planning", "WireProtocol", "MQTT", "Engine", "Runtime",
        logging, services,
      ]),
    // The documentation for users and developers: articles, and no code that a program needs.
    module("Handbook", []),
    // The product is called martlet; a folder of that name would be the library's where file systems do
    // not tell martlet from Martlet.
    .executableTarget(
      name: "MartletTool", dependencies: ["MartletCommand"], swiftSettings: settings),

    // What several test targets share.
    .target(
      name: "TestSupport",
      dependencies: [
        "CDemoAssets", "TensorCore", "TensorFiles", "JSONCoding", "Imaging", "ModelGraph",
        "ONNXImport", "Kernels", "Plan", "Planning", "Engine", "Processes",
      ], path: "Tests/TestSupport", swiftSettings: settings),
    tests("TensorCore", ["TensorCore"]),
    tests("JSONCoding", ["JSONCoding", "TensorCore"]),
    tests("TensorFiles", ["TensorFiles", "Processes", "TensorCore"]),
    tests(
      "Imaging", ["Imaging", "TensorFiles", "Processes", "TensorCore"],
      resources: [.copy("Goldens")]),
    tests("Telemetry", ["Telemetry", "Processes", "TensorCore", "TensorFiles"]),
    tests("ModelGraph", ["ModelGraph", "TensorCore"]),
    tests("ONNXImport", ["ONNXImport", "ModelGraph", "TensorCore"]),
    tests(
      "Golden", ["ONNXImport", "Kernels", "ModelGraph", "TensorCore"],
      resources: [.copy("Resources/operators.golden")]),
    tests("Kernels", ["TestSupport", "Kernels", "ModelGraph", "TensorCore"]),
    tests("Gradients", ["TestSupport", "Gradients", "Kernels", "ModelGraph", "TensorCore"]),
    tests(
      "Plan",
      [
        "TestSupport", "Plan", "Resilience", "Evaluation", "Planning", "Engine", "Kernels",
        "ModelGraph", "JSONCoding", "TensorFiles", "ONNXImport", "Processes", "TensorCore",
      ]),
    tests(
      "Planning",
      [
        "TestSupport", "Planning", "Evaluation", "Resilience", "Plan", "Kernels", "ModelGraph",
        "ONNXImport", "JSONCoding", "TensorFiles", "TensorCore",
      ], resources: [.copy("Goldens")]),
    tests(
      "Evaluation",
      [
        "TestSupport", "Evaluation", "Resilience", "Plan", "Kernels", "ModelGraph", "TensorCore",
      ]),
    tests(
      "Resilience",
      [
        "TestSupport", "Resilience", "Plan", "Planning", "ModelGraph", "JSONCoding",
        "TensorFiles", "Processes", "TensorCore",
      ]),
    tests(
      "FogNetwork",
      ["FogNetwork", "Plan", "Engine", "Kernels", "ModelGraph", "JSONCoding", "TensorCore"]),
    tests(
      "FogTraining",
      ["FogTraining", "FogNetwork", "TensorFiles", "JSONCoding", "Processes", "TensorCore"],
      resources: [.copy("Goldens")]),
    tests("Charts", ["Charts"]),
    tests("Tables", ["Tables", "TensorCore"]),
    tests("WireProtocol", ["WireProtocol", "Plan", "JSONCoding", "TensorCore"]),
    tests(
      "Engine",
      [
        "TestSupport", "Engine", "WireProtocol", "Planning", "Plan", "Kernels", "ModelGraph",
        "Processes", "TensorCore",
      ]),
    tests(
      "Inspection", ["TestSupport", "Inspection", "WireProtocol", "JSONCoding", "TensorCore"]),
    tests("Handbook", ["WireProtocol", "Plan", "JSONCoding", "TensorFiles", "TensorCore"]),
    tests("MQTT", ["MQTT", "Processes", "TensorCore", logging]),
    tests(
      "FlightReport", ["FlightReport", "WireProtocol", "JSONCoding", "TensorCore"]),
    tests("ReportViews", ["ReportViews", "FlightReport", "JSONCoding", "Tables"]),
    tests("Processes", ["TestSupport", "Processes", "TensorCore"]),
    tests("Recording", ["Recording", "Processes", "TensorFiles", "TensorCore"]),
    tests(
      "Chaos",
      [
        "TestSupport", "Chaos", "Imaging", "ModelGraph", "Planning", "Plan", "Processes",
        "TensorCore", "WireProtocol",
      ]),
    tests(
      "Martlet",
      [
        "Martlet", "WireProtocol", "MQTT", "Processes", "Imaging", "TensorFiles", "CDemoAssets",
        logging, services,
      ]),
    // These two also run the executable, which SwiftPM builds because they depend on it.
    tests(
      "Runtime",
      [
        "MartletTool", "TestSupport", "Runtime", "Engine", "Resilience", "WireProtocol", "Plan",
        "Planning", "ModelGraph", "Kernels", "FogNetwork", "FogTraining", "Chaos", "LocalFleet",
        "ONNXImport", "Imaging", "TensorFiles", "JSONCoding", "MQTT", "Processes", "TensorCore",
        logging,
      ]),
    tests(
      "Command",
      [
        "MartletTool", "TestSupport", "MartletCommand", "LocalFleet", "Plan", "Kernels", "Imaging",
        "Inspection",
        "Recording", "WireProtocol", "MQTT", "Processes", "JSONCoding", "TensorFiles", "TensorCore",
        argumentParser, logging,
      ]),
  ]
)
