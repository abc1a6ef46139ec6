//! Databases whose newest rows are in the log.

use super::*;

const FRAME: usize = 24 + 4096;

fn versions(rows: Vec<CarvedRow>) -> HashMap<i64, (Generation, bool)> {
    let checked = kept(rows, |row| is_right(row, "first") || is_right(row, "second"));
    checked.into_iter().map(|(id, row)| (id, (row.generation, is_right(&row, "second")))).collect()
}

/// 2,000 rows in the database; in the log rows 501 to 2,400 are written (anew) and 1 to 100 deleted.
fn layered() -> (Vec<u8>, Vec<u8>) {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=2_000);
    fixture.checkpoint();
    for batch in 0..19 {
        let transaction = fixture.connection.transaction().unwrap();
        (501..=600).for_each(|id| insert(&transaction, id + 100 * batch, "second"));
        transaction.commit().unwrap();
    }
    fixture.run("DELETE FROM item WHERE id <= 100");
    fixture.close()
}

#[test]
fn rows_that_are_only_in_the_log() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=2_000);
    let (database, log) = fixture.close();
    assert_eq!(right(&database, &log), 2_000);
    assert_eq!(right(&[], &log), 2_000, "not even the database file is needed");
    assert_eq!(right(&database, &[]), 0);
}

#[test]
fn the_log_supersedes_the_database() {
    let (database, log) = layered();
    let (rows, summary) = carved(&database, &log);
    assert_eq!(summary.late_frames, 0);
    assert_eq!(usize::try_from(summary.committed_frames).unwrap(), (log.len() - 32) / FRAME);
    let current: Vec<_> = rows.iter().filter(|row| row.generation == Generation::Current).cloned().collect();
    assert_eq!(current.len(), 2_300, "each row once");
    for (id, (_, second)) in versions(current) {
        assert_eq!(second, id > 500, "row {id}");
    }
    let found = versions(rows);
    assert!((1..=100).all(|id| found[&id] == (Generation::Stale, false)), "deleted rows are told apart");
}

#[test]
fn frames_behind_a_break_come_second() {
    let (database, mut log) = layered();
    let total = u64::try_from((log.len() - 32) / FRAME).unwrap();
    let middle = 32 + (log.len() - 32) / FRAME / 2 * FRAME + 24 + 2_000;
    log[middle] ^= 1;
    let (rows, summary) = carved(&database, &log);
    assert!(summary.committed_frames > 0 && summary.committed_frames <= total / 2);
    assert!(summary.late_frames > 0);
    let newest = kept(rows.clone(), |row| is_right(row, "second"));
    assert!((501..=2_400).all(|id| newest.contains_key(&id)), "an acknowledged row survives, if as an orphan");
    let found = versions(rows);
    assert_eq!(found[&510], (Generation::Current, true));
    assert_eq!(found[&1_900], (Generation::Current, false), "the version that SQLite would show is preferred");
    assert_eq!(found[&2_350], (Generation::Orphan, true));
}

#[test]
fn an_unfinished_transaction_is_not_current() {
    let (database, mut log) = layered();
    // Without its commit frame the last transaction, which is the deletion, did not happen.
    log.truncate(log.len() - FRAME);
    let (rows, summary) = carved(&database, &log);
    assert!(summary.late_frames > 0);
    let found = versions(rows);
    assert!((1..=100).all(|id| found[&id] == (Generation::Current, false)));
}

#[test]
fn a_lost_header_of_the_log() {
    let (database, mut log) = layered();
    log[..32].fill(0);
    let (rows, summary) = carved(&database, &log);
    assert_eq!(summary.committed_frames, 0);
    let total = u64::try_from((log.len() - 32) / FRAME).unwrap();
    assert!(summary.late_frames < total * 3 / 4, "of many sound versions of a page, the newest is enough");
    let newest = kept(rows, |row| is_right(row, "second"));
    assert!((501..=2_400).all(|id| newest[&id].generation == Generation::Orphan));
}

#[test]
fn frames_of_an_earlier_round_are_ignored() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=3_000);
    // A checkpoint that leaves the file long: the next transaction starts over at its front.
    fixture.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    fixture.run("DELETE FROM item WHERE id = 3000");
    let (database, log) = fixture.close();
    let (rows, summary) = carved(&database, &log);
    assert!(log.len() / FRAME > 20 && summary.committed_frames < 20, "the log holds both rounds");
    assert_eq!(summary.late_frames, 0);
    let current: Vec<_> = rows.into_iter().filter(|row| row.generation == Generation::Current).collect();
    assert_eq!(ids(&current), (1..3_000).collect::<Vec<_>>());
}

/// A power cut between the new round's header and its first frame.
#[test]
fn a_round_without_frames() {
    let ((database, log), (_, other)) = (layered(), layered());
    let log = [&other[..32], &log[32..]].concat();
    let (rows, summary) = carved(&database, &log);
    assert_eq!((summary.committed_frames, summary.late_frames), (0, 0));
    assert_eq!(versions(rows).len(), 2_000);
}

#[test]
fn a_damaged_frame_is_searched() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=100);
    let (database, intact) = fixture.close();
    let leaves = (32..intact.len()).step_by(FRAME).map(|frame| frame + 24).filter(|&page| intact[page] == 0x0D);
    for page in leaves {
        let mut log = intact.clone();
        log[page] = 0xFF;
        assert_eq!(right(&database, &log), 100, "of no known kind");
        log[page..page + 5].copy_from_slice(&[0x0D, 0, 0, 0, 1]);
        assert_eq!(right(&database, &log), 100, "too few cells");
    }
}

#[test]
fn pages_behind_the_end_are_stale() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=2_000);
    fixture.checkpoint();
    // With secure_delete, every page that is let go is zeroed in the log first, and the end is no longer needed.
    fixture.run("PRAGMA secure_delete = OFF; DELETE FROM item WHERE id > 100; VACUUM;");
    let (database, log) = fixture.close();
    let (rows, _) = carved(&database, &log);
    let found = versions(rows);
    assert!((1..=2_000).all(|id| (found[&id].0 == Generation::Current) == (id <= 100)));
}
