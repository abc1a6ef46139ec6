//! The story.

use serde_json::json;

use super::play::Play;
use crate::Failure;

pub(super) fn all(play: &mut Play) -> Result<(), Failure> {
    together(play)?;
    without_network(play)?;
    errors(play)?;
    server_killed(play)
}

/// Everybody comes, watches, and votes.
fn together(play: &mut Play) -> Result<(), Failure> {
    play.stage.voice.scene("Everybody watches the same five codes, and votes");
    let everybody = play.everybody();
    for phone in everybody.clone() {
        play.stage.launch(phone)?;
    }
    play.stage.until("all phones to be ready", crate::stage::PATIENCE, |stage| {
        stage.phones.iter().all(crate::stage::Driven::is_ready)
    })?;
    for phone in everybody.clone() {
        play.watch(phone)?;
    }
    play.everybody_is_well()?;
    let deeds = everybody.flat_map(|phone| play.opinions(phone, "ada")).collect();
    play.vote(deeds)?;
    play.everybody_sees()?;
    play.show_health()
}

/// A phone loses its network, goes on voting, and is killed amid it; comes back, and loses its network once more.
fn without_network(play: &mut Play) -> Result<(), Failure> {
    let phone = play.who(0);
    let name = play.name(phone);
    play.stage.voice.scene(&format!("The {name} phone loses its network, votes on, and is killed amid a vote"));
    play.stage.ask(phone, json!({ "do": "network", "state": "offline" }))?;
    let mut votes = play.opinions(phone, "bob");
    let amid = votes.split_off(2);
    play.vote(votes)?;
    play.show_health()?;
    let begun = play.begin(amid)?;
    play.stage.kill(phone)?;
    let unanswered = play.finish(begun)?;
    let line = format!("of 5 votes {} were acknowledged; they must not be lost", 5 - unanswered.len());
    play.stage.voice.note(&name, &line);
    // A new process knows nothing of the network: it tries.
    play.stage.start(phone)?;
    play.watch(phone)?;
    play.vote(unanswered)?;
    play.everybody_sees()?;

    play.stage.voice.scene(&format!("The {name} phone loses its network again, and others vote meanwhile"));
    play.stage.ask(phone, json!({ "do": "network", "state": "offline" }))?;
    let votes = play.opinions(phone, "celine").into_iter().chain(play.opinions(play.who(2), "bob")).collect();
    play.vote(votes)?;
    play.until_state(phone, "CloudSync", ("Unavailable", "Offline"))?;
    play.show_health()?;
    play.stage.voice.note(&name, "network is back");
    play.stage.ask(phone, json!({ "do": "network", "state": "online" }))?;
    play.everybody_sees()?;
    play.until_state(phone, "CloudSync", ("Healthy", "None"))
}

/// The server answers with errors for a while.
fn errors(play: &mut Play) -> Result<(), Failure> {
    let phone = play.who(1);
    let name = play.name(phone);
    play.stage.voice.scene(&format!("The server answers every request with 503 while the {name} phone votes"));
    play.server.set_faults("status-503=1")?;
    let votes = play.opinions(phone, "bob");
    play.vote(votes)?;
    play.until_state(phone, "CloudSync", ("Unavailable", "ServerFailing"))?;
    play.show_health()?;
    play.stage.voice.note("server", "answers again");
    play.server.set_faults("")?;
    play.everybody_sees()?;
    play.until_state(phone, "CloudSync", ("Healthy", "None"))
}

/// The server is killed while two phones vote, and started again.
fn server_killed(play: &mut Play) -> Result<(), Failure> {
    play.stage.voice.scene("The server is killed while two phones vote");
    let (one, other) = (play.who(2), play.who(3));
    let mut before = play.opinions(one, "celine");
    let mut after = before.split_off(2);
    let mut others = play.opinions(other, "bob");
    after.extend(others.split_off(2));
    before.extend(others);
    let begun = play.begin(before)?;
    play.server.kill()?;
    play.stage.voice.note("server", "KILLED (SIGKILL)");
    if !play.finish(begun)?.is_empty() {
        return Err("a phone died with the server".into());
    }
    play.vote(after)?;
    play.stage.until("the phones to notice", crate::stage::PATIENCE, |stage| {
        let is_well = |phone: usize, part| stage.phones[phone].state_of(part) == Some(("Healthy", "None"));
        [one, other].iter().all(|phone| !is_well(*phone, "CloudSync") && !is_well(*phone, "Realtime"))
    })?;
    play.show_health()?;
    play.server.start_again()?;
    play.stage.voice.note("server", "starts again");
    play.everybody_sees()?;
    play.everybody_is_well()
}
