//! What the features know of the server: its clock, and what it last said of codes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OnceCell, Semaphore, watch};

use super::{Context, cause_of};
use crate::{
    error::Result,
    model::{HealthCause, NetworkState, QrHash, Service, ServiceState, Token, UnixMillis},
    protocol::{self, PREFIX_DIGITS},
    realtime::{LiveState, Wanted},
    remote::{Client, Trouble},
    resilience::BackoffPolicy,
    storage::{
        community::{self, Community},
        sync_state::{self, SyncState},
    },
};

/// What the server said, kept in memory: at 300 bytes each, a few hundred kilobytes.
const REMEMBERED: usize = 1_000;
/// How long what was looked up counts as fresh: as long as somebody looks at a code and decides, with some to spare.
const FRESH_MS: i64 = 60_000;
/// Beginnings of hashes whose look-up is remembered.
const LOOK_UPS: usize = 1_000;
/// Look-ups at a time: a screen full of codes must not open a dozen connections.
const AT_A_TIME: usize = 4;
/// How long a reader waits for the server: what a person bears before "checking" feels broken. What is known is shown then.
pub(crate) const READER_PATIENCE: Duration = Duration::from_secs(3);
/// Pages of one look-up: at half a megabyte each more than any honest beginning has.
const MAX_PAGES: usize = 8;

/// A server, as the features know it.
pub(crate) struct Cloud {
    pub(crate) client: Client,
    said: quick_cache::sync::Cache<QrHash, Community>,
    state: Mutex<State>,
    looking: Semaphore,
    /// Whether it was looked up what an earlier process knew of the server.
    recalled: OnceCell<()>,
    /// What is wanted of the live link; none any more once the core is shut down.
    wanted: Mutex<Option<watch::Sender<Wanted>>>,
    /// How the link stands.
    link: watch::Sender<LiveState>,
}

#[derive(Default)]
struct State {
    /// How far the server is known, as in the cache.
    sync: SyncState,
    /// When beginnings of hashes were looked up, by the monotonic clock.
    looked_up: BTreeMap<String, i64>,
    /// Until when the server wants no look-ups, by the monotonic clock.
    no_look_ups_until: i64,
    /// Beginnings of hashes of which the socket brings every change, from some moment on.
    held: BTreeSet<String>,
    /// Those of them of which everything before that moment is known, too.
    live: BTreeSet<String>,
    /// Whether the system says that there is no network.
    offline: bool,
    /// Whether the app is in the background.
    asleep: bool,
    /// Whether this device has its name.
    named: bool,
    /// Whether the app wants a change sent again, whatever the server said of this version.
    insists: bool,
}

