package dev.safescan.core

import java.io.IOException
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

class CircuitBreakerTest {
    @TempDir
    lateinit var directory: Path

    private val service = "threat-feed"

    private inline fun <reified E : Throwable> SafeScan.fail(times: Int, noinline call: suspend () -> Unit) =
        repeat(times) { assertThrows<E> { runBlocking { withCircuitBreaker(service, call) } } }

    @Test
    fun `five failures open it, a minute later one trial closes it`() = withCore(directory) { core ->
        assertEquals(42, core.withCircuitBreaker(service) { 42 })
        core.fail<IOException>(5) { throw IOException("down") }
        assertEquals(CircuitState.OPEN, core.circuitState(service))

        val refused = assertThrows<CircuitOpenException> {
            runBlocking { core.withCircuitBreaker(service) { error("must not be called") } }
        }
        assertEquals(service, refused.service)
        assertTrue(refused.retryAfter > Duration.ZERO && refused.retryAfter <= 60.seconds, "${refused.retryAfter}")
        assertEquals("another", core.withCircuitBreaker("another service") { "another" })

        core.testAdvanceClock(60_000)
        assertEquals("up", core.withCircuitBreaker(service) { "up" })
        assertEquals(CircuitState.CLOSED, core.circuitState(service))
    }

    @Test
    fun `a time-out counts, a cancelled call does not`() = withCore(directory) { core ->
        core.fail<CancellationException>(20) { throw CancellationException("the user left") }
        assertEquals(CircuitState.CLOSED, core.circuitState(service))
        core.fail<CancellationException>(5) { withTimeout(1.milliseconds) { awaitCancellation() } }
        assertEquals(CircuitState.OPEN, core.circuitState(service))
    }

    @Test
    fun `a call that outlives the core still returns`() = withCore(directory) { core ->
        val answer = core.withCircuitBreaker(service) {
            core.shutdown()
            42
        }
        assertEquals(42, answer)
        val error = assertThrows<SafeScanException.Stopped> {
            runBlocking { core.withCircuitBreaker(service) { error("must not be called") } }
        }
        assertEquals("the core was shut down", error.message)
    }
}
