package dev.safescan.sample

import android.app.Activity
import android.os.Bundle
import dev.safescan.android.SafeScanOwner
import dev.safescan.core.SafeScan
import dev.safescan.core.Scan
import dev.safescan.core.ScanId
import dev.safescan.core.VoteChoice
import dev.safescan.core.myVote
import dev.safescan.core.ratings
import dev.safescan.core.recordScan
import dev.safescan.core.retractVote
import dev.safescan.core.submitVote
import dev.safescan.core.syncStatus
import kotlinx.coroutines.Job
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.launch

/**
 * A scanner, with a text field for a camera: what was scanned, what people say of it, and the own vote.
 *
 * The screen shows the core's states, and not what calls gave back. A vote is seen because the rating changed, whoever
 * voted; and what is seen after a rotation, or in a process that was started anew, is the same.
 */
class ScannerActivity : Activity() {
    private val scope = MainScope()
    private var following: Job? = null
    private lateinit var screen: Screen

    /** The scan that is looked at. The system keeps its id, which says nothing of the code. */
    private val scanned = MutableStateFlow<ScanId?>(null)

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.scanner)
        scanned.value = savedInstanceState?.getString(SCANNED)
        screen = Screen(this, onScan = ::scan, onVote = ::vote, onChosen = { scanned.value = it.id }, onAgain = ::follow)
    }

    override fun onStart() {
        super.onStart()
        follow()
    }

    override fun onStop() {
        // Nobody looks. The core goes to sleep by itself.
        following?.cancel()
        super.onStop()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putString(SCANNED, scanned.value)
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Shows the core's states for as long as the screen is seen; where that fails, why, and a button to try again. */
    private fun follow() {
        following?.cancel()
        following = scope.launch {
            screen.message(null)
            val trouble = troubleIn { follow(core()) }
            screen.message(trouble, canTryAgain = trouble != null)
        }
    }

    private suspend fun follow(core: SafeScan) = coroutineScope {
        launch { core.syncStatus.collect { screen.banner(it) } }
        launch { core.history.collect { screen.history(it) } }
        launch {
            scanned.collectLatest { id ->
                val scan = id?.let { core.scan(it) }
                if (scan != null) core.ratings(scan.text).collect { screen.scanned(scan, it) }
            }
        }
    }

    private fun scan(text: String) = attempt { core ->
        scanned.value = core.recordScan(text).id
        screen.clearCode()
    }

    private fun vote(scan: Scan, choice: VoteChoice) = attempt { core ->
        // The same button again takes the vote back.
        val isVotedSo = core.myVote(scan.text)?.choice == choice
        val outcome = if (isVotedSo) core.retractVote(scan.text) else core.submitVote(scan.text, choice)
        screen.refusal(outcome)
    }

    /** Does what the user wants, or says why not. The core does not wait for a network: this takes milliseconds. */
    private fun attempt(call: suspend (SafeScan) -> Unit) {
        scope.launch {
            screen.message(null)
            troubleIn { call(core()) }?.let { screen.message(it) }
        }
    }

    private suspend fun core(): SafeScan = (application as SafeScanOwner).safeScan()

    private companion object {
        const val SCANNED = "scanned"
    }
}
