//! What a session has still to send, and what it has sent and may have to send again.

use std::collections::{BTreeSet, VecDeque};

use safescan_core::model::QrHash;

/// Codes that may wait: a client further behind is better off looking up what it shows.
const MOST_WAITING: usize = 1_024;
/// Codes and frames sent and not acknowledged that are remembered: some minutes of a busy client.
const MOST_SENT: usize = 1_024;

/// Numbers frames, and knows of each which codes it told of.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: BTreeSet<QrHash>,
    /// Whether something of the account changed.
    changed: bool,
    /// Whether more changed than can wait.
    overflowed: bool,
    next: u64,
    sent: VecDeque<Sent>,
    sent_codes: usize,
}

#[derive(Debug)]
struct Sent {
    seq: u64,
    codes: Vec<QrHash>,
    changed: bool,
}

/// What to send next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// That the account changed.
    Changed,
    /// Ratings of these codes.
    Ratings(Vec<QrHash>),
    /// That frames were lost.
    Overflow,
}

impl Default for Backlog {
    fn default() -> Self {
        Self {
            waiting: BTreeSet::new(),
            changed: false,
            overflowed: false,
            next: 1,
            sent: VecDeque::new(),
            sent_codes: 0,
        }
    }
}

impl Backlog {
    /// A code's rating changed. Returns whether it overtook an earlier change that was not sent yet.
    pub(super) fn code(&mut self, code: QrHash) -> bool {
        if self.waiting.len() >= MOST_WAITING && !self.waiting.contains(&code) {
            self.overflowed = true;
            self.waiting.clear();
        }
        !self.overflowed && !self.waiting.insert(code)
    }

    /// Something of the account changed.
    pub(super) fn account(&mut self) {
        self.changed = true;
    }

    /// What is to be sent next, up to `most` codes; it is taken out.
    pub(super) fn take(&mut self, most: usize) -> Next {
        if self.overflowed {
            return Next::Overflow;
        }
        if std::mem::take(&mut self.changed) {
            return Next::Changed;
        }
        let mut codes = Vec::new();
        while codes.len() < most
            && let Some(code) = self.waiting.pop_first()
        {
            codes.push(code);
        }
        if codes.is_empty() { Next::Nothing } else { Next::Ratings(codes) }
    }

    /// Codes that did not fit a frame wait on.
    pub(super) fn put_back(&mut self, codes: impl IntoIterator<Item = QrHash>) {
        self.waiting.extend(codes);
    }

    /// The number of a frame that is about to be sent.
    pub(super) fn number(&mut self, codes: Vec<QrHash>, changed: bool) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.sent_codes += codes.len() + 1;
        self.sent.push_back(Sent { seq, codes, changed });
        while self.sent_codes > MOST_SENT {
            self.forget_oldest();
        }
        seq
    }

    /// Everything up to `seq` has come.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        while self.sent.front().is_some_and(|sent| sent.seq <= seq) {
            self.forget_oldest();
        }
    }

    /// Goes on after `seq`, the last frame that came: what was sent after it waits again, and its numbers are given anew.
    /// False if that is not known any more, or never was.
    pub(super) fn resume(&mut self, seq: u64) -> bool {
        let oldest = self.sent.front().map_or(self.next, |sent| sent.seq);
        if self.overflowed || seq.saturating_add(1) < oldest || seq >= self.next {
            return false;
        }
        self.acknowledge(seq);
        for sent in std::mem::take(&mut self.sent) {
            self.changed |= sent.changed;
            self.waiting.extend(sent.codes);
        }
        self.sent_codes = 0;
        self.next = seq + 1;
        true
    }

    fn forget_oldest(&mut self) {
        if let Some(sent) = self.sent.pop_front() {
            self.sent_codes -= sent.codes.len() + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(number: u16) -> QrHash {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&number.to_be_bytes());
        QrHash(hash)
    }

    /// Sends all that waits, `most` codes a frame.
    fn send(backlog: &mut Backlog, most: usize) -> Vec<(u64, Vec<QrHash>)> {
        let mut frames = Vec::new();
        loop {
            match backlog.take(most) {
                Next::Ratings(codes) => frames.push((backlog.number(codes.clone(), false), codes)),
                Next::Changed => frames.push((backlog.number(Vec::new(), true), Vec::new())),
                Next::Nothing | Next::Overflow => return frames,
            }
        }
    }

    #[test]
    fn the_newest_of_each_code_waits_once() {
        let mut backlog = Backlog::default();
        assert!(!backlog.code(code(1)));
        assert!(backlog.code(code(1)), "it overtook");
        backlog.code(code(2));
        assert_eq!(send(&mut backlog, 10), [(1, vec![code(1), code(2)])]);
        assert!(!backlog.code(code(1)), "what was sent is not overtaken");
    }

    #[test]
    fn numbers_are_dense_and_what_did_not_come_is_sent_again() {
        let mut backlog = Backlog::default();
        (1..=4).for_each(|number| _ = backlog.code(code(number)));
        assert_eq!(send(&mut backlog, 1).iter().map(|frame| frame.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
        backlog.account();
        send(&mut backlog, 1);
        backlog.code(code(9));
        assert!(backlog.resume(2));
        let again = send(&mut backlog, 10);
        assert_eq!(again, [(3, vec![]), (4, vec![code(3), code(4), code(9)])]);
        assert!(backlog.resume(4) && send(&mut backlog, 10).is_empty());
    }

    #[test]
    fn what_is_forgotten_or_never_was_cannot_be_gone_on_with() {
        let mut backlog = Backlog::default();
        (1..=4).for_each(|number| _ = backlog.code(code(number)));
        send(&mut backlog, 1);
        backlog.acknowledge(2);
        assert!(!backlog.resume(1), "the second frame is forgotten");
        assert!(!backlog.resume(5) && !backlog.resume(u64::MAX), "there was no such frame");
        assert!(backlog.resume(2));
        assert!(Backlog::default().resume(0), "nothing was sent, nothing came");
    }

    #[test]
    fn memory_is_bounded() {
        let mut backlog = Backlog::default();
        for number in 0..20_000 {
            backlog.code(code(number));
            send(&mut backlog, 1);
        }
        assert!(backlog.sent.len() <= MOST_SENT && !backlog.resume(0) && backlog.resume(19_999));
        for number in 0..20_000 {
            backlog.code(code(number));
            assert!(backlog.waiting.len() <= MOST_WAITING);
        }
        assert_eq!(backlog.take(1), Next::Overflow);
        assert!(!backlog.resume(20_000));
    }
}
