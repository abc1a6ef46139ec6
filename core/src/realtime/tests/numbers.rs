//! Numbers of frames, and frames that have none.

use super::*;

#[tokio::test(start_paused = true)]
async fn ratings_are_stored_in_order_and_acknowledged() {
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    for seq in 1..=33 {
        end.rates(seq, i64::try_from(seq).unwrap());
    }
    assert_eq!(end.hears().await, Some(ClientFrame::Ack { seq: 32 }));
    assert_eq!(end.hears().await, Some(ClientFrame::Ack { seq: 33 }), "the rest with the next ping");
    assert_eq!(end.hears().await, Some(ClientFrame::Ping { t: 1 }));
    assert_eq!(stage.host.stored(), (1..=33).collect::<Vec<_>>());
    assert_eq!(stage.host.pulls(), [Pull::NewSession]);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_not_the_next_means_a_pull() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    end.rates(1, 10);
    end.rates(4, 11);
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession, Pull::Gap], "a hole");
    end.rates(5, 12);
    settled().await;
    assert_eq!(stage.host.pulls().len(), 2, "the count goes on behind it");
    end.rates(5, 13);
    end.rates(2, 14);
    settled().await;
    assert_eq!(stage.host.pulls()[2..], [Pull::Gap, Pull::Gap], "the server has lost count");
    end.says(&ServerFrame::Changed { seq: 7 });
    settled().await;
    assert_eq!(stage.host.pulls()[4..], [Pull::Changed, Pull::Gap]);
    assert_eq!(stage.host.stored(), [10, 11, 12], "nothing that may be older");
    end.rates(u64::MAX, 15);
    end.rates(u64::MAX, 16);
    end.rates(0, 17);
    settled().await;
    assert_eq!(stage.host.pulls().len(), 9, "at the end of all numbers");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_comes_again() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    end.rates(1, 10);
    settled().await;
    stage.host.storage.forget_permits(Semaphore::MAX_PERMITS);
    end.rates(2, 11);
    end.rates(3, 12);
    settled().await;
    drop(end);
    let (mut end, _) = stage.next().await;
    assert_eq!(end.resume().await, Some(Resume { session: "s1".into(), seq: 1 }));
    stage.host.storage.add_permits(9);
    end.says(&ServerFrame::Resumed { from: 2 });
    end.rates(2, 11);
    end.rates(3, 12);
    settled().await;
    assert_eq!((stage.host.stored(), stage.host.pulls()), (vec![10, 11, 12], vec![Pull::NewSession]));
}

#[tokio::test(start_paused = true)]
async fn what_a_resumed_session_skips_is_pulled() {
    for (from, pulls) in [(1, 0), (2, 0), (3, 1), (u64::MAX, 1)] {
        let mut stage = Stage::new(&[]);
        let end = stage.open(256).await;
        end.rates(1, 10);
        settled().await;
        drop(end);
        stage.host.take();
        let (mut end, _) = stage.next().await;
        assert!(end.resume().await.is_some());
        end.says(&ServerFrame::Resumed { from });
        end.rates(from, 11);
        settled().await;
        assert_eq!((stage.host.pulls().len(), stage.host.stored()), (pulls, vec![11]), "from {from}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_a_session_that_was_reset_does_not_count_in_the_next() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    stage.host.storage.forget_permits(Semaphore::MAX_PERMITS);
    end.rates(1, 10);
    end.rates(2, 11);
    end.says(&ServerFrame::Reset { reason: "slow".into() });
    end.welcomes(256);
    settled().await;
    stage.host.storage.add_permits(9);
    settled().await;
    assert_eq!(stage.host.stored(), [10, 11]);
    drop(end);
    let (mut end, _) = stage.next().await;
    assert_eq!(end.resume().await, Some(Resume { session: "s1".into(), seq: 0 }), "2 was the old session's");
}

#[tokio::test(start_paused = true)]
async fn frames_of_other_kinds_of_servers() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    end.sends(r#"{"type":"rating_update","data":{"x":1}}"#);
    end.sends(r#"{"op":"confetti","type":"later"}"#);
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession, Pull::Hint]);
    assert_eq!(stage.sockets(), 1);
}

#[tokio::test(start_paused = true)]
async fn garbage_ends_the_connection_for_a_while() {
    let garbage = [
        Ok(Frame::Binary),
        Ok(Frame::Text("{".into())),
        Ok(Frame::Text("[]".into())),
        Ok(Frame::Text(r#"{"op":"rating","seq":-1,"data":[]}"#.into())),
        Ok(Frame::Text(format!("\"{}\"", "x".repeat(256 * 1024)))),
        Ok(Frame::Text("[".repeat(100_000))),
        Ok(Frame::Text(r#"{"op":"resumed","from":3}"#.into())),
    ];
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    for frame in garbage {
        end.to_device.send(frame).unwrap();
    }
    settled().await;
    assert_eq!(stage.sockets(), 1, "some of it is borne");
    assert_eq!(stage.host.pulls(), [[Pull::NewSession; 1].as_slice(), &[Pull::Unreadable; 6]].concat());
    end.to_device.send(Ok(Frame::Binary)).unwrap();
    end.is_left().await;
    let (mut end, after) = stage.next().await;
    assert!((secs(240)..=secs(360)).contains(&after), "{after:?}");
    assert!(end.resume().await.is_none(), "from the beginning");
}

#[tokio::test(start_paused = true)]
async fn a_message_beyond_all_limits_is_a_breach_of_the_protocol() {
    let mut stage = Stage::new(&[]);
    let end = stage.open(256).await;
    end.to_device.send(Err(Failure::TooLarge)).unwrap();
    settled().await;
    assert!(matches!(stage.host.state(), Some(LiveState::Waiting { why: Ended::Protocol, .. })));
    let (_end, after) = stage.next().await;
    assert!(after > secs(230), "{after:?}");
}
