//! Damaged files: what is intact comes out, what is not does no harm.

use std::io::{self, Read, Seek, SeekFrom};

use proptest::prelude::*;

use super::*;

const PAGE: usize = 4096;

fn kinds(database: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    database.chunks(PAGE).enumerate().map(|(index, page)| (index * PAGE, page[if index == 0 { 100 } else { 0 }]))
}

/// Where pages of this kind begin, the first page aside.
fn pages_of_kind(database: &[u8], kind: u8) -> Vec<usize> {
    kinds(database).filter(|&(at, found)| at > 0 && found == kind).map(|(at, _)| at).collect()
}

/// The rows on the leaf that begins at `at`.
fn rows_on(database: &[u8], at: usize) -> Vec<i64> {
    let page = Page::new(&database[at..at + PAGE], PAGE, 2);
    page.named().cells.iter().map(|cell| cell.rowid).collect()
}

#[test]
fn nothing_but_leaves_is_needed() {
    let intact = Fixture::checkpointed(4096, 6_000);
    let mut database = intact.clone();
    database[..100].fill(0);
    assert_eq!(right(&database, &[]), 6_000, "without the file header");
    database[..PAGE].fill(0);
    assert_eq!(right(&database, &[]), 6_000, "without the schema");
    let interior = pages_of_kind(&intact, 0x05);
    assert!(!interior.is_empty());
    interior.into_iter().for_each(|at| database[at..at + PAGE].fill(0));
    assert_eq!(right(&database, &[]), 6_000, "without root and interior pages");
    for damaged in [3, 21, 22, 23] {
        let mut database = intact.clone();
        (database[16], database[17], database[damaged]) = (2, 0, 0);
        assert_eq!(right(&database, &[]), 6_000, "a header that is damaged elsewhere does not tell the page size");
    }
}

#[test]
fn flipped_bytes_cost_the_rows_they_hit() {
    let intact = Fixture::checkpointed(4096, 20_000);
    for seed in 0..5 {
        let mut noise = Noise(seed);
        let mut database = intact.clone();
        let mut hit: Vec<usize> = (0..512).map(|_| noise.below(database.len())).collect();
        hit.iter().for_each(|&at| database[at] ^= 1 + noise.byte() % 255);
        hit.sort_unstable();
        let untouched =
            |from: usize, to: usize| hit.partition_point(|&at| at < from) == hit.partition_point(|&at| at < to);

        let found = kept(carved(&database, &[]).0, |row| is_right(row, "first"));
        assert!(found.len() >= 19_000, "{} of 20,000 with seed {seed}", found.len());
        for at in pages_of_kind(&intact, 0x0D) {
            for cell in Page::new(&intact[at..at + PAGE], PAGE, 2).named().cells {
                if cell.overflow.is_none() && untouched(at + cell.range.start, at + cell.range.end) {
                    assert!(found.contains_key(&cell.rowid), "row {} is intact, seed {seed}", cell.rowid);
                }
            }
        }
    }
}

type Damage = fn(&mut [u8]);

/// Each way to lose a leaf's header: its rows are then found by search alone.
#[test]
fn a_leaf_without_its_header_is_searched() {
    let intact = Fixture::checkpointed(4096, 2_000);
    let leaf = pages_of_kind(&intact, 0x0D)[7];
    let on_page = rows_on(&intact, leaf);
    // With too many pointers the true ones are still among them; every other damage hides some or all cells.
    let damage: [(&str, Damage); 6] = [
        ("one bit makes it an interior page", |page| page[0] = 0x05),
        ("another kind", |page| page[0] = 0xFF),
        ("too few cells", |page| page[3..5].copy_from_slice(&[0, 1])),
        ("too many cells", |page| page[3..5].copy_from_slice(&[0xFF, 0xFF])),
        ("pointers in disorder", |page| (8..40).for_each(|at| page[at] ^= 0x55)),
        ("a lost sector", |page| page[..70].fill(0)),
    ];
    for (name, damage) in damage {
        let mut database = intact.clone();
        damage(&mut database[leaf..leaf + PAGE]);
        let (rows, summary) = carved(&database, &[]);
        assert_eq!(rows.iter().filter(|row| is_right(row, "first")).count(), 2_000, "each once: {name}");
        let found = kept(rows, |row| is_right(row, "first"));
        let orphans = on_page.iter().any(|id| found[id].generation == Generation::Orphan);
        assert_eq!(orphans, name != "too many cells", "{name}");
        assert_eq!(summary.searched_pages, 1, "{name}");
    }
}

