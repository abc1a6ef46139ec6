package dev.safescan.core

import java.nio.file.Path
import kotlin.concurrent.thread
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class ConcurrencyTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a hundred concurrent scans are all kept`() = withCore(directory) { core ->
        val recorded = (0 until 100).map { async { core.recordScan("concurrent $it") } }.awaitAll()
        assertEquals(100, recorded.map { it.id }.toSet().size)
        assertEquals(recorded.toSet(), core.wholeHistory().toSet())
        assertEquals(100u, core.statistics().scans)
    }

    @Test
    fun `a thousand scans from eight threads come back newest first, each thread's own in its order`() =
        withCore(directory) { core ->
            val threads = (0 until 8).map { worker ->
                thread { runBlocking { repeat(125) { core.recordScan("$worker/$it") } } }
            }
            threads.forEach { it.join() }

            val history = core.wholeHistory(pageSize = 37u)
            assertEquals(1_000, history.size)
            val ids = history.map { it.id }
            assertEquals(ids.sortedDescending().distinct(), ids)
            val oldestFirst = history.reversed().map { it.text }.groupBy { it.substringBefore('/') }
            assertEquals(8, oldestFirst.size)
            oldestFirst.forEach { (worker, texts) -> assertEquals((0 until 125).map { "$worker/$it" }, texts) }
        }
}
