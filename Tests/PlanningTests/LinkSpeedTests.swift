import Foundations
import Planning
import Testing

@Suite("Speeds of links")
struct LinkSpeedTests {
  @Test(
    "rates are in bits a second, latencies in seconds",
    arguments: [
      ("50mbit,2ms", 6.25e6, 0.002), ("1gbit", 125e6, 0), ("300kbit,500us", 37_500, 0.0005),
      ("none", .infinity, 0), ("none,1s", .infinity, 1), ("2.5gbit,0ms", 312.5e6, 0),
    ] as [(String, Double, Double)])
  func parsing(_ text: String, _ rate: Double, _ latency: Double) throws {
    let link = try LinkSpeed(parsing: text)
    #expect(link.bytesPerSecond == rate)
    #expect(abs(link.latency - latency) < 1e-12)
    #expect(try LinkSpeed(parsing: link.description).bytesPerSecond == rate, "\(link)")
  }

  @Test(
    "nonsense is refused, with what is allowed",
    arguments: [
      "", ",", "50", "mbit", "50mb", "50 mbit", "-5mbit", "0mbit", "nanmbit", "infgbit",
      "1e300gbit", "50mbit,", "50mbit,2", "50mbit,-2ms", "50mbit,2ms,3ms", "50mbit,2h",
      "50mbit,100s", "2ms",
      "None", "50mbit;2ms",
    ])
  func nonsense(_ text: String) {
    let error = #expect(throws: MartletError.self) { try LinkSpeed(parsing: text) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.hint?.contains("50mbit,2ms") == true)
  }

  @Test("one speed is for all, and those of single devices come before it")
  func network() throws {
    let network = try NetworkSpeed(
      parsing: ["8mbit", "d1=16mbit,1ms", "client=none"], broker: "1gbit", names: ["d0", "d1"])
    #expect(network.devices.map(\.bytesPerSecond) == [1e6, 2e6])
    #expect(network.devices.map(\.latency) == [0, 0.001])
    #expect(network.client == .unlimited)
    #expect(network.broker.bytesPerSecond == 125e6)
    let open = try NetworkSpeed(parsing: ["d0=8mbit"], broker: nil, names: ["d0", "client"])
    #expect(open.devices.map(\.bytesPerSecond) == [1e6, .infinity])
    #expect(open.client == .unlimited && open.broker == .unlimited)
  }

  @Test(
    "links for nobody, or twice for one, are refused",
    arguments: [["8mbit", "9mbit"], ["d7=8mbit"], ["d0=8mbit", "d0=9mbit"], ["=8mbit"], ["d0="]])
  func strangers(_ links: [String]) {
    let error = #expect(throws: MartletError.self) {
      try NetworkSpeed(parsing: links, broker: nil, names: ["d0", "d1"])
    }
    #expect(error?.code == .invalidArgument)
  }
}
