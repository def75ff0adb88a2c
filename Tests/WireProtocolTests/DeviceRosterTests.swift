import Foundations
import Testing
import WireProtocol

/// Who is listed, and as what.
@Suite struct DeviceRosterTests {
  private func presence(
    _ state: Presence.State, epoch: UInt64 = 5
  ) throws -> [UInt8] {
    try Presence(state: state, epoch: epoch, heartbeatMilliseconds: 500, version: "1").payload()
  }

  private func beat(epoch: UInt64 = 5, queue: Int = 2) throws -> [UInt8] {
    try Heartbeat(epoch: epoch, sequence: 1, frame: 9, queue: queue, residentBytes: 1000).payload()
  }

  @Test func aBeatMakesAlive() throws {
    var roster = DeviceRoster()
    #expect(!roster.isSettled(at: seconds(0)))
    roster.receive(try presence(.ready), on: .presence(device: "d0"), at: seconds(0))
    #expect(roster.rows(at: seconds(0)).map(\.state) == [.unknown])
    #expect(!roster.isSettled(at: seconds(0)))
    roster.receive(try beat(), on: .heartbeat(device: "d0"), at: seconds(1))
    #expect(roster.isSettled(at: seconds(1)))
    let row = try #require(roster.rows(at: seconds(1.25)).first)
    #expect(row.state == .alive && row.presence == .ready && row.epoch == 5)
    #expect(row.beatAgeMilliseconds == 250 && row.frame == 9 && row.queue == 2)
    #expect(row.residentBytes == 1000 && row.version == "1" && row.plan == nil)
    #expect(roster.rows(at: seconds(3)).first?.state == .suspect)
  }

  @Test func goneIsGone() throws {
    var roster = DeviceRoster()
    roster.receive(try presence(.lost), on: .presence(device: "d0"), at: seconds(0))
    #expect(roster.isSettled(at: seconds(0)))
    #expect(roster.rows(at: seconds(0)).map(\.state) == [.lost])
    // A newer run whose beats have not come; the old run's say nothing about it.
    roster.receive(try beat(), on: .heartbeat(device: "d0"), at: seconds(0))
    roster.receive(try presence(.ready, epoch: 6), on: .presence(device: "d0"), at: seconds(1))
    let row = try #require(roster.rows(at: seconds(1)).first)
    #expect(row.state == .unknown && row.epoch == 6 && row.beatAgeMilliseconds == nil)
  }

  @Test func descriptionsAddWhatIsAnswered() throws {
    var roster = DeviceRoster()
    let description = DeviceDescription(
      version: "1", methods: ["health/check"], plan: "p-1", parts: [],
      hardware: .init(architecture: "aarch64", cores: 4, memoryBytes: 1, system: "Linux"))
    roster.receive(try description.payload(), on: .description(device: "d1"), at: seconds(0))
    #expect(roster.rows(at: seconds(0)).first?.methods == ["health/check"])
    #expect(roster.rows(at: seconds(0)).first?.plan == "p-1")
  }

  @Test func strangersAreBoundedAndNoiseIsIgnored() throws {
    var roster = DeviceRoster()
    roster.receive(Array("{".utf8), on: .presence(device: "x"), at: seconds(0))
    roster.receive([], on: .presence(device: "x"), at: seconds(0))
    roster.receive(try beat(), on: .input(client: "x"), at: seconds(0))
    #expect(roster.rows(at: seconds(0)).isEmpty)
    for number in 0..<2000 {
      roster.receive(try presence(.ready), on: .presence(device: "d\(number)"), at: seconds(0))
    }
    #expect(roster.rows(at: seconds(0)).count == DeviceRoster.maximumDevices)
  }
}
