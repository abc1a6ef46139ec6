//! The write-ahead log: which of its frames are committed, and which lie behind the point where SQLite stops.
//!
//! A frame counts only if its salts are the log's and its checksum continues the checksum of the frame before, and a
//! transaction counts only once its last frame, the commit, is there. A frame carries the running checksum, so the
//! chain can be taken up again behind a damaged frame: this tells sound late frames from damaged ones.
//! Frames with other salts are left-overs of an earlier round of the log and older than the database: they are ignored.

use std::collections::{HashMap, HashSet};

use super::page::u32_at;
use super::view::{Source, read_at};

const FRAME_HEADER: usize = 24;
const FRAME_HEADER_LEN: u64 = 24;
const HEADER: usize = 32;
const HEADER_LEN: u64 = 32;

/// What the log adds to the database.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Page number → where its last committed version lies in the log.
    pub(super) committed: HashMap<u32, u64>,
    /// Size of the database, in pages, after the last commit.
    pub(super) database_pages: Option<u32>,
    /// Frames of this round behind the last commit, newest first, without those that a sound newer one replaces.
    pub(super) late: Vec<LateFrame>,
    /// Frames of whole size in the log.
    pub(super) frames: u64,
    /// Frames that are part of a committed transaction.
    pub(super) committed_frames: u64,
}

/// A frame behind the last trustworthy commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateFrame {
    pub(super) page: u32,
    /// Where the page's bytes lie in the log.
    pub(super) offset: u64,
    /// Its checksum continues that of the frame before.
    pub(super) sound: bool,
}

/// The first bytes of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogHeader {
    /// The page size, if the header's checksum vouches for it.
    pub(super) page_size: Option<u32>,
    big_endian: bool,
    salts: [u8; 8],
    checksum: (u32, u32),
}

impl LogHeader {
    /// Reads the header; `None` if the log is too short to have one.
    pub(super) fn read(log: &mut dyn Source) -> Option<Self> {
        let mut bytes = [0; HEADER];
        if read_at(log, 0, &mut bytes).ok()? < HEADER {
            return None;
        }
        let magic = u32_at(&bytes, 0)?;
        // With a damaged header it is a guess: a log is written in its device's order, and those are little-endian.
        let big_endian = magic == 0x377F_0683;
        let checksum = (u32_at(&bytes, 24)?, u32_at(&bytes, 28)?);
        let vouched = magic | 1 == 0x377F_0683 && add(big_endian, (0, 0), bytes.get(..24)?) == checksum;
        let page_size = u32_at(&bytes, 8).filter(|_| vouched);
        Some(Self { page_size, big_endian, salts: *bytes.get(16..)?.first_chunk()?, checksum })
    }
}

impl Log {
    /// Reads the whole log once, one frame at a time.
    pub(super) fn read(log: &mut dyn Source, len: u64, header: &LogHeader, page_size: usize) -> Self {
        let mut found = Self::default();
        let mut frame = vec![0; FRAME_HEADER + page_size];
        let stride = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        let mut salts = header.page_size.map(|_| header.salts);
        let mut chain = header.page_size.map(|_| header.checksum);
        let mut unbroken = chain.is_some();
        let mut late: Vec<LateFrame> = Vec::new();
        let mut offset = HEADER_LEN;
        while offset.saturating_add(stride) <= len {
            found.frames += 1;
            let start = offset;
            offset += stride;
            let whole = read_at(log, start, &mut frame).is_ok_and(|read| read == frame.len());
            let Some(head) = frame.first_chunk::<FRAME_HEADER>().filter(|_| whole).copied().map(FrameHeader::new)
            else {
                (chain, unbroken) = (None, false);
                continue;
            };
            // With the log's header lost, the first frame tells the salts: a log's front is always its newest round.
            if *salts.get_or_insert(head.salts) != head.salts {
                (chain, unbroken) = (None, false);
                continue;
            }
            let expected = chain.map(|before| frame_checksum(header.big_endian, before, &frame));
            let sound = expected == Some(head.checksum);
            unbroken &= sound;
            chain = Some(head.checksum);
            late.push(LateFrame { page: head.page, offset: start + FRAME_HEADER_LEN, sound });
            if unbroken && head.database_pages > 0 {
                found.committed_frames += u64::try_from(late.len()).unwrap_or(u64::MAX);
                found.committed.extend(late.drain(..).map(|frame| (frame.page, frame.offset)));
                found.database_pages = Some(head.database_pages);
            }
        }
        let mut settled = HashSet::new();
        late.reverse();
        late.retain(|frame| !settled.contains(&frame.page) && (!frame.sound || settled.insert(frame.page)));
        found.late = late;
        found
    }
}

struct FrameHeader {
    page: u32,
    /// Zero unless the frame is a commit.
    database_pages: u32,
    salts: [u8; 8],
    checksum: (u32, u32),
}

impl FrameHeader {
    fn new(bytes: [u8; FRAME_HEADER]) -> Self {
        let word = |at| u32_at(&bytes, at).unwrap_or_default();
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[8..16]);
        Self { page: word(0), database_pages: word(4), salts, checksum: (word(16), word(20)) }
    }
}

/// Covers the first eight bytes of the frame's header and its page, but neither salts nor the checksum itself.
fn frame_checksum(big_endian: bool, before: (u32, u32), frame: &[u8]) -> (u32, u32) {
    let (head, page) = frame.split_at(FRAME_HEADER.min(frame.len()));
    add(big_endian, add(big_endian, before, head.get(..8).unwrap_or_default()), page)
}

fn add(big_endian: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |bytes: [u8; 4]| if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    for pair in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
        second = second.wrapping_add(word([e, f, g, h])).wrapping_add(first);
    }
    (first, second)
}
