package dev.safescan.core

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow

/** Events fetched at once: as many as the core gives. A slow collector has most of them behind it in one step. */
private const val PORTION = 500u

/**
 * A state of the core: what [read] gives now, and again after each portion of events with any [isNews] among them. It is
 * handed the news, the first time none. Nothing is missed in between, for the events are read from before the first
 * reading on; and a slow collector gets the latest state when it comes back, not all those that it was too slow for.
 *
 * What cannot be read at the moment is read again with the next news: files come back, and a flow must not fail for them.
 */
internal fun <T : Any> SafeScan.state(isNews: (CoreEvent) -> Boolean, read: suspend (List<CoreEvent>) -> T): Flow<T> =
    flow {
        eventReader(newsOnly = true).use { reader ->
            var news = emptyList<CoreEvent>()
            while (true) {
                orNull { read(news) }?.let { emit(it) }
                do {
                    val events = reader.next(PORTION)
                    if (events.isEmpty()) return@flow
                    news = events.filter { isNews(it) || it.mayChangeAnything }
                } while (news.isEmpty())
            }
        }
    }.distinctUntilChanged()

/** What [call] gives, or null if the core fails, or is gone: shut down, or its handle closed while a collector leaves. */
internal inline fun <T> orNull(call: () -> T): T? =
    try {
        call()
    } catch (_: SafeScanException) {
        null
    } catch (thrown: IllegalStateException) {
        if (thrown is CancellationException) throw thrown else null
    }

/** Whether every state should be read anew. */
private val CoreEvent.mayChangeAnything: Boolean
    get() = when (this) {
        is CoreEvent.Missed, is CoreEvent.Repaired, CoreEvent.Erased -> true
        // Files that come back, for example.
        is CoreEvent.HealthChanged -> health.service == Service.LOCAL_STORAGE
        else -> false
    }
