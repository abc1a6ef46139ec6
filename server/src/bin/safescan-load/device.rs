use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use safescan_core::{
    model::{OperationId, QrHash, VoterId},
    protocol::{Change, SyncResponse},
};

use super::{Result, figures::Latencies, wire::Http};

/// Codes that all devices vote on: each gets many votes, as popular codes do.
const CODES: u64 = 10_000;

/// A device, an account of its own, and what the server has acknowledged to it.
pub(crate) struct Device {
    number: usize,
    next: i64,
    /// The place of the latest acknowledged vote on each code.
    acknowledged: HashMap<QrHash, i64>,
    votes: usize,
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn code(number: u64) -> QrHash {
    let mut hash = [0; 32];
    // Spread evenly, as hashes are.
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    hash[24..].copy_from_slice(&number.to_be_bytes());
    QrHash(hash)
}

fn host(number: u64) -> QrHash {
    QrHash(code(number / 10).0.map(|byte| !byte))
}

impl Device {
    pub(crate) fn new(number: usize) -> Self {
        Self { number, next: 1, acknowledged: HashMap::new(), votes: 0 }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.votes
    }

    fn name(&self) -> String {
        format!("load-{}", self.number)
    }

    /// Sends request after request until it is over. Every answer is looked at.
    pub(crate) async fn send_until(
        mut self,
        address: String,
        batch: usize,
        over: Arc<AtomicBool>,
        until_cut: bool,
    ) -> Result<(Self, Latencies)> {
        let (mut http, mut latencies) = (Http::open(&address).await?, Latencies::default());
        while !over.load(Relaxed) {
            let (body, codes) = self.request(batch)?;
            let begun = Instant::now();
            let answer = match http.post("/api/sync", &body).await {
                Ok(answer) => answer,
                Err(_) if until_cut => break,
                Err(error) => return Err(error),
            };
            latencies.note(begun.elapsed());
            let text = std::str::from_utf8(&answer)?;
            let applied = text.matches("\"status\":\"applied\"").count();
            if applied != batch {
                return Err(format!("{applied} of {batch} votes were applied: {}", &text[..text.len().min(500)]).into());
            }
            for (seq, code) in codes {
                self.acknowledged.insert(code, seq);
            }
            self.votes += batch;
        }
        Ok((self, latencies))
    }

    fn request(&mut self, batch: usize) -> Result<(String, Vec<(i64, QrHash)>)> {
        let (at, voter, first) = (now(), self.voter(), self.next);
        let (mut data, mut codes) = (String::new(), Vec::with_capacity(batch));
        for _ in 0..batch {
            let seq = self.next;
            self.next += 1;
            let mut id = [0; 16];
            id[..8].copy_from_slice(&u64::try_from(self.number)?.to_be_bytes());
            id[8..].copy_from_slice(&seq.to_be_bytes());
            let number = (u64::try_from(seq)? * 31 + u64::try_from(self.number)? * 977) % CODES;
            let (code, host) = (code(number), host(number));
            let comma = if data.is_empty() { "" } else { "," };
            let vote = if seq % 3 == 0 { "unsafe" } else { "safe" };
            write!(
                data,
                "{comma}{{\"id\":\"{}\",\"seq\":{seq},\"kind\":\"vote.set\",\"at\":{at},\"key\":\"{code}\",\"body\":{{\"vote\":\
                 \"{vote}\",\"voter\":\"{voter}\",\"hostHash\":\"{host}\",\"hostVoter\":\"{voter}\"}}}}",
                OperationId(id)
            )?;
            codes.push((seq, code));
        }
        let name = self.name();
        // No cursor is kept up: `limit` 1 keeps the answer to what acknowledges.
        let body = format!(
            "{{\"data\":[{data}],\"timestamp\":{at},\"protocol\":1,\"device\":\"{name}\",\"oldestPending\":{first},\
             \"cursor\":null,\"topics\":[],\"limit\":1}}"
        );
        Ok((body, codes))
    }

    fn voter(&self) -> VoterId {
        let mut id = [0x77; 16];
        id[..8].copy_from_slice(&self.number.to_be_bytes());
        VoterId(id)
    }

    /// Reads everything back and looks whether each acknowledged vote, or a later one, stands.
    pub(crate) async fn expect_all(&self, address: &str) -> Result<()> {
        let mut http = Http::open(address).await?;
        let (mut cursor, mut standing) = (None::<String>, HashMap::new());
        loop {
            let query = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = http.get(&format!("/api/sync/changes?device={}&limit=1000{query}", self.name())).await?;
            let page: SyncResponse = serde_json::from_slice(&page)?;
            for change in page.changes {
                if let Change::Vote(vote) = change {
                    standing.insert(vote.qr_hash, vote.vote.is_some());
                }
            }
            cursor = page.cursor;
            if !page.has_more {
                break;
            }
        }
        let lost = self.acknowledged.keys().filter(|code| standing.get(code) != Some(&true)).count();
        if lost > 0 {
            return Err(format!("{lost} acknowledged votes of device {} are lost", self.number).into());
        }
        // The operations themselves: the last ones acknowledged are still remembered, or stand in their registers.
        let last: Vec<(&QrHash, &i64)> = self.acknowledged.iter().filter(|(_, seq)| **seq > self.next - 50).collect();
        for (code, _) in last {
            let page = http.get(&format!("/api/ratings/prefix/{code}?device={}", self.name())).await?;
            if !std::str::from_utf8(&page)?.contains(&self.voter().to_string()) {
                return Err("a rating does not hold an acknowledged vote".into());
            }
        }
        Ok(())
    }
}

/// One vote on a code of the topic `aaaa`.
pub(crate) async fn vote_on_topic(address: &str) -> Result<()> {
    let body = format!(
        "{{\"data\":[{{\"id\":\"{}\",\"seq\":1,\"kind\":\"vote.set\",\"at\":{},\"key\":\"{}\",\"body\":{{\"vote\":\"safe\",\
         \"voter\":\"{}\"}}}}],\"timestamp\":0,\"protocol\":1,\"device\":\"teller\",\"oldestPending\":1}}",
        OperationId([9; 16]),
        now(),
        QrHash([0xaa; 32]),
        VoterId([9; 16])
    );
    Http::open(address).await?.post("/api/sync", &body).await.map(drop)
}
