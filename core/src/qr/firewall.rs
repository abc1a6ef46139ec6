//! What may be asked about, and what never leaves the device.

use crate::model::QrKind;

/// What is voted on and looked up unless the app says otherwise: web links, which lead many people to the same place.
pub const DEFAULT_VOTABLE: [QrKind; 1] = [QrKind::WebLink];

/// What is never voted on nor looked up, whatever the configuration says.
///
/// These codes hold somebody's secrets, address book or diary. Their hash would not hide them (there are few passwords
/// and fewer telephone numbers), and nobody else scans the same code, so a rating would help no one.
pub const NEVER_VOTABLE: [QrKind; 8] = [
    QrKind::Wifi,
    QrKind::Contact,
    QrKind::Otp,
    QrKind::Email,
    QrKind::Sms,
    QrKind::Calendar,
    QrKind::Location,
    QrKind::Text,
];

/// Whether a code of this kind may be voted on and looked up, if these kinds were chosen. A private kind is not, even
/// if the list holds it: the list may come from a file, and a file may be old or damaged.
#[must_use]
pub fn is_votable(kind: QrKind, votable: &[QrKind]) -> bool {
    may_be_chosen(kind) && votable.contains(&kind)
}

/// Whether these kinds can be chosen. None at all is a choice too: then nothing leaves the device.
///
/// Besides web links an app may opt in [`Phone`](QrKind::Phone), [`Payment`](QrKind::Payment),
/// [`Product`](QrKind::Product) and [`AppLink`](QrKind::AppLink). Think twice: telephone numbers are few enough to be
/// guessed back from their hash, a payment may name its payer, and links into apps may carry invitations or keys.
///
/// # Errors
///
/// The first of them that can never be ([`NEVER_VOTABLE`]).
pub fn validate_votable(votable: &[QrKind]) -> Result<(), QrKind> {
    votable.iter().find(|kind| !may_be_chosen(**kind)).map_or(Ok(()), |kind| Err(*kind))
}

/// Spelled out kind by kind, so that a kind added later does not compile until somebody has decided.
const fn may_be_chosen(kind: QrKind) -> bool {
    match kind {
        QrKind::WebLink | QrKind::AppLink | QrKind::Phone | QrKind::Payment | QrKind::Product => true,
        QrKind::Wifi
        | QrKind::Contact
        | QrKind::Otp
        | QrKind::Email
        | QrKind::Sms
        | QrKind::Calendar
        | QrKind::Location
        | QrKind::Text => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BY_CHOICE: [QrKind; 5] = [QrKind::WebLink, QrKind::AppLink, QrKind::Phone, QrKind::Payment, QrKind::Product];

    fn any_kind() -> impl Strategy<Value = QrKind> {
        proptest::sample::select([BY_CHOICE.as_slice(), NEVER_VOTABLE.as_slice()].concat())
    }

    #[test]
    fn by_default_only_web_links_pass() {
        let all = BY_CHOICE.into_iter().chain(NEVER_VOTABLE);
        let passing: Vec<_> = all.filter(|kind| is_votable(*kind, &DEFAULT_VOTABLE)).collect();
        assert_eq!(passing, [QrKind::WebLink]);
    }

    #[test]
    fn the_list_of_what_is_never_let_out_is_the_rule() {
        for kind in NEVER_VOTABLE {
            assert!(!may_be_chosen(kind) && !is_votable(kind, &[kind]), "{kind:?}");
            assert_eq!(validate_votable(&[QrKind::WebLink, kind]), Err(kind));
        }
        for kind in BY_CHOICE {
            assert!(may_be_chosen(kind) && is_votable(kind, &[kind]) && !is_votable(kind, &[]), "{kind:?}");
        }
        assert_eq!(validate_votable(&BY_CHOICE), Ok(()));
    }

    #[test]
    fn the_first_offender_is_named() {
        assert_eq!(validate_votable(&[QrKind::Phone, QrKind::Otp, QrKind::Wifi]), Err(QrKind::Otp));
    }

    proptest! {
        #[test]
        fn nothing_private_passes_whatever_is_chosen(
            kind in any_kind(),
            chosen in proptest::collection::vec(any_kind(), 0..16),
        ) {
            let passes = is_votable(kind, &chosen);
            prop_assert!(!(passes && NEVER_VOTABLE.contains(&kind)));
            prop_assert!(!passes || chosen.contains(&kind));
            match validate_votable(&chosen) {
                Ok(()) => prop_assert_eq!(passes, chosen.contains(&kind)),
                Err(offender) => prop_assert!(NEVER_VOTABLE.contains(&offender) && chosen.contains(&offender)),
            }
        }
    }
}
