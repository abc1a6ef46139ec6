//! The record format: a header of serial types, then the values they describe, back to back.
//!
//! A record says its own length twice, once in its cell and once as the sum of its header. The two agreeing is what
//! tells a row from noise here, long before any checksum of the row is looked at.

use super::Value;

/// More columns than any table of ours has by far; it bounds what a garbage header can cost.
const MAX_COLUMNS: usize = 128;

/// Reads one variable-length integer: its value and how many bytes (1 to 9) it took.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(9).enumerate() {
        // The ninth byte gives all eight of its bits: 8 × 7 + 8 = 64.
        if index == 8 {
            return Some(((value << 8) | u64::from(byte), 9));
        }
        value = (value << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Whether this begins with a header whose values make up a record of exactly `len` bytes.
///
/// Only the beginning of the record is needed, so this judges a row before its overflow pages are read. Noise is turned
/// away at the first value that is too long, which is what makes trying every offset of a page affordable.
pub(super) fn promises(record: &[u8], len: u64) -> bool {
    left_over(record, len) == Some(0)
}

/// The values of a whole record; `None` unless the values fill it exactly.
pub(super) fn decode(record: &[u8]) -> Option<Vec<Value>> {
    let (mut serials, body) = split(record)?;
    let mut rest = record.get(body..)?;
    let mut values = Vec::new();
    while !serials.is_empty() {
        let serial = next(&mut serials)?;
        let (bytes, after) = rest.split_at_checked(usize::try_from(width(serial)?).ok()?)?;
        rest = after;
        values.push(match serial {
            0 => Value::Null,
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(bytes)),
            _ if serial % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(bytes.to_vec()),
        });
    }
    rest.is_empty().then_some(values)
}

fn left_over(record: &[u8], len: u64) -> Option<u64> {
    let (mut serials, body) = split(record)?;
    let mut left = len.checked_sub(u64::try_from(body).ok()?)?;
    let mut columns = 0;
    while !serials.is_empty() {
        columns += 1;
        if columns > MAX_COLUMNS {
            return None;
        }
        left = left.checked_sub(width(next(&mut serials)?)?)?;
    }
    Some(left)
}

/// The serial types, and where the values begin. A record without columns is refused: no table has such rows.
fn split(record: &[u8]) -> Option<(&[u8], usize)> {
    let (header, used) = varint(record)?;
    let header = usize::try_from(header).ok()?;
    let serials = record.get(used..header)?;
    (!serials.is_empty()).then_some((serials, header))
}

fn next(serials: &mut &[u8]) -> Option<u64> {
    let (serial, used) = varint(serials)?;
    *serials = serials.get(used..)?;
    Some(serial)
}

fn width(serial: u64) -> Option<u64> {
    Some(match serial {
        0 | 8 | 9 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        // Kept by SQLite for itself: never in a file.
        10 | 11 => return None,
        _ => (serial - 12) / 2,
    })
}

/// Big-endian two's complement of 1 to 8 bytes.
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |value, &byte| (value << 8) | i64::from(byte))
}
