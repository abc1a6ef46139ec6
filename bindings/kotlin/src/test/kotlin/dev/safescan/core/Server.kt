package dev.safescan.core

import java.lang.ProcessBuilder.Redirect
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.isExecutable
import kotlin.io.path.writeText

/** The reference server as a process of its own, with everything it keeps in [directory], and with these [faults]. */
internal class Server(private val directory: Path, faults: String = "") : AutoCloseable {
    private val process: Process
    private val url: String

    init {
        val program = System.getenv("SAFESCAN_SERVER").orEmpty()
        check(program.isNotEmpty() && Path(program).isExecutable()) {
            "SAFESCAN_SERVER ('$program') names no server. Build one with 'cargo build -p safescan-server', and set it to " +
                "target/debug/safescan-server with the whole path; scripts/test does both."
        }
        val config = directory.createDirectories().resolve("server.toml").apply { writeText(CONFIG) }
        process = ProcessBuilder(
            program, "--data", "${directory.resolve("data")}", "--config", "$config",
            "--listen", "127.0.0.1:0", "--log-level", "warn", "--faults", faults,
        ).redirectError(Redirect.INHERIT).start()
        val said = process.inputReader().readLine().orEmpty()
        url = said.removePrefix("listening on ")
        check(url != said) { "the server did not start" }
    }

    /** Runs [block] on a device of this [account]'s. */
    suspend fun <T> withDevice(account: String, block: suspend (SafeScan) -> T): T =
        withDevice(account, account, SyncConfig(baseUrl = url, allowPlainLoopback = true), block)

    /** The same on a [device] that shares settings, and goes to the server only when it is told to. */
    suspend fun <T> withQuietDevice(account: String, device: String = account, block: suspend (SafeScan) -> T): T {
        val sync = SyncConfig(baseUrl = url, shareSettings = true, onlyWhenAsked = true, allowPlainLoopback = true)
        return withDevice(account, device, sync, block)
    }

    private suspend fun <T> withDevice(
        account: String,
        device: String,
        sync: SyncConfig,
        block: suspend (SafeScan) -> T,
    ): T =
        withSafeScan(configIn(directory.resolve(device)).copy(sync = sync)) { core ->
            core.setAuthToken("token-of-$account")
            block(core)
        }

    override fun close() {
        process.destroyForcibly().waitFor()
    }

    private companion object {
        /** Real servers ask devices to wait two seconds between runs: tests have better things to do. */
        val CONFIG = """
            [requests]
            min_interval_ms = 20
            [auth]
            mode = "tokens"
            [[auth.tokens]]
            token = "token-of-ada"
            account = "ada"
            [[auth.tokens]]
            token = "token-of-bob"
            account = "bob"
        """.trimIndent()
    }
}
