import Foundations
import Inspection
import Testing

@Suite struct TrafficTests {
  @Test func topicsAreCountedApart() {
    var table = TrafficTable(start: seconds(10))
    for step in 0..<20 {
      table.record(topic: "a", bytes: 100, isRetained: false, at: seconds(10 + Double(step) / 10))
    }
    table.record(topic: "b", bytes: 7, isRetained: true, at: seconds(10.5))
    #expect(table.topics["a"]?.messages == 20 && table.topics["a"]?.bytes == 2000)
    #expect(table.topics["a"]?.lastSeen == seconds(11.9))
    // What the broker had kept is not traffic of now.
    #expect(table.topics["b"]?.messages == 0 && table.topics["b"]?.isRetained == true)
    #expect(table.topics["b"]?.lastBytes == 7)
    #expect(table.total.messages == 20 && table.others == nil)
  }

  @Test func moreTopicsThanThereIsRoomForAreOne() {
    var table = TrafficTable(start: seconds(0), maximumTopics: 3)
    for index in 0..<100 {
      table.record(topic: "\(index % 10)", bytes: 1, isRetained: false, at: seconds(1))
    }
    #expect(table.topics.count == 3 && table.others?.messages == 70)
    #expect(table.total.messages == 100)
  }

  @Test func ratesAreOfTheLastSeconds() {
    var traffic = RecentTraffic(start: seconds(100))
    #expect(traffic.rates(at: seconds(100)) == (0, 0))
    // Ten messages a second for eight seconds.
    for step in 0..<80 { traffic.add(1000, at: seconds(100.05 + Double(step) / 10)) }
    #expect(traffic.rates(at: seconds(108)) == (10, 10_000))
    #expect(traffic.rates(at: seconds(109)) == (8, 8000))
    #expect(traffic.rates(at: seconds(113)) == (0, 0))
    // Within the first second what there is counts for the time that has passed.
    var young = RecentTraffic(start: seconds(0))
    for _ in 0..<5 { young.add(10, at: seconds(0.2)) }
    #expect(young.rates(at: seconds(0.5)) == (10, 100))
    #expect(young.rates(at: seconds(2)) == (2.5, 25))
  }

  @Test(arguments: [
    ([], ["martlet/1/default/#"]),
    (["act/+/d0", "plan"], ["martlet/1/default/act/+/d0", "martlet/1/default/plan"]),
    (["#", "home/act", "activity/x", "$SYS/#"], ["#", "home/act", "activity/x", "$SYS/#"]),
  ])
  func filtersAreBelowTheRootWhereTheyBeginLikeTheContract(_ given: [String], _ want: [String]) {
    #expect(TopicSelection.filters(given, root: root) == want)
  }
}
