//! How connections end, and when the next one begins.

use super::*;

fn waits_for(stage: &Stage) -> Option<Ended> {
    match stage.host.state() {
        Some(LiveState::Waiting { why, .. }) => Some(why),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_thirty_seconds() {
    let mut stage = Stage::with(&[], Arc::new(Fixed(u64::MAX)));
    stage.script([Way::Fails(Failure::Offline); 7]);
    let (_end, after) = stage.next().await;
    assert_eq!(after, secs(1 + 2 + 4 + 8 + 16 + 30 + 30));
    assert_eq!(stage.calls(), 8);
}

#[tokio::test(start_paused = true)]
async fn only_a_connection_that_holds_starts_the_row_anew() {
    let mut stage = Stage::with(&[], Arc::new(Fixed(u64::MAX)));
    drop(stage.open(256).await);
    for (held, wait) in [(29, 1), (29, 2), (29, 4), (31, 8), (29, 1), (29, 2)] {
        let (mut end, after) = stage.next().await;
        assert_eq!(after, secs(wait), "before one that held {held} s");
        end.resume().await;
        end.says(&ServerFrame::Resumed { from: 1 });
        end.serves(secs(held)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_network_s_return_is_not_waited_out() {
    let mut stage = Stage::with(&[], Arc::new(Fixed(u64::MAX)));
    stage.script([Way::Fails(Failure::Offline); 6]);
    sleep(secs(32)).await;
    assert_eq!(stage.calls(), 6, "now it waits 30 s");
    stage.want(|wanted| wanted.network_version += 1);
    let (end, after) = stage.next().await;
    assert_eq!(after, Duration::ZERO);
    drop(end);
    assert_eq!(stage.next().await.1, secs(1), "and the row begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_socket_of_the_network_before_is_left_and_resumed() {
    let mut stage = Stage::new(&[]);
    let mut old = stage.open(256).await;
    stage.want(|wanted| wanted.network_version += 1);
    assert_eq!(old.is_left().await, Duration::ZERO);
    let (mut end, after) = stage.next().await;
    assert_eq!((after, end.resume().await.is_some()), (Duration::ZERO, true));
}

#[tokio::test(start_paused = true)]
async fn two_missed_pongs_are_the_end() {
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    end.serves(secs(60)).await;
    // Pings came at 25 s and 50 s; those at 75 s and 100 s stay unanswered.
    let silent = end.is_left().await;
    assert!((Duration::from_millis(64_900)..=secs(65)).contains(&silent), "{silent:?}");
    assert_eq!(waits_for(&stage), Some(Ended::Silent));
    let (mut end, after) = stage.next().await;
    assert!(after <= secs(1) && end.resume().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_connection_into_which_nothing_can_be_written_is_dead_too() {
    let mut stage = Stage::new(&[]);
    stage.script([Way::Clogged]);
    let (end, _) = stage.next().await;
    end.welcomes(256);
    let (_end, after) = stage.next().await;
    assert!((secs(75)..=secs(76)).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_neither_frantic_nor_endless() {
    for (said, used) in [(0, 5), (1, 5), (60_000, 60), (u32::MAX, 300)] {
        let mut stage = Stage::new(&[]);
        let (mut end, _) = stage.next().await;
        assert!(end.resume().await.is_none());
        let (session, server_time) = ("s1".into(), UnixMillis(0));
        end.says(&ServerFrame::Welcome { session, heartbeat_ms: said, max_topics: 1, server_time });
        let watch = Stopwatch::start();
        assert_eq!(end.hears().await, Some(ClientFrame::Ping { t: 1 }));
        assert_eq!(watch.elapsed(), secs(used));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bye_is_obeyed_within_reason() {
    for (span, random, wait) in [
        ([5_000, 60_000], 0, 5_000),
        ([5_000, 60_000], u64::MAX, 60_000),
        ([60_000, 5_000], 0, 5_000),
        ([u32::MAX, u32::MAX], 0, 300_000),
        ([0, 0], u64::MAX, 0),
    ] {
        let mut stage = Stage::with(&[], Arc::new(Fixed(random)));
        let mut end = stage.open(256).await;
        end.says(&ServerFrame::Bye { reconnect_after_ms: span });
        end.is_left().await;
        stage.want(|wanted| wanted.network_version += 1);
        let (mut end, after) = stage.next().await;
        assert_eq!(after, Duration::from_millis(wait), "{span:?}: and the network does not matter");
        assert!(end.resume().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_not_shown_again() {
    for by_code in [true, false] {
        let mut stage = Stage::with(&[], Arc::new(Fixed(u64::MAX)));
        let (end, _) = stage.next().await;
        if by_code {
            end.closes(4001)
        } else {
            end.sends(r#"{"op":"error","code":"auth"}"#)
        }
        settled().await;
        assert_eq!(stage.host.state(), Some(LiveState::Unauthorized));
        stage.want(|wanted| wanted.live = false);
        sleep(secs(3600)).await;
        stage.want(|wanted| wanted.live = true);
        stage.want(|wanted| wanted.network_version += 1);
        sleep(secs(3600)).await;
        assert_eq!((stage.calls(), stage.host.count(&Note::TokenRefused)), (1, 1));

        stage.want(|wanted| wanted.token_version += 1);
        let (end, after) = stage.next().await;
        assert_eq!(after, Duration::ZERO);
        end.closes(4001);
        settled().await;
        stage.want(|wanted| wanted.token_version += 1);
        let (_end, after) = stage.next().await;
        assert_eq!(after, secs(1), "an app with nothing but bad tokens does not hammer");
        assert_eq!(stage.host.count(&Note::TokenRefused), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn another_token_means_another_connection() {
    let mut stage = Stage::new(&[]);
    let mut old = stage.open(256).await;
    stage.want(|wanted| wanted.token_version += 1);
    old.is_left().await;
    let (mut end, after) = stage.next().await;
    assert_eq!((after, end.resume().await.is_some()), (Duration::ZERO, true), "the server knows whose session it is");
}

#[tokio::test(start_paused = true)]
async fn close_codes() {
    for (code, why, slow) in [
        (4002, Ended::Protocol, true),
        (1003, Ended::Protocol, true),
        (4009, Ended::Closed(Some(4009)), false),
        (1001, Ended::Closed(Some(1001)), false),
    ] {
        let mut stage = Stage::new(&[]);
        let end = stage.open(256).await;
        end.closes(code);
        settled().await;
        assert_eq!(waits_for(&stage), Some(why));
        let (_end, after) = stage.next().await;
        assert_eq!(after > secs(200), slow, "{code}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_says_welcome() {
    let mut stage = Stage::with(&[], Arc::new(Fixed(0)));
    stage.script([Way::Open, Way::Hangs]);
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_none());
    assert_eq!(end.is_left().await, secs(10));
    let (_end, after) = stage.next().await;
    assert_eq!(after, secs(30), "a connector that never answers does not hold up the rest");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_week_ends_within_half_a_minute() {
    for failure in [Failure::Offline, Failure::Refused(Some(503)), Failure::TimedOut, Failure::Untrusted] {
        let mut stage = Stage::new(&["00aa"]);
        *stage.roads.otherwise.lock().unwrap() = Way::Fails(failure);
        // Where sockets are refused, polls fail as well: the server is down.
        stage.host.polls.lock().unwrap().extend(std::iter::repeat_n((secs(1), PollOutcome::Failed), 100_000));
        sleep(secs(7 * 24 * 3600)).await;
        let tries = stage.calls();
        assert!((30_000..100_000).contains(&tries), "about one in 15 s: {tries}");
        *stage.roads.otherwise.lock().unwrap() = Way::Open;
        let (_end, after) = stage.next().await;
        assert!(after <= secs(31), "{failure:?}: {after:?}");
    }
}
