package dev.safescan.android

import dev.safescan.core.coreVersion

/** An app without the library: what a first and a second call say. */
fun main() = repeat(2) {
    try {
        withNativeLibrary { println(coreVersion()) }
    } catch (missing: NativeLibraryMissingException) {
        println(missing.message.orEmpty().lineSequence().first())
    }
}
