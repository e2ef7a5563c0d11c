//! The picture of a scene.
//!
//! The gutter says who and when, the rest what and in which order. A fault takes one line, an operation two: its
//! description always stands in the same column, and the bar below it in its time.

use super::{Scene, WIDTH, client, shorten};
use crate::history::{Fault, Moment, OperationId, Outcome};

/// The most columns left of the bars.
const GUTTER_MAX: usize = 32;

/// The columns between the gutter's text and the bars.
const GAP: usize = 2;

pub(super) fn draw(scene: &Scene<'_>) -> String {
    let lanes = lanes(scene);
    let widest = lanes.iter().map(|lane| lane.label.chars().count()).max().unwrap_or(0);
    let gutter = (widest + GAP).min(GUTTER_MAX);
    let Some(axis) = Axis::of(scene, WIDTH - gutter) else { return String::new() };
    let mut drawing = String::new();
    for lane in &lanes {
        let text = lane.content.draw(&axis);
        let line = format!("{:gutter$}{text}", shorten(&lane.label, gutter - GAP));
        drawing.push_str(line.trim_end());
        drawing.push('\n');
    }
    drawing
}

/// One line.
struct Lane {
    label: String,
    content: Content,
}

enum Content {
    Text(String),
    Bar {
        /// `None` is before the axis begins.
        begin: Option<Moment>,
        /// `None` is behind its end.
        end: Option<Moment>,
        /// How it is drawn if it goes on behind the axis.
        open: char,
        /// Written into the bar.
        inside: String,
    },
}

fn lanes(scene: &Scene<'_>) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = scene.faults.iter().map(|fault| fault_lane(scene, fault)).collect();
    if scene.other_faults > 0 {
        let label = format!("… and {} more faults", scene.other_faults);
        lanes.push(Lane { label, content: Content::Text(String::new()) });
    }
    lanes.extend(scene.ids.iter().flat_map(|id| operation_lanes(scene, *id)));
    lanes
}

fn fault_lane(scene: &Scene<'_>, fault: &Fault) -> Lane {
    let words = [fault.f].into_iter().chain(fault.nodes.iter().copied()).map(|word| scene.history.text(word));
    let number = |moment: Moment| scene.precision.number(moment.time);
    let inside = match fault.ended {
        Some(ended) => format!("{} .. {} s", number(fault.began), number(ended)),
        None => format!("from {} s", number(fault.began)),
    };
    let within =
        |moment: &Moment| scene.span().is_some_and(|(first, last)| *moment >= first && *moment <= last);
    Lane {
        label: words.collect::<Vec<_>>().join(" "),
        content: Content::Bar {
            begin: Some(fault.began).filter(within),
            end: fault.ended.filter(within),
            open: '▶',
            inside,
        },
    }
}

fn operation_lanes(scene: &Scene<'_>, id: OperationId) -> [Lane; 2] {
    let operation = scene.history.operation(id);
    let number = |moment: Moment| scene.precision.number(moment.time);
    let time = match operation.completed {
        Some(completed) => format!("  {} .. {} s", number(operation.invoked), number(completed)),
        None => format!("  from {} s", number(operation.invoked)),
    };
    // An operation of unknown outcome may still take effect after the client gave up.
    let known = matches!(operation.outcome, Outcome::Ok(_) | Outcome::Fail(_));
    let bar = Content::Bar {
        begin: Some(operation.invoked),
        end: operation.completed.filter(|_| known),
        open: '?',
        inside: String::new(),
    };
    [
        Lane { label: client(scene.history, operation), content: Content::Text(scene.describe(operation)) },
        Lane { label: time, content: bar },
    ]
}

impl Content {
    fn draw(&self, axis: &Axis) -> String {
        let (begin, end, open, inside) = match self {
            Content::Text(text) => return shorten(text, axis.width),
            Content::Bar { begin, end, open, inside } => (begin, end, open, inside),
        };
        let (left, begins) = begin.map_or((0, '◀'), |begin| (axis.column(begin), '├'));
        let (right, ends) = end.map_or((axis.width - 1, *open), |end| (axis.column(end), '┤'));
        let between = (right - left).saturating_sub(1);
        let text = if inside.is_empty() { String::new() } else { format!(" {inside} ") };
        let length = text.chars().count();
        let bar = |fill: &str| format!("{begins}{fill}{ends}");
        if length + 2 <= between {
            let before = (between - length) / 2;
            let dashes = |count| "─".repeat(count);
            let fill = format!("{}{text}{}", dashes(before), dashes(between - length - before));
            return format!("{:left$}{}", "", bar(&fill));
        }
        let bar = bar(&"─".repeat(between));
        if right + length < axis.width {
            format!("{:left$}{bar}{text}", "")
        } else if length < left {
            format!("{:start$}{text}{bar}", "", start = left - length)
        } else {
            format!("{:left$}{bar}", "")
        }
    }
}

/// The columns of all that begins or ends in a drawing.
struct Axis {
    indexes: Vec<u32>,
    width: usize,
}

impl Axis {
    /// The axis of a scene, `None` if nothing is in it.
    fn of(scene: &Scene<'_>, width: usize) -> Option<Self> {
        let (first, last) = scene.span()?;
        let operations = scene.ids.iter().map(|id| scene.history.operation(*id));
        let operations = operations.flat_map(|shown| [Some(shown.invoked), shown.completed]);
        let faults = scene.faults.iter().flat_map(|fault| [Some(fault.began), fault.ended]);
        let mut indexes: Vec<u32> = operations
            .chain(faults)
            .flatten()
            .map(|moment| moment.index)
            .filter(|index| (first.index..=last.index).contains(index))
            .collect();
        indexes.sort_unstable();
        indexes.dedup();
        Some(Axis { indexes, width })
    }

    /// The column of a moment on the axis.
    fn column(&self, moment: Moment) -> usize {
        let rank = self.indexes.binary_search(&moment.index).expect("what is drawn is on the axis");
        rank * (self.width - 1) / (self.indexes.len() - 1).max(1)
    }
}