impl Cloud {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            said: quick_cache::sync::Cache::new(REMEMBERED),
            state: Mutex::default(),
            looking: Semaphore::new(AT_A_TIME),
            recalled: OnceCell::new(),
            wanted: Mutex::new(Some(watch::Sender::new(Wanted::default()))),
            link: watch::Sender::new(LiveState::Off),
        }
    }

    /// What is wanted of the live link, now and later.
    pub(crate) fn wanted(&self) -> Option<watch::Receiver<Wanted>> {
        self.sender().as_ref().map(watch::Sender::subscribe)
    }

    /// Takes note of how the link stands.
    pub(crate) fn link_is(&self, state: LiveState) {
        self.link.send_replace(state);
    }

    /// Waits until there is no socket.
    pub(crate) async fn no_link(&self) {
        // The sender lives as long as this.
        drop(self.link.subscribe().wait_for(|state| *state == LiveState::Off).await);
    }

    /// Ends the live link for good.
    pub(crate) fn end_link(&self) {
        self.sender().take();
    }

    /// This device has its name: the link may be opened in it.
    pub(crate) fn may_go_live(&self, device: String) {
        self.state().named = true;
        self.want(|wanted| wanted.device = device);
    }

    /// These are the beginnings of all watched hashes.
    pub(crate) fn watch(&self, topics: BTreeSet<String>) {
        let mut state = self.state();
        state.held.retain(|topic| topics.contains(topic));
        state.live.retain(|topic| topics.contains(topic));
        drop(state);
        self.want(|wanted| wanted.topics = topics);
    }

    /// Whether the app is in the background.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.state().asleep = asleep;
        self.want(|_| ());
    }

    /// The app wants a change sent again, whatever the server said of this version.
    pub(crate) fn insist(&self) {
        self.state().insists = true;
    }

    /// Whether it does; once.
    pub(crate) fn take_insistence(&self) -> bool {
        std::mem::take(&mut self.state().insists)
    }

    /// Whether the app is in the background.
    pub(crate) fn is_asleep(&self) -> bool {
        self.state().asleep
    }

    pub(crate) fn set_token(&self, token: Option<Token>) {
        let version = self.client.set_token(token.clone());
        self.want(|wanted| {
            wanted.token = token;
            wanted.token_version = version;
        });
    }

    /// What the system says of the network.
    pub(crate) fn set_network(&self, network: NetworkState) {
        self.state().offline = network == NetworkState::Offline;
        self.want(|wanted| wanted.network_version += u64::from(network == NetworkState::Online));
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        let live = {
            let state = self.state();
            state.named && !state.asleep && !state.offline
        };
        if let Some(sender) = self.sender().as_ref() {
            sender.send_if_modified(|wanted| {
                let before = wanted.clone();
                change(wanted);
                wanted.live = live;
                *wanted != before
            });
        }
    }

    fn sender(&self) -> MutexGuard<'_, Option<watch::Sender<Wanted>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server's clock shows when this device's shows `now`, as far as it is known. Never less than it showed
    /// when it was last heard of: this device's may have been turned back since, and what is done now must not be dated
    /// before what the server has.
    fn time_at(&self, now: UnixMillis) -> UnixMillis {
        let state = self.state();
        let time = now.plus(state.sync.clock_offset.unwrap_or(0));
        state.sync.server_time.map_or(time, |heard| time.max(UnixMillis(heard)))
    }

    pub(crate) fn sync_state(&self) -> SyncState {
        self.state().sync.clone()
    }

    pub(crate) fn set_sync_state(&self, sync: SyncState) {
        self.state().sync = sync;
    }

    /// Takes note of the server's clock.
    pub(crate) fn heard_time(&self, server: UnixMillis, device: UnixMillis) {
        let mut state = self.state();
        state.sync.clock_offset = Some(server.0.saturating_sub(device.0));
        state.sync.server_time = Some(server.0);
    }

    /// The socket may have missed something of every beginning.
    pub(crate) fn forget_live(&self) {
        let mut state = self.state();
        state.held.clear();
        state.live.clear();
    }

    /// The socket brings every change of these beginnings from now on.
    pub(crate) fn hold(&self, topics: &[String]) {
        self.state().held.extend(topics.iter().cloned());
    }

    /// What there is of this beginning is known now; if the socket brings the rest, it stays so.
    pub(crate) fn add_live(&self, topic: String) {
        let mut state = self.state();
        if state.held.contains(&topic) {
            state.live.insert(topic);
        }
    }

    /// What is remembered of a code.
    pub(crate) fn remembered(&self, hash: &QrHash) -> Option<Community> {
        self.said.get(hash)
    }

    /// Forgets what was said: it is fetched anew.
    pub(crate) fn forget_all(&self) {
        self.said.clear();
        self.state().looked_up.clear();
    }

    /// Knows nothing any more: everything was erased.
    pub(crate) fn start_over(&self) {
        self.forget_all();
        self.set_sync_state(SyncState::default());
    }

    /// Whether what is known of a code is as good as what the server would say now.
    pub(crate) fn is_fresh(&self, hash: &QrHash, monotonic: i64) -> bool {
        let topic = topic(hash);
        let live = self.is_live();
        let state = self.state();
        (live && state.live.contains(&topic))
            || (!state.offline
                && state.looked_up.get(&topic).is_some_and(|at| monotonic.saturating_sub(*at) < FRESH_MS))
    }

    /// Whether the system says that there is no network.
    pub(crate) fn is_offline(&self) -> bool {
        self.state().offline
    }

    /// Why there is no link, if it is closed on purpose.
    fn why_no_link(&self) -> Option<HealthCause> {
        if *self.link.borrow() != LiveState::Off {
            return None;
        }
        let state = self.state();
        match (state.asleep, state.offline) {
            (true, _) => Some(HealthCause::Suspended),
            (false, true) => Some(HealthCause::Offline),
            (false, false) => None,
        }
    }

    fn is_live(&self) -> bool {
        matches!(*self.link.borrow(), LiveState::Live { .. })
    }

    fn note_look_up(&self, topic: String, monotonic: i64) {
        let mut state = self.state();
        if state.looked_up.len() >= LOOK_UPS {
            state.looked_up.retain(|_, at| monotonic.saturating_sub(*at) < FRESH_MS);
        }
        if state.looked_up.len() < LOOK_UPS {
            state.looked_up.insert(topic, monotonic);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a hash by which it is looked up and watched.
pub(crate) fn topic(hash: &QrHash) -> String {
    let mut text = hash.to_string();
    text.truncate(PREFIX_DIGITS);
    text
}

impl Context {
    /// The time by the server's clock, as far as it is known.
    pub(crate) fn time(&self) -> UnixMillis {
        let now = self.now();
        self.cloud.as_ref().map_or(now, |cloud| cloud.time_at(now))
    }

    /// Shows why there is no live link, if it is closed on purpose.
    pub(crate) fn show_no_link(&self) {
        let Some(cause) = self.cloud.as_ref().and_then(Cloud::why_no_link) else { return };
        if self.health.of(Service::Realtime).0 != ServiceState::Disabled {
            self.set_health(Service::Realtime, ServiceState::Unavailable, cause);
        }
    }

    /// Brings what an earlier process knew of the server into memory, above all its clock: to be waited for before
    /// anything is dated, or it could be dated before something that it followed.
    pub(crate) async fn recall_server(&self) {
        let Some(cloud) = &self.cloud else { return };
        let look = || async {
            let state = self.store.read_cache(sync_state::load).await.unwrap_or_default();
            let device = &self.store.installation().device;
            if cloud.sync_state().device.is_none() && state.device.as_ref() == Some(device) {
                cloud.set_sync_state(state);
            }
        };
        cloud.recalled.get_or_init(look).await;
    }

    /// Brings what the cache knows of the server and of these codes into memory.
    pub(crate) async fn recall(&self, hashes: &[QrHash]) {
        self.recall_server().await;
        let Some(cloud) = &self.cloud else { return };
        let missing: Vec<QrHash> = hashes.iter().filter(|hash| cloud.said.get(*hash).is_none()).copied().collect();
        if missing.is_empty() {
            return;
        }
        // The cache may lose what it likes: what cannot be read was never said.
        let found = self.store.read_cache(move |connection| community::find(connection, &missing)).await;
        for community in found.unwrap_or_default().into_iter().flatten() {
            cloud.said.insert(community.hash, community);
        }
    }

    /// Looks these codes up, unless what is known of them is fresh, and waits for it a moment.
    pub(crate) async fn look_up(&self, hashes: &[QrHash]) {
        let Some(cloud) = &self.cloud else { return };
        let now = self.clock.monotonic();
        let stale = |hash: &&QrHash| !cloud.is_fresh(hash, now);
        let topics: BTreeSet<String> = hashes.iter().filter(stale).map(topic).collect();
        let unwanted = {
            let state = cloud.state();
            state.offline || state.no_look_ups_until > now
        };
        if topics.is_empty() || unwanted {
            return;
        }
        let _under_way = cloud.client.under_way();
        let looking = futures_util::future::join_all(topics.iter().map(|topic| self.look_up_topic(cloud, topic)));
        drop(tokio::time::timeout(READER_PATIENCE, looking).await);
    }

    /// Looks one beginning up, fresh or not.
    pub(crate) async fn look_up_topic(&self, cloud: &Cloud, topic: &str) -> Result<Vec<QrHash>, Trouble> {
        let Ok(_place) = cloud.looking.acquire().await else { return Ok(Vec::new()) };
        let looked_up = self.fetch_topic(cloud, topic).await;
        let (state, cause) = match &looked_up {
            Ok(_) => (ServiceState::Healthy, HealthCause::None),
            Err(trouble) => (ServiceState::Degraded, cause_of(*trouble)),
        };
        if let Err(Trouble::RateLimited { retry_after_ms } | Trouble::Transient { retry_after_ms }) = &looked_up {
            let wait = retry_after_ms.unwrap_or(0).min(BackoffPolicy::MAX_RETRY_AFTER_MS);
            let until = self.clock.monotonic().saturating_add(i64::from(wait));
            let mut state = cloud.state();
            state.no_look_ups_until = state.no_look_ups_until.max(until);
        }
        self.set_health(Service::CommunityRatings, state, cause);
        looked_up
    }

    /// Whatever was news.
    async fn fetch_topic(&self, cloud: &Cloud, topic: &str) -> Result<Vec<QrHash>, Trouble> {
        let device = self.store.installation().device.clone();
        let mut news = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let next_page = next.as_ref().map(|next| format!("&next={}", escaped(next))).unwrap_or_default();
            let query = format!("device={device}{next_page}");
            let page = cloud.client.ratings(topic, &query, READER_PATIENCE).await?;
            cloud.heard_time(page.server_time, self.now());
            // What begins otherwise was not asked for, and whatever is not known of a code is not news to anybody.
            let ratings = page.ratings.into_iter().filter(|rating| rating.qr_hash.to_string().starts_with(topic));
            match self.keep_said(ratings.collect(), page.server_time).await {
                Ok(kept) => news.extend(kept),
                Err(_) => break,
            }
            next = page.next;
            if next.is_none() {
                cloud.note_look_up(topic.to_owned(), self.clock.monotonic());
                break;
            }
        }
        Ok(news)
    }

    /// Keeps what the server said, in the cache and in memory. Ratings that no votes could have made are left out.
    pub(crate) async fn keep_said(&self, ratings: Vec<protocol::Rating>, at: UnixMillis) -> Result<Vec<QrHash>> {
        let Some(cloud) = &self.cloud else { return Ok(Vec::new()) };
        let said: Vec<Community> = ratings
            .into_iter()
            .filter_map(|rating| {
                let tally = rating.tally()?;
                Some(Community { hash: rating.qr_hash, rev: rating.rev, tally, own: rating.own, known_at: at })
            })
            .collect();
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let news = self.store.write_cache(move |connection| community::keep(connection, &said)).await?;
        let hashes = news.iter().map(|community| community.hash).collect();
        for community in news {
            cloud.said.insert(community.hash, community);
        }
        Ok(hashes)
    }
}

/// A text of the server's as part of a query.
pub(crate) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
