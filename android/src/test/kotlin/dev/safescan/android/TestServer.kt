package dev.safescan.android

import java.io.File
import java.lang.ProcessBuilder.Redirect
import java.nio.file.Files

/** The reference server as a process of its own. */
internal class TestServer : AutoCloseable {
    private val directory = Files.createTempDirectory("safescan-server").toFile()
    private val process: Process
    val url: String

    init {
        val program = System.getenv("SAFESCAN_SERVER").orEmpty()
        check(File(program).canExecute()) {
            "SAFESCAN_SERVER ('$program') names no server. Build one with 'cargo build -p safescan-server', and set it to " +
                "target/debug/safescan-server with the whole path; scripts/test does both."
        }
        val config = File(directory, "server.toml").apply { writeText(CONFIG) }
        process = ProcessBuilder(
            program, "--data", "$directory/data", "--config", "$config", "--listen", "127.0.0.1:0", "--log-level", "warn",
        ).redirectError(Redirect.INHERIT).start()
        val said = process.inputReader().readLine().orEmpty()
        url = said.removePrefix("listening on ")
        check(url != said) { "the server did not start" }
    }

    override fun close() {
        process.destroyForcibly().waitFor()
        directory.deleteRecursively()
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
