//! What is asked of sockets in particular, at a length that ordinary seeds do not have.

use crate::{
    phone::Phone,
    plan::{DAY, HOUR, Kind, Plan},
    seeds,
};

#[test]
fn a_thousand_flaps_leave_one_socket_and_no_rating_behind() {
    let plan = Plan::about(18, Kind::Flaps, 8 * HOUR);
    let report = seeds::run::<Phone>(&plan, false);
    assert!(report.failures.is_empty(), "{:#?}\n{:#?}", report.failures, report.tail);
    assert!(report.traffic.connects >= 1_000, "only {} sockets were opened", report.traffic.connects);
}

#[test]
fn after_a_week_without_a_server_everybody_is_there_within_one_wait() {
    let mut plan = Plan::about(19, Kind::Outage, 7 * DAY);
    plan.phones.truncate(2);
    let report = seeds::run::<Phone>(&plan, false);
    assert!(report.failures.is_empty(), "{:#?}\n{:#?}", report.failures, report.tail);
}
