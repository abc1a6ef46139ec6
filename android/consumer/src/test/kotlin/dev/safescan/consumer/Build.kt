package dev.safescan.consumer

import com.android.tools.r8.ArchiveClassFileProvider
import com.android.tools.r8.ClassFileResourceProvider
import com.android.tools.r8.CompilationFailedException
import com.android.tools.r8.D8
import com.android.tools.r8.D8Command
import com.android.tools.r8.Diagnostic
import com.android.tools.r8.DiagnosticsHandler
import com.android.tools.r8.JdkClassFileProvider
import com.android.tools.r8.OutputMode
import com.android.tools.r8.R8
import com.android.tools.r8.R8Command
import com.android.tools.r8.origin.Origin
import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit.SECONDS
import java.util.zip.ZipFile
import kotlin.io.path.createDirectory

/** The files that take part in an app's build. */
internal object Files {
    private fun named(name: String) = File(checkNotNull(System.getProperty("consumer.$name")) { name }).also { check(it.exists()) { it } }

    val app = named("classes").walk().filter { it.extension == "class" }.toList()
    val aar = named("package")
    val library = named("library")
    val jna = named("jna")
    val kotlin = named("kotlin")
    val annotations = named("annotations")
    val coroutines = named("coroutines")
    val coroutinesForAndroid = named("coroutines-android")
    val android = named("android")
    val minSdk = System.getProperty("consumer.minSdk").toInt()
}

/** What a compiler says is collected, not printed. */
private class Messages : DiagnosticsHandler {
    val all = mutableListOf<String>()

    override fun warning(message: Diagnostic) {
        val text = message.diagnosticMessage
        // Several JARs have a manifest. And an R8 that is older than this Kotlin cannot read what is for reflection alone.
        if (!text.startsWith("Resource 'META-INF/") && !text.contains("kotlin metadata", ignoreCase = true)) all += text
    }

    override fun error(message: Diagnostic) {
        all += message.diagnosticMessage
    }

    override fun info(message: Diagnostic) = Unit
}

/** Of a platform's tens of thousands of classes those whose names begin so: R8 reads every one each time. */
private class Part(private val whole: ClassFileResourceProvider, vararg beginnings: String) : ClassFileResourceProvider by whole {
    private val names = whole.classDescriptors.filter { name -> beginnings.any(name::startsWith) }.toSet()

    override fun getClassDescriptors() = names
    override fun getProgramResource(descriptor: String) = if (descriptor in names) whole.getProgramResource(descriptor) else null
}

private val wholeJdk = JdkClassFileProvider.fromSystemJdk()
private val jdk = Part(wholeJdk, "Ljava/", "Ljavax/", "Ljdk/", "Lsun/")

/** Android's Java, which has no windows; the framework's archive has none of it. */
private val javaOfAndroid = Part(
    wholeJdk, "Ljava/io/", "Ljava/lang/", "Ljava/math/", "Ljava/net/", "Ljava/nio/", "Ljava/security/", "Ljava/text/", "Ljava/time/",
    "Ljava/util/", "Ljavax/crypto/", "Ljavax/net/", "Ljavax/security/", "Ljavax/xml/", "Ljdk/", "Lsun/",
)
private val framework = ArchiveClassFileProvider(Files.android.toPath())

/** What came of a build or a run: null, or what went wrong. */
internal typealias Problem = String?

/** Shrinks the app for the JVM with [rules], and runs it on the real library. */
internal fun runShrunk(rules: List<String>, into: Path): Problem {
    val jar = into.resolve("app.jar")
    val command = { messages: Messages ->
        R8Command.builder(messages)
            .addProgramFiles((Files.app + dependencies).map { it.toPath() })
            .addLibraryResourceProvider(jdk)
            .addProguardConfiguration(rules + entry, Origin.unknown())
            // With JNA's own library for this machine.
            .setOutput(jar, OutputMode.ClassFile, true)
    }
    return compile { R8.run(command(it).build()) } ?: run(jar, into.resolve("core").createDirectory())
}

