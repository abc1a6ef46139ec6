//! Undamaged files: whatever SQLite stores comes out, and nothing that was deleted.

use super::super::record::{decode, promises};
use super::*;

#[test]
fn every_row_comes_back_once() {
    for page_size in [512, 1024, 4096, 65_536] {
        let (rows, summary) = carved(&Fixture::checkpointed(page_size, 3_000), &[]);
        assert_eq!(rows.len(), 3_000, "page size {page_size}");
        assert!(rows.iter().all(|row| is_right(row, "first") && row.generation == Generation::Current));
        assert_eq!((summary.page_size, summary.damaged_cells, summary.stopped), (page_size, 0, false));
        assert_eq!(summary.searched_pages, 0, "a sound file is fully explained");
    }
}

#[test]
fn twenty_thousand_rows_and_two_hundred_kilobytes() {
    let (rows, _) = carved(&Fixture::checkpointed(4096, 20_000), &[]);
    assert_eq!(rows.len(), 20_000);
    assert!(rows.iter().all(|row| is_right(row, "first")));
    assert!(rows.iter().any(|row| matches!(&row.values[4], Value::Blob(bytes) if bytes.len() == 200_000)));
}

#[test]
fn every_kind_of_value() {
    let fixture = Fixture::new(4096);
    let edges = [0, 1, 2, -1, 127, 128, -128, -129, 32_767, 32_768, -32_768, -32_769, 8_388_607, 8_388_608];
    let wide = [1 << 31, -(1 << 31) - 1, (1 << 47) - 1, 1 << 47, -(1 << 47), i64::MAX, i64::MIN];
    let numbers: Vec<i64> = edges.into_iter().chain(wide).collect();
    for (id, number) in (-5..).zip(&numbers) {
        let sql = "INSERT INTO item VALUES (?, ?, 7.0, '', x'', -1.5e300)";
        fixture.connection.execute(sql, params![id, number]).unwrap();
    }
    let extremes = "INSERT INTO item VALUES (-9223372036854775808, NULL, NULL, NULL, NULL, 'a'),
                                             (9223372036854775807, NULL, NULL, NULL, NULL, x'00')";
    fixture.run(extremes);
    let (database, log) = fixture.close();
    let rows = kept(carved(&database, &log).0, |_| true);
    for (id, number) in (-5..).zip(&numbers) {
        let (empty, whole) = (Value::Text(Vec::new()), Value::Integer(7));
        let [number, last] = [Value::Integer(*number), Value::Real(-1.5e300)];
        assert_eq!(rows[&id].values, [Value::Null, number, whole, empty, Value::Blob(Vec::new()), last]);
    }
    assert_eq!(rows[&i64::MIN].values[5], Value::Text(b"a".to_vec()));
    assert_eq!(rows[&i64::MAX].values[5], Value::Blob(vec![0]));
}

/// Where a record just fits its leaf, just overflows, and just fills an overflow page.
#[test]
fn records_of_every_length_around_a_page() {
    for page_size in [512, 4096] {
        let fixture = Fixture::new(page_size);
        let step = i64::from(page_size);
        let lengths = (1..4).flat_map(|pages| pages * step - 90..pages * step + 40);
        let lengths: Vec<i64> = lengths.collect();
        for len in &lengths {
            fixture.connection.execute("INSERT INTO item (id, b) VALUES (?1, zeroblob(?1))", [len]).unwrap();
        }
        fixture.checkpoint();
        let (database, log) = fixture.close();
        let (rows, summary) = carved(&database, &log);
        assert_eq!(ids(&rows), lengths);
        let whole =
            |row: &CarvedRow| matches!(&row.values[4], Value::Blob(b) if i64::try_from(b.len()) == Ok(row.rowid));
        assert!(rows.iter().all(whole));
        assert_eq!(summary.searched_pages, 0);
    }
}

#[test]
fn a_record_fills_its_length_with_at_least_one_value() {
    assert_eq!(decode(&[2, 1, 5]), Some(vec![Value::Integer(5)]));
    assert!(promises(&[2, 1], 3) && !promises(&[2, 1], 2) && !promises(&[2, 1], 4));
    assert_eq!((decode(&[2, 1]), decode(&[2, 1, 5, 5])), (None, None), "one byte less, one byte more");
    assert!(decode(&[1]).is_none() && !promises(&[1], 1), "no column");
    assert!(!promises(&[2, 10], 2) && !promises(&[2, 11], 2), "reserved types");
    assert!(!promises(&[], 0) && !promises(&[9, 1], 10) && !promises(&[0xFF; 9], u64::MAX), "no header");
    let wide = |columns: u8| [&[0x81, columns + 2 - 128], vec![0; usize::from(columns)].as_slice()].concat();
    assert!(promises(&wide(128), 130) && !promises(&wide(129), 131), "more columns than any table has");
}

#[test]
fn deleted_rows_stay_deleted() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=4_000);
    fixture.checkpoint();
    // Single deletions leave holes, ranges empty pages and make SQLite move rows between them.
    fixture.run("DELETE FROM item WHERE id % 7 = 0; DELETE FROM item WHERE id BETWEEN 1000 AND 2000;");
    fixture.run("UPDATE item SET t = t || hex(zeroblob(300)) WHERE id % 5 = 1; DELETE FROM item WHERE id % 5 = 1;");
    fixture.checkpoint();
    let (database, log) = fixture.close();
    let live = |id: &i64| id % 7 > 0 && !(1000..=2000).contains(id) && id % 5 != 1;
    assert_eq!(ids(&carved(&database, &log).0), (1..=4_000).filter(live).collect::<Vec<_>>());
}

#[test]
fn the_caller_ends_it() {
    let mut database = Cursor::new(Fixture::checkpointed(4096, 1_000));
    let mut seen = 0;
    let mut stop = |_| {
        seen += 1;
        if seen == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let summary = carve(&mut database, None, CarveOptions::default(), &mut stop).unwrap();
    assert_eq!((seen, summary.rows, summary.stopped), (10, 10, true));
}

#[test]
fn a_file_serves_as_well_as_bytes() {
    let mut fixture = Fixture::new(4096);
    fixture.fill(1..=600);
    let (path, log_path, directory) = (fixture.path("db"), fixture.path("db-wal"), fixture);
    let (mut database, mut log) = (fs::File::open(path).unwrap(), fs::File::open(log_path).unwrap());
    let mut rows = 0;
    let mut count = |row: CarvedRow| {
        rows += usize::from(is_right(&row, "first"));
        ControlFlow::Continue(())
    };
    carve(&mut database, Some(&mut log), CarveOptions::default(), &mut count).unwrap();
    drop(directory);
    assert_eq!(rows, 600);
}
