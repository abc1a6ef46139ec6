package dev.safescan.demo

import dev.safescan.core.NewScan
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.ScanQuery
import dev.safescan.core.VoteChoice
import dev.safescan.core.coreVersion
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import dev.safescan.core.withSafeScan
import kotlin.io.path.createTempDirectory
import kotlin.time.DurationUnit.MICROSECONDS
import kotlin.time.measureTime
import kotlinx.coroutines.runBlocking

/** Prints the median of [runs] runs of [call], after as many to warm up. */
private inline fun measure(name: String, runs: Int, call: (Int) -> Unit) {
    val times = (0 until 2 * runs).map { run -> measureTime { call(run) } }.drop(runs).sorted()
    println("%-28s %8.1f µs".format(name, times[runs / 2].toDouble(MICROSECONDS)))
}

private suspend fun benchmark(core: SafeScan) {
    val code = "https://example.com/menu"
    core.recordScans(List(10_000) { NewScan("https://example.com/$it") })
    core.submitVote(code, VoteChoice.SAFE)

    measure("bare call (coreVersion)", 20_000) { coreVersion() }
    measure("bare suspending call (scan)", 5_000) { core.scan("0000000000000000") }
    measure("rating", 5_000) { core.rating(code) }
    measure("page of 50 scans", 2_000) { core.scanHistory(ScanQuery()) }
    measure("recordScan, durable", 500) { core.recordScan("$code/$it") }
    measure("recordScans, 100 at once", 100) { run -> core.recordScans(List(100) { NewScan("$code/$run/$it") }) }
}

/** What the common calls cost from Kotlin, on files in a new temporary directory. One line each. */
fun main() {
    val directory = createTempDirectory("safescan-bench").toFile()
    try {
        runBlocking { withSafeScan(SafeScanConfig(directory.path)) { core -> benchmark(core) } }
    } finally {
        directory.deleteRecursively()
    }
}
