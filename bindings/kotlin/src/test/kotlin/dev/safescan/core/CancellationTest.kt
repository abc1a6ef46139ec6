package dev.safescan.core

import java.nio.file.Path
import kotlin.random.Random
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class CancellationTest {
    @TempDir
    lateinit var directory: Path

    private val random = Random(1)

    /** Starts [call] and cancels it somewhere on its way; whether it was cut off before it returned. */
    private suspend fun CoroutineScope.cutOff(spins: Int, call: suspend () -> Unit): Boolean {
        var returned = false
        val job = launch(start = UNDISPATCHED) {
            call()
            returned = true
        }
        repeat(random.nextInt(spins)) { Thread.onSpinWait() }
        job.cancelAndJoin()
        return !returned
    }

    @Test
    fun `a batch whose caller is cancelled is stored whole or not at all`() {
        val (rounds, batch) = 60 to 100
        val cutOff = withCore(directory) { core ->
            (0 until rounds).count { round ->
                cutOff(spins = 300_000) { core.recordScans(List(batch) { NewScan("$round/$it") }) }
            }
        }
        assertTrue(cutOff > 0, "no call was cut off: the test saw nothing")
        withCore(directory) { core ->
            val sizes = core.wholeHistory(pageSize = 500u).groupingBy { it.text.substringBefore('/') }.eachCount()
            assertEquals(setOf(batch), sizes.values.toSet())
            assertTrue(sizes.size >= rounds - cutOff, "what returned is there")
            assertTrue(core.checkIntegrity().intact)
        }
    }

    @Test
    fun `votes whose callers are cancelled leave ratings that fit the votes`() {
        val codes = (0 until 100).map { "https://example.com/$it" }
        val cutOff = withCore(directory) { core ->
            codes.count { code -> cutOff(spins = 60_000) { core.submitVote(code, VoteChoice.SAFE) } }
        }
        assertTrue(cutOff > 0, "no call was cut off: the test saw nothing")
        withCore(directory) { core ->
            for (code in codes) {
                val votes = if (core.myVote(code) == null) 0u else 1u
                assertEquals(votes, core.rating(code).totalVotes)
            }
            assertTrue(core.checkIntegrity().intact)
        }
    }

    @Test
    fun `opening that is cancelled leaves the directory free`() = runBlocking(Dispatchers.Default) {
        val config = configIn(directory)
        val cutOff = (0 until 40).count { cutOff(spins = 400_000) { SafeScan.open(config).use { it.shutdown() } } }
        assertTrue(cutOff > 0, "no call was cut off: the test saw nothing")
        withSafeScan(config) { core ->
            val scan = core.recordScan("after all that")
            assertEquals(scan, core.scan(scan.id))
        }
    }
}
