use super::*;
use crate::env::fault::recorder::Recorder;

#[tokio::test]
async fn an_armed_point_is_passed_as_often_as_told_and_then_crashes_once() {
    let recorder = Recorder::current();
    let points = CrashPoints::new(recorder.clone());
    points.reach(CrashPoint::VoteBeforeSync);
    points.arm(CrashPoint::VoteBeforeSync, 2);
    for crashes in [0, 0, 1, 1] {
        points.reach(CrashPoint::AppendBeforeSync);
        points.reach(CrashPoint::VoteBeforeSync);
        assert_eq!(recorder.crashes(), crashes);
    }
    assert_eq!(points.armed(), None);
    points.arm(CrashPoint::VoteBeforeSync, 0);
    points.disarm();
    points.reach(CrashPoint::VoteBeforeSync);
    assert_eq!(recorder.crashes(), 1);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    for point in CrashPoint::ALL {
        assert_eq!(point.name().parse(), Ok(*point));
    }
    let wrong = "vote-befor-sync".parse::<CrashPoint>().unwrap_err().to_string();
    assert!(
        wrong.starts_with("there is no crash point `vote-befor-sync`; the nearest are: vote-before-sync, "),
        "{wrong}"
    );
}
