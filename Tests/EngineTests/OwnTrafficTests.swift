import Engine
import Foundations
import Testing

/// What a client says of its own connection when it gives up: what it measured, and no more.
@Suite struct OwnTrafficTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var came: [(device: String, bytes: Int)] = []
    var seconds = 2.0
    var needs = [60_000, 60_000]
    var unsent = 0
    var text: String
  }

  static let cases = [
    Case(testDescription: "nothing", text: "no part came here in the last 2.0 s"),
    Case(
      testDescription: "nothing, and inputs that wait", unsent: 1_250_000,
      text: "no part came here in the last 2.0 s; 1.3 MB still wait to be sent from here"),
    Case(
      testDescription: "the device that lags most", came: [("d0", 4000), ("d1", 1200)],
      text: "in the last 2.0 s 5.2 kB of parts came here, 1.2 kB of them from d1, which sends "
        + "60.0 kB here for a frame: at this rate that takes 100.0 s"),
    Case(
      testDescription: "measured by what each has to send", came: [("d0", 4000), ("d1", 1200)],
      needs: [600_000, 6000],
      text: "in the last 2.0 s 5.2 kB of parts came here, 4.0 kB of them from d0, which sends "
        + "600.0 kB here for a frame: at this rate that takes 300.0 s"),
    Case(
      testDescription: "no rate where nothing came", came: [("d0", 5200)],
      text: "in the last 2.0 s 5.2 kB of parts came here, none of them from d1, which sends "
        + "60.0 kB here for a frame"),
    Case(
      testDescription: "devices that send nothing here do not lag", came: [("d0", 6000)],
      seconds: 0.5, needs: [60_000, 0],
      text: "in the last 500 ms 6.0 kB of parts came here, 6.0 kB of them from d0, which sends "
        + "60.0 kB here for a frame: at this rate that takes 5.0 s"),
    Case(
      testDescription: "strangers are not counted", came: [("d7", 5200)],
      text: "no part came here in the last 2.0 s"),
    Case(
      testDescription: "without knowing what a frame needs", came: [("d0", 5200)], needs: [],
      text: "in the last 2.0 s 5.2 kB of parts came here"),
  ]

  @Test(arguments: cases) func onlyWhatWasMeasuredIsSaid(_ test: Case) {
    var traffic = OwnTraffic(devices: ["d0", "d1"])
    traffic.add(1_000_000, of: "d0")
    traffic.add(1_000_000, of: "d1")
    // What came before the waiting began does not count.
    let mark = traffic.arrived
    for (device, bytes) in test.came { traffic.add(bytes, of: device) }
    let text = traffic.text(
      since: mark, seconds: test.seconds, needs: test.needs, unsent: test.unsent)
    #expect(text == test.text)
  }
}
