// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "EmbeddedInference",
  dependencies: [
    .package(name: "martlet", path: "../../.."),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    .executableTarget(
      name: "EmbeddedInference",
      dependencies: [
        .product(name: "Martlet", package: "martlet"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6)]),
    .executableTarget(
      name: "OwnCommandLine",
      dependencies: [
        .product(name: "Martlet", package: "martlet"),
        .product(name: "MartletCommand", package: "martlet"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6)]),
  ]
)
