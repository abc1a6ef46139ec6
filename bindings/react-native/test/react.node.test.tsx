import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";

import { SafeScan, type SystemHealth, type VoteChoice } from "react-native-safescan";
import {
    type CommunityRating,
    type CurrentSyncStatus,
    type HistoryQuery,
    type OwnVote,
    SafeScanProvider,
    type ScanHistory,
    useCommunityRating,
    useSafeScan,
    useScanHistory,
    useSyncStatus,
    useSystemHealth,
    useVote,
} from "react-native-safescan/react";

import { afterwards, collected, hooks, newCore, newDirectory, range } from "./support/harness.js";
import { Boundary, Page, settled, within } from "./support/page.js";

const A = "https://example.com/a";
const B = "https://example.com/b";

function newPage(t: TestContext): Page {
    const page = new Page();
    afterwards(t, () => page.leave());
    return page;
}

function RatingOf({ page, code }: { page: Page; code: string | undefined }): string {
    const { rating, error } = useCommunityRating(code);
    page.note(`rating ${code}`, { rating, error });
    return rating ? `${rating.unsafeVotes} unsafe. ` : "";
}

function VoteOn({
    page,
    code,
    name = code,
    userId,
}: {
    page: Page;
    code: string;
    name?: string;
    userId?: string;
}): null {
    page.note(`vote ${name}`, useVote(code, { userId }));
    return null;
}

function Frame({ page }: { page: Page }): string {
    page.note("frame", useSafeScan());
    return "";
}

test("a vote renders once what shows its code's rating, and nothing else", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    page.show(
        within(
            core,
            <>
                <Frame page={page} />
                <RatingOf page={page} code={A} />
                <RatingOf page={page} code={B} />
                <VoteOn page={page} code={B} />
            </>,
        ),
    );
    const names = ["frame", `rating ${A}`, `rating ${B}`, `vote ${B}`];
    await page.until(() => [A, B].every((code) => page.last<CommunityRating | undefined>(`rating ${code}`)?.rating));
    await settled(core);
    const before = names.map((name) => page.notes(name).length);

    for (const [index, userId] of ["ada", "bob", "cyd"].entries()) {
        await core.votes.submit(A, "Unsafe", { userId });
        await page.until(() => page.last<CommunityRating>(`rating ${A}`).rating?.unsafeVotes === index + 1);
        await settled(core);
        const after = names.map((name) => page.notes(name).length);
        assert.deepEqual(after, [before[0], (before[1] ?? 0) + index + 1, before[2], before[3]]);
    }
    assert.equal(page.text, "3 unsafe. 0 unsafe. ");
});

test("components that are gone watch nothing, in strict mode too", async (t) => {
    for (const isStrict of [false, true]) {
        const { core } = await newCore(t);
        const page = newPage(t);
        const events = collected(core.events());
        page.show(
            within(core, [<RatingOf key={1} page={page} code={A} />, <RatingOf key={2} page={page} code={A} />]),
            {
                isStrict,
            },
        );
        await page.until(() => page.last<CommunityRating | undefined>(`rating ${A}`)?.rating !== undefined);
        await core.votes.submit(A, "Safe");
        await page.until(() => page.last<CommunityRating>(`rating ${A}`).rating?.ownVote === "Safe");
        await page.leave();
        const rendered = page.notes(`rating ${A}`).length;
        await core.votes.submit(A, "Unsafe");
        await settled(core);
        assert.equal(page.notes(`rating ${A}`).length, rendered);
        const told = events.seen.flatMap((event) => (event.type === "RatingChanged" ? [event.rating.ownVote] : []));
        assert.deepEqual(told, ["Safe"], `strict mode: ${isStrict}`);
        await core.shutdown();
    }
});

test("a component that turns to another code shows that one's rating, or none", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    await core.votes.submit(A, "Unsafe");
    page.show(within(core, <RatingOf page={page} code={A} />));
    await page.until(() => page.text === "1 unsafe. ");
    // A rating in memory is there at once.
    await core.votes.submit(B, "Safe");
    page.show(within(core, <RatingOf page={page} code={B} />));
    await page.until(() => page.text === "0 unsafe. ");
    assert.ok(page.notes<CommunityRating>(`rating ${B}`)[0]?.rating);
    page.show(within(core, <RatingOf page={page} code={undefined} />));
    await page.until(() => page.text === "");
    page.show(within(core, <RatingOf page={page} code="" />));
    await page.until(() => page.last<CommunityRating | undefined>("rating ")?.error?.type === "InvalidInput");
});

test("a vote shows at once, and stays when the core has taken it", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    page.show(within(core, <VoteOn page={page} code={A} />));
    await settled(core);
    const outcome = page.atOnce(() => page.last<OwnVote>(`vote ${A}`).submit("Safe"));
    assert.equal((await outcome)?.type, "Accepted");
    await settled(core);
    assert.deepEqual(shown(page, A), [
        [undefined, false],
        ["Safe", true],
        ["Safe", false],
    ]);
    const retracted = page.atOnce(() => page.last<OwnVote>(`vote ${A}`).retract());
    assert.equal((await retracted)?.type, "Retracted");
    await settled(core);
    assert.deepEqual(shown(page, A).slice(3), [
        [undefined, true],
        [undefined, false],
    ]);
});

