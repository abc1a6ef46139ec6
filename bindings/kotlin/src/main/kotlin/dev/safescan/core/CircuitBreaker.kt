package dev.safescan.core

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.TimeoutCancellationException

/**
 * A call was not made, because the [service] failed too often just now.
 *
 * @property service The name given to [withCircuitBreaker].
 * @property retryAfter When another try is worthwhile.
 */
class CircuitOpenException(val service: String, val retryAfter: Duration) :
    Exception("calls are refused for another $retryAfter")

/**
 * Makes a [call] of an outside service, unless it failed five times within the last ten seconds: then calls are refused
 * for a minute, and after that one is let through to try. An exception of the call counts as a failure, a time-out as
 * well; a cancelled coroutine says nothing about the service and counts as nothing.
 *
 * ```
 * val page = core.withCircuitBreaker("threat-feed") { client.fetch(url) }
 * ```
 *
 * @param service A name of the app's choice, up to 1 KiB; each has a circuit breaker of its own, until the shutdown.
 * @throws CircuitOpenException if the call was refused.
 * @throws SafeScanException if the name is invalid or the core was shut down; the call was not made.
 */
suspend fun <T> SafeScan.withCircuitBreaker(service: String, call: suspend () -> T): T {
    val permit = when (val entry = circuitEnter(service)) {
        is CircuitEntry.Allowed -> entry.permit
        is CircuitEntry.Refused -> throw CircuitOpenException(service, entry.retryAfterMs.toLong().milliseconds)
    }
    val outcome = runCatching { call() }
    val failure = outcome.exceptionOrNull()
    if (failure !is CancellationException || failure is TimeoutCancellationException) {
        try {
            circuitReport(service, permit, outcome.isSuccess)
        } catch (_: SafeScanException.Stopped) {
            // Shut down during the call: its outcome matters still, the breaker no longer does.
        }
    }
    return outcome.getOrThrow()
}
