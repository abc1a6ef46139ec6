//! More than can be stored.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_storm_is_answered_with_one_pull_and_little_memory() {
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    stage.host.storage.forget_permits(Semaphore::MAX_PERMITS);
    for seq in 1..=65 {
        end.rates(seq, i64::try_from(seq).unwrap());
    }
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession], "one is being stored, 64 wait");
    end.rates(66, 66);
    end.rates(67, 67);
    settled().await;
    assert_eq!(stage.host.pulls(), [Pull::NewSession, Pull::Overflow]);
    stage.host.storage.add_permits(99);
    settled().await;
    assert_eq!(stage.host.stored(), [1, 67], "the one at work, and what came after the flood");
    assert_eq!(end.hears().await, Some(ClientFrame::Ack { seq: 67 }), "what was dropped is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_slow_disk_does_not_look_like_a_dead_connection() {
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    stage.host.storage.forget_permits(Semaphore::MAX_PERMITS);
    end.rates(1, 1);
    end.serves(secs(600)).await;
    assert_eq!((stage.sockets(), stage.calls()), (1, 1));
    stage.host.storage.add_permits(1);
    settled().await;
    assert_eq!(stage.host.stored(), [1]);
}

#[tokio::test(start_paused = true)]
async fn no_flood_drowns_the_wish_to_stop() {
    let mut stage = Stage::new(&[]);
    let mut end = stage.open(256).await;
    for seq in 1..=100_000 {
        end.rates(seq, 1);
    }
    while stage.host.stored().is_empty() {
        tokio::task::yield_now().await;
    }
    stage.want(|wanted| wanted.live = false);
    assert_eq!(end.is_left().await, Duration::ZERO);
    let stored = stage.host.stored().len();
    assert!((1..1_000).contains(&stored), "{stored} of 100,000");
}