test("a vote that is refused gives way to what stands", async (t) => {
    const { core } = await newCore(t, { votesPerMinute: 1 });
    const page = newPage(t);
    await core.votes.submit(A, "Safe");
    const wifi = "WIFI:S:home;;";
    page.show(
        within(
            core,
            [A, wifi].map((code) => <VoteOn key={code} page={page} code={code} />),
        ),
    );
    await page.until(() => page.last<OwnVote | undefined>(`vote ${A}`)?.choice === "Safe");
    const rendered = page.notes(`vote ${A}`).length;
    await page.atOnce(() => page.last<OwnVote>(`vote ${A}`).submit("Unsafe"));
    await settled(core);
    const notes = page.notes<OwnVote>(`vote ${A}`).slice(rendered);
    assert.deepEqual(
        notes.map(({ choice, refusal }) => [choice, refusal?.type]),
        [
            ["Unsafe", undefined],
            ["Safe", "Throttled"],
        ],
    );
    const { refusal } = page.last<OwnVote>(`vote ${A}`);
    assert.ok(refusal?.type === "Throttled" && refusal.retryAfterMs > 0);
    assert.equal((await core.votes.mine(A))?.choice, "Safe");

    await page.last<OwnVote>(`vote ${wifi}`).submit("Safe");
    await page.until(() => page.last<OwnVote>(`vote ${wifi}`).refusal?.type === "NotVotable");
    assert.equal(page.last<OwnVote>(`vote ${wifi}`).choice, undefined);
});

test("a vote that fails gives way to what stands, says why, and can be tried again", async (t) => {
    const { core, config } = await newCore(t);
    const page = newPage(t);
    const hook = await hooks(config);
    page.show(within(core, <VoteOn page={page} code={A} />));
    await settled(core);
    hook.testFailStorage(true);
    const outcome = page.atOnce(() => page.last<OwnVote>(`vote ${A}`).submit("Safe"));
    assert.equal(page.last<OwnVote>(`vote ${A}`).choice, "Safe");
    assert.equal(await outcome, undefined);
    await page.until(() => page.last<OwnVote>(`vote ${A}`).error?.type === "StorageUnavailable");
    assert.equal(page.last<OwnVote>(`vote ${A}`).choice, undefined);
    hook.testFailStorage(false);
    await page.last<OwnVote>(`vote ${A}`).submit("Safe");
    await page.until(() => page.last<OwnVote>(`vote ${A}`).choice === "Safe");
    assert.equal(page.last<OwnVote>(`vote ${A}`).error, undefined);
});

test("of votes in quick succession the last stands, though its component is gone", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    page.show(within(core, <VoteOn page={page} code={A} />));
    await settled(core);
    const { submit } = page.last<OwnVote>(`vote ${A}`);
    const outcomes = [submit("Safe"), submit("Unsafe"), submit("Safe"), submit("Unsafe")];
    await page.leave();
    assert.deepEqual(
        (await Promise.all(outcomes)).map((outcome) => outcome?.type),
        ["Accepted", "Updated", "Updated", "Updated"],
    );
    assert.equal((await core.votes.mine(A))?.choice, "Unsafe");
});

test("a vote that is cast elsewhere on the device shows, for whom it was cast", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    page.show(
        within(
            core,
            <>
                <VoteOn page={page} code={A} name="own" />
                <VoteOn page={page} code={A} name="ada's" userId="ada" />
            </>,
        ),
    );
    await core.votes.submit(A, "Unsafe", { userId: "ada" });
    await page.until(() => page.last<OwnVote | undefined>("vote ada's")?.choice === "Unsafe");
    await settled(core);
    assert.equal(page.last<OwnVote>("vote own").choice, undefined);
    await core.storage.eraseAll();
    await page.until(() => page.last<OwnVote>("vote ada's").choice === undefined);
});

function History({ page, query, name = "history" }: { page: Page; query?: HistoryQuery; name?: string }): null {
    page.note(name, useScanHistory(query));
    return null;
}

test("the history comes in pages, and follows what is added and removed", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    const scans = await core.scans.recordMany(range(120).map((number) => ({ text: `scan ${number}` })));
    const newest = scans.toReversed();
    const history = (): ScanHistory => page.last("history");
    page.show(within(core, <History page={page} />));
    await page.until(() => history()?.isLoading === false);
    const [beginning] = page.notes<ScanHistory>("history");
    assert.deepEqual([beginning?.scans, beginning?.isLoading], [[], true]);
    assert.deepEqual(history().scans, newest.slice(0, 50));
    for (const count of [100, 120]) {
        assert.equal(history().hasMore, true);
        // A list that scrolls asks more than once.
        await Promise.all([history().loadMore(), history().loadMore()]);
        await page.until(() => history().scans.length === count && !history().isLoading);
        assert.deepEqual(history().scans, newest.slice(0, count));
    }
    assert.equal(history().hasMore, false);
    await history().loadMore();

    const before = history().scans;
    const added = await core.scans.record("another scan");
    await page.until(() => history().scans.length === 121);
    assert.deepEqual(history().scans[0], added);
    // What was there before is not rendered again: it is the same objects.
    assert.ok(before.every((scan, index) => history().scans[index + 1] === scan));
    await core.scans.delete(added.id);
    await page.until(() => history().scans.length === 120);
    await core.scans.clear();
    await page.until(() => history().scans.length === 0);
});

