//! The server against the reference: every case of the conformance kit, on a server as it is configured by default. Once
//! without tokens, where each device is an account, and once with tokens, where devices share accounts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::fmt::Write as _;

use safescan_conformance::{Options, Verdict, prepare_tls, run};
use support::{Server, TOKENS};

#[tokio::test]
async fn conforms_without_tokens() {
    prepare_tls();
    let server = Server::with("", &[]);
    let skipped = conforms(&Options { base: server.base.clone(), ..Options::default() }).await;
    assert!(skipped < 10, "{skipped} cases were skipped");
}

#[tokio::test]
async fn conforms_with_tokens() {
    prepare_tls();
    let server = Server::with(TOKENS, &[]);
    let (token, other_token) = (Some("token-of-anna".to_owned()), Some("token-of-bert".to_owned()));
    let skipped = conforms(&Options { base: server.base.clone(), token, other_token }).await;
    assert_eq!(skipped, 0, "all cases can be run with two accounts");
}

/// Runs all cases; how many were skipped.
async fn conforms(options: &Options) -> usize {
    let mut failures = String::new();
    let summary = run(options, "", |case, verdict| {
        if let Verdict::Failed(failure) = verdict {
            writeln!(failures, "{} {}: {failure}", case.paragraph, case.name).unwrap();
        }
    })
    .await
    .unwrap();
    assert!(failures.is_empty(), "\n{failures}");
    assert!(summary.passed > 120, "only {} cases", summary.passed);
    summary.skipped
}
