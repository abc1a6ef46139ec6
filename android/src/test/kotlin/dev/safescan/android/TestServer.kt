package dev.safescan.android

import java.io.File
import java.lang.ProcessBuilder.Redirect
import java.nio.file.Files

/** The reference server as a process of its own. */
internal class TestServer : AutoCloseable {
    private val directory = Files.createTempDirectory("safescan-server").toFile()
    private var process: Process
    val url: String

    init {
        File(directory, "server.toml").writeText(CONFIG)
        process = launch("127.0.0.1:0")
        val said = process.inputReader().readLine().orEmpty()
        url = said.removePrefix("listening on ")
        check(url != said) { "the server did not start" }
    }

    /** Is gone, as it is for a phone without a network, until [start]. */
    fun stop() {
        process.destroyForcibly().waitFor()
    }

    /** Comes back where it was, with what it knew. */
    fun start() {
        process = launch(url.removePrefix("http://"))
        check(process.inputReader().readLine() == "listening on $url") { "the server did not come back" }
    }

    override fun close() {
        stop()
        directory.deleteRecursively()
    }

    private fun launch(address: String): Process {
        val program = System.getenv("SAFESCAN_SERVER").orEmpty()
        check(File(program).canExecute()) {
            "SAFESCAN_SERVER ('$program') names no server. Build one with 'cargo build -p safescan-server', and set it to " +
                "target/debug/safescan-server with the whole path; scripts/test does both."
        }
        return ProcessBuilder(
            program, "--data", "$directory/data", "--config", "$directory/server.toml", "--listen", address, "--log-level", "warn",
        ).redirectError(Redirect.INHERIT).start()
    }

    companion object {
        const val TOKEN = "token-of-ada"
        const val OTHER_TOKEN = "token-of-bob"

        /** Real servers ask devices to wait two seconds between runs: tests have better things to do. */
        private val CONFIG = """
            [requests]
            min_interval_ms = 20
            [auth]
            mode = "tokens"
            [[auth.tokens]]
            token = "$TOKEN"
            account = "ada"
            [[auth.tokens]]
            token = "$OTHER_TOKEN"
            account = "bob"
        """.trimIndent()
    }
}