test("a history renders only for what it shows, and once for a flood of scans", async (t) => {
    const { core } = await newCore(t);
    const page = newPage(t);
    page.show(within(core, <History page={page} query={{ verdict: "Unsafe", limit: 10 }} />));
    await page.until(() => page.last<ScanHistory | undefined>("history")?.isLoading === false);
    await settled(core);
    const rendered = page.notes("history").length;
    await core.scans.recordMany(range(100).map((number) => ({ text: `safe ${number}`, verdict: "Safe" as const })));
    await settled(core);
    assert.equal(page.notes("history").length, rendered);
    await Promise.all(range(5).map((number) => core.scans.record(`unsafe ${number}`, { verdict: "Unsafe" })));
    await page.until(() => page.last<ScanHistory>("history").scans.length === 5);
});

test("a history that cannot be read keeps what it had, and is there again after a refresh", async (t) => {
    const { core, config } = await newCore(t);
    const page = newPage(t);
    const hook = await hooks(config);
    const scan = await core.scans.record("scan");
    const history = (): ScanHistory => page.last("history");
    page.show(within(core, <History page={page} />));
    await page.until(() => history()?.scans.length === 1);
    hook.testFailStorage(true);
    await history().refresh();
    await page.until(() => history().error?.type === "StorageUnavailable");
    assert.deepEqual([history().scans, history().isLoading], [[scan], false]);
    hook.testFailStorage(false);
    await history().refresh();
    await page.until(() => history().error === undefined);
    page.show(within(core, <History page={page} query={{ limit: 0 }} name="too small" />));
    await page.until(() => page.last<ScanHistory | undefined>("too small")?.error?.type === "InvalidInput");
});

function Health({ page }: { page: Page }): null {
    page.note("health", useSystemHealth());
    page.note("sync", useSyncStatus());
    return null;
}

test("health and the status of synchronisation are shown as they are", async (t) => {
    const sync = { baseUrl: "http://127.0.0.1:9", allowPlainLoopback: true, onlyWhenAsked: true };
    const { core, config } = await newCore(t, { sync });
    const page = newPage(t);
    const hook = await hooks(config);
    page.show(within(core, <Health page={page} />));
    const storage = (): string | undefined => {
        return page.last<SystemHealth>("health").services.find(({ service }) => service === "LocalStorage")?.state;
    };
    const status = () => page.last<CurrentSyncStatus | undefined>("sync")?.status;
    await page.until(() => status() !== undefined);
    assert.equal(storage(), "Healthy");

    await core.votes.submit(A, "Safe");
    await page.until(() => status()?.pending === 1);
    await assert.rejects(core.sync.now(), { type: "Offline" });
    await page.until(() => status()?.cause === "Offline");
    hook.testFailStorage(true);
    await assert.rejects(core.scans.record("scan"), { type: "StorageUnavailable" });
    await page.until(() => storage() === "Unavailable");
    hook.testFailStorage(false);
    await core.scans.record("scan");
    await page.until(() => storage() === "Healthy");
    assert.equal(page.last<SystemHealth>("health"), page.notes<SystemHealth>("health").at(-1));
});

test("the provider waits for a core that is being opened, and hands an error on", async (t) => {
    const directory = newDirectory(t);
    const opening = SafeScan.open({ directory });
    afterwards(t, async () => (await opening).shutdown());
    const page = newPage(t);
    page.show(
        <SafeScanProvider core={opening} fallback="opening">
            <RatingOf page={page} code={A} />
        </SafeScanProvider>,
        { isStrict: true },
    );
    await page.until(() => page.text === "opening");
    await page.until(() => page.text === "0 unsafe. ");

    const errors = console.error;
    afterwards(t, () => (console.error = errors));
    // React tells of every error that a boundary takes.
    console.error = () => {};
    const refused = SafeScan.open({ directory: "nowhere" });
    await assert.rejects(refused);
    const failing = newPage(t);
    failing.show(
        <Boundary>
            <SafeScanProvider core={refused}>never</SafeScanProvider>
        </Boundary>,
    );
    await failing.until(() => /^failed: .*not an absolute path/.test(failing.text));
    const without = newPage(t);
    without.show(<Boundary>{<Frame page={without} />}</Boundary>);
    await without.until(() => without.text === "failed: there is no SafeScanProvider around this component");
});

/** What was shown of the vote, without what was shown twice. */
function shown(page: Page, code: string): [VoteChoice | undefined, boolean][] {
    return page.notes<OwnVote>(`vote ${code}`).map(({ choice, isSaving }) => [choice, isSaving]);
}
