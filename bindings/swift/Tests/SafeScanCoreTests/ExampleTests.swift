import SafeScanCore
import Testing

@Suite("Examples", .timeLimit(.minutes(1)))
struct ExampleTests {
    @Test("The README's example does what the README says")
    func quickstart() throws {
        #expect(try Program("Quickstart").finish() == ["1 of 1 say safe: insufficient"])
    }

    @MainActor
    final class Recorder: Screen {
        let badges: AsyncStream<String>
        let banners: AsyncStream<String>
        private let badged: AsyncStream<String>.Continuation
        private let bannered: AsyncStream<String>.Continuation
        var badge = "" { didSet { badged.yield(badge) } }
        var banner = "" { didSet { bannered.yield(banner) } }

        init() {
            (badges, badged) = AsyncStream.makeStream()
            (banners, bannered) = AsyncStream.makeStream()
        }
    }

    @Test("The README's second example shows what happens, and ends when its tasks are cancelled")
    @MainActor
    func followed() async throws {
        let folder = TemporaryFolder()
        let core = try await SafeScan.open(in: folder.url)
        let screen = Recorder()
        let scan = try await core.record("https://example.com/menu")
        let (rating, status) = live(core: core, scan: scan, screen: screen)
        var badges = screen.badges.makeAsyncIterator()
        var banners = screen.banners.makeAsyncIterator()
        #expect(await badges.next() == "0 of 0 say safe")
        #expect(await banners.next() == "disabled, 0 changes wait")
        try await core.vote(.safe, on: scan.text)
        #expect(await badges.next() == "1 of 1 say safe")
        rating.cancel()
        status.cancel()
        try await rating.value
        await status.value
        try await core.shutdown()
    }
}
