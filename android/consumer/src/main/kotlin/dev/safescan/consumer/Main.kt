package dev.safescan.consumer

import dev.safescan.core.CoreEvent
import dev.safescan.core.EventListener
import dev.safescan.core.LogLevel
import dev.safescan.core.LogSink
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.SafeScanException
import dev.safescan.core.VoteChoice
import dev.safescan.core.events
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit.SECONDS
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking

/**
 * Goes once through every way between Kotlin and the core: plain and suspending calls, results, errors, events, calls from the
 * core. Says each thing when it has come about.
 */
fun main(arguments: Array<String>) = runBlocking {
    val core = SafeScan.open(SafeScanConfig(directory = arguments.single()))
    say("opened")

    val heard = CountDownLatch(1)
    val logged = CountDownLatch(1)
    core.setListener(
        object : EventListener {
            override fun onEvent(event: CoreEvent) {
                if (event is CoreEvent.ScansAdded) heard.countDown()
            }
        },
    )
    core.setLogSink(
        LogLevel.TRACE,
        object : LogSink {
            override fun log(level: LogLevel, target: String, text: String) = logged.countDown()
        },
    )

    val scan = core.recordScan("https://example.com/menu")
    say("recorded")
    core.submitVote(scan.text, VoteChoice.SAFE)
    check(core.rating(scan.text).safeVotes == 1u)
    say("voted")

    check(core.events.first() == CoreEvent.ScansAdded(1u, scan.id))
    say("read an event")
    check(heard.await(10, SECONDS))
    say("heard an event")

    try {
        core.recordScan("")
        error("an empty code was taken")
    } catch (refused: SafeScanException.InvalidInput) {
        check(!refused.message.isNullOrEmpty())
        say("read an error")
    }

    core.shutdown()
    check(logged.await(10, SECONDS))
    say("read the log")
    core.close()
}

private fun say(what: String) = println(what)
