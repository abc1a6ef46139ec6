package dev.safescan.core

import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.runBlocking

/** A configuration whose limit on votes is out of the way. */
internal fun configIn(directory: Path) = SafeScanConfig(directory = directory.toString(), votesPerMinute = 10_000u)

/** Runs [block] on several threads with a core in [directory]. */
internal fun <T> withCore(directory: Path, block: suspend CoroutineScope.(SafeScan) -> T): T =
    runBlocking(Dispatchers.Default) { withSafeScan(configIn(directory)) { core -> block(core) } }

/** The whole history, newest first, paged through like an app does. */
internal suspend fun SafeScan.wholeHistory(pageSize: UInt = 50u): List<Scan> = buildList {
    var cursor: String? = null
    do {
        val page = scanHistory(ScanQuery(limit = pageSize, cursor = cursor))
        addAll(page.scans)
        cursor = page.nextCursor
    } while (cursor != null)
}

/** The next value that is [wanted]; those before it are passed over. */
internal suspend fun <T> ReceiveChannel<T>.next(wanted: (T) -> Boolean): T {
    while (true) {
        val value = receive()
        if (wanted(value)) return value
    }
}
