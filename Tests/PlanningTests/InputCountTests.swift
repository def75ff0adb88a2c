import Foundations
import ModelGraph
import Planning
import Tensors
import TestSupport
import Testing

@Suite("The number of a model's inputs")
struct InputCountTests {
  private func graph(inputs: Int) throws -> Graph {
    var builder = GraphBuilder(name: "inputs")
    var sum = builder.add(constant: Tensor([1, 2], [1, 2] as [Float]), name: "c")
    for number in 0..<inputs {
      let x = builder.addInput(name: "x\(number)", shape: [1, 2])
      sum = try builder.add(.binary(.add), [sum, x], name: "sum\(number)")
    }
    let w = builder.add(constant: Tensor([3, 2], [1, 2, 3, 4, 5, 6] as [Float]), name: "w")
    try builder.addOutput(try builder.add(.dense(Dense()), [sum, w], name: "dense"), name: "y")
    return builder.graph
  }

  @Test("is one, or no method plans it", arguments: PlanningMethods.standard.all.map(\.name))
  func isOne(method: String) throws {
    let maker: PlanMaker
    do {
      maker = try PlanMaker(try PlanningMethods.standard.named(method))
    } catch {
      // It wants options.
      #expect(error.code == .invalidArgument)
      return
    }
    for count in [0, 2, 3] {
      do {
        _ = try maker.layout(of: try graph(inputs: count), wishes: DeviceWishes(count: 2))
        Issue.record("\(count) inputs were planned")
      } catch let error as MartletError {
        #expect(error.code == .unsupported)
        #expect(count == 0 || error.description.contains("x1 1x2"))
      }
    }
    #expect(throws: Never.self) { try PlanMaker.checkInputs(of: try graph(inputs: 1)) }
  }
}
