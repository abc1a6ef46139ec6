//! Which topics the server holds for us, and what to say so that they become those that are wanted.
//!
//! A server works in the order of what it hears, so an `unsub` makes room for the `sub` behind it, and a topic that leaves
//! and comes back while both are on the way ends up held. What was on the way when a connection broke is unsure: it may
//! or may not have arrived. Both requests may be repeated, so it is simply said again.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::ClientFrame;

/// Topics in one request: the number of places the protocol's reference server gives, and in full hashes still well below
/// what a frame may hold.
const IN_ONE_REQUEST: usize = 256;

/// How a topic stands; the number is that of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Asked(u32),
    Held,
    Leaving(u32),
    Unsure,
}

impl Standing {
    fn takes_a_place(self) -> bool {
        matches!(self, Self::Asked(_) | Self::Held)
    }
}

/// The topics of one session.
#[derive(Debug)]
pub(super) struct Topics {
    /// How many the server takes.
    places: usize,
    standing: BTreeMap<String, Standing>,
    /// What the server did not understand: not tried again in this session.
    malformed: BTreeSet<String>,
    last_request: u32,
}

impl Topics {
    pub(super) fn new(places: u32) -> Self {
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        Self { places, standing: BTreeMap::new(), malformed: BTreeSet::new(), last_request: 0 }
    }

    /// The session goes on over another connection.
    pub(super) fn resumed(&mut self) {
        for standing in self.standing.values_mut().filter(|standing| **standing != Standing::Held) {
            *standing = Standing::Unsure;
        }
    }

    /// What to say. What is held keeps its place; then comes what may be held, then what is new.
    pub(super) fn requests(&mut self, wanted: &BTreeSet<String>) -> Vec<ClientFrame> {
        let staying = |(topic, standing): &(&String, &Standing)| standing.takes_a_place() && wanted.contains(*topic);
        let room = self.places.saturating_sub(self.standing.iter().filter(staying).count());
        let unsure = |topic: &&String| self.standing.get(*topic) == Some(&Standing::Unsure);
        let mut joining: Vec<String> = wanted.iter().filter(unsure).take(room).cloned().collect();
        let leaves = |(topic, standing): &(&String, &Standing)| match standing {
            Standing::Asked(_) | Standing::Held => !wanted.contains(*topic),
            // If it is held it takes the place of another.
            Standing::Unsure => !joining.contains(topic),
            Standing::Leaving(_) => false,
        };
        let leaving: Vec<String> = self.standing.iter().filter(leaves).map(|(topic, _)| topic.clone()).collect();
        let is_new = |topic: &&String| match self.standing.get(*topic) {
            None | Some(Standing::Leaving(_)) => !self.malformed.contains(*topic),
            Some(Standing::Asked(_) | Standing::Held | Standing::Unsure) => false,
        };
        let left = room - joining.len();
        joining.extend(wanted.iter().filter(is_new).take(left).cloned());

        let mut frames = Vec::new();
        for topics in leaving.chunks(IN_ONE_REQUEST).map(<[String]>::to_vec) {
            let reference = self.request(&topics, Standing::Leaving);
            frames.push(ClientFrame::Unsub { reference, topics });
        }
        for topics in joining.chunks(IN_ONE_REQUEST).map(<[String]>::to_vec) {
            let reference = self.request(&topics, Standing::Asked);
            frames.push(ClientFrame::Sub { reference, topics });
        }
        frames
    }

    /// A `subOk`: these are held now.
    pub(super) fn accepted(&mut self, reference: u32) -> Vec<String> {
        let of_request = |(_, standing): &(&String, &mut Standing)| **standing == Standing::Asked(reference);
        let held = |(topic, standing): (&String, &mut Standing)| {
            *standing = Standing::Held;
            topic.clone()
        };
        self.standing.iter_mut().filter(of_request).map(held).collect()
    }

    /// A `subErr`. If the server has fewer places than it said, what it holds now is what it takes; and as one of those
    /// refused may have come through before the connection broke, they are given up by name.
    pub(super) fn refused(&mut self, reference: u32, too_many: bool) {
        let refused = Standing::Asked(reference);
        if too_many {
            let mut of_request: Vec<_> = self.standing.values_mut().filter(|standing| **standing == refused).collect();
            of_request.iter_mut().for_each(|standing| **standing = Standing::Unsure);
            if !of_request.is_empty() {
                self.places = self.taken();
            }
        } else {
            let of_request = self.standing.iter().filter(|(_, standing)| **standing == refused);
            self.malformed.extend(of_request.map(|(topic, _)| topic.clone()));
            self.standing.retain(|_, standing| *standing != refused);
        }
    }

    /// An `unsubOk`.
    pub(super) fn left(&mut self, reference: u32) {
        self.standing.retain(|_, standing| *standing != Standing::Leaving(reference));
    }

    /// Whether the server has yet to answer whether it takes some.
    pub(super) fn are_asked(&self) -> bool {
        self.standing.values().any(|standing| matches!(standing, Standing::Asked(_)))
    }

    /// How many of the wanted ones the server has no place for.
    pub(super) fn left_out(&self, wanted: &BTreeSet<String>) -> usize {
        wanted.len().saturating_sub(self.taken())
    }

    fn taken(&self) -> usize {
        self.standing.values().filter(|standing| standing.takes_a_place()).count()
    }

    fn request(&mut self, topics: &[String], standing: impl Fn(u32) -> Standing) -> u32 {
        self.last_request = self.last_request.wrapping_add(1);
        let standing = standing(self.last_request);
        self.standing.extend(topics.iter().map(|topic| (topic.clone(), standing)));
        self.last_request
    }
}
