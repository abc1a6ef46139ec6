//! After the storm: what stands, and what happened.

use safescan_core::qr;
use serde_json::json;

use super::{
    Options,
    plan::{CODES, code},
    run::Run,
};
use crate::{Failure, verdict};

/// Prints it; whether all is as it must be.
pub(super) fn print(mut run: Run, options: &Options) -> Result<bool, Failure> {
    let mut good = true;
    let mut check = |holds: bool, what: String| {
        if !holds {
            println!("✗ {what}");
            good = false;
        }
    };
    let (mut votes, mut ratings) = (0, 0);
    for text in (0..CODES).map(code) {
        let row = verdict::ask(&mut run.stage, &run.server, &run.model, &text)?;
        votes += row.server.0 + row.server.1;
        check(row.server == row.model, format!("{text}: the model says {:?}, the server {:?}", row.model, row.server));
        for (shown, phone) in row.phones.iter().zip(&run.stage.phones) {
            ratings += 1;
            let (name, counts, source) = (&phone.name, shown.counts, &shown.source);
            let is = format!("{text}: {name} shows {counts:?} ({source}), same bits: {}", shown.same_bits);
            check(shown.holds(row.model), is);
        }
    }
    let host = qr::canonical_host(&code(0)).map(|host| qr::hash_host(&host)).ok_or("the code has no host")?;
    let on_host = run.server.rating(&host)?.map_or(0, |rating| u64::from(rating.safe.count + rating.unsafe_.count));
    check(
        on_host == run.model.voters(),
        format!("{} persons voted, and {on_host} votes are on the host", run.model.voters()),
    );
    let wrong = verdict::wrong_in_accounts(&run.stage, &run.server, &run.model)?;
    check(wrong.nothing(), format!("in the accounts: {wrong:?}"));
    let (mut failed_runs, mut refused, mut for_token) = (0, 0, 0);
    for phone in &run.stage.phones {
        failed_runs += phone.seen.failed_runs;
        let parked = phone.seen.parked();
        (refused, for_token) = (refused + parked.0, for_token + parked.1);
    }
    check(refused == 0, format!("{refused} changes were refused by the server"));

    let (counts, model, judged) = (&run.counts, &run.model, run.server.judged()?);
    let names = run.stage.phones.iter().map(|phone| &phone.name).zip(&counts.phone_kills);
    let kills: Vec<_> = names.map(|(name, kills)| format!("{name} {kills}")).collect();
    let [storm, calm] = counts.seconds;
    println!("\nseed {}", options.seed);
    println!(
        "  operations   {} acknowledged in {storm:.0} s, {} refused by the core",
        model.acknowledged, counts.refused
    );
    println!(
        "  kills        phones {} ({}), server {}",
        counts.phone_kills.iter().sum::<u32>(),
        kills.join(", "),
        counts.server_kills
    );
    println!("  networks     lost {} times", counts.network_losses);
    println!("  faults       {} mixtures; the phones noticed {failed_runs} failed runs", counts.fault_changes);
    println!("  retries      {} commands without an answer told again", model.unanswered);
    println!("  parked       {for_token} times for another token, though the token was right (0 is what it should be)");
    println!(
        "  server       applied {}, knew {} that came again, superseded {}, deferred {}, rejected {} (but for its last moments before kills)",
        judged.applied, judged.duplicate, judged.superseded, judged.deferred, judged.rejected
    );
    println!("  calm         everything was sent within {calm:.1} s, by itself");
    println!(
        "  verdict      {} votes and scans looked at one by one: {} lost, {} twice, {} different; {votes} votes stand on {CODES} codes, {ratings} ratings on phones",
        wrong.right + wrong.lost + wrong.doubled + wrong.different,
        wrong.lost,
        wrong.doubled,
        wrong.different
    );
    for phone in 0..run.stage.phones.len() {
        run.stage.ask(phone, json!({ "do": "shutdown" }))?;
    }
    let patience = crate::stage::PATIENCE;
    run.stage.until("the phones to end", patience, |stage| stage.phones.iter().all(|phone| !phone.is_running()))?;
    println!("{}", if good { "✓ nothing lost, nothing twice" } else { "✗ see above" });
    Ok(good)
}
