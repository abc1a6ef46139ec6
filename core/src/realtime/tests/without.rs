//! Without a socket: not wanted, or not to be had.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_link_does_nothing_at_all() {
    let mut stage = Stage::new(&["00aa"]);
    let mut end = stage.open(256).await;
    stage.want(|wanted| wanted.live = false);
    assert_eq!(end.is_left().await, Duration::ZERO, "closed promptly");
    settled().await;
    assert_eq!(stage.host.state(), Some(LiveState::Off));
    let (calls, polls) = (stage.calls(), stage.polls.load(SeqCst));
    sleep(secs(3600)).await;
    assert_eq!((stage.calls(), stage.polls.load(SeqCst)), (calls, polls), "not even looked at");
    assert_eq!(stage.sockets(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_can_want_it_any_more() {
    for way in [Way::Open, Way::Hangs, Way::Fails(Failure::Offline), Way::Fails(Failure::Refused(None))] {
        for live in [true, false] {
            let mut stage = Stage::new(&[]);
            *stage.roads.otherwise.lock().unwrap() = way;
            stage.want(|wanted| wanted.live = live);
            sleep(secs(100)).await;
            let (orphan, _) = watch::channel(Wanted::default());
            drop(std::mem::replace(&mut stage.wanted, orphan));
            within(secs(1), &mut stage.link).await.unwrap();
            assert_eq!((stage.sockets(), stage.host.state()), (0, Some(LiveState::Off)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_socket_gets_through_changes_are_asked_for() {
    let mut stage = Stage::new(&["00aa"]);
    *stage.roads.otherwise.lock().unwrap() = Way::Fails(Failure::Refused(Some(502)));
    sleep(secs(5)).await;
    assert_eq!((stage.calls(), stage.host.state()), (3, Some(LiveState::Polling)));
    assert_eq!(stage.host.count(&Note::LookUp(vec!["00aa".into()])), 1);
    sleep(secs(230)).await;
    assert_eq!(stage.calls(), 3);
    let polls = stage.host.count(&Note::LongPoll);
    assert!((15..=16).contains(&polls), "one after the other: {polls}");
    sleep(secs(130)).await;
    assert_eq!(stage.calls(), 4, "a socket is tried again");
    assert_eq!(stage.host.state(), Some(LiveState::Polling));
    *stage.roads.otherwise.lock().unwrap() = Way::Open;
    stage.want(|wanted| wanted.network_version += 1);
    let (mut end, after) = stage.next().await;
    assert_eq!(after, Duration::ZERO);
    assert!(end.resume().await.is_none());
    end.welcomes(256);
    end.serves(secs(40)).await;
    assert_eq!(stage.host.state(), Some(LiveState::Live { left_out: 0 }));
    assert_eq!(stage.host.count(&Note::LookUp(vec!["00aa".into()])), 1, "it was looked up before");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_swallows_frames_is_gone_round() {
    let mut stage = Stage::new(&[]);
    for _ in 0..3 {
        stage.next().await.0.is_left().await;
    }
    settled().await;
    assert_eq!(stage.host.state(), Some(LiveState::Polling));
}

#[tokio::test(start_paused = true)]
async fn polls_are_paced_whatever_the_server_does() {
    for (outcome, at_most) in [(PollOutcome::Changed, 31), (PollOutcome::Nothing, 5)] {
        let stage = Stage::with(&[], Arc::new(Fixed(0)));
        stage.host.polls.lock().unwrap().extend([(Duration::ZERO, outcome); 1000]);
        *stage.roads.otherwise.lock().unwrap() = Way::Fails(Failure::Refused(None));
        sleep(secs(60)).await;
        let polls = stage.host.count(&Note::LongPoll);
        assert!((3..=at_most).contains(&polls), "{polls} in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn polls_meet_a_refused_token_like_sockets() {
    let stage = Stage::new(&[]);
    stage.host.polls.lock().unwrap().push_back((secs(1), PollOutcome::Unauthorized));
    *stage.roads.otherwise.lock().unwrap() = Way::Fails(Failure::Refused(None));
    sleep(secs(3600)).await;
    assert_eq!(stage.host.state(), Some(LiveState::Unauthorized));
    assert_eq!((stage.calls(), stage.host.count(&Note::TokenRefused)), (3, 1));
    stage.want(|wanted| wanted.token_version += 1);
    settled().await;
    assert_eq!(stage.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_poll_is_given_up_when_it_is_not_wanted() {
    let stage = Stage::new(&[]);
    stage.host.polls.lock().unwrap().push_back((secs(10_000), PollOutcome::Nothing));
    *stage.roads.otherwise.lock().unwrap() = Way::Fails(Failure::Refused(None));
    sleep(secs(100)).await;
    assert_eq!(stage.host.state(), Some(LiveState::Polling));
    stage.want(|wanted| wanted.live = false);
    settled().await;
    assert_eq!(stage.host.state(), Some(LiveState::Off));
}
