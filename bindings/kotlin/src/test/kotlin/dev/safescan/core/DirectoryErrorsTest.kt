package dev.safescan.core

import dev.safescan.core.processes.Holder
import dev.safescan.core.processes.startJvm
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createFile
import kotlin.io.path.readBytes
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

class DirectoryErrorsTest {
    @TempDir
    lateinit var directory: Path

    private inline fun <reified E : SafeScanException> refusal(directory: String): String? =
        assertThrows<E> { runBlocking { SafeScan.open(SafeScanConfig(directory)) } }.message

    @Test
    fun `a directory that cannot be one is refused`() {
        val file = directory.resolve("file").createFile()
        assertEquals("directory is a file", refusal<SafeScanException.InvalidInput>("$file"))
        assertEquals("directory lies below a file", refusal<SafeScanException.InvalidInput>("$file/below"))
        assertEquals("directory is not an absolute path", refusal<SafeScanException.InvalidInput>("relative/path"))
        assertEquals("directory is empty", refusal<SafeScanException.InvalidInput>(""))
        assertEquals("directory contains a NUL character", refusal<SafeScanException.InvalidInput>("/a\u0000b"))
    }

    @Test
    fun `a directory that another process holds is refused until that process is gone`() {
        val holder = startJvm(Holder::class, "$directory")
        try {
            assertEquals("open", holder.inputReader().readLine())
            assertEquals(
                "another process has the database open",
                refusal<SafeScanException.StorageUnavailable>("$directory"),
            )
        } finally {
            holder.outputWriter().close() // which the holder waits for
        }
        assertEquals(0, holder.waitFor())
        withCore(directory) { core -> assertEquals("held", core.kvGet("by")) }
    }

    @Test
    fun `a database from a newer version is refused and left as it is`() {
        withCore(directory) { core -> core.recordScan("from the future") }
        val database = directory.resolve("safescan.db")
        // SQLite's user_version: four bytes, big-endian, at offset 60 of the file's header.
        val known = RandomAccessFile(database.toFile(), "rw").use { file ->
            file.seek(60)
            val version = file.readInt()
            file.seek(60)
            file.writeInt(4_711)
            version
        }
        val before = database.readBytes()
        assertEquals(
            "the database has schema 4711, this version knows up to $known",
            refusal<SafeScanException.StorageIncompatible>("$directory"),
        )
        assertArrayEquals(before, database.readBytes())
        assertEquals(false, Files.exists(directory.resolve("quarantine")))
    }
}
