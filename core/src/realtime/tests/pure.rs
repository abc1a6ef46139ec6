//! The parts without sockets and time: tables and properties.

use proptest::prelude::*;

use super::*;
use crate::realtime::{
    dialogue::{Memory, Step},
    inbox::{Arrived, Overflowed},
    reading::Reading,
    retry::{Next, between},
};

#[test]
fn what_follows_which_end() {
    let refused = Ended::Failed(Failure::Refused(Some(502)));
    let wait = |why, ms, until_network| Next::Wait { why, ms, until_network };
    let bye = Ended::Bye([10_000, 20_000]);
    let table = [
        (vec![Ended::Unwanted], Next::Rest),
        (vec![Ended::Abandoned], Next::Stop),
        (vec![Ended::Outdated], Next::Connect),
        (vec![Ended::Unauthorized], Next::AwaitToken),
        (vec![Ended::Protocol], wait(Ended::Protocol, 360_000, true)),
        (vec![bye], wait(bye, 20_000, false)),
        (vec![bye, bye, Ended::Silent], wait(Ended::Silent, 1_000, true)),
        (vec![Ended::Silent, Ended::Closed(None)], wait(Ended::Closed(None), 2_000, true)),
        (vec![refused, Ended::NoWelcome], wait(Ended::NoWelcome, 2_000, true)),
        (vec![refused, Ended::Failed(Failure::Offline), Ended::NoWelcome, refused], Next::Poll),
        (vec![refused, refused, refused, Ended::NoAnswer], wait(Ended::NoAnswer, 4_000, true)),
    ];
    for (row, expected) in table {
        let mut retry = Retry::default();
        let last = row.iter().map(|ended| retry.after(*ended, u64::MAX)).last();
        assert_eq!(last, Some(expected), "{row:?}");
    }
}

