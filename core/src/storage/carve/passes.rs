//! The order in which pages are looked at, which is the order of trust.

use std::collections::HashSet;
use std::mem;
use std::ops::ControlFlow;

use super::page::{Cell, Kind, Page};
use super::view::{Layer, View};
use super::wal::LateFrame;
use super::{CarveSummary, CarvedRow, Generation, record};

/// Everything the passes share.
pub(super) struct Carver<'a> {
    pub(super) view: View<'a>,
    pub(super) on_row: &'a mut dyn FnMut(CarvedRow) -> ControlFlow<()>,
    pub(super) summary: CarveSummary,
    pub(super) file_pages: u32,
    /// Size of the database after the last commit, if the log tells.
    pub(super) committed_pages: Option<u32>,
    /// See [`View::chain_reads`]; each pass gets it anew, so that noise in one does not starve the next.
    pub(super) chain_budget: u64,
    /// Overflow pages of current rows.
    pub(super) chained: HashSet<u32>,
    /// Pages that do not add up, or that nothing has explained yet.
    pub(super) suspects: Vec<u32>,
}

impl Carver<'_> {
    /// All passes, in the order of trust; breaks off when the caller does.
    pub(super) fn run(&mut self, late: &[LateFrame]) -> ControlFlow<()> {
        // A commit may have made the database smaller than its file still is.
        let end = self.committed_pages.unwrap_or(self.file_pages);
        let only_logged = self.view.committed.keys().copied().filter(|&page| page > self.file_pages && page <= end);
        let mut only_logged: Vec<_> = only_logged.collect();
        only_logged.sort_unstable();

        self.view.chain_reads = self.chain_budget;
        for number in (1..=self.file_pages.min(end)).chain(only_logged) {
            self.current(number)?;
        }
        self.view.chain_reads = self.chain_budget;
        for frame in late {
            self.late(*frame)?;
        }
        self.view.chain_reads = self.chain_budget;
        for number in mem::take(&mut self.suspects) {
            // Most pages without a kind are overflow pages, and by now their rows have been seen.
            if !self.chained.contains(&number) {
                self.suspect(number)?;
            }
        }
        self.view.chain_reads = self.chain_budget;
        for number in 1..=self.file_pages {
            if number > end || self.view.committed.contains_key(&number) {
                self.stale(number)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn current(&mut self, number: u32) -> ControlFlow<()> {
        self.summary.pages += 1;
        let Ok(bytes) = self.view.read(number, Layer::Committed) else {
            self.summary.unreadable_pages += 1;
            return ControlFlow::Continue(());
        };
        let page = Page::new(&bytes, self.view.page_size, number);
        match page.kind(self.last_page()) {
            Kind::Rowless => {}
            Kind::Unknown => self.suspects.push(number),
            Kind::Leaf => {
                let named = page.named();
                self.summary.leaf_pages += 1;
                self.summary.damaged_cells += named.failed;
                if !named.sound {
                    self.suspects.push(number);
                }
                for cell in &named.cells {
                    let chain = self.offer(cell, Layer::Committed, Generation::Current)?;
                    self.chained.extend(chain);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn late(&mut self, frame: LateFrame) -> ControlFlow<()> {
        self.summary.late_frames += 1;
        let Ok(bytes) = self.view.read_logged(frame.offset) else { return ControlFlow::Continue(()) };
        let page = Page::new(&bytes, self.view.page_size, frame.page);
        match page.kind(self.last_page()) {
            Kind::Leaf => {
                let named = page.named();
                self.offer_all(&named.cells, Layer::Late, Generation::Orphan)?;
                if named.sound { ControlFlow::Continue(()) } else { self.search(page, &named.cells, Layer::Late) }
            }
            Kind::Unknown if !frame.sound => self.search(page, &[], Layer::Late),
            Kind::Unknown | Kind::Rowless => ControlFlow::Continue(()),
        }
    }

    fn suspect(&mut self, number: u32) -> ControlFlow<()> {
        self.summary.searched_pages += 1;
        let Ok(bytes) = self.view.read(number, Layer::Committed) else { return ControlFlow::Continue(()) };
        let page = Page::new(&bytes, self.view.page_size, number);
        // What a leaf names has been offered already.
        let named = if page.kind(self.last_page()) == Kind::Leaf { page.named().cells } else { Vec::new() };
        self.search(page, &named, Layer::Committed)
    }

    fn stale(&mut self, number: u32) -> ControlFlow<()> {
        let Ok(bytes) = self.view.read(number, Layer::File) else { return ControlFlow::Continue(()) };
        let page = Page::new(&bytes, self.view.page_size, number);
        let named = if page.kind(self.last_page()) == Kind::Leaf { page.named().cells } else { Vec::new() };
        self.offer_all(&named, Layer::File, Generation::Stale)
    }

    /// Offers whatever outside the cells in `known` could be a cell.
    fn search(&mut self, page: Page<'_>, known: &[Cell<'_>], layer: Layer) -> ControlFlow<()> {
        let taken: Vec<_> = known.iter().map(|cell| cell.range.clone()).collect();
        let mut found = Vec::new();
        page.search(&taken, |cell| found.push(cell));
        self.offer_all(&found, layer, Generation::Orphan)
    }

    fn offer_all(&mut self, cells: &[Cell<'_>], layer: Layer, generation: Generation) -> ControlFlow<()> {
        cells.iter().try_for_each(|cell| self.offer(cell, layer, generation).map_continue(|_| ()))
    }

    /// Hands out a cell if all of it is there; returns the overflow pages it took.
    fn offer(&mut self, cell: &Cell<'_>, layer: Layer, generation: Generation) -> ControlFlow<(), HashSet<u32>> {
        let whole = self.view.record(cell, layer);
        let Some((values, chain)) = whole.and_then(|(record, chain)| Some((record::decode(&record)?, chain))) else {
            if generation == Generation::Current {
                self.summary.damaged_cells += 1;
            }
            return ControlFlow::Continue(HashSet::new());
        };
        self.summary.rows += 1;
        (self.on_row)(CarvedRow { rowid: cell.rowid, values, generation })?;
        ControlFlow::Continue(chain)
    }

    fn last_page(&self) -> u32 {
        self.file_pages.max(self.committed_pages.unwrap_or(0))
    }
}
