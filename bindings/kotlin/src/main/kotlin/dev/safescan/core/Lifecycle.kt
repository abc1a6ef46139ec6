package dev.safescan.core

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/**
 * Opens the core, runs [block] with it, and shuts it down whatever the block's end: a result, an exception or a
 * cancelled coroutine. For command-line programs, jobs and tests; an app opens the core once and keeps it.
 *
 * ```
 * withSafeScan(SafeScanConfig(directory = "/absolute/path")) { core ->
 *     println(core.rating("https://example.com/").assessment)
 * }
 * ```
 *
 * A directory that is open already gives the same core, and it is shut down for everybody. (The `use` function is no
 * substitute: it gives back the handle, and leaves the core itself running until the handle is the last one.)
 *
 * @throws SafeScanException as [SafeScan.open] does.
 */
suspend fun <T> withSafeScan(config: SafeScanConfig, block: suspend (SafeScan) -> T): T =
    SafeScan.open(config).use { core ->
        try {
            block(core)
        } finally {
            withContext(NonCancellable) { core.shutdown() }
        }
    }

/**
 * What happens in the core, in the order of the commits: since it was opened, or since the last collection. The flow is
 * cold and pulls, so a slow collector holds nobody up; if it falls more than 1,024 events behind, [CoreEvent.Missed]
 * stands in for those that were dropped. It ends when the core is shut down. Cancelling the collection leaves the core
 * as it is, and the flow may be collected again.
 *
 * One collector at a time: a second one ends the first. Several that are to see everything share one:
 *
 * ```
 * val events = core.events.shareIn(scope, SharingStarted.Eagerly)
 * events.collect { event -> if (event is CoreEvent.RatingChanged) show(event.rating) }
 * ```
 */
val SafeScan.events: Flow<CoreEvent>
    get() = flow {
        while (true) {
            val events = nextEvents()
            if (events.isEmpty()) break
            events.forEach { emit(it) }
        }
    }
