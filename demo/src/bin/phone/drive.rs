//! The driven phone: commands in, a line each; answers and events out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use safescan_core::{
    config::{Config, SyncConfig},
    engine::Core,
    log::Level,
    model::{CodeRef, Event, NetworkState, NewScan, NewVote, OperationState, Token, VoteChoice},
    qr,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{
    Failure, option, say,
    words::{bytes, health, outcome, rating, report},
};

#[derive(Deserialize)]
struct Order {
    id: u64,
    #[serde(flatten)]
    command: Command,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Command {
    Vote { text: String, choice: String, user: Option<String> },
    Retract { text: String, user: Option<String> },
    Record { text: String },
    Rating { text: String },
    Watch { texts: Vec<String> },
    Sync,
    Network { state: String },
    Health,
    Pending,
    Shutdown,
}

struct Phone {
    core: Arc<Core>,
    token: Option<String>,
    /// The texts of watched codes, by their hashes: events name hashes only.
    texts: Mutex<BTreeMap<String, String>>,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let sync = SyncConfig { share_scans: true, allow_plain_loopback: true, ..SyncConfig::new(option("--server")?) };
    let config = Config {
        votes_per_minute: Some(10_000),
        identity_key: option("--identity").ok().map(|digits| bytes(&digits)).transpose()?,
        sync: Some(sync),
        ..Config::new(option("--directory")?)
    };
    let core = Core::open(config).await?;
    let phone = Arc::new(Phone { core, token: option("--token").ok(), texts: Mutex::default() });
    phone.core.set_log_sink(
        Level::Debug,
        Some(Arc::new(|record| {
            let level = format!("{:?}", record.level);
            let line = json!({ "event": "Log", "level": level, "target": record.target, "text": record.to_string() });
            let _ = say(&line);
            Ok(())
        })),
    )?;
    phone.give_token().await?;
    say(&json!({ "event": "Ready", "waiting": phone.core.statistics().await?.pending_operations }))?;
    let events = tokio::spawn(Arc::clone(&phone).tell_events());

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let Order { id, command } = serde_json::from_str(&line)?;
        if matches!(command, Command::Shutdown) {
            phone.core.shutdown().await?;
            events.await??;
            return say(&json!({ "id": id, "ok": {} }));
        }
        let phone = Arc::clone(&phone);
        // Side by side: a long `sync` holds up nobody.
        tokio::spawn(async move {
            let answer = match phone.obey(command).await {
                Ok(ok) => json!({ "id": id, "ok": ok }),
                Err(error) => json!({ "id": id, "err": error.to_string() }),
            };
            say(&answer)
        });
    }
    // Whoever drove this phone is gone.
    Ok(phone.core.shutdown().await?)
}

impl Phone {
    async fn obey(&self, command: Command) -> Result<Value, Failure> {
        let core = &self.core;
        Ok(match command {
            Command::Vote { text, choice, user } => {
                let choice = if choice == "unsafe" { VoteChoice::Unsafe } else { VoteChoice::Safe };
                let vote = NewVote { user_id: user, ..NewVote::of(text, choice) };
                json!({ "outcome": outcome(&core.votes.submit(vote).await?) })
            }
            Command::Retract { text, user } => {
                json!({ "outcome": outcome(&core.votes.retract(CodeRef::text(text), user).await?) })
            }
            Command::Record { text } => {
                core.scans.record(NewScan::of(text)).await?;
                json!({})
            }
            Command::Rating { text } => rating(&core.ratings.rating(CodeRef::text(text)).await?),
            Command::Watch { texts } => {
                core.ratings.watch(&texts.iter().map(CodeRef::text).collect::<Vec<_>>())?;
                let hashes = texts.into_iter().map(|text| (qr::hash_text(&text).to_string(), text));
                self.texts.lock().unwrap_or_else(PoisonError::into_inner).extend(hashes);
                json!({})
            }
            Command::Sync => report(&core.sync.now().await?),
            Command::Network { state } => {
                core.sync.set_network(match state.as_str() {
                    "online" => NetworkState::Online,
                    "offline" => NetworkState::Offline,
                    _ => NetworkState::Unknown,
                });
                json!({})
            }
            Command::Health => health(&core.health()),
            Command::Pending => {
                let waiting = core.statistics().await?.pending_operations;
                let page = core.operations.page(500, None).await?.operations;
                let parked = page.iter().filter(|operation| operation.state == OperationState::Parked).count();
                let attempts = page.iter().map(|operation| operation.attempts).max().unwrap_or(0);
                json!({ "waiting": waiting, "parked": parked, "attempts": attempts })
            }
            Command::Shutdown => json!({}),
        })
    }

    async fn give_token(&self) -> Result<(), Failure> {
        match self.token.clone() {
            Some(token) => Ok(self.core.sync.set_token(Token::new(token)).await?),
            None => Ok(()),
        }
    }

    async fn tell_events(self: Arc<Self>) -> Result<(), Failure> {
        loop {
            let events = self.core.next_events(100).await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                if let Some(line) = self.told(&event) {
                    say(&line)?;
                }
                if event == Event::TokenWanted {
                    self.give_token().await?;
                }
            }
        }
    }

    fn told(&self, event: &Event) -> Option<Value> {
        let (name, mut line) = match event {
            Event::RatingChanged { rating: changed } => {
                let hash = changed.qr_hash.to_string();
                let text = self.texts.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
                let mut line = rating(changed);
                line["text"] = text.into();
                ("RatingChanged", line)
            }
            Event::HealthChanged { health } => {
                let [service, state, cause] =
                    [format!("{:?}", health.service), format!("{:?}", health.state), format!("{:?}", health.cause)];
                ("HealthChanged", json!({ "service": service, "state": state, "cause": cause }))
            }
            Event::SyncFinished { report: done } => ("SyncFinished", report(done)),
            Event::OperationSuperseded { kind, .. } => ("OperationSuperseded", json!({ "kind": format!("{kind:?}") })),
            Event::OperationParked { reason, .. } => ("OperationParked", json!({ "reason": format!("{reason:?}") })),
            Event::TokenWanted => ("TokenWanted", json!({})),
            Event::Missed { count } => ("Missed", json!({ "count": count })),
            _ => return None,
        };
        line["event"] = name.into();
        Some(line)
    }
}
