import Foundations
import Testing

@Suite struct MartletErrorTests {
  @Test func descriptionsNamePlaceAndHint() {
    let error = MartletError(
      .notFound, "a shard is missing", context: ["device": "d1", "file": "x"], hint: "plan again")
    #expect(error.description == "a shard is missing (device: d1, file: x); plan again")
    #expect(MartletError(.io, "no").description == "no")
    let more = MartletError(.io, "no").adding("file", "y")
    #expect(more.description == "no (file: y)")
    #expect(more != MartletError(.io, "no"))
    #expect(more == MartletError(.io, "no", context: ["file": "y"]))
  }

  @Test func exitCodesAreThoseOfSysexits() {
    #expect(
      MartletError.Code.allCases.allSatisfy {
        $0 == .cancelled
          ? MartletError($0, "").exitCode == 130 : 64...78 ~= MartletError($0, "").exitCode
      })
    #expect(MartletError(.invalidArgument, "").exitCode == 64)
  }
}
