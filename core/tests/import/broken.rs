//! Files that are damaged, locked or out of reach.

use std::{fs, path::Path};

use safescan_core::{
    error::{Error, SafeScanError},
    model::{AsyncStorageSource, ImportReport},
};

use crate::{
    files::{App, import, old_history, set, value, whole},
    support::{Phone, history},
};

const KEYS: usize = 2_000;
const PAGE: usize = 4096;

/// A database of some hundred pages, with a history in the middle of it.
fn filled(app: &App) -> std::path::PathBuf {
    let database = app.rk_storage();
    database.execute_batch("BEGIN").unwrap();
    for number in 0..KEYS {
        set(&database, &[(&format!("key {number}"), &"v".repeat(300))]);
        if number == KEYS / 2 {
            set(&database, &[("@safe_scan_history", &old_history(20))]);
        }
    }
    database.execute_batch("COMMIT").unwrap();
    app.path("databases/RKStorage")
}

fn damage(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// The pages that hold rows: a table's leaves.
fn leaves(bytes: &[u8]) -> Vec<usize> {
    bytes.chunks(PAGE).enumerate().filter(|(_, page)| page[0] == 0x0d).map(|(number, _)| number).collect()
}

async fn every_value_is_right(core: &safescan_core::engine::Core) -> usize {
    let keys = core.key_value.keys().await.unwrap();
    for key in &keys {
        assert!(key.starts_with("key ") && value(core, key).await == Some("v".repeat(300)), "a row that never was");
    }
    keys.len()
}

#[tokio::test]
async fn of_a_database_with_lost_pages_the_other_rows_come() {
    for lost_pages in [1, 5] {
        let (app, phone) = (App::new(), Phone::new());
        let file = filled(&app);
        let mut rows = 0;
        damage(&file, |bytes| {
            let leaves = leaves(bytes);
            for leaf in leaves.iter().skip(5).step_by(leaves.len() / 6).take(lost_pages) {
                let page = &mut bytes[leaf * PAGE..(leaf + 1) * PAGE];
                rows += usize::from(u16::from_be_bytes([page[3], page[4]]));
                page.fill(0);
            }
        });
        let before = app.content();
        let core = phone.open().await;

        let report = import(&core, &app).await;

        let kept = every_value_is_right(&core).await;
        assert_eq!((report.key_values as usize, report.lost as usize), (kept, rows), "{report:?}");
        assert_eq!(KEYS + 1 - rows, kept + usize::from(report.scans > 0), "all that are not on these pages");
        assert!(!report.complete && rows > 0);
        assert_eq!(app.content(), before);
        assert!(!core.import.confirm().await.unwrap(), "so the originals stay");
        assert_eq!(app.content(), before);
        assert!(!phone.file("import").exists());
    }
}

#[tokio::test]
async fn a_database_whose_head_is_lost_is_carved() {
    for head in [100, PAGE] {
        let (app, phone) = (App::new(), Phone::new());
        let file = filled(&app);
        damage(&file, |bytes| bytes[..head].fill(0));
        let core = phone.open().await;
        let report = import(&core, &app).await;
        assert_eq!(every_value_is_right(&core).await, KEYS);
        assert_eq!((report.key_values as usize, report.scans), (KEYS, 20));
        assert_eq!(history(&core).await.len(), 20);
        assert!(report.lost >= 1 && !report.complete, "nobody can tell what else there was");
    }
}

#[tokio::test]
async fn a_damaged_index_costs_nothing() {
    let (app, phone) = (App::new(), Phone::new());
    let file = filled(&app);
    damage(&file, |bytes| {
        let pages: Vec<usize> =
            bytes.chunks(PAGE).enumerate().filter(|(_, page)| page[0] == 0x0a).map(|it| it.0).collect();
        pages.iter().for_each(|page| bytes[page * PAGE..(page + 1) * PAGE].fill(0));
    });
    let core = phone.open().await;
    let expected = ImportReport { key_values: u32::try_from(KEYS).unwrap(), scans: 20, ..whole(1) };
    assert_eq!(import(&core, &app).await, expected);
}

#[tokio::test]
async fn a_file_that_is_no_database_gives_nothing_and_stays() {
    for content in [b"not a database at all".repeat(500), vec![0; 10_000], b"SQLite format 3\0".to_vec()] {
        let (app, phone) = (App::new(), Phone::new());
        fs::create_dir_all(app.path("databases")).unwrap();
        fs::write(app.path("databases/RKStorage"), &content).unwrap();
        let core = phone.open().await;
        let report = import(&core, &app).await;
        assert_eq!(report, ImportReport { lost: 1, complete: false, ..whole(1) });
        assert!(!core.import.confirm().await.unwrap());
        assert_eq!(fs::read(app.path("databases/RKStorage")).unwrap(), content);
    }
}

#[tokio::test]
async fn bytes_of_chance_never_bring_it_down() {
    let mut seed = 7_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..20 {
        let (app, phone) = (App::new(), Phone::new());
        let file = filled(&app);
        damage(&file, |bytes| {
            for _ in 0..200 {
                let at = next(bytes.len());
                bytes[at] ^= 1 << next(8);
            }
        });
        let core = phone.open().await;
        let report = import(&core, &app).await;
        assert!(report.key_values as usize + report.refused as usize > KEYS / 2, "{report:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_being_written_means_later() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    set(&database, &[("theme", "dark")]);
    database
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO catalystLocalStorage VALUES ('a', 'b')",
        )
        .unwrap();
    let core = phone.open().await;
    let failed = core.import.run(app.source()).await.unwrap_err();
    assert!(matches!(failed.report().1, SafeScanError::StorageUnavailable { .. }), "{failed}");
    assert_eq!(core.key_value.keys().await.unwrap().len(), 0);
    database.execute_batch("ROLLBACK").unwrap();
    drop(database);
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
}

#[tokio::test]
async fn places_that_are_none() {
    let phone = Phone::new();
    let core = phone.open().await;
    for directory in ["", "relative", "/surely/not/there", "/dev/null"] {
        let source = AsyncStorageSource::in_directory(directory);
        let refused = core.import.run(source).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "directory", .. })), "{directory:?}: {refused:?}");
    }
}

#[tokio::test]
async fn after_the_shutdown_nothing_is_imported() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "dark")]);
    let core = phone.open().await;
    core.shutdown().await.unwrap();
    assert_eq!(core.import.run(app.source()).await, Err(Error::Stopped));
}
