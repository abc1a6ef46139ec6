use super::{Device, Ledger};
use crate::error::Result;

/// Operations remembered of one device at most. A device has 200 on the way; more than this are only remembered when it
/// keeps an old one parked while it goes on working, and then the register alone judges what lies below.
pub(super) const MOST_REMEMBERED: i64 = 10_000;

/// The floor after a request: it never goes back, and where nothing waits it lies above everything seen.
#[must_use]
pub fn floor_after(device: &Device, oldest_pending: Option<i64>) -> i64 {
    device.floor.max(oldest_pending.unwrap_or_else(|| device.highest.saturating_add(1)))
}

/// Raises the floor and forgets what lies below.
pub(super) fn raise(ledger: &mut impl Ledger, device: &mut Device, floor: i64) -> Result<()> {
    if floor > device.floor {
        device.floor = floor;
        device.remembered -= ledger.forget_below(device.id, floor)?;
    }
    Ok(())
}

/// Keeps the memory within bounds, however little the device settles: half of it goes at once, so that this is rare.
pub(super) fn bound(ledger: &mut impl Ledger, device: &mut Device) -> Result<()> {
    if device.remembered > MOST_REMEMBERED
        && let Some(floor) = ledger.place_from_top(device.id, MOST_REMEMBERED / 2)?
    {
        raise(ledger, device, floor)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_never_goes_back() {
        let device = Device { id: 1, floor: 10, highest: 20, remembered: 0 };
        for (oldest, floor) in [(Some(5), 10), (Some(15), 15), (None, 21)] {
            assert_eq!(floor_after(&device, oldest), floor);
        }
        let new = Device { floor: i64::MIN, highest: i64::MIN, ..device };
        assert!(floor_after(&new, None) < 0, "nothing was seen");
    }
}
