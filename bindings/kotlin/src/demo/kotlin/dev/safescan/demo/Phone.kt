package dev.safescan.demo

import dev.safescan.core.QrKind
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.Scan
import dev.safescan.core.ScanQuery
import dev.safescan.core.VoteChoice
import dev.safescan.core.VoteOutcome
import dev.safescan.core.myVote
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.retractVote
import dev.safescan.core.submitVote
import dev.safescan.core.withSafeScan
import java.io.File
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put

private const val DAY = 86_400_000L

private class Payload(val text: String, val kind: QrKind)

/** One phone of the demo; what it does is written in the demo's README. */
private class Phone(private val core: SafeScan, private val payloads: List<Payload>, private val now: Long) {
    suspend fun work() {
        val recorded = core.statistics().scans.toInt()
        val first = maxOf(0, recorded - 1)
        for (i in payloads.indices.drop(first)) {
            if (i >= recorded) core.recordScan(payloads[i].text, scannedAt = now - DAY + i)
            vote(i)
            printLine { put("done", i) }
        }

        val pages = history()
        val scans = pages.flatten()
        check(scans.map { it.text } == payloads.map { it.text }.reversed()) { "the history is not complete and in order" }
        check(scans.zipWithNext().all { (newer, older) -> newer.id > older.id }) { "the history is not newest first" }
        val kinds = payloads.associate { it.text to it.kind }
        val wrongKinds = scans.count { it.kind != kinds[it.text] }

        // Every votable code has a vote of ada's, this life's or an earlier one's.
        val (votable, notVotable) = payloads.indices.partition { core.myVote(payloads[it].text, "ada") != null }
        votable.forEach { printRating(it) }
        val intact = core.checkIntegrity().intact
        core.shutdown()
        printLine {
            put("summary", true)
            put("scans", scans.size)
            put("pages", pages.size)
            put("notVotable", notVotable.size)
            put("wrongKinds", wrongKinds)
            put("intact", intact)
            put("resumedAt", recorded)
        }
    }

    private suspend fun vote(i: Int) {
        val text = payloads[i].text
        val ada = core.submitVote(text, choice(unsafe = i % 4 == 0), "ada", now)
        if (ada is VoteOutcome.NotVotable) return
        if (i % 2 == 0) core.submitVote(text, choice(unsafe = i % 3 == 0), "bob", now - i % 40 * DAY)
        if (i % 3 == 0) core.submitVote(text, VoteChoice.SAFE, "cyd", now - i % 29 * DAY - 12_345)
        if (i % 14 == 0) core.retractVote(text, "bob")
    }

    private fun choice(unsafe: Boolean) = if (unsafe) VoteChoice.UNSAFE else VoteChoice.SAFE

    private suspend fun history(): List<List<Scan>> = buildList {
        var cursor: String? = null
        do {
            val page = core.scanHistory(ScanQuery(limit = 50u, cursor = cursor))
            add(page.scans)
            cursor = page.nextCursor
        } while (cursor != null)
    }

    private suspend fun printRating(i: Int) {
        val rating = core.rating(payloads[i].text)
        printLine {
            put("rating", i)
            put("safe", rating.safeVotes.toInt())
            put("unsafe", rating.unsafeVotes.toInt())
            put("confidence", bits(rating.confidence))
            put("lower", bits(rating.lower))
            put("upper", bits(rating.upper))
        }
    }
}

/** All 64 bits, as 16 hexadecimal digits. */
internal fun bits(number: Double) = "%016x".format(number.toRawBits())

/** Prints a line at once and whole: whoever kills this phone must know how far it came. */
internal fun printLine(fields: JsonObjectBuilder.() -> Unit) = synchronized(System.out) {
    println(buildJsonObject(fields))
    System.out.flush()
}

private fun read(file: File): List<Payload> = file.readLines().map { line ->
    val fields = Json.parseToJsonElement(line).jsonObject
    val kind = fields.getValue("kind").jsonPrimitive.content
    Payload(fields.getValue("text").jsonPrimitive.content, QrKind.valueOf(kind.uppercase()))
}

fun main(arguments: Array<String>) {
    try {
        val options = (arguments.toList() - "--drive").chunked(2).associate { (name, value) -> name to value }
        if ("--drive" in arguments) return runBlocking { drive(options) }
        val payloads = read(File(options.getValue("--payloads")))
        val now = options.getValue("--now").toLong()
        val config = SafeScanConfig(directory = options.getValue("--directory"), votesPerMinute = 10_000u)
        runBlocking { withSafeScan(config) { core -> Phone(core, payloads, now).work() } }
    } catch (problem: Exception) {
        System.err.println("phone: ${problem.message}")
        exitProcess(1)
    }
}
