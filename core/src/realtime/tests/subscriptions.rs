//! What is subscribed, looked up and pulled.

use super::*;

fn sub(reference: u32, topics: &[&str]) -> Option<ClientFrame> {
    Some(ClientFrame::Sub { reference, topics: topics.iter().map(|topic| (*topic).into()).collect() })
}

fn unsub(reference: u32, topics: &[&str]) -> Option<ClientFrame> {
    Some(ClientFrame::Unsub { reference, topics: topics.iter().map(|topic| (*topic).into()).collect() })
}

fn looked_up(topics: &[&str]) -> Note {
    Note::LookUp(topics.iter().map(|topic| (*topic).into()).collect())
}

#[tokio::test(start_paused = true)]
async fn a_first_connection() {
    let mut stage = Stage::new(&["00aa", "00bb"]);
    stage.want(|wanted| wanted.token = Token::new("t0ken"));
    let (mut end, _) = stage.next().await;
    let hello = ClientFrame::Hello { protocol: 1, device: "d1".into(), token: Some("t0ken".into()), resume: None };
    assert_eq!(end.hears().await, Some(hello));
    end.welcomes(256);
    assert_eq!(end.hears().await, sub(1, &["00aa", "00bb"]));
    settled().await;
    assert_eq!(stage.host.pulls(), [], "the topics do not stand yet");
    end.says(&ServerFrame::SubOk { reference: 1 });
    settled().await;
    let expected = [
        Note::State(LiveState::Connecting),
        Note::ServerTime(1_793_346_975_200),
        Note::State(LiveState::Live { left_out: 0 }),
        looked_up(&["00aa", "00bb"]),
        Note::Pull(Pull::NewSession),
    ];
    assert_eq!(stage.host.take(), expected);

    stage.want(|wanted| wanted.topics = set(&["00bb", "00cc"]));
    assert_eq!(end.hears().await, unsub(2, &["00aa"]));
    assert_eq!(end.hears().await, sub(3, &["00cc"]));
    end.says(&ServerFrame::UnsubOk { reference: 2 });
    end.says(&ServerFrame::SubOk { reference: 3 });
    settled().await;
    assert_eq!(stage.host.take(), [looked_up(&["00cc"])], "looked up, and no pull: nothing was missed");
}

#[tokio::test(start_paused = true)]
async fn without_topics_the_account_s_changes_still_come() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession]);
    end.says(&ServerFrame::Changed { seq: 1 });
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession, Pull::Changed]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_session_keeps_its_topics() {
    let mut stage = Stage::new(&["00aa", "00bb"]);
    let end = stage.open(256).await;
    end.rates(1, 10);
    end.rates(2, 11);
    settled().await;
    drop(end);
    settled().await;
    stage.want(|wanted| wanted.topics = set(&["00bb", "00cc"]));
    stage.host.take();

    let (mut end, _) = stage.next().await;
    assert_eq!(end.resume().await, Some(Resume { session: "s1".into(), seq: 2 }));
    end.says(&ServerFrame::Resumed { from: 3 });
    assert_eq!(end.hears().await, unsub(2, &["00aa"]), "only what changed meanwhile");
    assert_eq!(end.hears().await, sub(3, &["00cc"]));
    end.says(&ServerFrame::SubOk { reference: 3 });
    end.rates(3, 12);
    settled().await;
    assert_eq!(stage.host.pulls(), [], "nothing was missed");
    assert_eq!(stage.host.count(&looked_up(&["00cc"])), 1);
    assert_eq!(stage.host.stored(), [12]);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_was_lost_is_made_again() {
    let mut stage = Stage::new(&["00aa"]);
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_none());
    end.welcomes(256);
    assert_eq!(end.hears().await, sub(1, &["00aa"]));
    drop(end);
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_some());
    end.says(&ServerFrame::Resumed { from: 1 });
    assert_eq!(end.hears().await, sub(2, &["00aa"]));
    end.says(&ServerFrame::SubOk { reference: 2 });
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession], "the new session's pull is not forgotten with its connection");
    assert_eq!(stage.host.count(&looked_up(&["00aa"])), 1);
}

