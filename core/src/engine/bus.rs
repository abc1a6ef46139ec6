//! Events on their way to whoever reads them: one row of events, and for each reader a place in it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    error::Result,
    limits::{MAX_PAGE, check_range},
    model::Event,
};

/// Events kept for a slow reader: some seconds of the busiest app, and less than a megabyte.
const KEPT: usize = 1024;

/// The events that somebody has still to read.
#[derive(Default)]
pub(super) struct Bus {
    row: Mutex<Row>,
    changed: Notify,
}

/// Numbers count events since the core was opened.
#[derive(Default)]
struct Row {
    events: VecDeque<Event>,
    /// The number of the first event in the row.
    first: u64,
    /// The first event that no reader has taken: where a new one begins.
    unread: u64,
    places: BTreeMap<u64, Place>,
    readers: u64,
    closed: bool,
}

/// How far a reader is.
struct Place {
    next: u64,
    /// What it reads stays unread for those who begin with what nobody has read.
    news_only: bool,
    /// Grows with every pull: a waiting one that finds another number gives way to the newer.
    pull: u64,
}

/// Reads events, independently of every other reader.
pub struct EventReader {
    bus: Arc<Bus>,
    id: u64,
}

impl Bus {
    /// Adds events; the oldest give way when somebody does not read.
    pub(super) fn publish(&self, events: impl IntoIterator<Item = Event>) {
        let mut row = self.lock();
        for event in events {
            if row.events.len() == KEPT {
                row.events.pop_front();
                row.first += 1;
            }
            row.events.push_back(event);
        }
        drop(row);
        self.changed.notify_waiters();
    }

    /// A new reader: of what nobody has read yet and all that follows, or, with `news_only`, of what happens from now on.
    pub(super) fn reader(self: &Arc<Self>, news_only: bool) -> EventReader {
        let mut row = self.lock();
        row.readers += 1;
        let id = row.readers;
        let next = if news_only { row.end() } else { row.unread };
        row.places.insert(id, Place { next, news_only, pull: 0 });
        EventReader { bus: Arc::clone(self), id }
    }

