//! What scenes are made of.

use std::time::Duration;

use safescan_core::model::VoteChoice;
use serde_json::json;

use crate::{
    Failure,
    model::{Act, Deed, Learned, Model},
    stage::{PATIENCE, Server, Stage},
};

/// How long news may take to be everywhere: a phone waits half a minute at the most between two tries.
const NEWS: Duration = Duration::from_secs(45);

/// The second act, as far as it has come.
pub(super) struct Play {
    pub(super) stage: Stage,
    pub(super) server: Server,
    pub(super) model: Model,
    pub(super) codes: Vec<String>,
    /// The number of the phone that loses its network and is killed; the others' parts go round from there.
    first: usize,
}

impl Play {
    pub(super) fn new(stage: Stage, server: Server, first: usize) -> Self {
        let codes = (1..=5).map(|number| format!("https://demo.example/code/{number}")).collect();
        Self { stage, server, model: Model::default(), codes, first }
    }

    /// Who plays a part.
    pub(super) fn who(&self, part: usize) -> usize {
        (self.first + part) % self.stage.phones.len()
    }

    pub(super) fn everybody(&self) -> std::ops::Range<usize> {
        0..self.stage.phones.len()
    }

    /// Has a phone watch all codes.
    pub(super) fn watch(&mut self, phone: usize) -> Result<(), Failure> {
        self.stage.ask(phone, json!({ "do": "watch", "texts": self.codes })).map(drop)
    }

    /// What a person on a phone thinks of the codes: any pattern will do that differs from person to person.
    pub(super) fn opinions(&self, phone: usize, user: &'static str) -> Vec<Deed> {
        let deed = |(number, text): (usize, &String)| {
            let side = (number + phone * 2 + user.len()).is_multiple_of(3);
            let choice = if side { VoteChoice::Unsafe } else { VoteChoice::Safe };
            Deed { phone, text: text.clone(), act: Act::Vote(user, choice) }
        };
        self.codes.iter().enumerate().map(deed).collect()
    }

    /// Tells phones to do things, without waiting for answers.
    pub(super) fn begin(&mut self, deeds: Vec<Deed>) -> Result<Vec<(u64, Deed)>, Failure> {
        deeds.into_iter().map(|deed| Ok((self.stage.tell(deed.phone, deed.command())?, deed))).collect()
    }

    /// Waits for the answers. What a kill left without one is given back, to be told again.
    pub(super) fn finish(&mut self, begun: Vec<(u64, Deed)>) -> Result<Vec<Deed>, Failure> {
        let mut again = Vec::new();
        for (id, deed) in begun {
            let answer = loop {
                match self.stage.take(id) {
                    Some(answer) => break answer,
                    None => self.stage.hear(PATIENCE)?,
                }
            };
            match self.model.learn(&deed, &answer) {
                Learned::Done => {}
                Learned::Again => again.push(deed),
                Learned::Refused => return Err(format!("{:?} was answered by {answer:?}", deed.act).into()),
            }
        }
        Ok(again)
    }

    pub(super) fn vote(&mut self, deeds: Vec<Deed>) -> Result<(), Failure> {
        let begun = self.begin(deeds)?;
        match self.finish(begun)?.is_empty() {
            true => Ok(()),
            false => Err("a phone was killed that should not have been".into()),
        }
    }

    /// Waits until every phone has been told, by events, of what the model says.
    pub(super) fn everybody_sees(&mut self) -> Result<(), Failure> {
        let must: Vec<_> = self.codes.iter().map(|text| (text.clone(), self.model.count(text))).collect();
        self.stage.until("all phones to see all votes", NEWS, |stage| {
            stage
                .phones
                .iter()
                .all(|phone| must.iter().all(|(text, count)| phone.seen.ratings.get(text) == Some(count)))
        })?;
        self.stage.voice.note("everybody", "sees every vote");
        Ok(())
    }

    /// Waits until a part of a phone's is in a state, for a cause.
    pub(super) fn until_state(&mut self, phone: usize, part: &str, state: (&str, &str)) -> Result<(), Failure> {
        let what = format!("{} of the {} phone to be {state:?}", part, self.stage.phones[phone].name);
        self.stage.until(&what, NEWS, |stage| stage.phones[phone].state_of(part) == Some(state))
    }

    /// Waits until everybody can send and is told of news.
    pub(super) fn everybody_is_well(&mut self) -> Result<(), Failure> {
        for phone in self.everybody() {
            self.until_state(phone, "CloudSync", ("Healthy", "None"))?;
            self.until_state(phone, "Realtime", ("Healthy", "None"))?;
        }
        Ok(())
    }

    /// Shows how all parts of all phones are, as they say when they are asked.
    pub(super) fn show_health(&mut self) -> Result<(), Failure> {
        for phone in self.everybody().filter(|phone| self.stage.phones[*phone].is_ready()).collect::<Vec<_>>() {
            let health = self.stage.ask(phone, json!({ "do": "health" }))?;
            let waiting = self.waiting(phone)?;
            let part = |name: &str| {
                let text = |at: usize| health["services"][name][at].as_str().unwrap_or("?").to_owned();
                if text(1) == "None" { text(0) } else { format!("{} ({})", text(0), text(1)) }
            };
            let line = format!(
                "asked    CloudSync {}, Realtime {}, CommunityRatings {}, LocalStorage {}; {waiting} waiting",
                part("CloudSync"),
                part("Realtime"),
                part("CommunityRatings"),
                part("LocalStorage"),
            );
            let name = self.stage.phones[phone].name.clone();
            self.stage.voice.note(&name, &line);
        }
        Ok(())
    }

    /// How many changes wait to be sent.
    pub(super) fn waiting(&mut self, phone: usize) -> Result<u64, Failure> {
        let pending = self.stage.ask(phone, json!({ "do": "pending" }))?;
        pending["waiting"].as_u64().ok_or_else(|| "the phone does not tell what waits".into())
    }

    pub(super) fn name(&self, phone: usize) -> String {
        self.stage.phones[phone].name.clone()
    }
}
