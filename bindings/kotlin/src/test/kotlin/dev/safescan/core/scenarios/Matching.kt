package dev.safescan.core.scenarios

import java.math.BigDecimal
import kotlin.math.abs
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive

/** Where [actual] does not contain what is [expected]: one line each, empty if it does. */
internal fun differences(actual: JsonElement, expected: JsonElement, path: String = "result"): List<String> {
    val differs = listOf("$path is $actual, not $expected")
    val same = when {
        expected == JsonPrimitive("\$any") -> actual !is JsonNull
        expected is JsonNull || actual is JsonNull -> expected == actual
        expected is JsonObject && "\$approx" in expected ->
            actual is JsonPrimitive && !actual.isString &&
                abs(actual.double - expected.getValue("\$approx").jsonPrimitive.double) <= 1e-9
        expected is JsonObject && "\$length" in expected ->
            length(actual) == expected.getValue("\$length").jsonPrimitive.int
        expected is JsonObject && actual is JsonObject ->
            return expected.flatMap { (name, value) ->
                actual[name]?.let { differences(it, value, "$path.$name") } ?: listOf("$path has no $name")
            }
        expected is JsonArray && actual is JsonArray && expected.size == actual.size ->
            return expected.indices.flatMap { differences(actual[it], expected[it], "$path.$it") }
        expected is JsonPrimitive && actual is JsonPrimitive && expected.isString == actual.isString ->
            expected.content == actual.content || number(expected)?.compareTo(number(actual)) == 0
        else -> false
    }
    return if (same) emptyList() else differs
}

/** The part of [result] at a dotted [path] such as `scans.0.id`. */
internal fun part(result: JsonElement, path: String): JsonElement =
    path.split('.').fold(result) { value, step ->
        when (value) {
            is JsonObject -> value.getValue(step)
            is JsonArray -> value[step.toInt()]
            else -> error("$value has no $step")
        }
    }

private fun length(value: JsonElement): Int? = when {
    value is JsonArray -> value.size
    value is JsonPrimitive && value.isString -> value.content.codePointCount(0, value.content.length)
    else -> null
}

private fun number(value: JsonPrimitive): BigDecimal? = if (value.isString) null else value.content.toBigDecimalOrNull()
