//! The golden files of `docs/protocol/golden` against the server: requests, operations and frames, each under new names,
//! are answered as the files say. The core reads the very same files in `core/tests/protocol.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use safescan_conformance::{Options, Verdict, prepare_tls, run};
use support::Server;

#[tokio::test]
async fn golden_files_are_answered_as_they_say() {
    prepare_tls();
    let server = Server::start();
    let options = Options { base: server.base.clone(), ..Options::default() };
    let mut failures = Vec::new();
    let summary = run(&options, "golden", |case, verdict| {
        if let Verdict::Failed(failure) = verdict {
            failures.push(format!("{}: {failure}", case.name));
        }
    })
    .await
    .unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(summary.passed, 3, "requests, operations and frames");
}