private val said = listOf("opened", "recorded", "voted", "read an event", "heard an event", "read an error", "read the log")

private fun run(jar: Path, directory: Path): Problem {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    val output = directory.resolveSibling("output").toFile()
    val process = ProcessBuilder(
        java, "-cp", jar.toString(), "-Djna.library.path=${Files.library}", "-Xshare:auto", "-XX:TieredStopAtLevel=1",
        "dev.safescan.consumer.MainKt", directory.toString(),
    ).redirectErrorStream(true).redirectOutput(output).start()
    if (!process.waitFor(120, SECONDS)) {
        process.destroyForcibly().waitFor()
        // That may be a busy machine's doing: it shows nothing about the rules.
        error("the app did not end; it said ${output.readText()}")
    }
    return if (process.exitValue() == 0 && output.readLines() == said) null else "exit code ${process.exitValue()}: ${output.readText()}"
}

/** Shrinks the app for devices, as the Android Gradle plugin does: with the rules of every dependency. */
internal fun shrinkForDevices(rules: List<String>, into: Path): Problem = compile { messages ->
    val all = dependencies + Files.coroutinesForAndroid
    R8.run(
        R8Command.builder(messages)
            .addProgramFiles((Files.app + all).map { it.toPath() })
            .addLibraryResourceProvider(framework)
            .addLibraryResourceProvider(javaOfAndroid)
            .setMinApiLevel(Files.minSdk)
            .addProguardConfiguration(rules + all.flatMap(::ownRules) + fromManifest + entry + noAndroidX, Origin.unknown())
            .setOutput(into, OutputMode.DexIndexed)
            .build(),
    )
}

/** The package's classes for devices, without shrinking. */
internal fun dex(into: Path): Problem = compile { messages ->
    D8.run(
        D8Command.builder(messages)
            .addProgramFiles(Files.aar.resolve("classes.jar").toPath())
            .addClasspathFiles(listOf(Files.jna, Files.kotlin, Files.coroutines, Files.coroutinesForAndroid).map { it.toPath() })
            .addLibraryResourceProvider(framework)
            .addLibraryResourceProvider(javaOfAndroid)
            .setMinApiLevel(Files.minSdk)
            .setOutput(into, OutputMode.DexIndexed)
            .build(),
    )
}

/** What the app is built of besides its own classes. JNA's AAR holds the same classes as its JAR. */
private val dependencies = listOf(Files.aar.resolve("classes.jar"), Files.jna, Files.kotlin, Files.annotations, Files.coroutines)

/** What the build finds in the app's merged manifest. */
private val fromManifest = listOf(
    "dev.safescan.consumer.App", "dev.safescan.android.SafeScanInitializer", "dev.safescan.android.SafeScanJobService",
).map { "-keep class $it { <init>(); }" }

/** What the app does, which nothing in it calls. */
private const val entry = "-keep class dev.safescan.consumer.MainKt { void main(java.lang.String[]); }"

/** Coroutines name an annotation of AndroidX, which nearly every app has, but not this one. */
private const val noAndroidX = "-dontwarn androidx.annotation.VisibleForTesting"

/** The rules that a JAR brings for this R8. */
private fun ownRules(jar: File): List<String> = ZipFile(jar).use { zip ->
    zip.entries().asSequence()
        .filter { !it.isDirectory && Regex("META-INF/com\\.android\\.tools/r8(-from-[^/]*)?/.*").matches(it.name) }
        .flatMap { zip.getInputStream(it).reader().readLines() }
        .toList()
}

/** Warnings are problems. */
private fun compile(run: (Messages) -> Unit): Problem {
    val messages = Messages()
    try {
        run(messages)
    } catch (failed: CompilationFailedException) {
        messages.all += failed.message.orEmpty()
    }
    return messages.all.takeIf { it.isNotEmpty() }?.joinToString("\n")
}
