//! What can happen on the way, and how often it does in which weather.

use crate::dice::Dice;

/// How a phone's way to the server is for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing goes wrong.
    Fine,
    /// Everything takes seconds, some things too many.
    Slow,
    /// Things get lost, doubled and cut.
    Lossy,
    /// There is no network.
    Offline,
    /// A portal answers in the server's place.
    Portal,
    /// The server, or something before it, answers with every status there is.
    Hostile,
    /// Requests pass, sockets do not.
    NoSockets,
    /// Requests pass, sockets do not live long.
    Flapping,
    /// Sockets fall silent without a word, and lose frames.
    HalfOpen,
}

pub(crate) const BAD: [Weather; 8] = [
    Weather::Slow,
    Weather::Lossy,
    Weather::Offline,
    Weather::Portal,
    Weather::Hostile,
    Weather::NoSockets,
    Weather::Flapping,
    Weather::HalfOpen,
];

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, and so does the answer.
    Pass,
    /// Nobody is reached.
    Offline,
    /// The server cannot show who it is.
    Untrusted,
    /// It breaks off before it arrives.
    LostRequest,
    /// It breaks off after the server has done it.
    LostAnswer,
    /// Nothing comes back, and nothing had arrived.
    Silence,
    /// Nothing comes back, though the server has done it.
    SilenceAfter,
    /// It arrives a second time, after so many milliseconds.
    Twice(i64),
    /// The answer takes so many milliseconds more.
    Late(i64),
    /// Half of the answer comes.
    Truncated,
    /// A page to log in comes.
    Portal,
    /// The answer says that it is a text.
    WrongType,
    /// JSON comes, of another shape.
    WrongShape,
    /// More comes than anybody wants.
    TooLarge,
    /// A status comes, and nothing had arrived.
    Status(u16),
    /// Too many requests; come back after so many milliseconds.
    SlowDown(u32),
}

/// What happens to a socket that is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Pass,
    Offline,
    Refused(u16),
    Silence,
}

/// How a socket ends, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides learn of it.
    Reset,
    /// Nobody does.
    Silence,
}

/// Statuses that may pass by.
pub(crate) const TRANSIENT: [u16; 20] =
    [408, 425, 429, 500, 501, 502, 503, 504, 505, 507, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529];
/// Statuses that speak of a wrong set-up.
pub(crate) const SETUP: [u16; 7] = [301, 302, 307, 403, 404, 405, 451];
/// Statuses that speak of what was sent. From something that judges by the weather they park what is sound.
pub(crate) const SHAPE: [u16; 3] = [400, 413, 422];

impl Weather {
    /// How long one way takes.
    pub(crate) fn latency(self, dice: &mut Dice) -> i64 {
        match self {
            Self::Slow => dice.between(200, 3_000),
            Self::Lossy | Self::Hostile => dice.between(10, 400),
            _ => dice.between(5, 60),
        }
    }

    pub(crate) fn fate(self, statuses: &[u16], dice: &mut Dice) -> Fate {
        let status = if statuses.is_empty() { Fate::Pass } else { Fate::Status(dice.pick(statuses)) };
        let late = Fate::Late(dice.between(2_000, 29_000));
        let twice = Fate::Twice(dice.between(0, 20_000));
        let slow_down = Fate::SlowDown(u32::try_from(dice.between(1_000, 15_000)).unwrap_or(1_000));
        match self {
            Self::Fine | Self::NoSockets | Self::Flapping | Self::HalfOpen => Fate::Pass,
            Self::Slow => dice.weighted(&[(70, Fate::Pass), (20, late), (5, Fate::Silence), (5, Fate::SilenceAfter)]),
            Self::Lossy => dice.weighted(&[
                (40, Fate::Pass),
                (10, Fate::LostRequest),
                (15, Fate::LostAnswer),
                (15, twice),
                (8, Fate::Truncated),
                (4, late),
                (4, Fate::SilenceAfter),
                (4, Fate::Silence),
            ]),
            Self::Offline => Fate::Offline,
            Self::Portal => dice.weighted(&[(7, Fate::Portal), (2, Fate::Status(302)), (1, Fate::Untrusted)]),
            Self::Hostile => dice.weighted(&[
                (20, Fate::Pass),
                (50, status),
                (6, slow_down),
                (6, Fate::WrongShape),
                (6, Fate::WrongType),
                (3, Fate::TooLarge),
                (3, Fate::Truncated),
                (6, Fate::LostAnswer),
            ]),
        }
    }

    pub(crate) fn opening(self, dice: &mut Dice) -> Opening {
        match self {
            Self::Fine | Self::Flapping | Self::HalfOpen => Opening::Pass,
            Self::Slow => dice.weighted(&[(8, Opening::Pass), (2, Opening::Silence)]),
            Self::Lossy => dice.weighted(&[(7, Opening::Pass), (2, Opening::Silence), (1, Opening::Offline)]),
            Self::Offline => Opening::Offline,
            Self::Portal => Opening::Refused(200),
            Self::Hostile => dice.weighted(&[
                (4, Opening::Pass),
                (2, Opening::Refused(502)),
                (2, Opening::Refused(403)),
                (1, Opening::Refused(426)),
                (1, Opening::Silence),
            ]),
            Self::NoSockets => Opening::Refused(400),
        }
    }

    /// How long a socket lives that is opened now, if not for ever.
    pub(crate) fn life(self, dice: &mut Dice) -> Option<(i64, End)> {
        match self {
            Self::Flapping => Some((dice.between(0, 3_000), End::Reset)),
            Self::HalfOpen => Some((dice.between(100, 20_000), End::Silence)),
            Self::Lossy | Self::Hostile => Some((dice.between(500, 60_000), dice.pick(&[End::Reset, End::Silence]))),
            _ => None,
        }
    }

    /// How many of a thousand frames get lost.
    pub(crate) fn lost_frames(self) -> u64 {
        match self {
            Self::HalfOpen => 150,
            Self::Lossy | Self::Hostile => 50,
            _ => 0,
        }
    }
}
