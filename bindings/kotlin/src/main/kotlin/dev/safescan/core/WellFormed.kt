package dev.safescan.core

import java.nio.ByteBuffer
import java.nio.CharBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.CharsetEncoder

/**
 * The bytes of [text] for the core, called by the generated code for every text that goes in. A Kotlin string may hold
 * half a character (an unpaired surrogate, as cutting a string inside an emoji leaves it); UTF-8 cannot, and replacing
 * it would store something the app never gave.
 */
internal fun CharsetEncoder.encodeWellFormed(text: String): ByteBuffer =
    try {
        encode(CharBuffer.wrap(text))
    } catch (_: CharacterCodingException) {
        throw SafeScanException.InvalidInput("a text contains an unpaired surrogate")
    }
