use std::collections::BTreeSet;

use safescan_core::{
    model::{QrHash, UnixMillis},
    net::{Answer, Method, Request},
    protocol::{
        CHANGES_PATH, Change, Conflict, LONG_POLL_MS, Limits, MUST_REFETCH, Problem, RATINGS_PATH, RatingsResponse,
        SYNC_PATH, SyncRequest, SyncResponse, UPGRADE_REQUIRED, VERSION, codes,
    },
};
use serde::Serialize;

use super::{Server, Upgrade, sync::Settled};

/// What a request leads to.
pub(crate) enum Reply {
    /// An answer.
    Now(Answer),
    /// Nothing has changed: ask again without `live` when something has, or after so many milliseconds.
    Hold(u32),
}

impl Server {
    /// Does what a request asks for.
    pub(crate) fn handle(&mut self, request: &Request, now: UnixMillis) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let query = Query(query);
        let token = request.token.as_ref().map(safescan_core::model::Token::reveal);
        match (request.method, path) {
            (Method::Post, SYNC_PATH) => Reply::Now(self.sync(&request.body, token, now)),
            (_, SYNC_PATH) => Reply::Now(problem(405, codes::METHOD_NOT_ALLOWED, false)),
            _ if self.rules.plain => Reply::Now(problem(404, codes::NOT_FOUND, false)),
            (Method::Get, CHANGES_PATH) => self.changes(&query, token, now),
            (Method::Get, path) if path.starts_with(RATINGS_PATH) => {
                Reply::Now(self.ratings(&path[RATINGS_PATH.len()..], &query, token, now))
            }
            _ => Reply::Now(problem(404, codes::NOT_FOUND, false)),
        }
    }

    fn sync(&mut self, body: &[u8], token: Option<&str>, now: UnixMillis) -> Answer {
        if body.len() > self.rules.max_bytes as usize {
            return problem(413, codes::TOO_LARGE, false);
        }
        let forbidden = self.rules.forbidden.map(str::as_bytes);
        if forbidden.is_some_and(|text| body.windows(text.len()).any(|part| part == text)) {
            return problem(400, codes::MALFORMED, false);
        }
        let Ok(request) = serde_json::from_slice::<SyncRequest>(body) else {
            return problem(400, codes::MALFORMED, false);
        };
        let Some(account) = self.account(token, &request.device, now) else {
            return problem(401, codes::AUTH, false);
        };
        if request.data.len() > self.rules.max_ops as usize {
            return problem(413, codes::TOO_MANY_OPS, false);
        }
        let no_uploads = self.rules.upgrade != Upgrade::No && !request.data.is_empty();
        if no_uploads && self.rules.upgrade == Upgrade::Status {
            return problem(426, codes::UPGRADE_REQUIRED, false);
        }
        let data = if no_uploads { &[][..] } else { &request.data[..] };
        // First the floor, then the operations: what is below it was settled, and is judged by its register.
        if !data.is_empty() && request.oldest_pending.is_some() {
            self.raise_floor(&account, &request.device, request.oldest_pending);
        }
        let settled = self.settle(data, &account, &request.device, now);
        if data.is_empty() {
            self.raise_floor(&account, &request.device, request.oldest_pending);
        }
        self.publish(&settled, &account, &request.device, now);
        if self.rules.plain {
            return json(200, &PlainAnswer { conflicts: settled.conflicts });
        }
        let mut response = SyncResponse {
            conflicts: settled.conflicts.clone(),
            protocol: VERSION,
            results: settled.results.clone(),
            ..self.empty_response(now)
        };
        if no_uploads {
            response.control.push(UPGRADE_REQUIRED.to_owned());
        }
        self.add_changes(&mut response, request.cursor.as_deref(), &account, &request.topics, request.limit, now);
        self.add_subjects(&mut response, &settled, &account, now);
        json(200, &response)
    }

    fn changes(&mut self, query: &Query<'_>, token: Option<&str>, now: UnixMillis) -> Reply {
        let device = query.value("device").unwrap_or_default();
        let Some(account) = self.account(token, device, now) else {
            return Reply::Now(problem(401, codes::AUTH, false));
        };
        let cursor = query.value("cursor");
        if self.parse_cursor(cursor).is_none() {
            return Reply::Now(problem(410, codes::CURSOR_INVALID, false));
        }
        let topics: Vec<String> =
            query.value("topics").unwrap_or_default().split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect();
        let limit = query.value("limit").and_then(|limit| limit.parse().ok());
        let mut response = self.empty_response(now);
        self.add_changes(&mut response, cursor, &account, &topics, limit, now);
        if query.value("live") == Some("1") && response.changes.is_empty() {
            return Reply::Hold(LONG_POLL_MS);
        }
        Reply::Now(json(200, &response))
    }

    fn ratings(&self, prefix: &str, query: &Query<'_>, token: Option<&str>, now: UnixMillis) -> Answer {
        let device = query.value("device").unwrap_or_default();
        let Some(account) = self.account(token, device, now) else {
            return problem(401, codes::AUTH, false);
        };
        if prefix.is_empty() || !prefix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return problem(400, codes::MALFORMED, false);
        }
        let after = query.value("next").and_then(QrHash::parse);
        let found = self.registers.ratings.keys().filter(|subject| subject.to_string().starts_with(prefix));
        let mut found: Vec<QrHash> = found.filter(|subject| Some(**subject) > after).copied().collect();
        let more = found.len() > self.rules.ratings_page;
        found.truncate(self.rules.ratings_page);
        let next = found.last().filter(|_| more).map(QrHash::to_string);
        let ratings = found.iter().map(|subject| self.registers.rating(subject, &account, now)).collect();
        json(200, &RatingsResponse { ratings, server_time: now, next })
    }

    fn empty_response(&self, now: UnixMillis) -> SyncResponse {
        let rules = &self.rules;
        let (max_ops, max_bytes) = if rules.tells_limits { (rules.max_ops, rules.max_bytes) } else { (200, 262_144) };
        SyncResponse {
            conflicts: Vec::new(),
            protocol: VERSION,
            results: Vec::new(),
            changes: Vec::new(),
            cursor: None,
            has_more: false,
            server_time: now,
            limits: Limits { max_ops, max_bytes, min_interval_ms: rules.min_interval_ms },
            backoff_ms: rules.backoff_ms,
            control: Vec::new(),
        }
    }

    fn add_changes(
        &self,
        response: &mut SyncResponse,
        cursor: Option<&str>,
        account: &str,
        topics: &[String],
        limit: Option<u32>,
        now: UnixMillis,
    ) {
        let Some(after) = self.parse_cursor(cursor) else {
            response.control.push(MUST_REFETCH.to_owned());
            return;
        };
        let limit = self.rules.page.min(limit.map_or(usize::MAX, |limit| limit as usize)).max(1);
        let page = self.page_after(after, account, topics, limit, now);
        (response.changes, response.cursor, response.has_more) = (page.changes, Some(page.cursor), page.has_more);
    }

    /// How the codes and hosts stand that the settled votes name.
    fn add_subjects(&self, response: &mut SyncResponse, settled: &Settled, account: &str, now: UnixMillis) {
        let there: BTreeSet<QrHash> = response
            .changes
            .iter()
            .filter_map(|change| if let Change::Rating(rating) = change { Some(rating.qr_hash) } else { None })
            .collect();
        let missing = settled.subjects.iter().filter(|subject| !there.contains(subject));
        response.changes.extend(missing.map(|subject| Change::Rating(self.registers.rating(subject, account, now))));
    }
}

/// What a server answers that knows nothing but conflicts.
#[derive(Serialize)]
struct PlainAnswer {
    conflicts: Vec<Conflict>,
}

/// The part of a path behind the question mark. Nothing in it needs escaping but the comma between topics.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
    }
}

pub(crate) fn json(status: u16, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).expect("plain data");
    Answer { status, retry_after_ms: None, is_json: true, body }
}

pub(crate) fn problem(status: u16, code: &str, retryable: bool) -> Answer {
    let kind = "about:blank".to_owned();
    let (title, detail) = (code.to_owned(), String::new());
    json(status, &Problem { kind, title, status, code: code.to_owned(), detail, retryable })
}
