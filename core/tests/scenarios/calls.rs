//! Which method a step means.

use safescan_core::{
    error::SafeScanError,
    ffi::{SafeScan, canonical_qr, classify_qr, core_version, hash_qr_data},
};
use serde_json::Value;

use crate::{read::Fields, show::Show};

/// Takes the arguments by the names that the methods give them, and calls; `no_wait` for what is not asynchronous.
macro_rules! call {
    ($core:ident, $args:ident, $method:ident($($name:ident $(= $default:literal)?),*)) => {{
        $(let $name = call!(@take $args $name $($default)?);)*
        $args.end();
        $core.$method($($name),*).await.map(|result| result.show())
    }};
    ($core:ident, $args:ident, no_wait $method:ident($($name:ident),*)) => {{
        $(let $name = call!(@take $args $name);)*
        $args.end();
        $core.$method($($name),*).map(|result| result.show())
    }};
    (@take $args:ident $name:ident) => { $args.take(stringify!($name))? };
    (@take $args:ident $name:ident $default:literal) => { $args.take_or(stringify!($name), $default)? };
}

pub(crate) async fn make(core: &SafeScan, name: &str, mut args: Fields) -> Result<Value, SafeScanError> {
    match name {
        "recordScan" => call!(core, args, record_scan(scan)),
        "recordScans" => call!(core, args, record_scans(scans)),
        "scan" => call!(core, args, scan(id)),
        "scanHistory" => call!(core, args, scan_history(query)),
        "deleteScan" => call!(core, args, delete_scan(id)),
        "clearHistory" => call!(core, args, clear_history()),

        "submitVote" => call!(core, args, submit_vote(vote)),
        "submitVotes" => call!(core, args, submit_votes(votes)),
        "retractVote" => call!(core, args, retract_vote(code, user_id)),
        "myVote" => call!(core, args, my_vote(code, user_id)),
        "myVotes" => call!(core, args, my_votes(query)),
        "setReputation" => call!(core, args, set_reputation(weight, user_id)),

        "rating" => call!(core, args, rating(code)),
        "ratings" => call!(core, args, ratings(codes)),
        "cachedRating" => call!(core, args, no_wait cached_rating(code)),
        "watch" => call!(core, args, no_wait watch(codes)),
        "unwatch" => call!(core, args, no_wait unwatch(codes)),

        "kvGet" => call!(core, args, kv_get(key)),
        "kvSet" => call!(core, args, kv_set(key, value)),
        "kvRemove" => call!(core, args, kv_remove(key)),
        "kvMultiGet" => call!(core, args, kv_multi_get(keys)),
        "kvMultiSet" => call!(core, args, kv_multi_set(pairs)),
        "kvMultiRemove" => call!(core, args, kv_multi_remove(keys)),
        "kvMerge" => call!(core, args, kv_merge(pairs)),
        "kvKeys" => call!(core, args, kv_keys()),
        "kvClear" => call!(core, args, kv_clear()),

        "settings" => call!(core, args, settings()),
        "updateSettings" => call!(core, args, update_settings(update)),

        "cacheGet" => call!(core, args, no_wait cache_get(key)),
        "cacheSet" => call!(core, args, no_wait cache_set(key, value, ttl_ms)),
        "cacheRemove" => call!(core, args, no_wait cache_remove(key)),
        "cacheClear" => call!(core, args, no_wait cache_clear()),
        "cacheStatistics" => call!(core, args, no_wait cache_statistics()),

        "circuitEnter" => call!(core, args, no_wait circuit_enter(service)),
        "circuitReport" => call!(core, args, no_wait circuit_report(service, permit, succeeded)),
        "circuitState" => call!(core, args, no_wait circuit_state(service)),

        "pendingOperations" => call!(core, args, pending_operations(limit = 50, cursor)),
        "retryOperation" => call!(core, args, retry_operation(id)),
        "discardOperation" => call!(core, args, discard_operation(id)),

        "syncNow" => call!(core, args, sync_now()),
        "runOnce" => call!(core, args, run_once(deadline_ms)),
        "networkChanged" => call!(core, args, no_wait network_changed(state)),
        "setAuthToken" => call!(core, args, set_auth_token(token)),

        "storageUsage" => call!(core, args, storage_usage()),
        "checkIntegrity" => call!(core, args, check_integrity()),
        "repair" => call!(core, args, repair()),
        "cleanUp" => call!(core, args, clean_up()),
        "exportData" => call!(core, args, export_data(path)),
        "eraseAllData" => call!(core, args, erase_all_data()),

        "health" => Ok(core.health().show()),
        "statistics" => call!(core, args, statistics()),
        "nextEvents" => call!(core, args, next_events(max = 100)),

        "suspend" => call!(core, args, suspend()),
        "resume" => call!(core, args, resume()),
        "memoryPressure" => call!(core, args, no_wait memory_pressure(level)),
        "shutdown" => call!(core, args, shutdown()),

        "hashQrData" => hash_qr_data(args.take("text")?).map(|hash| hash.show()),
        "classifyQr" => classify_qr(args.take("text")?).map(|kind| kind.show()),
        "canonicalQr" => canonical_qr(args.take("text")?).map(|text| text.show()),
        "coreVersion" => Ok(core_version().show()),

        other => hook(core, other, args).await,
    }
}

#[cfg(feature = "test-hooks")]
async fn hook(core: &SafeScan, name: &str, mut args: Fields) -> Result<Value, SafeScanError> {
    match name {
        "testPanic" => call!(core, args, test_panic()),
        "testAdvanceClock" => {
            core.test_advance_clock(args.take("millis")?);
            Ok(Value::Null)
        }
        "testFailStorage" => {
            core.test_fail_storage(args.take("fail")?);
            Ok(Value::Null)
        }
        unknown => panic!("nobody knows the call {unknown}"),
    }
}

#[cfg(not(feature = "test-hooks"))]
async fn hook(_: &SafeScan, name: &str, _: Fields) -> Result<Value, SafeScanError> {
    panic!("nobody knows the call {name} in a build without the feature test-hooks")
}
