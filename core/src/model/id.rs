//! Identifiers. Each travels as text and is kept as bytes; none shows itself in `Debug`.

use std::fmt;

macro_rules! opaque_debug {
    ($name:ident) => {
        /// Hides the value: an id in a log could be looked up.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

/// SHA-256 of a code's canonical form: the name under which a code is voted on. 64 lowercase hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QrHash(pub [u8; 32]);
opaque_debug!(QrHash);

impl QrHash {
    /// Reads 64 hexadecimal digits, upper or lower case; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        bytes_from_hex(text).map(Self)
    }

    /// The first eight bytes as an index key: short, and spread evenly.
    #[must_use]
    pub fn prefix(&self) -> i64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        i64::from_be_bytes(head)
    }
}

impl fmt::Display for QrHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A voter without a name: a keyed hash that only this installation could trace back. 32 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VoterId(pub [u8; 16]);
opaque_debug!(VoterId);

impl VoterId {
    /// Reads 32 hexadecimal digits; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        bytes_from_hex(text).map(Self)
    }
}

impl fmt::Display for VoterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A scan's name, and its place in time: the upper bits are the millisecond of the scan, the lower 20 tell scans of one
/// millisecond apart (and scans of one account's devices). Ordering ids orders scans. 16 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScanId(pub i64);
opaque_debug!(ScanId);

impl ScanId {
    /// How many low bits tell scans of the same millisecond apart.
    pub const SEQUENCE_BITS: u32 = 20;

    /// Reads 16 hexadecimal digits; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        bytes_from_hex(text).map(i64::from_be_bytes).filter(|id| *id >= 0).map(Self)
    }
}

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An operation's name on the wire, fixed before it is first sent: a UUID (version 7) as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub [u8; 16]);
opaque_debug!(OperationId);

impl OperationId {
    /// Reads a UUID in its usual form of five groups; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let dashes_stand = text.len() == 36 && [8, 13, 18, 23].iter().all(|&at| text.as_bytes()[at] == b'-');
        dashes_stand.then(|| bytes_from_hex(&text.replace('-', ""))).flatten().map(Self)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
            if group > 0 {
                f.write_str("-")?;
            }
            write_hex(f, &self.0[range])?;
        }
        Ok(())
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn bytes_from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_the_same_id() {
        let hash = QrHash([0xab; 32]);
        assert_eq!(QrHash::parse(&hash.to_string()), Some(hash));
        assert_eq!(QrHash::parse(&hash.to_string().to_uppercase()), Some(hash));
        let id = ScanId(0x0123_4567_89ab_cdef);
        assert_eq!((id.to_string().as_str(), ScanId::parse("0123456789abcdef")), ("0123456789abcdef", Some(id)));
        let operation = OperationId([7; 16]);
        assert_eq!(operation.to_string(), "07070707-0707-0707-0707-070707070707");
        assert_eq!(OperationId::parse(&operation.to_string()), Some(operation));
    }

    #[test]
    fn what_is_not_an_id_is_none() {
        for text in ["", "ab", "zz", &"g".repeat(64), &"a".repeat(63), "é".repeat(32).as_str()] {
            assert_eq!((QrHash::parse(text), OperationId::parse(text)), (None, None), "{text}");
        }
        assert_eq!(ScanId::parse("ffffffffffffffff"), None, "ids are positive");
        assert_eq!(OperationId::parse("0707070-70707-0707-0707-070707070707"), None);
    }

    #[test]
    fn debug_tells_nothing() {
        let shown = format!("{:?} {:?} {:?}", QrHash([0xab; 32]), VoterId([0xcd; 16]), ScanId(0x11));
        assert_eq!(shown, "QrHash(…) VoterId(…) ScanId(…)");
    }
}
