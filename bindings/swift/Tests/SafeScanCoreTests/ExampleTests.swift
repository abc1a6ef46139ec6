import Testing

@Suite("Examples", .timeLimit(.minutes(1)))
struct ExampleTests {
    @Test("The README's example does what the README says")
    func quickstart() throws {
        #expect(try Program("Quickstart").finish() == ["1 of 1 say safe: insufficient"])
    }
}
