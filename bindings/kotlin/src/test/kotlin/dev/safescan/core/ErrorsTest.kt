package dev.safescan.core

import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

class ErrorsTest {
    @TempDir
    lateinit var directory: Path

    private class Bad(val name: String, val reason: String, val call: suspend (SafeScan) -> Any?)

    private val code = "https://example.com/"
    private val minute = 60_000L

    private val badCalls = listOf(
        Bad("no text", "text is empty") { it.recordScan("") },
        Bad("only white space", "text is empty") { it.recordScan(" \n") },
        Bad("more than a QR code holds", "text is longer than 4296 characters") { it.recordScan("x".repeat(4_297)) },
        Bad("NUL in a text", "text contains a NUL character") { it.recordScan("a\u0000b") },
        Bad("metadata over 16 KiB", "metadata is longer than 16384 bytes") {
            it.recordScan(code, metadata = "x".repeat(16 * 1024 + 1))
        },
        Bad("a negative time", "scanned_at is not between") { it.recordScan(code, scannedAt = -1) },
        Bad("seconds for milliseconds", "scanned_at is not between") {
            it.recordScan(code, scannedAt = System.currentTimeMillis() / 1_000)
        },
        Bad("the end of time", "scanned_at is not between") { it.recordScan(code, scannedAt = Long.MAX_VALUE) },
        Bad("one bad scan among good ones", "text is empty") { it.recordScans(listOf(NewScan(code), NewScan(""))) },
        Bad("a batch over 10,000", "scans is longer than 10000 items") { core ->
            core.recordScans(List(10_001) { NewScan(code) })
        },
        Bad("a vote far ahead", "voted_at is not between") {
            it.submitVote(code, VoteChoice.SAFE, votedAt = System.currentTimeMillis() + 6 * minute)
        },
        Bad("a vote before 1970", "voted_at is not between") {
            it.submitVote(code, VoteChoice.SAFE, votedAt = Long.MIN_VALUE)
        },
        Bad("a voter without a name", "user_id is empty") { it.submitVote(code, VoteChoice.SAFE, userId = "") },
        Bad("a reputation that is no number", "weight is not between 0 and 10") { it.setReputation(Double.NaN) },
        Bad("a hash that is none", "qr_hash is not 64 hexadecimal digits") { it.rating(CodeRef.Hash("12")) },
        Bad("an id that is none", "scan_id is not 16 hexadecimal digits") { it.scan("last") },
        Bad("a key over 1 KiB", "key is longer than 1024 bytes") { it.kvSet("k".repeat(1_025), "") },
        Bad("a key over 1 KiB in bytes", "key is longer than 1024 bytes") { it.kvSet("✓".repeat(342), "") },
        Bad("an empty key", "key is empty") { it.kvSet("", "") },
        Bad("NUL in a key", "key contains a NUL character") { it.kvSet("a\u0000", "") },
        Bad("a value over 16 MiB", "value is longer than 16777216 bytes") {
            it.kvSet("key", "v".repeat(16 * 1024 * 1024 + 1))
        },
        Bad("a page over 500", "limit is not between 1 and 500") { it.scanHistory(ScanQuery(limit = 501u)) },
        Bad("a page of nothing", "limit is not between 1 and 500") { it.scanHistory(ScanQuery(limit = 0u)) },
        Bad("a page of votes over 500", "limit is not between 1 and 500") { it.myVotes(VoteQuery(limit = 501u)) },
        Bad("the largest page there is", "limit is not between 1 and 500") { it.pendingOperations(UInt.MAX_VALUE) },
        Bad("a cursor of one's own", "cursor") { it.scanHistory(ScanQuery(cursor = "page two")) },
        Bad("a file name that is no absolute path", "path") { it.exportData("export.jsonl") },
    )

    @TestFactory
    fun `bad input is refused with the name of the argument, and changes nothing`(): List<DynamicTest> =
        badCalls.map { bad ->
            DynamicTest.dynamicTest(bad.name) {
                withCore(directory.resolve(bad.name.replace(Regex("\\W"), "-"))) { core ->
                    val error = assertThrows<SafeScanException.InvalidInput> { runBlocking { bad.call(core) } }
                    assertTrue(bad.reason in error.reason, error.reason)
                    assertEquals(error.reason, error.message, "the message is the reason, and nothing around it")
                    val kept = core.statistics()
                    assertEquals(listOf(0u, 0u, 0u), listOf(kept.scans, kept.votes, kept.kvEntries))
                    core.recordScan("the next call works")
                }
            }
        }

    private val halves = listOf("\uD83D", "\uDE00", "smile \uD83D", "\uDE00\uD83D", "a\uD83Db")

    @Test
    fun `a text with half a character is refused, and changes nothing`() = withCore(directory) { core ->
        for (half in halves) {
            val calls = listOf<suspend () -> Any?>(
                { core.recordScan(half) }, // inside a record
                { core.recordScans(listOf(NewScan("whole"), NewScan(half))) }, // inside a list
                { core.submitVote(half, VoteChoice.SAFE) }, // inside an enum
                { core.kvSet("key", half) }, // as an argument
                { core.kvSet(half, "value") },
                { core.cacheSet("key", half, null) }, // of a call that does not wait
                { hashQrData(half) }, // of a function
            )
            for (call in calls) {
                val error = assertThrows<SafeScanException.InvalidInput> { runBlocking { call() } }
                assertEquals("a text contains an unpaired surrogate", error.message)
            }
        }
        assertThrows<SafeScanException.InvalidInput> { runBlocking { SafeScan.open(SafeScanConfig("/tmp/\uD83D")) } }
        val kept = core.statistics()
        assertEquals(listOf(0u, 0u, 0u, 0u), listOf(kept.scans, kept.votes, kept.kvEntries, kept.cache.entries))

        val whole = core.recordScan("smile \uD83D\uDE00")
        assertEquals("smile \uD83D\uDE00", core.scan(whole.id)?.text)
    }

    @Test
    fun `a panic inside is an error, and the next call works`() = withCore(directory) { core ->
        val error = assertThrows<SafeScanException.Internal> { runBlocking { core.testPanic() } }
        assertEquals("panic in a call", error.message)
        val scan = core.recordScan(code)
        assertEquals(scan, core.scan(scan.id))
    }

    @Test
    fun `a locked device is told as such, and nothing is lost by it`() = withCore(directory) { core ->
        val before = core.recordScan(code)
        core.testFailStorage(true)
        assertThrows<SafeScanException.StorageUnavailable> { runBlocking { core.recordScan("locked") } }
        assertEquals(ServiceState.UNAVAILABLE, core.health().services.single { it.service == Service.LOCAL_STORAGE }.state)
        core.testFailStorage(false)
        val after = core.recordScan(code)
        assertEquals(listOf(after, before), core.wholeHistory())
    }
}
