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
    .library(name: "MartletCommand", targets: ["MartletCommand"]),
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

    module("Foundations", []),
    module("Tensors", ["CKernels", "Foundations"]),
    module("JSONCoding", ["CJSONC", "Foundations"]),
    module("TensorFiles", ["Foundations", "Tensors", "COpenSSL", "CZlib"]),
    module("ModelCards", ["Foundations", "Tensors", "TensorFiles", "JSONCoding"]),
    module(
      "Imaging", ["ModelCards", "Foundations", "Tensors", "TensorFiles", "CTurboJPEG", "CPNG"]),
    module("ModelGraph", ["CKernels", "Foundations", "Tensors"]),
    .target(
      name: "ONNXImport",
      dependencies: ["Foundations", "Tensors", "ModelGraph", "Kernels", protobuf],
      exclude: ["onnx.proto"], swiftSettings: settings),
    module("Kernels", ["Foundations", "Tensors", "ModelGraph", "CKernels", "COpenBLAS"]),
    module("Gradients", ["Foundations", "Tensors", "ModelGraph", "Kernels", "CKernels"]),
    module(
      "Plan", ["Foundations", "Tensors", "TensorFiles", "ModelGraph", "JSONCoding", "ModelCards"]),
    module("Resilience", ["Foundations", "TensorFiles", "JSONCoding", "Plan"]),
    module(
      "Evaluation",
      [
        "ModelCards",
        "Foundations", "Tensors", "TensorFiles", "Imaging", "ModelGraph", "Kernels", "Plan",
        "Resilience",
      ]),
    module("Charts", []),
    module("Tables", []),
    module(
      "Planning",
      [
        "ModelCards",
        "CKernels", "Foundations", "Tensors", "TensorFiles", "JSONCoding", "Imaging", "ModelGraph",
        "Kernels",
        "Gradients", "Plan", "Resilience", "Evaluation", "Tables",
      ]),
    module(
      "FogNetwork",
      ["Foundations", "Tensors", "TensorFiles", "JSONCoding", "ModelGraph", "Kernels", "Plan"]),
    module(
      "FogTraining",
      [
        "FogNetwork", "Foundations", "Tensors", "TensorFiles", "JSONCoding", "ModelGraph",
        "Kernels",
        "Gradients", "COpenBLAS",
      ]),
    module("WireProtocol", ["Foundations", "Tensors", "TensorFiles", "JSONCoding", "Plan"]),
    module(
      "Engine",
      [
        "ModelCards", "Foundations", "Tensors", "ModelGraph", "Kernels", "Plan", "Resilience",
        "WireProtocol",
      ]),
    module("Inspection", ["Foundations", "Tensors", "JSONCoding", "WireProtocol"]),
    module("MQTT", ["CMosquitto", "COpenSSL", "Foundations", logging]),
    .target(name: "CProcess"),
    module("Processes", ["CProcess", "Foundations"]),
    module("Telemetry", ["Foundations", "TensorFiles"]),
    module("Recording", ["CZlib", "Foundations", "TensorFiles"]),
    module(
      "Runtime",
      [
        "ModelCards",
        "Foundations", "Tensors", "TensorFiles", "ModelGraph", "Kernels", "Plan", "WireProtocol",
        "Engine",
        "MQTT", "Telemetry", "Recording", "Imaging", "JSONCoding", "Resilience", logging,
      ]),
    module(
      "LocalFleet",
      [
        "MQTT", "Processes", "Plan", "Engine", "Runtime", "Foundations", "TensorFiles", logging,
      ]),
    module(
      "Benchmarks",
      [
        "LocalFleet", "MQTT", "Processes", "Foundations", "Tensors", "ModelGraph", "Kernels",
        "Plan", "Engine", "Runtime",
        logging,
      ]),
    module(
      "Chaos",
      [
        "CProcess", "LocalFleet", "Foundations", "Tensors", "ModelGraph", "Plan",
        "WireProtocol",
        "MQTT",
        "Processes", "Recording", "Engine", "Runtime", logging,
      ]),
    module("FlightReport", ["Foundations", "JSONCoding", "WireProtocol"]),
    module("ReportViews", ["FlightReport", "Charts", "Tables", "Foundations", mustache]),
    // The command line, whole, with one public entry.
    module(
      "MartletCommand",
      [
        "ModelCards",
        "CDemoAssets", "Foundations", "Tensors", "TensorFiles", "JSONCoding", "Imaging",
        "ModelGraph",
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
        "ModelCards",
        "Foundations", "Tensors", "TensorFiles", "Imaging", "ModelGraph", "ONNXImport", "Kernels",
        "Plan",
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
        "ModelCards",
        "CDemoAssets", "Foundations", "Tensors", "TensorFiles", "JSONCoding", "Imaging",
        "ModelGraph",
        "ONNXImport", "Kernels", "Plan", "Planning", "Engine", "Processes",
      ], path: "Tests/TestSupport", swiftSettings: settings),
    tests("Foundations", ["Foundations"]),
    tests("Tensors", ["CKernels", "Tensors", "Foundations"]),
    tests("JSONCoding", ["JSONCoding", "Foundations", "Tensors"]),
    tests("TensorFiles", ["TensorFiles", "Processes", "Foundations", "Tensors"]),
    tests(
      "Imaging", ["ModelCards", "Imaging", "TensorFiles", "Processes", "Foundations", "Tensors"],
      resources: [.copy("Goldens")]),
    tests("Telemetry", ["Telemetry", "Processes", "Foundations", "TensorFiles"]),
    tests("ModelGraph", ["TestSupport", "ModelGraph", "Foundations", "Tensors"]),
    tests("ONNXImport", ["ONNXImport", "ModelGraph", "Foundations", "Tensors"]),
    tests(
      "Golden", ["ONNXImport", "Kernels", "ModelGraph", "Foundations", "Tensors"],
      resources: [
        .copy("Resources/operators.golden"), .copy("Resources/constants.golden"),
        .copy("Resources/layers.golden"),
      ]),
    tests("Kernels", ["TestSupport", "Kernels", "ModelGraph", "Foundations", "Tensors"]),
    tests(
      "Gradients", ["TestSupport", "Gradients", "Kernels", "ModelGraph", "Foundations", "Tensors"]),
    tests(
      "Plan",
      [
        "TestSupport", "Plan", "Resilience", "Evaluation", "Planning", "Engine", "Kernels",
        "ModelGraph", "JSONCoding", "TensorFiles", "ONNXImport", "Processes", "Foundations",
        "Tensors",
      ]),
    tests(
      "Planning",
      [
        "TestSupport", "Planning", "Evaluation", "Resilience", "Plan", "Kernels", "ModelGraph",
        "ONNXImport", "JSONCoding", "TensorFiles", "Processes", "Foundations", "Tensors",
      ], resources: [.copy("Goldens")]),
    tests(
      "Evaluation",
      [
        "TestSupport", "Evaluation", "Resilience", "Plan", "Kernels", "ModelGraph", "Foundations",
        "Tensors",
      ]),
    tests(
      "Resilience",
      [
        "TestSupport", "Resilience", "Plan", "Planning", "ModelGraph", "JSONCoding",
        "TensorFiles", "Processes", "Foundations",
      ]),
    tests(
      "FogNetwork",
      [
        "FogNetwork", "Plan", "Engine", "Kernels", "ModelGraph", "JSONCoding", "Foundations",
        "Tensors",
      ]),
    tests(
      "FogTraining",
      [
        "FogTraining", "FogNetwork", "TensorFiles", "JSONCoding", "Processes", "Foundations",
        "Tensors",
      ],
      resources: [.copy("Goldens")]),
    tests("Charts", ["Charts"]),
    tests("Tables", ["Tables", "Foundations"]),
    tests(
      "WireProtocol",
      ["WireProtocol", "ModelGraph", "Plan", "JSONCoding", "Foundations", "Tensors"]),
    tests(
      "Engine",
      [
        "ModelCards",
        "TestSupport", "Engine", "Resilience", "WireProtocol", "Planning", "Plan", "Kernels",
        "ModelGraph", "Processes", "Foundations", "Tensors",
      ]),
    tests(
      "Inspection",
      ["TestSupport", "Inspection", "WireProtocol", "JSONCoding", "Foundations", "Tensors"]),
    tests(
      "Handbook", ["WireProtocol", "Plan", "JSONCoding", "TensorFiles", "Foundations", "Tensors"]),
    tests("MQTT", ["MQTT", "Processes", "Foundations", logging]),
    tests(
      "FlightReport", ["FlightReport", "WireProtocol", "JSONCoding", "Foundations"]),
    tests("ReportViews", ["ReportViews", "FlightReport", "JSONCoding", "Tables"]),
    tests("Processes", ["TestSupport", "Processes", "Foundations"]),
    tests("Recording", ["Recording", "Processes", "TensorFiles", "Foundations"]),
    tests(
      "Chaos",
      [
        "TestSupport", "Chaos", "Imaging", "ModelGraph", "Planning", "Plan", "Processes",
        "Foundations", "Tensors", "WireProtocol",
      ]),
    tests(
      "Martlet",
      [
        "ModelCards",
        "Martlet", "ModelGraph", "Plan", "WireProtocol", "MQTT", "Processes", "Imaging",
        "TensorFiles", "CDemoAssets",
        logging, services,
      ]),
    // These two also run the executable, which SwiftPM builds because they depend on it.
    tests(
      "Runtime",
      [
        "ModelCards",
        "MartletTool", "TestSupport", "Runtime", "Engine", "Resilience", "WireProtocol", "Plan",
        "Planning", "ModelGraph", "FogNetwork", "FogTraining", "Chaos", "LocalFleet",
        "ONNXImport", "Imaging", "TensorFiles", "JSONCoding", "MQTT", "Processes", "Foundations",
        "Tensors",
        logging,
      ]),
    tests(
      "Command",
      [
        "ModelCards",
        "MartletTool", "TestSupport", "MartletCommand", "LocalFleet", "Benchmarks", "ModelGraph",
        "Plan", "Kernels", "Imaging",
        "Inspection",
        "Recording", "WireProtocol", "MQTT", "Processes", "JSONCoding", "TensorFiles",
        "Foundations", "Tensors",
        argumentParser, logging,
      ]),
  ]
)
