//! The process around the client has no say in where requests go and what is written down of them.

use std::{env, process::Command};

/// A test that makes requests; it is run again in a process of its own.
const REQUESTS: &str = "requests::a_request_carries_what_it_must_and_nothing_else";
const TLS: &str = "trust::a_root_of_the_app_s_own_vouches";

#[test]
fn it_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let output = Command::new(env::current_exe().unwrap())
        .args([REQUESTS, TLS, "--exact"])
        // Nobody listens there: a request that went through it would fail.
        .envs(
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .env("SSL_CERT_FILE", folder.path().join("none"))
        .env("SSL_CERT_DIR", folder.path())
        .env("SSLKEYLOGFILE", &keys)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("2 passed"), "{said}");
    assert!(!keys.exists(), "no session's keys are written down");
}