#[test]
fn what_a_frame_is() {
    let text = |text: &str| format!("{:?}", Reading::of(&Frame::Text(text.into())));
    assert!(text(r#"{"op":"pong","t":1}"#).starts_with("Said(Pong"));
    assert!(text(r#"{"op":"later"}"#).starts_with("Said(Unknown"));
    assert_eq!(text(r#"{"type":"rating_update"}"#), "Hint");
    for unreadable in ["", "null", "{}", "[null,1]", r#"{"op":"pong"}"#, r#"{"op":"pong","type":"x"}"#, r#"{"op":3}"#] {
        assert_eq!(text(unreadable), "Unreadable", "{unreadable}");
    }
}

#[test]
fn the_inbox_counts_bytes_as_well() {
    let arrived = |seq, bytes| Arrived { session: 1, seq, ratings: vec![rating(0, 1)], bytes };
    let mut inbox = Inbox::default();
    for seq in 1..=4 {
        assert_eq!(inbox.push(arrived(seq, 256 * 1024)), Ok(()));
    }
    assert_eq!(inbox.push(arrived(5, 1)), Err(Overflowed { frames: 5 }));
    let left = inbox.pop().expect("the last number stays");
    assert_eq!((left.seq, left.ratings.len(), inbox.pop()), (5, 0, None));
    assert_eq!(inbox.push(arrived(6, 1024 * 1024)), Ok(()), "there is room again");
    inbox.pop();
    assert_eq!(inbox.push(arrived(7, usize::MAX)), Err(Overflowed { frames: 1 }));
}

/// A server that does what it is told, and loses some of it.
#[derive(Default)]
struct Holder {
    held: BTreeSet<String>,
    places: usize,
}

impl Holder {
    fn hears(&mut self, frame: &ClientFrame) -> ServerFrame {
        match frame {
            ClientFrame::Sub { reference, topics } => {
                let after: BTreeSet<String> = self.held.iter().chain(topics).cloned().collect();
                if after.len() > self.places {
                    return ServerFrame::SubErr { reference: *reference, code: "too_many".into() };
                }
                self.held = after;
                ServerFrame::SubOk { reference: *reference }
            }
            ClientFrame::Unsub { reference, topics } => {
                self.held.retain(|topic| !topics.contains(topic));
                ServerFrame::UnsubOk { reference: *reference }
            }
            other => panic!("{other:?} is about no topics"),
        }
    }
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let said = prop_oneof![
        (any::<u32>(), 0..9_u32).prop_map(|(heartbeat_ms, max_topics)| ServerFrame::Welcome {
            session: "s".into(),
            heartbeat_ms,
            max_topics,
            server_time: UnixMillis(0)
        }),
        (0..9_u64).prop_map(|from| ServerFrame::Resumed { from }),
        Just(ServerFrame::Reset { reason: String::new() }),
        (0..9_u32).prop_map(|reference| ServerFrame::SubOk { reference }),
        (0..9_u32, any::<bool>()).prop_map(|(reference, many)| ServerFrame::SubErr {
            reference,
            code: if many { "too_many" } else { "malformed" }.into()
        }),
        (0..9_u32).prop_map(|reference| ServerFrame::UnsubOk { reference }),
        (0..9_u64).prop_map(|seq| ServerFrame::Rating { seq, data: vec![rating(0, 1)] }),
        any::<u64>().prop_map(|seq| ServerFrame::Changed { seq }),
        Just(ServerFrame::Pong { t: 0 }),
        Just(ServerFrame::Error { code: "busy".into() }),
        Just(ServerFrame::Unknown),
    ];
    prop_oneof![20 => said.prop_map(|frame| Reading::Said(frame, 50)), 1 => Just(Reading::Hint), 1 => Just(Reading::Unreadable)]
}

#[derive(Clone, Debug)]
enum Turn {
    Want(BTreeSet<String>),
    /// The server hears and answers so many requests.
    Work(usize),
    /// The connection breaks: what is on the way is lost, in both directions.
    Break,
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let topics = prop::collection::btree_set((0..8_u8).prop_map(|topic| format!("{topic:04x}")), 0..8);
    prop_oneof![topics.prop_map(Turn::Want), (0..4_usize).prop_map(Turn::Work), Just(Turn::Break)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_draw_stays_between(one: u32, other: u32, random: u64) {
        let drawn = between([one, other], random);
        prop_assert!((one.min(other)..=one.max(other)).contains(&drawn));
        prop_assert_eq!(between([one, other], u64::MAX), one.max(other));
    }

    /// Whatever was lost on the way: in the end the server holds what is wanted, as far as it has places.
    #[test]
    fn topics_become_those_wanted(turns in prop::collection::vec(any_turn(), 1..40), places in 0..9_usize, fewer: bool) {
        let mut server = Holder { places, ..Holder::default() };
        // A server may have fewer places than it says.
        let said = if fewer { 9 } else { places };
        let mut topics = Topics::new(u32::try_from(said).unwrap());
        let mut wanted = BTreeSet::new();
        let mut on_the_way: VecDeque<ClientFrame> = VecDeque::new();
        let answer = |topics: &mut Topics, answer: ServerFrame| match answer {
            ServerFrame::SubOk { reference } => drop(topics.accepted(reference)),
            ServerFrame::SubErr { reference, .. } => topics.refused(reference, true),
            ServerFrame::UnsubOk { reference } => topics.left(reference),
            _ => {}
        };
        for turn in turns {
            match turn {
                Turn::Want(topics) => wanted = topics,
                Turn::Work(frames) => for frame in on_the_way.drain(..frames.min(on_the_way.len())).collect::<Vec<_>>() {
                    answer(&mut topics, server.hears(&frame));
                },
                Turn::Break => {
                    // Half of what was on the way arrived, and no answer came back.
                    for frame in on_the_way.drain(..).take(1) {
                        server.hears(&frame);
                    }
                    topics.resumed();
                }
            }
            on_the_way.extend(topics.requests(&wanted));
        }
        for _ in 0..4 {
            while let Some(frame) = on_the_way.pop_front() {
                answer(&mut topics, server.hears(&frame));
            }
            on_the_way.extend(topics.requests(&wanted));
        }
        prop_assert!(!topics.are_asked());
        if !fewer && wanted.len() <= places {
            prop_assert_eq!(&server.held, &wanted);
        }
        prop_assert!(server.held.len() <= places);
        prop_assert!(server.held.iter().all(|held| wanted.contains(held)), "nothing is held that nobody wants");
        let not_held = wanted.iter().filter(|topic| !server.held.contains(*topic)).count();
        prop_assert_eq!(topics.left_out(&wanted), not_held, "and the rest is known");
    }

    /// A server that says anything at all gets no panic, no flood of words, and no session with a number it did not give.
    #[test]
    fn any_conversation_is_borne(readings in prop::collection::vec((any_reading(), 0..4_u8), 0..60)) {
        let wanted = Wanted { live: true, topics: set(&["00aa", "00bb", "00cc"]), ..Wanted::default() };
        let mut dialogue = Dialogue::begin(Memory::default(), &wanted);
        let (mut sent, mut heard, mut ended) = (0, 0, false);
        for (reading, then) in readings {
            heard += 1;
            dialogue.hear(reading);
            match then {
                0 => dialogue.alarm(),
                1 => dialogue.want(&set(&["00aa", "00dd"])),
                2 => dialogue.want(&wanted.topics),
                _ => {}
            }
            dialogue.speak();
            for step in dialogue.steps() {
                match step {
                    Step::Send(_) => sent += 1,
                    Step::Store(arrived) => {
                        prop_assert!(arrived.seq > 0);
                        dialogue.stored(arrived.session, arrived.seq);
                    }
                    Step::End(_) => ended = true,
                    _ => {}
                }
            }
            if ended {
                break;
            }
        }
        prop_assert!(sent <= 1 + 6 * heard, "{sent} frames for {heard}");
    }
}
