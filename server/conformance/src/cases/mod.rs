//! What is checked, in the order of `docs/protocol.md`.

mod changes;
mod endpoints;
mod envelope;
mod golden;
mod hosts;
mod limits;
mod memory;
mod ratings;
mod registers;
mod sessions;
mod socket;

use crate::Case;

/// All cases.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        envelope::CASES,
        golden::CASES,
        registers::CASES,
        memory::CASES,
        hosts::CASES,
        limits::CASES,
        changes::CASES,
        ratings::CASES,
        endpoints::CASES,
        socket::CASES,
        sessions::CASES,
    ]
    .concat()
}

/// Cases, each a function over the kit.
macro_rules! paragraphs {
    ($($name:literal, $paragraph:literal, $needs:ident, $check:ident;)*) => {
        pub(super) const CASES: &[crate::Case] = &[$(crate::Case {
            name: $name,
            paragraph: $paragraph,
            needs: crate::Needs::$needs,
            check: |kit| Box::pin($check(kit)),
        }),*];
    };
}
use paragraphs;
