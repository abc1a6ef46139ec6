package dev.safescan.sample

import android.app.Activity
import android.content.res.ColorStateList
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ListView
import android.widget.ProgressBar
import android.widget.TextView
import dev.safescan.core.HealthCause
import dev.safescan.core.Rating
import dev.safescan.core.Scan
import dev.safescan.core.ServiceState
import dev.safescan.core.SyncStatus
import dev.safescan.core.VoteChoice
import dev.safescan.core.VoteOutcome

/** The views: what they say of the core's states, and what the user does with them. */
internal class Screen(
    private val activity: Activity,
    private val onScan: (String) -> Unit,
    private val onVote: (Scan, VoteChoice) -> Unit,
    private val onChosen: (Scan) -> Unit,
    private val onAgain: () -> Unit,
) {
    private val resources = activity.resources
    private val root = activity.window.decorView
    private val banner: TextView = root.view(R.id.banner)
    private val code: EditText = root.view(R.id.code)
    private val message: TextView = root.view(R.id.message)
    private val again: Button = root.view(R.id.again)
    private val scanned: View = root.view(R.id.scanned)
    private val scannedText: TextView = root.view(R.id.scanned_text)
    private val assessment: TextView = root.view(R.id.assessment)
    private val votes: TextView = root.view(R.id.votes)
    private val share: ProgressBar = root.view(R.id.share)
    private val voteSafe: Button = root.view(R.id.vote_safe)
    private val voteUnsafe: Button = root.view(R.id.vote_unsafe)
    private val list: ListView = root.view(R.id.history)
    private val empty: View = root.view(R.id.empty)
    private val rows = HistoryAdapter(activity)

    init {
        root.view<View>(R.id.scan).setOnClickListener { onScan(code.text.toString()) }
        code.setOnEditorActionListener { _, _, _ -> onScan(code.text.toString()); true }
        again.setOnClickListener { onAgain() }
        list.run {
            adapter = rows
            setOnItemClickListener { _, _, position, _ -> onChosen(rows.getItem(position).scan) }
        }
    }

    fun banner(status: SyncStatus) {
        val isHealthy = status.state == ServiceState.HEALTHY
        val (words, colour) = when {
            isHealthy && status.pending > 0u -> R.string.sync_sending to R.color.banner_fine
            isHealthy && status.realtime == ServiceState.HEALTHY -> R.string.sync_fine to R.color.banner_fine
            isHealthy -> R.string.sync_polling to R.color.banner_fine
            status.cause == HealthCause.OFFLINE -> R.string.sync_offline to R.color.banner_waiting
            status.cause == HealthCause.NOT_TRIED -> R.string.sync_beginning to R.color.banner_waiting
            status.cause == HealthCause.UNAUTHORIZED -> R.string.sync_sign_in to R.color.banner_trouble
            else -> R.string.sync_trouble to R.color.banner_trouble
        }
        val waiting = status.pending.toInt()
        val state = activity.getString(words)
        banner.text = if (waiting == 0) state else resources.getQuantityString(R.plurals.waiting, waiting, state, waiting)
        banner.setBackgroundColor(activity.getColor(colour))
        // Without a server in the configuration there is nothing to tell.
        banner.isShown(status.state != ServiceState.DISABLED)
    }

    fun history(scans: List<Row>) {
        rows.show(scans)
        // Only now it is known that there is none.
        list.emptyView = empty
    }

    /** A code and its rating: together, or a rating would stand beside another code for a moment. */
    fun scanned(scan: Scan, rating: Rating) {
        scanned.isShown(true)
        scannedText.text = scan.text
        voteSafe.setOnClickListener { onVote(scan, VoteChoice.SAFE) }
        voteUnsafe.setOnClickListener { onVote(scan, VoteChoice.UNSAFE) }
        assessment.setText(rating.assessment.words)
        assessment.backgroundTintList = ColorStateList.valueOf(activity.getColor(rating.assessment.colour))
        val (safe, total) = rating.safeVotes.toInt() to rating.totalVotes.toInt()
        votes.text =
            if (total == 0) activity.getString(R.string.votes_none)
            else resources.getQuantityString(R.plurals.votes, total, safe, total)
        share.visibility = if (total == 0) View.INVISIBLE else View.VISIBLE
        share.progress = if (total == 0) 0 else (share.max.toLong() * safe / total).toInt()
        voteSafe.isActivated = rating.ownVote == VoteChoice.SAFE
        voteUnsafe.isActivated = rating.ownVote == VoteChoice.UNSAFE
    }

    /** Why a vote does not count; nothing if it does. */
    fun refusal(outcome: VoteOutcome) = when (outcome) {
        is VoteOutcome.NotVotable -> message(R.string.not_votable)
        is VoteOutcome.Throttled -> {
            val seconds = (outcome.retryAfterMs.toInt() + 999) / 1000
            message(resources.getQuantityString(R.plurals.throttled, seconds, seconds))
        }
        is VoteOutcome.Accepted, is VoteOutcome.Updated, is VoteOutcome.Retracted, is VoteOutcome.Unchanged -> Unit
    }

    fun clearCode() = code.text.clear()

    fun message(words: Int?, canTryAgain: Boolean = false) {
        message(words?.let { activity.getString(it) })
        again.isShown(canTryAgain)
    }

    private fun message(words: String?) {
        message.text = words
        message.isShown(words != null)
    }
}

internal fun <V : View> View.view(id: Int): V = checkNotNull(findViewById<V>(id)) { "the layout has no such view" }

private fun View.isShown(shown: Boolean) {
    visibility = if (shown) View.VISIBLE else View.GONE
}
