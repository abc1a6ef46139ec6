package dev.safescan.core

import kotlinx.coroutines.NonCancellable
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
