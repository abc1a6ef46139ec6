package dev.safescan.core.processes

import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.recordScan
import kotlinx.coroutines.runBlocking

/** Records scans until it is killed, and prints the id of each as soon as the core has acknowledged it. */
internal object Writer {
    @JvmStatic
    fun main(arguments: Array<String>): Unit = runBlocking {
        val core = SafeScan.open(SafeScanConfig(arguments[0], votesPerMinute = 10_000u))
        while (true) {
            val scan = core.recordScan("written by a process with a short life")
            println(scan.id)
            System.out.flush()
        }
    }
}
