package dev.safescan.core

import java.nio.file.Path
import java.util.UUID
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** Flows that show a state, without a server. */
class StatesTest {
    @TempDir
    lateinit var directory: Path

    private val text = "https://example.com/menu"

    @Test
    fun `a rating comes as it is, and then whenever it changes, to every collector`() = withCore(directory) { core ->
        core.submitVote(text, VoteChoice.SAFE)
        val both = listOf(core.ratings(text), core.ratings(CodeRef.Hash(hashQrData(text).uppercase())))
            .map { it.produceIn(this) }
        both.forEach { assertEquals(1u, it.receive().safeVotes) }
        core.submitVote(text, VoteChoice.SAFE, userId = "ada")
        both.forEach { assertEquals(2u, it.receive().safeVotes) }
        core.eraseAllData()
        both.forEach { assertEquals(RatingSource.NEUTRAL, it.receive().source) }
    }

    @Test
    fun `nothing is missed between the first reading and the first change`() = withCore(directory) { core ->
        repeat(100) { number ->
            val text = "$text/$number"
            val vote = launch { core.submitVote(text, VoteChoice.SAFE) }
            core.ratings(text).first { it.safeVotes == 1u }
            vote.join()
        }
    }

    @Test
    fun `changes of other codes are not told`() = withCore(directory) { core ->
        val other = "https://example.com/other"
        core.watch(listOf(CodeRef(other)))
        val ratings = core.ratings(text).produceIn(this)
        ratings.receive()
        core.submitVote(other, VoteChoice.SAFE)
        core.submitVote(text, VoteChoice.UNSAFE)
        assertEquals(1u, ratings.receive().unsafeVotes)
    }

    @Test
    fun `a collector that leaves takes its own watch with it, and no other`() = withCore(directory) { core ->
        assertFalse(core.tellsOfRatings())
        val staying = core.ratings(text).produceIn(this)
        assertEquals(1u, staying.receive().safeVotes)
        val began = CompletableDeferred<Unit>()
        val leaving = launch { core.ratings(text).collect { began.complete(Unit) } }
        began.await()
        leaving.cancelAndJoin()
        core.submitVote(text, VoteChoice.SAFE, userId = "ada")
        assertEquals(2u, staying.receive().safeVotes)
        assertTrue(core.tellsOfRatings())
        staying.cancel()
        // What fills the channel ends a moment after the channel.
        while (core.tellsOfRatings()) Thread.onSpinWait()
        core.ratings(text).first()
        assertFalse(core.tellsOfRatings())
    }

    /** Whether the core tells of a change of the code's rating. */
    private suspend fun SafeScan.tellsOfRatings(): Boolean = eventReader(newsOnly = true).use { reader ->
        submitVote(text, VoteChoice.SAFE, userId = "${UUID.randomUUID()}")
        kvSet("end", "")
        val told = buildList { while (none { it is CoreEvent.KeyValueChanged }) addAll(reader.next()) }
        told.any { it is CoreEvent.RatingChanged }
    }

    @Test
    fun `a slow collector gets the latest, however much it was too slow for`() = withCore(directory) { core ->
        suspend fun vote(on: String, by: IntRange) =
            core.submitVotes(by.map { NewVote(CodeRef(on), VoteChoice.SAFE, userId = "$it") })
        val shown = Channel<UInt>()
        val goOn = Channel<Unit>()
        val collecting = launch {
            core.ratings(text).collect {
                shown.send(it.totalVotes)
                goOn.receive()
            }
        }
        assertEquals(0u, shown.receive())
        vote(on = text, by = 0 until 100)
        goOn.send(Unit)
        assertEquals(100u, shown.receive())
        // More events than the core keeps: the change is not among them.
        vote(on = text, by = 100..100)
        vote(on = "https://example.com/other", by = 0 until 1_100)
        goOn.send(Unit)
        assertEquals(101u, shown.receive())
        collecting.cancelAndJoin()
    }

    @Test
    fun `codes that nobody may watch are refused`() = withCore(directory) { core ->
        assertThrows<SafeScanException.InvalidInput> { runBlocking { core.ratings("").first() } }
        assertThrows<SafeScanException.InvalidInput> { runBlocking { core.ratings(CodeRef.Hash("abc")).first() } }
        assertEquals(RatingSource.NEUTRAL, core.ratings("WIFI:T:WPA;S:Guest;P:secret;;").first().source)
    }

    @Test
    fun `without a server there is nothing to wait for, and everything ends with the core`() =
        runBlocking(Dispatchers.Default) {
            val core = SafeScan.open(configIn(directory))
            val ratings = core.ratings(text).produceIn(this)
            val status = core.syncStatus.produceIn(this)
            val operations = core.operations.produceIn(this)
            assertEquals(RatingSource.NEUTRAL, ratings.receive().source)
            val disabled = SyncStatus(
                ServiceState.DISABLED, HealthCause.NOT_CONFIGURED, ServiceState.DISABLED, pending = 0u, lastReport = null,
            )
            assertEquals(disabled, status.receive())
            assertEquals(emptyList<PendingOperation>(), operations.receive())
            core.shutdown()
            listOf(ratings, status, operations).forEach { assertTrue(it.receiveCatching().isClosed) }
            assertEquals(emptyList<SyncStatus>(), core.syncStatus.toList(), "and stay ended")
            assertThrows<SafeScanException.Stopped> { runBlocking { core.ratings(text).first() } }
            core.close()
        }
}
