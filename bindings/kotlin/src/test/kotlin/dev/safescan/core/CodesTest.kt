package dev.safescan.core

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class CodesTest {
    @TempDir
    lateinit var directory: Path

    private val text = "https://example.com/menu"

    @Test
    fun `a scan is recorded with what is given`() = withCore(directory) { core ->
        val at = System.currentTimeMillis() - 5_000
        val scan = core.recordScan(text, Verdict.SUSPICIOUS, scannedAt = at, metadata = "{\"table\":7}")
        assertEquals(Scan(scan.id, text, QrKind.WEB_LINK, Verdict.SUSPICIOUS, at, hashQrData(text), "{\"table\":7}"), scan)
        assertEquals(Verdict.UNKNOWN, core.recordScan(text).verdict)
    }

    @Test
    fun `a vote is cast, seen and taken back by the code's text`() = withCore(directory) { core ->
        val at = System.currentTimeMillis() - 5_000
        assertTrue(core.submitVote(text, VoteChoice.UNSAFE, userId = "ada", votedAt = at) is VoteOutcome.Accepted)
        assertEquals(at, core.myVote(text, userId = "ada")?.votedAt)
        assertNull(core.myVote(text), "another voter")

        val rating = core.rating(text)
        assertEquals(listOf(0u, 1u), listOf(rating.safeVotes, rating.unsafeVotes))
        assertEquals(rating.qrHash, core.cachedRating(text)?.qrHash)

        assertTrue(core.retractVote(text, userId = "ada") is VoteOutcome.Retracted)
        assertEquals(0u, core.rating(text).totalVotes)
    }
}
