//! An answer's body as it comes in, counted after decompression: a kibibyte on the line can be a gibibyte in memory.

use std::io::{self, Write};

use flate2::write::GzDecoder;

use super::Failure;

/// A body being read.
pub(super) struct Body {
    /// How many bytes may still come. What is decompressed has its own count: either may be the larger.
    room: usize,
    content: Content,
}

enum Content {
    Plain(Bounded),
    Gzip(Box<GzDecoder<Bounded>>),
}

impl Body {
    /// An empty one that takes at most `limit` bytes. Nothing if the encoding is one that was not asked for.
    pub(super) fn encoded(encoding: Option<&[u8]>, limit: usize) -> Option<Self> {
        let held = Bounded { bytes: Vec::new(), limit };
        let content = match encoding {
            None => Content::Plain(held),
            Some(name) if name.eq_ignore_ascii_case(b"identity") => Content::Plain(held),
            Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
                Content::Gzip(Box::new(GzDecoder::new(held)))
            }
            Some(_) => return None,
        };
        Some(Self { room: limit, content })
    }

    /// Takes what came.
    pub(super) fn take(&mut self, part: &[u8]) -> Result<(), Failure> {
        self.room = self.room.checked_sub(part.len()).ok_or(Failure::TooLarge)?;
        let taken = match &mut self.content {
            Content::Plain(held) => held.write_all(part),
            Content::Gzip(decoder) => decoder.write_all(part),
        };
        taken.map_err(|error| failure(&error))
    }

    /// The whole, if it is whole.
    pub(super) fn finish(self) -> Result<Vec<u8>, Failure> {
        match self.content {
            Content::Plain(held) => Ok(held.bytes),
            // An answer without a body may name an encoding all the same.
            Content::Gzip(decoder) if self.room == decoder.get_ref().limit => Ok(Vec::new()),
            Content::Gzip(decoder) => decoder.finish().map(|held| held.bytes).map_err(|error| failure(&error)),
        }
    }
}

fn failure(error: &io::Error) -> Failure {
    // Nothing else here can be full.
    if error.kind() == io::ErrorKind::FileTooLarge { Failure::TooLarge } else { Failure::Interrupted }
}

/// Bytes up to a limit.
pub(super) struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if part.len() > self.limit - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const LIMIT: usize = 100_000;

    fn read(encoding: Option<&[u8]>, parts: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        let mut body = Body::encoded(encoding, LIMIT).expect("a known encoding");
        parts.iter().try_for_each(|part| body.take(part))?;
        body.finish()
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn up_to_the_limit_and_no_further() {
        let full = vec![7; LIMIT];
        let over = vec![7; LIMIT + 1];
        assert_eq!(read(None, &[&full]), Ok(full.clone()));
        assert_eq!(read(None, &[&full, &[1]]), Err(Failure::TooLarge));
        assert_eq!(read(Some(b"gzip"), &[&zipped(&full)]), Ok(full));
        assert_eq!(read(Some(b"gzip"), &[&zipped(&over)]), Err(Failure::TooLarge));
    }

    #[test]
    fn much_that_holds_nothing_is_too_much_as_well() {
        let zipped = zipped(b"");
        // The header and then stored blocks of no bytes, none of them the last.
        let mut idle = zipped[..10].to_vec();
        idle.extend([0, 0, 0, 0xff, 0xff].repeat(LIMIT / 5));
        assert_eq!(read(Some(b"gzip"), &[&idle]), Err(Failure::TooLarge));
    }

    #[test]
    fn in_any_parts() {
        let text = b"a page of changes".repeat(100);
        let zipped = zipped(&text);
        let parts: Vec<&[u8]> = zipped.chunks(1).collect();
        assert_eq!(read(Some(b"GZIP"), &parts), Ok(text));
    }

    #[test]
    fn broken_off_or_spoilt() {
        let zipped = zipped(b"a page of changes");
        assert_eq!(read(Some(b"gzip"), &[&zipped[..zipped.len() - 1]]), Err(Failure::Interrupted));
        assert_eq!(read(Some(b"gzip"), &[b"{}"]), Err(Failure::Interrupted));
        let mut spoilt = zipped.clone();
        spoilt[zipped.len() - 6] ^= 1;
        assert_eq!(read(Some(b"gzip"), &[&spoilt]), Err(Failure::Interrupted), "the sum is checked");
        assert_eq!(read(Some(b"gzip"), &[]), Ok(vec![]));
        assert!(Body::encoded(Some(b"br"), LIMIT).is_none());
    }
}
