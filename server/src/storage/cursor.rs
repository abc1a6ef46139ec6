/// Which database a cursor belongs to: drawn when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub u64);

/// How far changes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Revisions up to and with it are known.
    pub position: i64,
    /// The last revision when the first page was fetched: of topics, only later ratings are sent. The first ones come by
    /// look-up, and a new device does not get a topic's whole past twice.
    pub base: i64,
}

impl Cursor {
    /// How it travels. Clients make nothing of it.
    #[must_use]
    pub fn write(&self, epoch: Epoch) -> String {
        format!("1-{:016x}-{:x}-{:x}", epoch.0, self.position, self.base)
    }

    /// Reads a cursor of this database; `None` for any other, and for one from a future that this database, restored from
    /// a backup, does not have.
    #[must_use]
    pub fn read(text: &str, epoch: Epoch, latest: i64) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, own, position, base) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let number = |text| i64::from_str_radix(text, 16).ok().filter(|number| (0..=latest).contains(number));
        let matches = version == "1" && parts.next().is_none() && own == format!("{:016x}", epoch.0);
        matches.then_some(Self { position: number(position)?, base: number(base)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_s_own_cursors_are_read() {
        let (epoch, cursor) = (Epoch(7), Cursor { position: 300, base: 20 });
        let text = cursor.write(epoch);
        assert_eq!(Cursor::read(&text, epoch, 300), Some(cursor));
        assert_eq!(Cursor::read(&text, epoch, 299), None, "from the future");
        assert_eq!(Cursor::read(&text, Epoch(8), 300), None);
        for bad in [
            "",
            "1",
            "1-0-0",
            "x",
            "1-0000000000000007--1-0",
            "1-0000000000000007-12c-14-",
            "2-0000000000000007-12c-14",
        ] {
            assert_eq!(Cursor::read(bad, epoch, 1_000), None, "{bad}");
        }
    }
}
