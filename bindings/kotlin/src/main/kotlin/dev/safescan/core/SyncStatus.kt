package dev.safescan.core

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow

/**
 * How synchronisation stands.
 *
 * @property state Whether changes are sent and fetched.
 * @property cause Why, for example [HealthCause.OFFLINE], or [HealthCause.UNAUTHORIZED] if the server wants a token.
 * @property realtime Whether changes of others come in at once.
 * @property pending How many changes of this device the server does not know of yet; see [operations].
 * @property lastReport What the last exchange with the server did; null until one ends while the status is followed.
 */
data class SyncStatus(
    val state: ServiceState,
    val cause: HealthCause,
    val realtime: ServiceState,
    val pending: UInt,
    val lastReport: SyncReport?,
)

/**
 * How synchronisation stands: now, and again whenever that changes. Without a server in the configuration it is
 * [ServiceState.DISABLED] and stays so.
 *
 * ```
 * scope.launch {
 *     core.syncStatus.collect { status ->
 *         offlineBanner.isVisible = status.cause == HealthCause.OFFLINE
 *         badge.number = status.pending.toInt()
 *     }
 * }
 * ```
 *
 * Any number of collectors; a slow one gets the latest status and not each one in between. The flow never fails, and ends
 * when the core is shut down.
 */
val SafeScan.syncStatus: Flow<SyncStatus>
    get() = flow {
        var lastReport: SyncReport? = null
        val changes = state(::concernsSync) { news ->
            news.forEach { if (it is CoreEvent.SyncFinished) lastReport = it.report }
            val services = health().services.associateBy { it.service }
            val sync = services.getValue(Service.CLOUD_SYNC)
            val realtime = services.getValue(Service.REALTIME)
            SyncStatus(sync.state, sync.cause, realtime.state, statistics().pendingOperations, lastReport)
        }
        emitAll(changes)
    }

private fun concernsSync(event: CoreEvent): Boolean = when (event) {
    is CoreEvent.HealthChanged -> event.health.service == Service.CLOUD_SYNC || event.health.service == Service.REALTIME
    is CoreEvent.OperationsChanged, is CoreEvent.SyncFinished -> true
    else -> false
}