#[tokio::test(start_paused = true)]
async fn after_five_minutes_a_session_is_not_asked_for() {
    for (minutes, resumes) in [(4, true), (6, false)] {
        let mut stage = Stage::new(&["00aa"]);
        let mut end = stage.open(256).await;
        stage.want(|wanted| wanted.live = false);
        end.is_left().await;
        sleep(secs(60 * minutes)).await;
        stage.want(|wanted| wanted.live = true);
        let (mut end, _) = stage.next().await;
        assert_eq!(end.resume().await.is_some(), resumes, "after {minutes} minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn another_device_does_not_go_on_with_a_session() {
    let mut stage = Stage::new(&[]);
    let _end = stage.open(256).await;
    stage.want(|wanted| wanted.device = "d2".into());
    let (mut end, after) = stage.next().await;
    assert_eq!((end.resume().await, after), (None, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_reset_means_a_pull_and_all_topics_again() {
    let mut stage = Stage::new(&["00aa"]);
    drop(stage.open(256).await);
    stage.host.take();
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_some());
    end.says(&ServerFrame::Reset { reason: "gap".into() });
    end.welcomes(256);
    assert_eq!(end.hears().await, sub(1, &["00aa"]));
    end.says(&ServerFrame::SubOk { reference: 1 });
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::Reset]);
    let looked_up = stage.host.take().into_iter().any(|note| matches!(note, Note::LookUp(_)));
    assert!(!looked_up, "the pull brings what is known");
    drop(end);
    let (mut end, _) = stage.next().await;
    assert_eq!(end.resume().await, Some(Resume { session: "s1".into(), seq: 0 }), "the new session's own count");
}

#[tokio::test(start_paused = true)]
async fn there_are_fewer_places_than_topics() {
    let mut stage = Stage::new(&["00aa", "00bb", "00cc"]);
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_none());
    end.welcomes(2);
    assert_eq!(end.hears().await, sub(1, &["00aa", "00bb"]));
    end.says(&ServerFrame::SubOk { reference: 1 });
    settled().await;
    assert_eq!(stage.host.state(), Some(LiveState::Live { left_out: 1 }));
    stage.want(|wanted| wanted.topics = set(&["0000", "00bb", "00cc"]));
    assert_eq!(end.hears().await, unsub(2, &["00aa"]));
    assert_eq!(end.hears().await, sub(3, &["0000"]), "what is held keeps its place");
    end.says(&ServerFrame::SubErr { reference: 3, code: "too_many".into() });
    assert_eq!(end.hears().await, unsub(4, &["0000"]), "so that both agree");
    settled().await;
    assert_eq!(stage.host.state(), Some(LiveState::Live { left_out: 2 }));

    let pulls = |stage: &Stage| stage.host.pulls().into_iter().filter(|why| *why == Pull::LeftOut).count();
    let before = pulls(&stage);
    for round in 1..4 {
        let Some(ClientFrame::Ping { t }) = end.hears().await else { panic!("no ping") };
        end.says(&ServerFrame::Pong { t });
        settled().await;
        assert_eq!(pulls(&stage), before + round, "what the socket does not bring is asked for with every heartbeat");
    }

    stage.want(|wanted| wanted.topics = set(&["0000"]));
    assert_eq!(end.hears().await, unsub(5, &["00bb"]));
    assert_eq!(end.hears().await, sub(6, &["0000"]), "a place became free");
    end.says(&ServerFrame::SubOk { reference: 6 });
    settled().await;
    let before = pulls(&stage);
    assert!(matches!(end.hears().await, Some(ClientFrame::Ping { .. })));
    settled().await;
    assert_eq!(pulls(&stage), before, "all are live");
}

#[tokio::test(start_paused = true)]
async fn requests_are_cut_into_pieces() {
    let topics: Vec<String> = (0..600).map(|topic| format!("{topic:04x}")).collect();
    let mut stage = Stage::new(&topics.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_none());
    end.welcomes(u32::MAX);
    let mut lengths = Vec::new();
    for _ in 0..3 {
        let Some(ClientFrame::Sub { topics, .. }) = end.hears().await else { panic!("no sub") };
        lengths.push(topics.len());
    }
    assert_eq!(lengths, [256, 256, 88]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_requests_does_not_hold_up_the_pull() {
    let mut stage = Stage::new(&["00aa"]);
    let (mut end, _) = stage.next().await;
    assert!(end.resume().await.is_none());
    end.welcomes(256);
    settled().await;
    assert_eq!(stage.host.pulls(), []);
    sleep(Duration::from_millis(HEARTBEAT_MS.into())).await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession]);
}

/// While nobody wanted it, pulls did not name it.
#[tokio::test(start_paused = true)]
async fn a_topic_that_was_given_up_meanwhile_is_looked_up_again() {
    let by_bye = |_: &mut Wanted| ();
    let by_app = |wanted: &mut Wanted| wanted.live = false;
    let by_token = |wanted: &mut Wanted| wanted.token_version += 1;
    for (case, leave) in [by_bye as fn(&mut Wanted), by_app, by_token].into_iter().enumerate() {
        let mut stage = Stage::new(&["00aa"]);
        let end = stage.open(256).await;
        if case == 0 {
            end.says(&ServerFrame::Bye { reconnect_after_ms: [5_000, 5_000] });
            settled().await;
        }
        stage.host.take();
        stage.want(|wanted| {
            wanted.topics.clear();
            leave(wanted);
        });
        settled().await;
        stage.want(|wanted| *wanted = Wanted { topics: set(&["00aa"]), live: true, ..wanted.clone() });
        let (mut end, _) = stage.next().await;
        assert!(end.resume().await.is_some());
        end.says(&ServerFrame::Reset { reason: "gone".into() });
        end.welcomes(256);
        end.serves(secs(1)).await;
        assert_eq!(stage.host.count(&looked_up(&["00aa"])), 1, "case {case}");
    }
}
