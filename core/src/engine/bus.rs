use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::model::Event;

/// Events kept for a reader: some seconds of the busiest app, and less than a megabyte.
const KEPT: usize = 1024;

/// Events on their way to whoever pulls them.
#[derive(Default)]
pub(super) struct Bus {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    missed: u32,
    /// Grows with every pull: a waiting one that finds another number gives way to the newer.
    pull: u64,
    closed: bool,
}

impl Bus {
    /// Adds events; the oldest give way when nobody reads.
    pub(super) fn publish(&self, events: impl IntoIterator<Item = Event>) {
        let mut queue = self.lock();
        for event in events {
            if queue.events.len() == KEPT {
                queue.events.pop_front();
                queue.missed = queue.missed.saturating_add(1);
            }
            queue.events.push_back(event);
        }
        drop(queue);
        self.changed.notify_waiters();
    }

    /// Waits for events and takes up to `max`; none means that this reader is no longer wanted.
    pub(super) async fn pull(&self, max: usize) -> Vec<Event> {
        let number = {
            let mut queue = self.lock();
            queue.pull += 1;
            queue.pull
        };
        self.changed.notify_waiters();
        loop {
            // Registered before looking, so that nothing that happens in between is overlooked.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(events) = self.take(max, number) {
                return events;
            }
            changed.await;
        }
    }

    /// Ends all reading: what is left can still be taken, then only "none".
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// What a pull returns with, or `None` if it has to wait.
    fn take(&self, max: usize, number: u64) -> Option<Vec<Event>> {
        let mut queue = self.lock();
        if queue.pull != number {
            return Some(Vec::new());
        }
        let mut taken = Vec::new();
        if queue.missed > 0 {
            taken.push(Event::Missed { count: std::mem::take(&mut queue.missed) });
        }
        let room = max.saturating_sub(taken.len()).min(queue.events.len());
        taken.extend(queue.events.drain(..room));
        (!taken.is_empty() || queue.closed).then_some(taken)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn events(count: u32) -> impl Iterator<Item = Event> {
        (0..count).map(|count| Event::ScansRemoved { count })
    }

    #[tokio::test]
    async fn events_come_in_order_and_in_portions() {
        let bus = Bus::default();
        bus.publish(events(3));
        assert_eq!(bus.pull(2).await, events(2).collect::<Vec<_>>());
        assert_eq!(bus.pull(2).await, [Event::ScansRemoved { count: 2 }]);
    }

    #[tokio::test]
    async fn a_slow_reader_learns_how_much_it_missed() {
        let bus = Bus::default();
        bus.publish(events(1030));
        let read = bus.pull(3).await;
        assert_eq!(read[0], Event::Missed { count: 6 });
        assert_eq!(read[1], Event::ScansRemoved { count: 6 });
    }

    #[tokio::test]
    async fn a_waiting_reader_gives_way_to_a_newer_one_and_to_the_end() {
        let bus = Arc::new(Bus::default());
        let waiting = |bus: &Arc<Bus>| {
            let bus = Arc::clone(bus);
            tokio::spawn(async move { bus.pull(10).await })
        };
        let first = waiting(&bus);
        tokio::task::yield_now().await;
        let second = waiting(&bus);
        assert_eq!(first.await.unwrap(), []);
        bus.publish(events(1));
        assert_eq!(second.await.unwrap().len(), 1);
        let third = waiting(&bus);
        tokio::task::yield_now().await;
        bus.close();
        assert_eq!(third.await.unwrap(), []);
        assert_eq!(bus.pull(1).await, []);
    }
}
