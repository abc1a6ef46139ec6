//! Real phones (the engine on its files, over real sockets) against the real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use safescan_core::{
    config::{Config, SyncConfig},
    engine::Core,
    model::*,
};

/// A server as its users start it.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(data: &Path, listen: &str, more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_safescan-server"))
            .args(["--data", data.to_str().unwrap(), "--listen", listen])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the server's first line").to_owned();
        Self { process, url }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

async fn phone(directory: &Path, url: &str) -> Arc<Core> {
    let sync =
        SyncConfig { allow_plain_loopback: true, share_scans: true, share_settings: true, ..SyncConfig::new(url) };
    let config =
        Config { sync: Some(sync), votes_per_minute: Some(10_000), ..Config::new(directory.to_str().unwrap()) };
    Core::open(config).await.unwrap()
}

/// The next event that is of interest; fails when it does not come.
async fn until<T>(core: &Core, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            for event in core.next_events(100).await.unwrap() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.expect("the event should come")
}

async fn settled(core: &Core) {
    loop {
        match core.sync.now().await {
            Ok(report) if report.waiting == 0 => return,
            Ok(_) | Err(_) => {}
        }
    }
}

const CODE: &str = "https://example.com/menu";

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_see_each_other_s_votes() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("server"), "127.0.0.1:0", &[]);
    let ann = phone(&directory.path().join("ann"), &server.url).await;
    let bob = phone(&directory.path().join("bob"), &server.url).await;
    bob.ratings.watch(&[CodeRef::text(CODE)]).unwrap();
    until(&bob, |event| match event {
        Event::HealthChanged { health } if health.service == Service::Realtime => {
            (health.state == ServiceState::Healthy).then_some(())
        }
        _ => None,
    })
    .await;

    ann.votes.submit(NewVote::of(CODE, VoteChoice::Safe)).await.unwrap();
    let rating = until(&bob, |event| match event {
        Event::RatingChanged { rating } if rating.total_votes == 1 => Some(rating.clone()),
        _ => None,
    })
    .await;
    assert_eq!((rating.safe_votes, rating.source, rating.own_vote), (1, RatingSource::Live, None));

    bob.votes.submit(NewVote::of(CODE, VoteChoice::Unsafe)).await.unwrap();
    settled(&ann).await;
    settled(&bob).await;
    let seen = [
        ann.ratings.rating(CodeRef::text(CODE)).await.unwrap(),
        bob.ratings.rating(CodeRef::text(CODE)).await.unwrap(),
    ];
    for rating in &seen {
        assert_eq!((rating.safe_votes, rating.unsafe_votes), (1, 1));
    }
    assert_eq!(seen[0].own_vote, Some(VoteChoice::Safe));
    for phone in [ann, bob] {
        assert_eq!(phone.operations.page(10, None).await.unwrap().operations, []);
        let health = phone.health();
        let state = |service| health.services.iter().find(|part| part.service == service).map(|part| part.state);
        assert_eq!(state(Service::CloudSync), Some(ServiceState::Healthy));
        phone.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_voted_without_a_server_gets_there_when_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("server");
    let server = Server::start(&data, "127.0.0.1:0", &[]);
    let (url, address) = (server.url.clone(), server.address().to_owned());
    let ann = phone(&directory.path().join("ann"), &url).await;
    ann.votes.submit(NewVote::of(CODE, VoteChoice::Safe)).await.unwrap();
    settled(&ann).await;
    server.kill();

    ann.votes.submit(NewVote::of(CODE, VoteChoice::Unsafe)).await.unwrap();
    assert!(ann.sync.now().await.is_err(), "nobody is there");
    let rating = ann.ratings.rating(CodeRef::text(CODE)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes), (0, 1), "the own vote counts once, and at once");
    ann.shutdown().await.unwrap();

    let server = Server::start(&data, &address, &[]);
    let ann = phone(&directory.path().join("ann"), &url).await;
    settled(&ann).await;
    let bob = phone(&directory.path().join("bob"), &server.url).await;
    let rating = bob.ratings.rating(CodeRef::text(CODE)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes, rating.source), (0, 1, RatingSource::Live));
    for phone in [ann, bob] {
        phone.shutdown().await.unwrap();
    }
}