/// A leaf whose sizes add up although one pointer leads into the cell of another.
#[test]
fn overlapping_cells_do_not_explain_a_page() {
    // Length, row id, header length, one serial type (a blob), the blob.
    let small = [4, 7, 2, 16, b'a', b'b'];
    let large = [&[8, 9, 2, 24], small.as_slice()].concat();
    let mut page = [0; 512];
    page[512 - large.len()..].copy_from_slice(&large);
    page[496..502].copy_from_slice(&small);
    page[..12].copy_from_slice(&[0x0D, 0, 0, 0, 2, 0x01, 0xF0, 0, 0x01, 0xF6, 0x01, 0xFA]);
    let named = Page::new(&page, 512, 2).named();
    assert_eq!((named.cells.len(), named.failed, named.sound), (2, 0, false));
    page[8..12].copy_from_slice(&[0x01, 0xF6, 0x01, 0xF0]);
    assert!(Page::new(&page, 512, 2).named().sound);
}

/// 3,000 cells of 40,000 bytes, each beginning 8 bytes behind the one before.
#[test]
fn overlapping_cells_do_not_multiply_a_page() {
    const SIZE: usize = 65_536;
    // 40,000 and the blob's type 2 × 39,996 + 12, as variable-length integers.
    let cell = [0x82, 0xB8, 0x40, 1, 4, 0x84, 0xF1, 0x04];
    let mut page = vec![0; SIZE];
    page[..8].copy_from_slice(&[0x0D, 0, 0, 0x0B, 0xB8, 0, 0, 0]);
    for index in 0..3_000 {
        let at = 8_000 + 6 * 8 + index * 8;
        page[8 + 2 * index..10 + 2 * index].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
        page[at..at + 8].copy_from_slice(&cell);
    }
    let page = Page::new(&page, SIZE, 2);
    let (named, mut searched) = (page.named().cells, Vec::new());
    page.search(&[], |cell| searched.push(cell));
    for cells in [named, searched] {
        assert!(cells.len() > 1, "as many as are cheap");
        assert!(cells.iter().map(|cell| cell.local.len()).sum::<usize>() <= 4 * SIZE);
    }
}

#[test]
fn a_list_of_free_blocks_that_loops_ends() {
    for (following, size) in [(500u16, 0u16), (500, 8), (490, 8), (500, 0xFFFF), (0, 3)] {
        let mut page = [0; 512];
        page[..8].copy_from_slice(&[0x0D, 0x01, 0xF4, 0, 0, 0x01, 0xE0, 0]);
        page[490..492].copy_from_slice(&500u16.to_be_bytes());
        page[500..502].copy_from_slice(&following.to_be_bytes());
        page[502..504].copy_from_slice(&size.to_be_bytes());
        assert!(!Page::new(&page, 512, 2).named().sound);
    }
}

#[test]
fn a_file_cut_inside_a_page() {
    let intact = Fixture::checkpointed(4096, 2_000);
    let leaves = pages_of_kind(&intact, 0x0D);
    let cut = leaves[leaves.len() / 2];
    let before: usize = leaves.iter().filter(|&&at| at < cut).map(|&at| rows_on(&intact, at).len()).sum();
    let found = right(&intact[..cut + 3_000], &[]);
    // Cells are stored from the end of the page on, so the cut page keeps its newest.
    assert!(found > before && found < before + rows_on(&intact, cut).len(), "{found} and {before}");
    assert_eq!(right(&intact[..cut], &[]), before);
}

/// Row 1 and a row of ten times `id` bytes, and where that one's overflow pages begin.
fn chained(id: i64) -> (Vec<u8>, Vec<usize>) {
    let fixture = Fixture::new(4096);
    insert(&fixture.connection, id, "first");
    insert(&fixture.connection, 1, "first");
    fixture.checkpoint();
    let (database, _) = fixture.close();
    let leaf = pages_of_kind(&database, 0x0D)[0];
    let page = Page::new(&database[leaf..leaf + PAGE], PAGE, 2);
    let mut next = page.named().cells.iter().find_map(|cell| cell.overflow).unwrap();
    let mut chain = Vec::new();
    while next > 0 {
        chain.push((usize::try_from(next).unwrap() - 1) * PAGE);
        next = u32::from_be_bytes(*database[*chain.last().unwrap()..].first_chunk().unwrap());
    }
    (database, chain)
}

#[test]
fn chains_that_loop_end_or_leave_the_file() {
    let (intact, chain) = chained(4_000);
    assert!(chain.len() >= 9);
    assert_eq!(right(&intact, &[]), 2);
    let number = |at: usize| u32::try_from(at / PAGE + 1).unwrap();
    for wrong in [number(chain[3]), number(chain[0]), number(chain[8]), 0, 1, 2, 10_000, u32::MAX] {
        let mut database = intact.clone();
        database[chain[3]..chain[3] + 4].copy_from_slice(&wrong.to_be_bytes());
        let (rows, summary) = carved(&database, &[]);
        assert!(rows.iter().any(|row| row.rowid == 1 && is_right(row, "first")));
        assert!(!rows.iter().any(|row| is_right(row, "first") && row.rowid == 4_000), "to page {wrong}");
        assert!(summary.damaged_cells == 1, "to page {wrong}");
    }
    let mut database = intact;
    database[chain[chain.len() - 1]] = 0xEE;
    assert_eq!(right(&database, &[]), 2, "what follows the last page does not matter");
}

