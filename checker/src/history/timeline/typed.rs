//! Operations on a [model](crate::model) as a picture, for tests that disagree about them.

use std::fmt::Debug;

use super::{End, Lanes};
use crate::model::Operation;

/// Draws operations in the order of their events. An operation is on the first line that is free.
pub(crate) fn draw<I: Debug, O: Debug>(operations: &[Operation<I, O>]) -> String {
    let mut events: Vec<(u32, usize)> = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        events.push((operation.invoked, number));
        events.extend(operation.returned.map(|returned| (returned, number)));
    }
    events.sort_unstable();
    let mut lanes = Lanes::default();
    let mut lane_of: Vec<Option<usize>> = Vec::new();
    for (place, number) in events {
        let operation = &operations[number];
        if operation.invoked == place {
            let free = lane_of.iter().position(Option::is_none).unwrap_or_else(|| {
                lane_of.push(None);
                lane_of.len() - 1
            });
            lane_of[free] = Some(number);
            let answer = operation.output.as_ref().map(|output| format!(" {output:?}")).unwrap_or_default();
            lanes.begin(&format!("p{free}"), &format!("{:?}{answer}", operation.input));
        } else {
            let lane = lane_of.iter().position(|on| *on == Some(number)).expect("what returns was invoked");
            lane_of[lane] = None;
            lanes.end(&format!("p{lane}"), End::Ok);
        }
    }
    lanes.finish()
}
