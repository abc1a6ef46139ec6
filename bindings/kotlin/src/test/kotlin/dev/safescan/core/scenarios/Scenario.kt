package dev.safescan.core.scenarios

import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.SafeScanException
import dev.safescan.core.SafeScanInterface
import dev.safescan.core.canonicalQr
import dev.safescan.core.classifyQr
import dev.safescan.core.coreVersion
import dev.safescan.core.hashQrData
import java.lang.reflect.InvocationTargetException
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.reflect.full.callSuspendBy
import kotlin.reflect.full.instanceParameter
import kotlin.reflect.full.memberFunctions
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail

/** One scenario on real files; the format is described in the scenarios' own README. */
internal class Scenario(private val json: JsonObject, private val directory: Path) {
    private val saved = mutableMapOf<String, JsonElement>()
    private lateinit var core: SafeScan

    suspend fun run() {
        core = open(json["config"]?.jsonObject)
        try {
            for ((number, step) in json.getValue("steps").jsonArray.withIndex()) {
                try {
                    step(step.jsonObject)
                } catch (failure: Throwable) {
                    throw AssertionError("${json["name"]}, step ${number + 1}: ${failure.message}", failure)
                }
            }
        } finally {
            core.shutdown()
            core.close()
        }
    }

    private suspend fun step(step: JsonObject) {
        val unknown = step.keys - setOf("call", "args", "expect", "error", "reason", "save", "repeat", "config", "overwrite")
        require(unknown.isEmpty()) { "a step has no $unknown" }
        val name = step.getValue("call").jsonPrimitive.content
        for (turn in 0 until (step["repeat"]?.jsonPrimitive?.int ?: 1)) {
            val arguments = step["args"]?.let { resolve(it, turn) }?.jsonObject ?: JsonObject(emptyMap())
            val call: suspend () -> JsonElement = {
                if (name == "reopen") reopen(step) else call(name, arguments)
            }
            val error = step["error"]?.jsonPrimitive?.content
            if (error != null) {
                fails(error, step["reason"]?.jsonPrimitive?.content.orEmpty(), call)
            } else {
                val result = call()
                step["expect"]?.let { assertEquals(emptyList<String>(), differences(result, resolve(it, turn))) }
                step["save"]?.jsonObject?.forEach { (name, path) -> saved[name] = part(result, path.jsonPrimitive.content) }
            }
        }
    }

    private suspend fun fails(variant: String, reason: String, call: suspend () -> JsonElement) {
        val error = try {
            call().let { fail<SafeScanException>("$variant was expected, not $it") }
        } catch (error: SafeScanException) {
            error
        }
        assertEquals(variant, error::class.simpleName, error.message)
        assertTrue(reason in error.message.orEmpty(), "'${error.message}' does not say '$reason'")
    }

    private suspend fun call(name: String, arguments: JsonObject): JsonElement {
        val function = functions[name]
            ?: methods[name]
            ?: throw NoSuchMethodException("$name is neither a function nor a method of SafeScan")
        val receiver = function.instanceParameter?.let { mapOf(it to core) }.orEmpty()
        return try {
            // A call that never returns is a failure, not a hang.
            withTimeout(60.seconds) { toJson(function.callSuspendBy(receiver + named(function, arguments))) }
        } catch (thrown: InvocationTargetException) {
            throw thrown.targetException
        }
    }

    private suspend fun reopen(step: JsonObject): JsonElement {
        val before = core
        before.shutdown()
        step["overwrite"]?.jsonObject?.let(::overwrite)
        core = open((step["config"] ?: json["config"])?.jsonObject)
        before.close()
        return toJson(null)
    }

    /** Does to the database what a disk does that goes bad: the first place with the text `find` holds `put`. */
    private fun overwrite(change: JsonObject) {
        val (find, put) = listOf("find", "put").map { change.getValue(it).jsonPrimitive.content }
        val file = directory.resolve("safescan.db")
        // Every byte is a character, so none is changed but these.
        val content = file.readText(Charsets.ISO_8859_1)
        require(find in content && find.length == put.length) {
            "the database has no '$find' that '$put' could take the place of"
        }
        file.writeText(content.replaceFirst(find, put), Charsets.ISO_8859_1)
    }

    private suspend fun open(config: JsonObject?): SafeScan {
        val fields = config.orEmpty() + ("directory" to JsonPrimitive("$directory"))
        return SafeScan.open(construct(SafeScanConfig::class, JsonObject(fields)) as SafeScanConfig)
    }

    /** [json] with saved values, the number of the turn, and repeated texts in their places. */
    private fun resolve(json: JsonElement, turn: Int): JsonElement = when (json) {
        is JsonArray -> JsonArray(json.map { resolve(it, turn) })
        is JsonObject -> json["\$repeat"]?.jsonArray?.let { (text, times) ->
            JsonPrimitive(resolve(text, turn).jsonPrimitive.content.repeat(times.jsonPrimitive.int))
        } ?: JsonObject(json.mapValues { (_, value) -> resolve(value, turn) })
        is JsonPrimitive -> when {
            !json.isString -> json
            json.content.startsWith("\$") && json.content.drop(1) in saved -> saved.getValue(json.content.drop(1))
            else -> JsonPrimitive(json.content.replace("\$i", "$turn"))
        }
    }

    private companion object {
        // Of the interface: its methods are the ones that declare default arguments.
        val methods = SafeScanInterface::class.memberFunctions.associateBy { it.name }
        val functions = listOf(::hashQrData, ::classifyQr, ::canonicalQr, ::coreVersion).associateBy { it.name }
    }
}
