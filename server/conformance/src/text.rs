//! Names that nobody used before.

use safescan_core::model::{OperationId, QrHash, VoterId};

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("a system has random numbers");
    bytes
}

pub(crate) fn operation_id() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    OperationId(bytes).to_string()
}

pub(crate) fn hash() -> QrHash {
    QrHash(random())
}

/// A hash that shares the first four digits with another.
pub(crate) fn neighbour(of: &QrHash) -> QrHash {
    let mut bytes: [u8; 32] = random();
    bytes[..2].copy_from_slice(&of.0[..2]);
    QrHash(bytes)
}

/// The first four digits.
pub(crate) fn topic(of: &QrHash) -> String {
    of.to_string()[..safescan_core::protocol::PREFIX_DIGITS].to_owned()
}

pub(crate) fn voter() -> VoterId {
    VoterId(random())
}

pub(crate) fn scan_id() -> String {
    format!("{:016x}", u64::from_be_bytes(random()) >> 1)
}

pub(crate) fn device() -> String {
    format!("kit-{:032x}", u128::from_be_bytes(random()))
}

pub(crate) fn number(below: u64) -> u64 {
    u64::from_be_bytes(random()) % below.max(1)
}
