import Tensors
import Testing

@Suite struct WireTypeTests {
  @Test func whatCanBeChosenCanBeSent() {
    for type in WireType.allCases { #expect(PackedElements.isSupported(type.elementType)) }
    #expect(!PackedElements.isSupported(.int64))
    #expect(PackedElements.supported.filter(\.hasScale) == [.int8])
  }

  @Test func namesAreListed() {
    #expect(WireType.summary == "f32 or f16 (half the bytes, slightly rounded)")
    #expect(PackedElements.supported.map(\.rawValue).listed(before: "or") == "F32, F16 or I8")
    #expect(["one"].listed(before: "or") == "one" && [String]().listed(before: "or").isEmpty)
  }
}
