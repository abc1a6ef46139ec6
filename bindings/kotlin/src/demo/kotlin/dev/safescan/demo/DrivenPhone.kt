package dev.safescan.demo

import dev.safescan.core.CodeRef
import dev.safescan.core.CoreEvent
import dev.safescan.core.LogLevel
import dev.safescan.core.LogSink
import dev.safescan.core.NetworkState
import dev.safescan.core.OperationState
import dev.safescan.core.Rating
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.SyncConfig
import dev.safescan.core.SyncReport
import dev.safescan.core.VoteChoice
import dev.safescan.core.VoteOutcome
import dev.safescan.core.events
import dev.safescan.core.hashQrData
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.retractVote
import dev.safescan.core.submitVote
import dev.safescan.core.withSafeScan
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.add
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject

/** A phone that is told what to do, a JSON object a line; the demo's README says which. */
private class DrivenPhone(private val core: SafeScan, private val token: String?) {
    /** The texts of watched codes, by their hashes: events name hashes only. */
    private val texts = ConcurrentHashMap<String, String>()

    /** Works until it is told to shut down, or until whoever drives it is gone. */
    suspend fun work() = coroutineScope {
        core.setLogSink(LogLevel.DEBUG, logSink)
        token?.let { core.setAuthToken(it) }
        val waiting = core.statistics().pendingOperations
        say("Ready") { put("waiting", waiting.toInt()) }
        val events = launch { core.events.collect { tell(it) } }

        while (true) {
            val line = withContext(Dispatchers.IO) { readlnOrNull() } ?: break
            val order = Json.parseToJsonElement(line).jsonObject
            if (order.text("do") == "shutdown") {
                core.shutdown()
                events.join()
                answer(order) { put("ok", JsonObject(emptyMap())) }
                break
            }
            // Side by side: a long `sync` holds up nobody.
            launch(Dispatchers.Default) { carryOut(order) }
        }
        core.shutdown()
    }

    private suspend fun carryOut(order: JsonObject) {
        try {
            val ok = obey(order)
            answer(order) { put("ok", ok) }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (problem: Exception) {
            answer(order) { put("err", problem.message) }
        }
    }

    private suspend fun obey(order: JsonObject): JsonObject {
        val text = order.text("text").orEmpty()
        return when (val command = order.text("do")) {
            "vote" -> {
                val choice = if (order.text("choice") == "unsafe") VoteChoice.UNSAFE else VoteChoice.SAFE
                outcome(core.submitVote(text, choice, order.text("user")))
            }
            "retract" -> outcome(core.retractVote(text, order.text("user")))
            "record" -> buildJsonObject { core.recordScan(text) }
            "rating" -> core.rating(text).let { buildJsonObject { putRating(it) } }
            "watch" -> buildJsonObject {
                val watched = order.getValue("texts").jsonArray.map { it.jsonPrimitive.content }
                watched.associateByTo(texts, ::hashQrData)
                core.watch(watched.map { CodeRef(it) })
            }
            "sync" -> core.syncNow().let { buildJsonObject { putReport(it) } }
            "network" -> buildJsonObject {
                core.networkChanged(NetworkState.valueOf(order.text("state").orEmpty().uppercase()))
            }
            "health" -> health()
            "pending" -> {
                val waiting = core.statistics().pendingOperations
                val operations = core.pendingOperations(limit = 500u).operations
                buildJsonObject {
                    put("waiting", waiting.toInt())
                    put("parked", operations.count { it.state == OperationState.PARKED })
                    put("attempts", operations.maxOfOrNull { it.attempts }?.toInt() ?: 0)
                }
            }
            else -> error("there is no command $command")
        }
    }

    private fun outcome(outcome: VoteOutcome) = buildJsonObject { put("outcome", outcome::class.simpleName) }

    private fun health() = buildJsonObject {
        putJsonObject("services") {
            for (part in core.health().services) {
                putJsonArray(part.service.pascalCase) {
                    add(part.state.pascalCase)
                    add(part.cause.pascalCase)
                }
            }
        }
    }

    private suspend fun tell(event: CoreEvent) {
        val name = event::class.simpleName.orEmpty()
        when (event) {
            is CoreEvent.RatingChanged -> say(name) {
                put("text", texts[event.rating.qrHash])
                putRating(event.rating)
            }
            is CoreEvent.HealthChanged -> say(name) {
                put("service", event.health.service.pascalCase)
                put("state", event.health.state.pascalCase)
                put("cause", event.health.cause.pascalCase)
            }
            is CoreEvent.SyncFinished -> say(name) { putReport(event.report) }
            is CoreEvent.OperationSuperseded -> say(name) { put("kind", event.kind.pascalCase) }
            is CoreEvent.OperationParked -> say(name) { put("reason", event.reason.pascalCase) }
            is CoreEvent.Missed -> say(name) { put("count", event.count.toInt()) }
            is CoreEvent.TokenWanted -> {
                say(name) {}
                token?.let { core.setAuthToken(it) }
            }
            else -> {}
        }
    }

    private val logSink = object : LogSink {
        override fun log(level: LogLevel, target: String, text: String) = say("Log") {
            put("level", level.pascalCase)
            put("target", target)
            put("text", text)
        }
    }

    private fun JsonObjectBuilder.putRating(rating: Rating) {
        put("safe", rating.safeVotes.toInt())
        put("unsafe", rating.unsafeVotes.toInt())
        put("confidence", bits(rating.confidence))
        put("lower", bits(rating.lower))
        put("upper", bits(rating.upper))
        put("source", rating.source.pascalCase)
    }

    private fun JsonObjectBuilder.putReport(report: SyncReport) {
        put("sent", report.sent.toInt())
        put("received", report.received.toInt())
        put("waiting", report.waiting.toInt())
    }

    private fun say(event: String, fields: JsonObjectBuilder.() -> Unit) = printLine {
        put("event", event)
        fields()
    }

    private fun answer(order: JsonObject, fields: JsonObjectBuilder.() -> Unit) = printLine {
        put("id", order.getValue("id").jsonPrimitive.long)
        fields()
    }
}

private fun JsonObject.text(name: String) = get(name)?.jsonPrimitive?.content

/** As the core spells it: `CloudSync`. */
private val Enum<*>.pascalCase
    get() = name.lowercase().split('_').joinToString("") { word -> word.replaceFirstChar(Char::uppercase) }

internal suspend fun drive(options: Map<String, String>) {
    val identity = options["--identity"]?.chunked(2) { digits -> digits.toString().toInt(16).toByte() }
    val config = SafeScanConfig(
        directory = options.getValue("--directory"),
        identityKey = identity?.toByteArray(),
        votesPerMinute = 10_000u,
        sync = SyncConfig(baseUrl = options.getValue("--server"), shareScans = true, allowPlainLoopback = true),
    )
    withSafeScan(config) { core -> DrivenPhone(core, options["--token"]).work() }
}
