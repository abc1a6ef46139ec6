package dev.safescan.core

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow

/**
 * The rating of a [code]: as it is now, and again whenever it changes, be it by a vote on this device or by one that the
 * server tells of. As [SafeScan.rating] does it degrades and does not fail; see [Rating.source].
 *
 * ```
 * scope.launch {
 *     core.ratings(scan.text).collect { rating -> badge.show(rating.assessment) }
 * }
 * ```
 *
 * Any number of collectors may follow the same code. While one does, the code is watched ([SafeScan.watch] and
 * [SafeScan.unwatch] are called for it); at most 1,000 codes at a time. A slow collector gets the latest rating and not
 * each one in between. Votes also lose weight with their age, slowly: that alone is not told.
 *
 * The flow ends when the core is shut down.
 *
 * @throws SafeScanException.InvalidInput when it is collected, if the code is invalid or too many are watched.
 */
fun SafeScan.ratings(code: CodeRef): Flow<Rating> = flow {
    watch(listOf(code))
    try {
        val hash = when (code) {
            is CodeRef.Text -> hashQrData(code.text)
            is CodeRef.Hash -> code.qrHash.lowercase()
        }
        val changes = state({ it is CoreEvent.RatingChanged && it.rating.qrHash == hash }) { news ->
            when (val last = news.lastOrNull()) {
                is CoreEvent.RatingChanged -> last.rating
                else -> rating(code)
            }
        }
        emitAll(changes)
    } finally {
        orNull { unwatch(listOf(code)) }
    }
}

/** The rating of the code with this [text], as scanned: now, and whenever it changes; see [ratings]. */
fun SafeScan.ratings(text: String): Flow<Rating> = ratings(CodeRef(text))
