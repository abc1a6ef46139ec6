package dev.safescan.core.processes

import dev.safescan.core.SafeScanConfig
import dev.safescan.core.withSafeScan
import kotlinx.coroutines.runBlocking

/** Holds a directory until its standard input ends. */
internal object Holder {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        withSafeScan(SafeScanConfig(arguments[0], votesPerMinute = 10_000u)) { core ->
            core.kvSet("by", "held")
            println("open")
            System.`in`.readAllBytes()
        }
        Unit
    }
}
