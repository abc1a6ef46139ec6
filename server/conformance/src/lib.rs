//! Checks any server of the protocol: `docs/protocol.md`, paragraph by paragraph, over HTTP and the socket.
//!
//! Nothing is assumed of the server but its address, and a token if it wants one. Each run makes up its own devices,
//! voters and codes, so that it can be repeated against a server that is in use, and disturbs nobody there.
//!
//! [`run`] runs [`cases`] and tells each [`Verdict`] as it falls. A case is a function over a [`Kit`]: it makes phones,
//! lets them talk, and says what it expected where something else came.

mod cases;
mod check;
mod clock;
mod kit;
mod phone;
mod socket;
mod text;

use std::{pin::Pin, time::Duration};

use futures_util::StreamExt as _;

pub use self::{
    cases::cases,
    check::Failure,
    kit::{Kit, Options, prepare_tls},
};

/// How long a case may take. The slowest waits for the server to lose its patience.
const CASE: Duration = Duration::from_secs(90);

/// Cases at a time: enough to wait for several held requests together, too few to look like an attack. Cases that share an
/// account go one by one: each would be told of what the others do.
const AT_A_TIME: usize = 6;

/// Something a server must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What, in a few words; `--filter` looks in it.
    pub name: &'static str,
    /// Where `docs/protocol.md` says so.
    pub paragraph: &'static str,
    needs: Needs,
    check: for<'a> fn(&'a Kit) -> Checking<'a>,
}

/// A case under way.
type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// What a case cannot do without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Any server will do.
    Nothing,
    /// Two devices of one account: a token.
    OneAccount,
    /// Two accounts: no tokens at all, or two of them.
    TwoAccounts,
}

/// How a case ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The server did what it must.
    Passed,
    /// It did something else.
    Failed(Failure),
    /// It could not be checked, for this reason.
    Skipped(&'static str),
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The server did what it must.
    pub passed: usize,
    /// It did something else.
    pub failed: usize,
    /// Could not be checked.
    pub skipped: usize,
}

/// Runs the cases whose name holds `filter`, and tells each verdict, in the order of [`cases`].
///
/// # Errors
/// In a line: why the server cannot be talked to at all.
pub async fn run(options: &Options, filter: &str, mut tell: impl FnMut(&Case, &Verdict)) -> Result<Summary, String> {
    let kit = Kit::connect(options).await?;
    let mut summary = Summary::default();
    let kit = &kit;
    let wanted = cases().into_iter().filter(|case| case.name.contains(filter));
    let at_a_time = if kit.shares_accounts() { 1 } else { AT_A_TIME };
    let mut running = futures_util::stream::iter(wanted)
        .map(|case| async move { (case, judge(kit, &case).await) })
        .buffered(at_a_time);
    while let Some((case, verdict)) = running.next().await {
        match &verdict {
            Verdict::Passed => summary.passed += 1,
            Verdict::Failed(_) => summary.failed += 1,
            Verdict::Skipped(_) => summary.skipped += 1,
        }
        tell(&case, &verdict);
    }
    Ok(summary)
}

async fn judge(kit: &Kit, case: &Case) -> Verdict {
    match case.needs {
        Needs::OneAccount if !kit.shares_accounts() => return Verdict::Skipped("needs a token: --token"),
        Needs::TwoAccounts if !kit.has_strangers() => return Verdict::Skipped("needs a second account: --other-token"),
        _ => {}
    }
    match tokio::time::timeout(CASE, (case.check)(kit)).await {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(failure)) => Verdict::Failed(failure),
        Err(_) => Verdict::Failed(Failure::new("an end within 90 s", "none")),
    }
}
