package dev.safescan.core

import kotlinx.coroutines.flow.Flow

/** What a page may hold. */
private const val PAGE = 500u

/**
 * The changes that wait for the server, in the order in which they were made: now, and again whenever some come, are
 * settled, are parked or set free. The first 500 of them; [SafeScan.pendingOperations] pages through more, and
 * [SyncStatus.pending] counts them all.
 *
 * ```
 * scope.launch {
 *     core.operations.collect { waiting ->
 *         list.show(waiting.filter { it.state == OperationState.PARKED })
 *     }
 * }
 * ```
 *
 * Attempts and times of a change that is tried again and again are as they were when the list was last read.
 *
 * Any number of collectors; a slow one gets the latest list and not each one in between. The flow never fails, and ends
 * when the core is shut down.
 */
val SafeScan.operations: Flow<List<PendingOperation>>
    get() = state(::concernsOperations) { pendingOperations(limit = PAGE).operations }

private fun concernsOperations(event: CoreEvent): Boolean = when (event) {
    is CoreEvent.OperationsChanged -> true
    // What was tried says now how often, and why it failed.
    is CoreEvent.HealthChanged -> event.health.service == Service.CLOUD_SYNC
    else -> false
}
