//! What has come to rest when `suspend` answers, and what stays at rest until `resume`: all of it, without a moment to spare.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use safescan_core::{
    engine::Core,
    model::{HealthCause, NetworkState, ScanQuery, Service, Token, VoteChoice},
    net::{Failure, RealtimeConnector, Socket},
};

use crate::{
    held::open_files_below,
    server::Fault,
    world::{HOUR, MINUTE, World, code, on_purpose, operations, pass, settle, sync, vote},
};

fn open_files(world: &World) -> usize {
    open_files_below(world.directory.path()).len()
}

/// Suspends, and sees to it that nothing is done after the answer, for an hour. What is done without a look at the clock
/// does not show here: `suspend.rs` looks at the process.
async fn suspend_at_once(world: &World, core: &Core) {
    let before = world.server.elapsed();
    core.suspend().await.unwrap();
    assert_eq!(world.server.elapsed() - before, 0, "it has to wait for something");
    stays_asleep(world).await;
}

async fn stays_asleep(world: &World) {
    let before = (world.clock.reads.load(SeqCst), world.server.seen().len(), open_files(world));
    pass(HOUR).await;
    assert_eq!((world.clock.reads.load(SeqCst), world.server.seen().len(), open_files(world)), before);
    assert_eq!(before.2, 0);
}

#[tokio::test(start_paused = true)]
async fn the_pump_has_come_to_rest_when_suspend_answers() {
    let world = World::new();
    let core = world.open_automatic().await;
    // In a process that the system launched in the background, before anything has begun.
    suspend_at_once(&world, &core).await;
    core.resume().await.unwrap();
    settle().await;
    suspend_at_once(&world, &core).await;
    core.resume().await.unwrap();
    // Whatever it is told, at whichever moment.
    for moment in 0..40 {
        vote(&core, moment, VoteChoice::Safe).await;
        core.sync.set_token(Token::new(format!("token-{moment}"))).await.unwrap();
        core.sync.set_network(NetworkState::Offline);
        core.sync.set_network(NetworkState::Online);
        for _ in 0..moment {
            tokio::task::yield_now().await;
        }
        suspend_at_once(&world, &core).await;
        core.resume().await.unwrap();
    }
    pass(MINUTE).await;
    assert_eq!(operations(&core).await.len(), 0, "and nothing was forgotten");
}

#[tokio::test(start_paused = true)]
async fn what_the_app_does_meanwhile_wakes_nobody() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    core.ratings.watch(&[code(1)]).unwrap();
    core.sync.set_token(Token::new("another")).await.unwrap();
    core.sync.set_network(NetworkState::Online);
    stays_asleep(&world).await;
    core.resume().await.unwrap();
    settle().await;
    assert_eq!(operations(&core).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_the_background_has_closed_everything_when_it_answers() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    let rested = world.server.rested();
    assert_eq!(core.sync.run_once(Duration::from_secs(20)).await.unwrap().report.sent, 1);
    assert!(world.server.rested() > rested, "connections are given up again");
    stays_asleep(&world).await;
}

#[tokio::test(start_paused = true)]
async fn of_suspend_and_resume_the_last_call_wins() {
    for latency in [0, 5] {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        world.server.set_latency(Duration::from_millis(latency));
        vote(&core, 1, VoteChoice::Safe).await;
        tokio::task::yield_now().await;
        let (slept, woke) = tokio::join!(core.suspend(), core.resume());
        slept.and(woke).unwrap();
        vote(&core, 2, VoteChoice::Safe).await;
        pass(MINUTE).await;
        core.scans.page(ScanQuery::default()).await.unwrap();
        assert!(open_files(&world) > 0, "awake, files stay open");
        assert_eq!(operations(&core).await.len(), 0, "awake, changes are sent");
        let cause =
            |service| core.health().services.into_iter().find(|health| health.service == service).unwrap().cause;
        assert_eq!(cause(Service::LocalStorage), HealthCause::None);

        vote(&core, 3, VoteChoice::Safe).await;
        let (again, slept, woke, asleep) = tokio::join!(core.suspend(), core.suspend(), core.resume(), core.suspend());
        again.and(slept).and(woke).and(asleep).unwrap();
        assert_eq!(cause(Service::LocalStorage), HealthCause::Suspended);
        stays_asleep(&world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_asked_for_a_run_that_had_not_begun_is_told() {
    let world = World::new();
    let core = world.open().await;
    settle().await;
    let (told, ()) = tokio::join!(core.sync.now(), async {
        suspend_at_once(&world, &core).await;
    });
    told.expect_err("it was given up");
    assert_eq!(world.server.seen().len(), 0);
}

/// Panics whenever a socket is wanted, until it is mended.
#[derive(Default)]
struct Broken {
    mended: AtomicBool,
    asked: AtomicU64,
}

impl RealtimeConnector for Broken {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>> {
        self.asked.fetch_add(1, SeqCst);
        if !self.mended.load(SeqCst) {
            on_purpose();
        }
        Box::pin(std::future::ready(Err(Failure::Offline)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_live_link_that_has_panicked_holds_nothing_up() {
    let world = World::new();
    let mut config = world.config();
    sync(&mut config).only_when_asked = false;
    let connector = Arc::new(Broken::default());
    let environment = world.environment(Arc::clone(&connector) as Arc<dyn RealtimeConnector>);
    let core = Core::open_in(config, environment).await.unwrap();
    settle().await;
    assert_eq!(connector.asked.load(SeqCst), 1, "or this proves nothing");
    suspend_at_once(&world, &core).await;
    assert_eq!(connector.asked.load(SeqCst), 1, "asleep it is not begun anew");
    connector.mended.store(true, SeqCst);
    core.resume().await.unwrap();
    settle().await;
    assert_eq!(connector.asked.load(SeqCst), 2, "awake it is");
}

#[tokio::test(start_paused = true)]
async fn a_pump_that_has_panicked_holds_nothing_up() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.then(Fault::Panic);
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    suspend_at_once(&world, &core).await;
    core.resume().await.unwrap();
    settle().await;
    assert_eq!(operations(&core).await.len(), 0, "begun anew as the app is back");
}
