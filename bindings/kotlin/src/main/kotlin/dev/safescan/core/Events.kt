package dev.safescan.core

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * What happens in the core, in the order of the commits, for any number of collectors: each sees everything from the
 * start of its collection on. A collection that begins while events lie there that no collector of this flow has
 * fetched begins with them: the first one misses nothing since the core was opened, and one that takes over from
 * another misses nothing either, but for what that one had fetched and not come to (up to a hundred events).
 *
 * ```
 * scope.launch {
 *     core.events.collect { event -> if (event is CoreEvent.ScansAdded) badge.add(event.count) }
 * }
 * ```
 *
 * The flow pulls, so a slow collector holds nobody up; if it falls more than 1,024 events behind, [CoreEvent.Missed]
 * stands in for those that were dropped. It ends when the core is shut down. A cancelled collection ends at once and
 * leaves the core as it is.
 *
 * To show a state rather than its changes, collect [ratings], [syncStatus] or [operations].
 */
val SafeScan.events: Flow<CoreEvent>
    get() = flow {
        eventReader().use { reader ->
            while (true) {
                val events = reader.next()
                if (events.isEmpty()) break
                events.forEach { emit(it) }
            }
        }
    }
