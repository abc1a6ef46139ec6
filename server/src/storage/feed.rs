//! A page of changes: merged from several sources by revision, and cut where it is full.

use safescan_core::protocol::{Change, Rating};

/// A change and its revision.
pub(super) type Found = (i64, Change);

/// What a page is put together from.
pub(super) struct Page {
    changes: Vec<Found>,
    /// Up to where every source was read.
    complete_to: i64,
}

impl Page {
    pub(super) fn new(latest: i64) -> Self {
        Self { changes: Vec::new(), complete_to: latest }
    }

    /// Adds what a source found, in the order of revisions; `full` if it stopped because it had found enough.
    pub(super) fn add(&mut self, found: Vec<Found>, full: bool) {
        if full && let Some((last, _)) = found.last() {
            self.complete_to = self.complete_to.min(*last);
        }
        self.changes.extend(found);
    }

    /// The changes up to `limit` and `max_bytes` and the position they reach, and whether there are more.
    pub(super) fn cut(mut self, limit: usize, max_bytes: usize, latest: i64) -> (Vec<Change>, i64, bool) {
        self.changes.sort_by_key(|(rev, _)| *rev);
        self.changes.dedup_by_key(|(rev, _)| *rev);
        let (mut kept, mut bytes, mut position) = (Vec::new(), 0, 0);
        let mut has_more = self.complete_to < latest;
        for (rev, change) in self.changes {
            let size = size_of(&change);
            // One change always fits: a page that brings nothing would never end.
            let full = kept.len() >= limit || (bytes + size > max_bytes && !kept.is_empty());
            if full || rev > self.complete_to {
                has_more = true;
                break;
            }
            bytes += size;
            position = rev;
            kept.push(change);
        }
        let position = if has_more { position } else { latest };
        (kept, position, has_more)
    }
}

/// Bytes of a change as it is sent, and the comma after it.
pub(super) fn size_of(change: &Change) -> usize {
    serde_json::to_vec(change).map_or(0, |bytes| bytes.len() + 1)
}

/// Bytes of a rating as it is sent, and the comma after it.
pub(super) fn size_of_rating(rating: &Rating) -> usize {
    serde_json::to_vec(rating).map_or(0, |bytes| bytes.len() + 1)
}

#[cfg(test)]
mod tests {
    use safescan_core::{model::UnixMillis, protocol::RegisterChange};

    use super::*;

    fn found(revs: &[i64]) -> Vec<Found> {
        let change = |rev| Change::ScanDeleted(RegisterChange { key: "k".into(), rev, at: UnixMillis(0), body: None });
        revs.iter().map(|rev| (*rev, change(*rev))).collect()
    }

    fn revs(changes: &[Change]) -> Vec<i64> {
        let rev = |change: &Change| match change {
            Change::ScanDeleted(change) => change.rev,
            _ => -1,
        };
        changes.iter().map(rev).collect()
    }

    #[test]
    fn sources_are_merged_in_order() {
        let mut page = Page::new(10);
        page.add(found(&[2, 5, 9]), false);
        page.add(found(&[1, 5, 7]), false);
        let (changes, position, more) = page.cut(100, 10_000, 10);
        assert_eq!((revs(&changes), position, more), (vec![1, 2, 5, 7, 9], 10, false));
    }

    #[test]
    fn a_page_ends_where_a_source_stopped_reading() {
        let mut page = Page::new(10);
        page.add(found(&[2, 3]), true);
        page.add(found(&[1, 8]), false);
        let (changes, position, more) = page.cut(100, 10_000, 10);
        assert_eq!((revs(&changes), position, more), (vec![1, 2, 3], 3, true), "4 may be unread");
    }

    #[test]
    fn a_page_is_cut_by_number_and_by_bytes_but_never_empty() {
        let page = || {
            let mut page = Page::new(10);
            page.add(found(&[1, 2, 3]), false);
            page
        };
        let (changes, position, more) = page().cut(2, 10_000, 10);
        assert_eq!((revs(&changes), position, more), (vec![1, 2], 2, true));
        let (changes, position, more) = page().cut(100, 1, 10);
        assert_eq!((revs(&changes), position, more), (vec![1], 1, true));
    }
}
