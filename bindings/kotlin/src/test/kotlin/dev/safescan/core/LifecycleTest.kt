package dev.safescan.core

import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

class LifecycleTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `everything is found after reopening`() {
        val text = "https://example.com/kept"
        val scans = withCore(directory) { core ->
            core.submitVote(text, VoteChoice.UNSAFE)
            core.kvSet("key", "wert ✓")
            core.updateSettings(SettingsUpdate(notifications = false))
            (0 until 120).map { core.recordScan("scan $it", Verdict.SUSPICIOUS, metadata = "{}") }
        }
        withCore(directory) { core ->
            assertEquals(scans.reversed(), core.wholeHistory())
            assertEquals(VoteChoice.UNSAFE, core.myVote(text)?.choice)
            assertEquals(1u, core.rating(text).unsafeVotes)
            assertEquals("wert ✓", core.kvGet("key"))
            assertEquals(false, core.settings().notifications)
        }
    }

    @Test
    fun `a directory opened twice is the same core`() = withCore(directory) { first ->
        val second = SafeScan.open(configIn(directory))
        val scan = first.recordScan("seen by both")
        first.cacheSet("only in memory", "1")
        assertEquals(scan, second.scan(scan.id))
        assertEquals("1", second.cacheGet("only in memory"))
        second.close()
        assertEquals(scan, first.scan(scan.id), "giving one handle back leaves the other")
    }

    @Test
    fun `a directory under another spelling is the same core`() = withCore(directory) { first ->
        val scan = first.recordScan("seen by both")
        SafeScan.open(configIn(directory.resolve("."))).use { second -> assertEquals(scan, second.scan(scan.id)) }
    }

    @Test
    fun `another configuration for an open directory is refused`() = withCore(directory) { _ ->
        val error = assertThrows<SafeScanException.InvalidInput> {
            runBlocking { SafeScan.open(SafeScanConfig(directory.toString(), votesPerMinute = 3u)) }
        }
        assertEquals("directory is open already, with another configuration", error.message)
    }

    @Test
    fun `after a shutdown every call says so, and shutting down again does nothing`() = runBlocking {
        val core = SafeScan.open(configIn(directory))
        core.shutdown()
        core.shutdown()
        assertThrows<SafeScanException.Stopped> { runBlocking { core.recordScan("late") } }
        assertThrows<SafeScanException.Stopped> { core.cacheGet("late") }
        core.close()
    }

    @Test
    fun `withSafeScan shuts down and hands on what its block returned or threw`() {
        val (other, answer) = withCore(directory) { SafeScan.open(configIn(directory)) to 42 }
        assertEquals(42, answer)
        assertThrows<SafeScanException.Stopped>("shut down for every handle") { other.cacheClear() }

        lateinit var another: SafeScan
        val thrown = assertThrows<IllegalStateException> {
            withCore(directory) {
                another = SafeScan.open(configIn(directory))
                error("mine")
            }
        }
        assertEquals("mine", thrown.message)
        assertThrows<SafeScanException.Stopped>("shut down after an exception") { another.cacheClear() }
    }

    @Test
    fun `a suspended core still answers, and resumes`() = withCore(directory) { core ->
        core.suspend()
        val scan = core.recordScan("in the background")
        core.resume()
        assertEquals(listOf(scan), core.wholeHistory())
    }
}
