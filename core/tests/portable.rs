//! A directory is the same thing on every processor: what one has written another reads, and would have written itself.
//!
//! `SAFESCAN_EXCHANGE` names a folder in which processors leave what they wrote; each reads what is there already.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![allow(clippy::print_stdout, reason = "who read what is for whoever runs it")]

mod support;

use std::{env, fs, path::Path};

use safescan_core::{
    config::{Config, SyncConfig},
    model::{CodeRef, KvPair, NewVote, Settings, SettingsUpdate, UnixMillis, VoteChoice},
};
use support::{MORNING, Phone, link, new_scan};

const SCANS: usize = 300;

fn config(directory: &Path) -> Config {
    Config {
        identity_key: Some(vec![7; 32]),
        sync: Some(SyncConfig {
            only_when_asked: true,
            share_scans: true,
            share_settings: true,
            ..SyncConfig::new("https://server.example")
        }),
        ..Config::new(directory.to_str().unwrap())
    }
}

/// One of everything that is kept, with numbers near the ends of what 32 bits hold.
async fn write(directory: &Path) {
    let phone = Phone::new();
    let core = phone.open_with(config(directory)).await.unwrap();
    for number in 0..SCANS {
        core.scans.record(new_scan(number)).await.unwrap();
        phone.clock.advance(i64::from(u32::MAX) / 300);
    }
    for number in (0..SCANS).step_by(3) {
        let choice = if number % 2 == 0 { VoteChoice::Safe } else { VoteChoice::Unsafe };
        core.votes.submit(NewVote::of(link(number), choice)).await.unwrap();
    }
    core.votes.set_reputation(None, 0.1 + 0.2).await.unwrap();
    core.votes.retract(CodeRef::text(link(3)), None).await.unwrap();
    let long = KvPair { key: "ключ ☕".into(), value: "é\u{0}\u{10FFFF}".repeat(20_000) };
    core.key_value.set_all(vec![long]).await.unwrap();
    core.settings
        .update(SettingsUpdate { scan_retention_days: Some(3_650), ..SettingsUpdate::default() })
        .await
        .unwrap();
    core.shutdown().await.unwrap();
}

/// Everything that can be read, numbers to the last bit.
async fn read(directory: &Path) -> String {
    let phone = Phone::new();
    phone.clock.set_wall(UnixMillis(MORNING.0 + i64::from(u32::MAX)));
    let core = phone.open_with(config(directory)).await.unwrap();
    assert!(core.upkeep.check_integrity().await.unwrap().intact);
    let file = phone.file("export.jsonl");
    core.upkeep.export(file.to_str().unwrap().into()).await.unwrap();
    let mut said = fs::read_to_string(file).unwrap();
    for number in 0..SCANS {
        let code = CodeRef::text(link(number));
        said += &format!("{:?}\n", core.ratings.rating(code).await.unwrap());
    }
    said += &format!("{:?}\n", core.operations.page(500, None).await.unwrap());
    let settings: Settings = core.settings.read().await.unwrap();
    assert_eq!(settings.scan_retention_days, 3_650);
    core.shutdown().await.unwrap();
    said
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_reads_the_same_on_every_processor() {
    let own = tempfile::tempdir().unwrap();
    let folder = env::var_os("SAFESCAN_EXCHANGE").map_or_else(|| own.path().join("exchange"), Into::into);
    let mine = folder.join(env::consts::ARCH);
    assert!(!mine.exists(), "the folder is from another run");
    write(&own.path().join("data")).await;
    copy(&own.path().join("data"), &mine);
    let said = read(&own.path().join("data")).await;
    assert!(said.lines().count() > SCANS * 2 && said.len() > 100_000, "much was written");

    for entry in fs::read_dir(&folder).unwrap() {
        let theirs = entry.unwrap().path();
        let data = own.path().join("read").join(theirs.file_name().unwrap());
        copy(&theirs, &data);
        let heard = read(&data).await;
        let differing = said.lines().zip(heard.lines()).find(|(mine, theirs)| mine != theirs);
        assert!(said == heard, "{} says something else: {differing:?}", theirs.display());
        println!("ok what {} wrote reads the same on {}", theirs.file_name().unwrap().display(), env::consts::ARCH);
    }
}
