package dev.safescan.android

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import dev.safescan.core.SafeScanException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * Sends and fetches now and then while the app is not used: [schedule] it once, in `Application.onCreate` for example. The
 * application must be a [SafeScanOwner]. While the app is in use the core does this by itself.
 */
class SafeScanJobService : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    /** A run takes seconds. The system gives ten minutes, but what takes a whole one is better tried again later. */
    internal var deadlineMs = 60_000u

    /** The run under way, or the last one. */
    internal var run: Job? = null
        private set

    override fun onStartJob(params: JobParameters): Boolean {
        val owner = application as? SafeScanOwner ?: return false
        run = scope.launch { jobFinished(params, !synchronise(owner)) }
        return true
    }

    /** The system wants the job to end at once: what is under way is cancelled, and is done by a later run. */
    override fun onStopJob(params: JobParameters): Boolean {
        run?.cancel()
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Whether everything is done that can be: false if another run soon may do more. */
    private suspend fun synchronise(owner: SafeScanOwner): Boolean =
        try {
            owner.safeScan().runOnce(deadlineMs).finished
        } catch (_: SafeScanException.Unauthorized) {
            // Another run would fare no better: the app must give a token.
            true
        } catch (_: SafeScanException.InvalidInput) {
            // No server is configured.
            true
        } catch (_: SafeScanException) {
            false
        } catch (_: IdentityKeyUnavailableException) {
            false
        } catch (_: NativeLibraryMissingException) {
            // The screen will tell; a crash while nobody looks helps nobody.
            true
        }

    companion object {
        /** The id of the job: one that no job of the app's own may have. */
        const val JOB_ID: Int = 0x5afe5c

        /**
         * Has the system run it about once in [every] (15 minutes at the least) when there is a network. A job that is
         * scheduled in the same way already is left as it is. It does not outlive a restart of the device; scheduling it at
         * each start of the app is enough.
         *
         * @throws IllegalStateException if the application is no [SafeScanOwner].
         */
        fun schedule(context: Context, every: Duration = 6.hours) {
            check(context.applicationContext is SafeScanOwner) { "the application must be a SafeScanOwner" }
            val scheduler = scheduler(context)
            val job = JobInfo.Builder(JOB_ID, ComponentName(context, SafeScanJobService::class.java))
                .setPeriodic(every.inWholeMilliseconds)
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .build()
            // Scheduling anew would begin a new period.
            if (scheduler.getPendingJob(JOB_ID)?.intervalMillis != job.intervalMillis) scheduler.schedule(job)
        }

        /** Ends what [schedule] began. */
        fun cancel(context: Context) = scheduler(context).cancel(JOB_ID)

        private fun scheduler(context: Context) = context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
    }
}
