package dev.safescan.core.scenarios

import kotlin.reflect.KClass
import kotlin.reflect.KFunction
import kotlin.reflect.KParameter
import kotlin.reflect.KProperty1
import kotlin.reflect.KType
import kotlin.reflect.full.memberProperties
import kotlin.reflect.full.primaryConstructor
import kotlin.reflect.full.superclasses
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** The value of [type] that a scenario means by [json]. */
internal fun fromJson(json: JsonElement, type: KType): Any? {
    if (json is JsonNull) return null
    return when (val target = type.classifier as KClass<*>) {
        String::class -> json.jsonPrimitive.also { require(it.isString) { "$it is no text" } }.content
        Boolean::class -> json.jsonPrimitive.boolean
        Double::class -> json.jsonPrimitive.double
        Long::class -> json.jsonPrimitive.long
        UInt::class -> json.jsonPrimitive.long.also { require(it in 0..UInt.MAX_VALUE.toLong()) }.toUInt()
        List::class -> json.jsonArray.map { fromJson(it, checkNotNull(type.arguments[0].type)) }
        ByteArray::class -> ByteArray(json.jsonArray.size) { json.jsonArray[it].jsonPrimitive.long.toByte() }
        else -> when {
            target.java.isEnum -> target.java.enumConstants.single { variant(it as Enum<*>) == json.jsonPrimitive.content }
            target.isSealed -> {
                val name = json.jsonObject.getValue("type").jsonPrimitive.content
                construct(target.sealedSubclasses.single { it.simpleName == name }, JsonObject(json.jsonObject - "type"))
            }
            else -> construct(target, json.jsonObject)
        }
    }
}

internal fun construct(target: KClass<*>, fields: JsonObject): Any {
    val constructor = checkNotNull(target.primaryConstructor) { "$target cannot be made from fields" }
    return constructor.callBy(named(constructor, fields))
}

/** The arguments of [function] by name; those that are not named take their defaults. */
internal fun named(function: KFunction<*>, values: JsonObject): Map<KParameter, Any?> =
    values.entries.associate { (name, value) ->
        val parameter = function.parameters.singleOrNull { it.name == name }
        requireNotNull(parameter) { "${function.name} has no $name" } to fromJson(value, parameter.type)
    }

/** What a scenario may expect of [value]. */
internal fun toJson(value: Any?): JsonElement = when (value) {
    null, Unit -> JsonNull
    is String -> JsonPrimitive(value)
    is Boolean -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is UInt -> JsonPrimitive(value.toLong())
    is Enum<*> -> JsonPrimitive(variant(value))
    is List<*> -> JsonArray(value.map(::toJson))
    else -> record(value)
}

/** A record, or a variant of an enum with data: an object with its name as `type`, or just the name if it holds none. */
private fun record(value: Any): JsonElement {
    val name = JsonPrimitive(value::class.simpleName)
    if (value::class.objectInstance != null) return name
    val fields = value::class.memberProperties.associate { property ->
        @Suppress("UNCHECKED_CAST")
        property.name to toJson((property as KProperty1<Any, *>).get(value))
    }
    val isVariant = value::class.superclasses.any { it.isSealed }
    return JsonObject(if (isVariant) fields + ("type" to name) else fields)
}

/** `WEB_LINK` is `WebLink` in scenarios. */
private fun variant(constant: Enum<*>): String =
    constant.name.split('_').joinToString("") { it.lowercase().replaceFirstChar(Char::uppercase) }
