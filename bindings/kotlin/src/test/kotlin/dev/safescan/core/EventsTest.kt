package dev.safescan.core

import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class EventsTest {
    @TempDir
    lateinit var directory: Path

    private val text = "https://example.com/watched"

    @Test
    fun `the flow tells of every change in order`() = withCore(directory) { core ->
        core.watch(listOf(CodeRef(text)))
        val scan = core.recordScan(text)
        core.submitVote(text, VoteChoice.SAFE)
        core.kvSet("key", "value")
        val events = core.events.take(4).toList()
        assertEquals(CoreEvent.ScansAdded(1u, scan.id), events[0])
        assertEquals(CoreEvent.VoteChanged(scan.qrHash), events[1])
        assertEquals(1u, (events[2] as CoreEvent.RatingChanged).rating.safeVotes)
        assertEquals(CoreEvent.KeyValueChanged(listOf("key")), events[3])
    }

    @Test
    fun `a waiting collector is woken`() = withCore(directory) { core ->
        val waiting = async(start = UNDISPATCHED) { core.events.first() }
        val scan = core.recordScan(text)
        assertEquals(CoreEvent.ScansAdded(1u, scan.id), waiting.await())
    }

    @Test
    fun `the flow ends at the shutdown`() = runBlocking(Dispatchers.Default) {
        val core = SafeScan.open(configIn(directory))
        val all = async(start = UNDISPATCHED) { core.events.toList() }
        core.recordScan(text)
        core.shutdown()
        val events = all.await()
        assertTrue(events.first() is CoreEvent.ScansAdded, "$events")
        assertEquals(emptyList<CoreEvent>(), core.events.toList(), "and stays ended")
        core.close()
    }

    @Test
    fun `a cancelled collector leaves the core working, and the flow can be collected again`() =
        withCore(directory) { core ->
            val collecting = launch(start = UNDISPATCHED) { core.events.collect {} }
            collecting.cancelAndJoin()
            val again = async(start = UNDISPATCHED) { core.events.filterIsInstance<CoreEvent.ScansAdded>().first() }
            val scan = core.recordScan(text)
            assertEquals(scan.id, again.await().latest)
        }

    @Test
    fun `what happens between two collections is told to the second`() = withCore(directory) { core ->
        launch(start = UNDISPATCHED) { core.events.collect {} }.cancelAndJoin()
        val scan = core.recordScan(text)
        core.kvSet("key", "value")
        assertEquals(
            listOf(CoreEvent.ScansAdded(1u, scan.id), CoreEvent.KeyValueChanged(listOf("key"))),
            withTimeout(10.seconds) { core.events.take(2).toList() },
        )
    }

    @Test
    fun `every collector sees everything`() = withCore(directory) { core ->
        val collectors = List(3) { async(start = UNDISPATCHED) { core.events.take(2).toList() } }
        val scan = core.recordScan(text)
        core.kvSet("key", "value")
        val both = listOf(CoreEvent.ScansAdded(1u, scan.id), CoreEvent.KeyValueChanged(listOf("key")))
        collectors.forEach { assertEquals(both, it.await()) }
    }

    @Test
    fun `a reader that is finished ends at once, and leaves what it did not fetch to the next`() =
        withCore(directory) { core ->
            core.eventReader().use { reader ->
                val scan = core.recordScan(text)
                assertEquals(listOf<CoreEvent>(CoreEvent.ScansAdded(1u, scan.id)), reader.next())
                val waiting = async(start = UNDISPATCHED) { reader.next() }
                reader.finish()
                assertEquals(emptyList<CoreEvent>(), withTimeout(10.seconds) { waiting.await() })
                core.kvSet("key", "value")
                assertEquals(emptyList<CoreEvent>(), reader.next(), "and stays ended")
            }
            assertEquals(CoreEvent.KeyValueChanged(listOf("key")), core.events.first())
        }

    @Test
    fun `states that are followed meanwhile take no event from a collector to come`() = withCore(directory) { core ->
        val ratings = core.ratings(text).produceIn(this)
        ratings.receive()
        val scan = core.recordScan(text)
        core.submitVote(text, VoteChoice.SAFE)
        ratings.receive()
        ratings.cancel()
        assertEquals(CoreEvent.ScansAdded(1u, scan.id), core.events.first())
    }

    @Test
    fun `a listener is told of events until it is taken away`() = withCore(directory) { core ->
        val told = LinkedBlockingQueue<CoreEvent>()
        core.setListener(listener { told.add(it) })
        val scan = core.recordScan(text)
        assertEquals(CoreEvent.ScansAdded(1u, scan.id), told.poll(60, SECONDS))

        val other = LinkedBlockingQueue<CoreEvent>()
        core.setListener(listener { other.add(it) })
        core.kvSet("key", "value")
        assertEquals(CoreEvent.KeyValueChanged(listOf("key")), other.poll(60, SECONDS))
        assertEquals(emptyList<CoreEvent>(), told.toList(), "the one before hears no more")
        core.setListener(null)
    }

    @Test
    fun `a listener may call the core`() = withCore(directory) { core ->
        val found = LinkedBlockingQueue<Scan>()
        core.setListener(
            listener { event ->
                if (event is CoreEvent.ScansAdded) runBlocking { core.scan(event.latest) }?.let(found::add)
            },
        )
        val scan = core.recordScan(text)
        assertEquals(scan, found.poll(60, SECONDS))
    }

    @Test
    fun `a listener that throws harms nobody`() = withCore(directory) { core ->
        val failures = listOf(IllegalStateException("mine"), ListenerException.Failed("mine"))
        val told = LinkedBlockingQueue<CoreEvent>()
        core.setListener(
            listener { event ->
                told.add(event)
                throw failures[told.size % failures.size]
            },
        )
        val scans = (0 until 4).map { core.recordScan("$text/$it") }
        scans.forEach { assertEquals(CoreEvent.ScansAdded(1u, it.id), told.poll(60, SECONDS)) }
        assertNotNull(core.scan(scans.last().id))
    }

    private fun listener(onEvent: (CoreEvent) -> Unit) = object : EventListener {
        override fun onEvent(event: CoreEvent) = onEvent(event)
    }
}