    /// Ends all reading: what is left can still be taken, then only "none".
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Row> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventReader {
    /// Waits for events and takes up to `max`; none means that there will be no more for this call.
    ///
    /// # Errors
    /// Invalid input.
    pub async fn next(&self, max: u32) -> Result<Vec<Event>> {
        check_range("max", max.into(), 1, MAX_PAGE.into())?;
        let Some(number) = self.bus.lock().begin(self.id) else { return Ok(Vec::new()) };
        self.bus.changed.notify_waiters();
        loop {
            // Registered before looking, so that nothing that happens in between is overlooked.
            let mut changed = std::pin::pin!(self.bus.changed.notified());
            changed.as_mut().enable();
            if let Some(events) = self.bus.lock().take(self.id, max as usize, number) {
                return Ok(events);
            }
            changed.await;
        }
    }

    /// Ends this reader: a waiting call, and every later one, gets none.
    pub fn finish(&self) {
        let mut row = self.bus.lock();
        row.places.remove(&self.id);
        row.forget_read();
        drop(row);
        self.bus.changed.notify_waiters();
    }
}

impl Drop for EventReader {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Row {
    /// The number of the next event to come.
    fn end(&self) -> u64 {
        self.first + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// The number of a new pull; `None` for a reader that has ended.
    fn begin(&mut self, id: u64) -> Option<u64> {
        let place = self.places.get_mut(&id)?;
        place.pull += 1;
        Some(place.pull)
    }

    /// What a pull returns with, or `None` if it has to wait.
    fn take(&mut self, id: u64, max: usize, number: u64) -> Option<Vec<Event>> {
        let Some(place) = self.places.get_mut(&id).filter(|place| place.pull == number) else {
            return Some(Vec::new());
        };
        let mut taken = Vec::new();
        if place.next < self.first {
            taken.push(Event::Missed { count: u32::try_from(self.first - place.next).unwrap_or(u32::MAX) });
            place.next = self.first;
        }
        let skipped = usize::try_from(place.next - self.first).unwrap_or(usize::MAX);
        let room = max - taken.len();
        taken.extend(self.events.iter().skip(skipped).take(room).cloned());
        let events = taken.iter().filter(|event| !matches!(event, Event::Missed { .. })).count();
        place.next += u64::try_from(events).unwrap_or(u64::MAX);
        if !place.news_only {
            self.unread = self.unread.max(place.next);
        }
        if taken.is_empty() && !self.closed {
            return None;
        }
        self.forget_read();
        Some(taken)
    }

    /// Drops what every reader has read. What nobody has read is kept for the next one.
    fn forget_read(&mut self) {
        let wanted = self.places.values().map(|place| place.next).fold(self.unread, u64::min);
        while self.first < wanted && self.events.pop_front().is_some() {
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(count: u32) -> impl Iterator<Item = Event> {
        (0..count).map(|count| Event::ScansRemoved { count })
    }

    fn one(count: u32) -> Event {
        Event::ScansRemoved { count }
    }

    #[tokio::test]
    async fn events_come_in_order_and_in_portions() {
        let bus = Arc::new(Bus::default());
        bus.publish(events(3));
        let reader = bus.reader(false);
        assert_eq!(reader.next(2).await.unwrap(), [one(0), one(1)]);
        assert_eq!(reader.next(2).await.unwrap(), [one(2)]);
        assert!(reader.next(0).await.is_err());
        assert!(reader.next(501).await.is_err());
    }

    #[tokio::test]
    async fn every_reader_sees_everything() {
        let bus = Arc::new(Bus::default());
        let (first, second) = (bus.reader(false), bus.reader(false));
        bus.publish(events(3));
        assert_eq!(first.next(500).await.unwrap().len(), 3);
        assert_eq!(second.next(1).await.unwrap(), [one(0)]);
        bus.publish([one(7)]);
        assert_eq!(first.next(500).await.unwrap(), [one(7)]);
        assert_eq!(second.next(500).await.unwrap(), [one(1), one(2), one(7)]);
    }

    #[tokio::test]
    async fn a_new_reader_begins_where_nobody_has_read() {
        let bus = Arc::new(Bus::default());
        bus.publish(events(2));
        let first = bus.reader(false);
        assert_eq!(first.next(1).await.unwrap(), [one(0)]);
        drop(first);
        let second = bus.reader(false);
        assert_eq!(second.next(500).await.unwrap(), [one(1)], "leaving a loop loses nothing");
    }

    #[tokio::test]
    async fn a_reader_of_news_begins_with_the_present_and_takes_nothing_from_others() {
        let bus = Arc::new(Bus::default());
        bus.publish(events(2));
        let news = bus.reader(true);
        bus.publish([one(7)]);
        assert_eq!(news.next(500).await.unwrap(), [one(7)]);
        assert_eq!(bus.reader(false).next(500).await.unwrap(), [one(0), one(1), one(7)]);
    }

    #[tokio::test]
    async fn a_slow_reader_learns_how_much_it_missed() {
        let bus = Arc::new(Bus::default());
        let (slow, quick) = (bus.reader(false), bus.reader(false));
        for event in events(1030) {
            bus.publish([event]);
            assert_eq!(quick.next(500).await.unwrap().len(), 1);
        }
        let read = slow.next(3).await.unwrap();
        assert_eq!(read, [Event::Missed { count: 6 }, one(6), one(7)]);
        assert_eq!(slow.next(1).await.unwrap(), [one(8)]);
    }

    #[tokio::test]
    async fn what_everybody_has_read_is_not_kept() {
        let bus = Arc::new(Bus::default());
        let (first, second) = (bus.reader(false), bus.reader(false));
        bus.publish(events(10));
        first.next(500).await.unwrap();
        assert_eq!(bus.lock().events.len(), 10, "the second has not read them");
        second.next(4).await.unwrap();
        assert_eq!(bus.lock().events.len(), 6);
        second.finish();
        assert_eq!(bus.lock().events.len(), 0);
    }

    #[tokio::test]
    async fn a_waiting_call_gives_way_to_a_newer_one_and_to_the_end() {
        let bus = Arc::new(Bus::default());
        let reader = Arc::new(bus.reader(false));
        let waiting = |reader: &Arc<EventReader>| {
            let reader = Arc::clone(reader);
            tokio::spawn(async move { reader.next(10).await.unwrap() })
        };
        let first = waiting(&reader);
        tokio::task::yield_now().await;
        let second = waiting(&reader);
        assert_eq!(first.await.unwrap(), []);
        bus.publish(events(1));
        assert_eq!(second.await.unwrap().len(), 1);

        let finished = waiting(&reader);
        tokio::task::yield_now().await;
        reader.finish();
        assert_eq!(finished.await.unwrap(), []);
        assert_eq!(reader.next(1).await.unwrap(), [], "for good");

        let last = Arc::new(bus.reader(false));
        bus.publish(events(1));
        bus.close();
        assert_eq!(last.next(10).await.unwrap().len(), 1, "what is left can still be read");
        assert_eq!(last.next(10).await.unwrap(), []);
    }
}
