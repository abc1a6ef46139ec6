//! What the libraries' errors mean. Their texts go no further than here: they can hold addresses and parts of answers.

use std::{error::Error, io};

use tokio_tungstenite::tungstenite;

use super::Failure;

/// What a failed request means, before or after its answer began.
pub(super) fn of_request(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        // A connection that does not come about in time has carried nothing: as good as none.
        return if holds::<rustls::Error>(error) { Failure::Untrusted } else { Failure::Offline };
    }
    match find::<hyper::Error>(error) {
        Some(error) if error.is_parse_too_large() => Failure::TooLarge,
        Some(error) if error.is_parse() => Failure::Refused(None),
        _ if error.is_builder() => Failure::Refused(None),
        _ => Failure::Interrupted,
    }
}

/// What an error on an open socket means; nothing if it is only that the socket was closed.
pub(super) fn of_socket(error: &tungstenite::Error) -> Option<Failure> {
    use tungstenite::{Error, error::ProtocolError};
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => None,
        Error::Capacity(_) | Error::WriteBufferFull(_) => Some(Failure::TooLarge),
        Error::Io(_)
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            Some(Failure::Interrupted)
        }
        _ => Some(Failure::Refused(None)),
    }
}

fn holds<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    find::<E>(error).is_some()
}

/// The first error of this type among the causes. What an [`io::Error`] wraps is a cause that it does not name.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_causes_are_found() {
        let inner = io::Error::other(rustls::Error::DecryptError);
        let outer = io::Error::new(io::ErrorKind::InvalidData, inner);
        assert!(holds::<rustls::Error>(&outer));
        assert!(!holds::<hyper::Error>(&outer));
        assert!(!holds::<rustls::Error>(&io::Error::from(io::ErrorKind::ConnectionReset)));
    }
}