#[test]
fn a_record_longer_than_allowed_is_left_out() {
    let mut database = Cursor::new(chained(4_000).0);
    let mut ids = Vec::new();
    let mut keep = |row: CarvedRow| {
        ids.push(row.rowid);
        ControlFlow::Continue(())
    };
    let options = CarveOptions { max_record_bytes: 30_000, ..CarveOptions::default() };
    carve(&mut database, None, options, &mut keep).unwrap();
    assert!(ids.contains(&1) && !ids.contains(&4_000));
}

/// A device with a bad sector.
struct BadSector(Cursor<Vec<u8>>, u64);

impl Read for BadSector {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let here = self.0.position();
        if here <= self.1 && self.1 < here + u64::try_from(bytes.len()).unwrap() {
            return Err(io::Error::other("bad sector"));
        }
        self.0.read(bytes)
    }
}

impl Seek for BadSector {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_unreadable_page_costs_only_its_rows() {
    let intact = Fixture::checkpointed(4096, 2_000);
    let leaf = pages_of_kind(&intact, 0x0D)[4];
    let lost = rows_on(&intact, leaf).len();
    let mut device = BadSector(Cursor::new(intact), u64::try_from(leaf).unwrap() + 77);
    let mut found = 0;
    let mut count = |row: CarvedRow| {
        found += usize::from(is_right(&row, "first"));
        ControlFlow::Continue(())
    };
    let summary = carve(&mut device, None, CarveOptions::default(), &mut count).unwrap();
    assert_eq!((found, summary.unreadable_pages), (2_000 - lost, 1));
}

/// Counts what is read.
struct Counted(Cursor<Vec<u8>>, usize);

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.1 += bytes.len();
        self.0.read(bytes)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn many_rows_that_claim_one_chain_cost_no_more_than_a_few_readings() {
    let (mut database, _) = chained(20_000);
    let leaf = pages_of_kind(&database, 0x0D)[0];
    (0..2_000).for_each(|_| database.extend_from_within(leaf..leaf + PAGE));
    let len = database.len();
    let mut device = Counted(Cursor::new(database), 0);
    let mut rows = Vec::new();
    let mut keep = |row: CarvedRow| {
        rows.push(row.rowid);
        ControlFlow::Continue(())
    };
    carve(&mut device, None, CarveOptions::default(), &mut keep).unwrap();
    assert!(rows.contains(&20_000));
    assert!(device.1 < 10 * len, "{} times the file", device.1 / len);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn garbage_never_panics(
        database in prop::collection::vec(any::<u8>(), 0..20_000),
        log in prop::collection::vec(any::<u8>(), 0..9_000),
    ) {
        carved(&database, &log);
    }

    /// Small numbers everywhere: pages that look like leaves, with pointers and lengths that lead somewhere.
    #[test]
    fn garbage_that_looks_like_leaves_never_panics(seed in any::<u64>(), pages in 1usize..6, cut in 0usize..600) {
        let mut noise = Noise(seed);
        let mut database: Vec<u8> = (0..pages * PAGE).map(|_| noise.byte() >> noise.below(8)).collect();
        (0..pages).for_each(|page| database[page * PAGE] = 0x0D);
        database.truncate(pages * PAGE - cut);
        carved(&database, &[]);
    }

    #[test]
    fn real_files_torn_to_pieces_never_panic(seed in any::<u64>(), wounds in 1usize..400) {
        thread_local!(static FILES: (Vec<u8>, Vec<u8>) = {
            let mut fixture = Fixture::new(512);
            fixture.fill(1..=600);
            fixture.checkpoint();
            fixture.fill(550..=700);
            fixture.close()
        });
        let (mut database, mut log) = FILES.with(Clone::clone);
        let mut noise = Noise(seed);
        for _ in 0..wounds {
            let file = if noise.below(2) == 0 { &mut database } else { &mut log };
            let (at, from, len) = (noise.below(file.len()), noise.below(file.len()), noise.below(40));
            let len = len.min(file.len() - at).min(file.len() - from);
            // Pieces of the file itself fit where random bytes would be turned away at once.
            if noise.below(2) == 0 { file.copy_within(from..from + len, at) } else { file[at] = noise.byte() }
        }
        log.truncate(log.len() - noise.below(600));
        carved(&database, &log);
    }
}
