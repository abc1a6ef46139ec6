package dev.safescan.android

/**
 * The core's native library is not in this app, or not for this device's processor: see `abiFilters` and splits in the
 * app's build, or add the library for the emulator's ABI.
 */
class NativeLibraryMissingException(cause: Throwable) :
    Exception("the native library safescan_core cannot be loaded for ${System.getProperty("os.arch")}: ${cause.message}", cause)

/**
 * A first call into the core. Loading fails with errors of the linker's, and the second time with one that hides the
 * reason; what an app can handle is an exception.
 */
internal inline fun <T> withNativeLibrary(call: () -> T): T =
    try {
        call()
    } catch (failed: LinkageError) {
        throw NativeLibraryMissingException((failed as? ExceptionInInitializerError)?.exception ?: failed)
    }
