//! The end of the second act: everybody is asked about everything.

use serde_json::json;

use super::play::Play;
use crate::{Failure, verdict};

/// Prints what each phone and the server say of each code; whether all is as it must be.
pub(super) fn compare(play: &mut Play) -> Result<bool, Failure> {
    play.stage.voice.scene("Everybody is asked");
    let mut good = true;
    let mut check = |holds: bool, what: &str| {
        if !holds {
            println!("✗ {what}");
            good = false;
        }
    };
    for phone in play.everybody() {
        play.stage.ask(phone, json!({ "do": "sync" }))?;
        let (waiting, name) = (play.waiting(phone)?, play.name(phone));
        check(waiting == 0, &format!("{name}: {waiting} changes were not sent"));
        let (refused, for_token) = play.stage.phones[phone].seen.parked();
        check(refused == 0, &format!("{name}: {refused} changes were refused"));
        if for_token > 0 {
            println!("! {name}: {for_token} times a change was parked for another token, though the token was right");
        }
    }
    play.show_health()?;

    print!("\n{:<29}{:<8}{:<8}", "code (safe:unsafe)", "model", "server");
    play.stage.phones.iter().for_each(|phone| print!("{:<13}", phone.name));
    println!("confidence now, and its 95 % interval");
    for text in play.codes.clone() {
        let row = verdict::ask(&mut play.stage, &play.server, &play.model, &text)?;
        let count = |(safe, unsafe_)| format!("{safe}:{unsafe_}");
        print!("{text:<29}{:<8}{:<8}", count(row.model), count(row.server));
        for phone in &row.phones {
            let bits = if phone.same_bits { "= bits" } else { "≠ BITS" };
            print!("{:<13}", format!("{} {bits}", count(phone.counts)));
        }
        println!("{:.12}  [{:.4}, {:.4}]", row.score.confidence, row.score.lower, row.score.upper);
        check(row.holds(), &format!("{text}: not everybody sees what was voted"));
    }
    let wrong = verdict::wrong_in_accounts(&play.stage, &play.server, &play.model)?;
    check(wrong.nothing(), &format!("in the accounts: {wrong:?}"));
    let judged = play.server.judged()?;
    println!(
        "\n{} votes acknowledged, {} without an answer told again; the server applied {} and knew {} that came twice",
        play.model.acknowledged, play.model.unanswered, judged.applied, judged.duplicate
    );
    for phone in play.everybody() {
        play.stage.ask(phone, json!({ "do": "shutdown" }))?;
    }
    play.stage.until("the phones to end", crate::stage::PATIENCE, |stage| {
        stage.phones.iter().all(|phone| !phone.is_running())
    })?;
    if good {
        let (phones, seconds) = (play.stage.phones.len(), play.stage.voice.seconds());
        println!("✓ {phones} phones, the server and the model agree, to the last bit; it took {seconds:.0} s");
    }
    Ok(good)
}
