//! What to do next: a function of the situation, without a clock or a memory.

/// How things stand. Instants are readings of the monotonic clock, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) now: i64,
    /// Whether somebody waits for a run.
    pub(crate) asked: bool,
    /// Whether the app is in front.
    pub(crate) awake: bool,
    /// Whether the user wants synchronisation without being asked.
    pub(crate) automatic: bool,
    /// Whether the system says that there is no network.
    pub(crate) offline: bool,
    /// Whether the server refused the token, and no other was given since.
    pub(crate) unauthorised: bool,
    /// Whether there is something to fetch.
    pub(crate) to_fetch: bool,
    /// When the next change is due; `None` if none waits.
    pub(crate) due_at: Option<i64>,
    /// When failures allow another try.
    pub(crate) patience_until: i64,
    /// When the server wants to be asked again.
    pub(crate) server_until: i64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin a run.
    Run,
    /// Look again in so many milliseconds, or earlier if something happens.
    Wait(i64),
    /// Nothing, until something happens.
    Rest,
}

/// How long somebody who asks is let wait because the server wants it; longer, and they are told instead.
pub(crate) const ASKERS_PATIENCE_MS: i64 = 10_000;

/// Decides.
pub(crate) fn plan(situation: &Situation) -> Step {
    let Situation { now, .. } = *situation;
    if situation.asked {
        // Whoever asks knows better than our own estimates, but not better than the server.
        return at(now, situation.server_until);
    }
    if !situation.awake || !situation.automatic || situation.offline || situation.unauthorised {
        return Step::Rest;
    }
    let wanted = if situation.to_fetch { Some(now) } else { situation.due_at };
    wanted.map_or(Step::Rest, |wanted| at(now, wanted.max(situation.patience_until).max(situation.server_until)))
}

fn at(now: i64, instant: i64) -> Step {
    if instant <= now { Step::Run } else { Step::Wait(instant - now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Situation = Situation {
        now: 1_000,
        asked: false,
        awake: true,
        automatic: true,
        offline: false,
        unauthorised: false,
        to_fetch: false,
        due_at: None,
        patience_until: 0,
        server_until: 0,
    };

    #[test]
    fn an_idle_phone_sets_no_timer() {
        assert_eq!(plan(&IDLE), Step::Rest);
        let later = Situation { patience_until: 5_000, server_until: 9_000, ..IDLE };
        assert_eq!(plan(&later), Step::Rest, "nothing waits for these");
    }

    #[test]
    fn work_is_done_as_soon_as_it_may_be() {
        assert_eq!(plan(&Situation { to_fetch: true, ..IDLE }), Step::Run);
        assert_eq!(plan(&Situation { due_at: Some(900), ..IDLE }), Step::Run);
        assert_eq!(plan(&Situation { due_at: Some(1_500), ..IDLE }), Step::Wait(500));
        assert_eq!(plan(&Situation { due_at: Some(900), patience_until: 3_000, ..IDLE }), Step::Wait(2_000));
        assert_eq!(plan(&Situation { to_fetch: true, server_until: 4_000, ..IDLE }), Step::Wait(3_000));
    }

    #[test]
    fn nothing_is_tried_where_it_cannot_work() {
        let work = Situation { to_fetch: true, due_at: Some(0), ..IDLE };
        for stopped in [
            Situation { awake: false, ..work },
            Situation { automatic: false, ..work },
            Situation { offline: true, ..work },
            Situation { unauthorised: true, ..work },
        ] {
            assert_eq!(plan(&stopped), Step::Rest);
            assert_eq!(plan(&Situation { asked: true, ..stopped }), Step::Run, "but whoever asks gets an answer");
        }
    }

    #[test]
    fn whoever_asks_waits_for_the_server_only() {
        let asked = Situation { asked: true, patience_until: 60_000, ..IDLE };
        assert_eq!(plan(&asked), Step::Run);
        assert_eq!(plan(&Situation { server_until: 2_500, ..asked }), Step::Wait(1_500));
    }
}
