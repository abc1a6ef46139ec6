package dev.safescan.core

import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit.SECONDS
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

class LogTest {
    @TempDir
    lateinit var directory: Path

    private class Line(val level: LogLevel, val target: String, val text: String)

    /** Lines in the order in which they come, and a way to know that all of them have come. */
    private class Lines(private val core: SafeScan, level: LogLevel, thenThrow: Exception? = null) {
        private val lines = LinkedBlockingQueue<Line>()
        private val last = CountDownLatch(1)

        init {
            core.setLogSink(
                level,
                object : LogSink {
                    override fun log(level: LogLevel, target: String, text: String) {
                        lines.add(Line(level, target, text))
                        thenThrow?.let { throw it }
                    }
                },
            )
            core.setListener(
                object : EventListener {
                    override fun onEvent(event: CoreEvent) {
                        if (event == CoreEvent.KeyValueChanged(listOf("last"))) last.countDown()
                    }
                },
            )
        }

        /** Log and events come through one thread, in order. */
        suspend fun untilNow(): List<Line> {
            core.kvSet("last", "")
            assertTrue(last.await(60, SECONDS))
            return lines.toList()
        }
    }

    @Test
    fun `the log comes, and holds no content`() = withCore(directory) { core ->
        val canary = "canary-7f3a"
        val lines = Lines(core, LogLevel.TRACE)
        val scan = core.recordScan("https://$canary.example/?q=$canary", metadata = canary)
        core.submitVote(scan.text, VoteChoice.UNSAFE, userId = canary)
        core.kvSet(canary, canary)
        core.cacheSet(canary, canary)
        refused { core.kvMerge(listOf(KvPair(canary, canary))) }
        refused { core.scan(canary) }
        refused { core.recordScan("$canary\u0000") }
        refused { core.exportData(canary) }
        core.suspend()
        core.resume()
        assertThrows<SafeScanException> { runBlocking { core.testPanic() } }

        val logged = lines.untilNow()
        assertTrue(logged.isNotEmpty())
        assertTrue(logged.any { it.level == LogLevel.DEBUG && it.target == "engine" })
        for (secret in listOf(canary, scan.id, scan.qrHash, directory.toString())) {
            assertFalse(logged.any { secret in it.text || secret in it.target }, "content in the log")
        }
    }

    @Test
    fun `quieter records than asked for stay away`() = withCore(directory) { core ->
        val lines = Lines(core, LogLevel.ERROR)
        refused { core.recordScan("") }
        assertThrows<SafeScanException> { runBlocking { core.testPanic() } }
        assertEquals(listOf(LogLevel.ERROR), lines.untilNow().map { it.level })
    }

    @Test
    fun `a sink that throws harms nobody`() = withCore(directory) { core ->
        val lines = Lines(core, LogLevel.DEBUG, thenThrow = IllegalStateException("mine"))
        repeat(3) { refused { core.recordScan("") } }
        assertEquals(3, lines.untilNow().size)
        core.recordScan("and on it goes")
        assertEquals(1u, core.statistics().scans)
    }

    private fun refused(call: suspend () -> Any?) {
        assertThrows<SafeScanException.InvalidInput> { runBlocking { call() } }
    }
}
