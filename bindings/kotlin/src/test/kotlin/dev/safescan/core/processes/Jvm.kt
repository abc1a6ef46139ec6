package dev.safescan.core.processes

import java.lang.ProcessBuilder.Redirect
import kotlin.reflect.KClass

/** Starts [main] (an object with a static `main`) in a process of its own, with this one's class path and library. */
internal fun startJvm(main: KClass<*>, vararg arguments: String): Process {
    val command = listOf(
        System.getProperty("java.home") + "/bin/java",
        // A quick start counts, speed later on does not.
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xshare:auto",
        "-Djna.library.path=" + System.getProperty("jna.library.path"),
        "-cp",
        System.getProperty("java.class.path"),
        main.java.name,
    )
    return ProcessBuilder(command + arguments).redirectError(Redirect.INHERIT).start()
}
