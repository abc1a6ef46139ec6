package dev.safescan.core

import dev.safescan.core.processes.Writer
import dev.safescan.core.processes.startJvm
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.RepeatedTest
import org.junit.jupiter.api.RepetitionInfo
import org.junit.jupiter.api.io.TempDir

class KillTest {
    @TempDir
    lateinit var directory: Path

    /** 10 directories, each written to by 10 processes one after another. */
    @RepeatedTest(10)
    fun `no acknowledged scan is lost when the process is killed`(repetition: RepetitionInfo) {
        val random = Random(repetition.currentRepetition)
        val acknowledged = mutableSetOf<String>()
        repeat(10) { kills ->
            acknowledged += writeUntilKilled(acknowledgements = random.nextInt(1, 60), spins = random.nextInt(30_000))
            withCore(directory) { core ->
                val kept = core.wholeHistory(pageSize = 500u).map { it.id }.toSet()
                assertEquals(emptySet<String>(), acknowledged - kept, "lost")
                val unacknowledged = (kept - acknowledged).size
                assertTrue(unacknowledged <= kills + 1, "a killed process had one scan under way, not $unacknowledged")
                assertTrue(core.checkIntegrity().intact)
            }
        }
    }

    /** Kills a writer some [spins] after so many [acknowledgements]: anywhere within one of its next writes. */
    private fun writeUntilKilled(acknowledgements: Int, spins: Int): List<String> {
        val writer = startJvm(Writer::class, "$directory")
        val reached = CountDownLatch(1)
        val killer = thread {
            reached.await()
            repeat(spins) { Thread.onSpinWait() }
            // Through its handle: Process.destroyForcibly would also throw away what the writer has printed.
            writer.toHandle().destroyForcibly()
        }
        val ids = mutableListOf<String>()
        writer.inputReader().forEachLine { line ->
            // The last line may be cut short by the kill; its scan counts as not acknowledged.
            if (line.length == 16) ids += line
            if (ids.size == acknowledgements) reached.countDown()
        }
        assertEquals(137, writer.waitFor(), "ended by SIGKILL, not by itself")
        killer.join()
        return ids
    }
}
