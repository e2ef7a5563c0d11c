//! The picture of an anomaly.
//!
//! First the time, then a line for each fault that stood meanwhile, then a lane for each client with its operations
//! as bars, and under them what each letter means. It is drawn from what the anomaly carries, so a verdict
//! that was written to a file can be drawn again, in another width.

use super::axis::Axis;
use super::style::{Style, printable};
use super::{Precision, list, shorten, wrapped};
use crate::anomaly::{Anomaly, Window, Witness};

/// The most columns left of the bars.
const GUTTER_MAX: usize = 32;

/// The columns between the gutter's text and the bars.
const GAP: usize = 2;

/// Draws the operations of an anomaly; nothing if it has none.
pub(super) fn draw(anomaly: &Anomaly, style: Style) -> String {
    let lanes = lanes(anomaly, style);
    let widest = lanes.iter().map(|lane| lane.label.chars().count()).max().unwrap_or(0);
    let gutter = (widest + GAP).min(GUTTER_MAX).min(style.width / 3);
    let Some(axis) = axis(anomaly, style.width - gutter) else { return String::new() };
    let precision = precision(anomaly);
    let mut drawing = String::new();
    let mut line = |label: &str, row: &str| {
        // Three dots take the place of one.
        let room = gutter - GAP - if style.ascii { 2 } else { 0 };
        let label = style.letters(&shorten(label, room)).into_owned();
        drawing.push_str(format!("{label:gutter$}{row}").trim_end());
        drawing.push('\n');
    };
    line("", &ticks(&axis, precision, style));
    for (number, lane) in lanes.iter().enumerate() {
        if number == anomaly.faults.len() && anomaly.faults_omitted > 0 {
            line("", &format!("and {} more faults", anomaly.faults_omitted));
        }
        line(&lane.label, &lane.row(&axis, style));
    }
    drawing.push('\n');
    drawing.push_str(&legend(anomaly, precision, style));
    drawing
}

/// Times are told as exactly as it takes to see their order.
fn precision(anomaly: &Anomaly) -> Precision {
    let operations = anomaly.operations.iter().flat_map(|shown| [Some(shown.invoked), shown.completed]);
    let faults = anomaly.faults.iter().flat_map(|fault| [Some(fault.began), fault.ended]);
    Precision::telling_apart(operations.chain(faults).flatten())
}

/// The first and the last event of the operations.
fn span(anomaly: &Anomaly) -> Option<(u32, u32)> {
    let first = anomaly.operations.iter().map(|shown| shown.index).min()?;
    let last = anomaly.operations.iter().map(|shown| shown.completed_index.unwrap_or(shown.index)).max()?;
    Some((first, last))
}

fn axis(anomaly: &Anomaly, width: usize) -> Option<Axis> {
    let (first, last) = span(anomaly)?;
    let operations = anomaly
        .operations
        .iter()
        .flat_map(|shown| [Some((shown.index, shown.invoked)), shown.completed_index.zip(shown.completed)]);
    let faults = anomaly
        .faults
        .iter()
        .flat_map(|fault| [Some((fault.began_index, fault.began)), fault.ended_index.zip(fault.ended)]);
    let within = |(index, _): &(u32, u64)| (first..=last).contains(index);
    Axis::of(operations.chain(faults).flatten().filter(within), width)
}

/// One line of bars.
struct Lane {
    label: String,
    bars: Vec<Bar>,
    /// Begin, line and end of its bars.
    strokes: [char; 3],
}

struct Bar {
    /// The event, if it is on the axis.
    begin: Option<u32>,
    end: Option<u32>,
    /// How it ends if it goes on behind the axis.
    open: char,
    /// Written into the bar, or beside it.
    text: String,
}

fn lanes(anomaly: &Anomaly, style: Style) -> Vec<Lane> {
    let Some(span) = span(anomaly) else { return Vec::new() };
    let precision = precision(anomaly);
    let mut lanes: Vec<Lane> =
        anomaly.faults.iter().map(|fault| fault_lane(fault, span, precision, style)).collect();
    let mut clients: Vec<(u64, Lane)> = Vec::new();
    for shown in &anomaly.operations {
        // An operation of unknown outcome may still take effect after the client gave up.
        let known = shown.r#type != "info";
        let bar = Bar {
            begin: Some(shown.index),
            end: shown.completed_index.filter(|_| known),
            open: '?',
            text: shown.label.clone(),
        };
        match clients.iter_mut().find(|(process, _)| *process == shown.process) {
            Some((_, lane)) => lane.bars.push(bar),
            None => {
                let lane = Lane { label: shown.client(), bars: vec![bar], strokes: ['├', '─', '┤'] };
                clients.push((shown.process, lane));
            }
        }
    }
    lanes.extend(clients.into_iter().map(|(_, lane)| lane));
    lanes
}

fn fault_lane(fault: &Window, (first, last): (u32, u32), precision: Precision, style: Style) -> Lane {
    let within = |index: &u32| (first..=last).contains(index);
    let text = match fault.ended {
        Some(ended) => format!(" {} .. {} s ", precision.number(fault.began), precision.number(ended)),
        None => format!(" from {} s ", precision.number(fault.began)),
    };
    let bar = Bar {
        begin: Some(fault.began_index).filter(within),
        end: fault.ended_index.filter(within),
        open: '▶',
        text: style.letters(&text).into_owned(),
    };
    Lane { label: fault.name(), bars: vec![bar], strokes: ['┣', '━', '┫'] }
}

impl Lane {
    fn row(&self, axis: &Axis, style: Style) -> String {
        let mut row = vec![' '; axis.width()];
        for bar in &self.bars {
            bar.draw(&mut row, axis, self.strokes);
        }
        for column in axis.squeezed().filter(|column| *column < row.len()).collect::<Vec<_>>() {
            if row[column] == self.strokes[1] {
                row[column] = '≈';
            }
        }
        row.into_iter().map(|drawn| style.stroke(drawn)).collect()
    }
}

impl Bar {
    fn draw(&self, row: &mut [char], axis: &Axis, [begins, line, ends]: [char; 3]) {
        let (left, begins) =
            self.begin.and_then(|index| axis.column(index)).map_or((0, '◀'), |left| (left, begins));
        let end = self.end.and_then(|index| axis.column(index));
        let (right, ends) = end.map_or((row.len() - 1, self.open), |right| (right, ends));
        let right = right.max(left);
        row[left..=right].fill(line);
        row[left] = begins;
        row[right] = ends;
        let (text, room) = (self.text.chars().count(), right - left);
        let inside = if text == 1 { left + room.min(2) / 2 + usize::from(room > 4) } else { left + room / 2 };
        let start = match room {
            // A letter stands near the beginning of its bar, and instead of it if there is no room.
            _ if text <= 2 => inside,
            _ if text + 2 < room => left + (room + 1 - text) / 2,
            _ if right + text < row.len() => right + 1,
            _ if text < left => left - text,
            _ => return,
        };
        for (place, letter) in row[start..].iter_mut().zip(self.text.chars()) {
            *place = letter;
        }
    }
}

/// The times of the points, as many as there is room for, the first and the last in any case.
fn ticks(axis: &Axis, precision: Precision, style: Style) -> String {
    let (Some(first), Some(last)) = (axis.points().first(), axis.points().last()) else {
        return String::new();
    };
    let mut row = vec![' '; axis.width()];
    let mut write = |start: usize, text: &str| {
        for (place, letter) in row[start..].iter_mut().zip(text.chars()) {
            *place = letter;
        }
    };
    let begin = precision.number(first.time);
    let end = if last.index == first.index { String::new() } else { precision.seconds(last.time) };
    let end_from = axis.width() - end.chars().count();
    write(end_from, &end);
    let mut taken = vec![(0, begin.len()), (end_from, axis.width())];
    write(0, &begin);
    for point in &axis.points()[1..axis.points().len().max(2) - 1] {
        let text = precision.number(point.time);
        let (from, to) = (point.column, point.column + text.len());
        if taken.iter().all(|(begin, end)| to < *begin || *end < from) && to < axis.width() {
            write(from, &text);
            taken.push((from, to));
        }
    }
    for column in axis.squeezed() {
        let free = |at: usize| row.get(at).is_none_or(|place| *place == ' ');
        if free(column) && free(column.saturating_sub(1)) && free(column + 1) && column < row.len() {
            row[column] = '≈';
        }
    }
    row.into_iter().map(|drawn| style.stroke(drawn)).collect()
}

/// What the letters mean, an operation a paragraph.
fn legend(anomaly: &Anomaly, precision: Precision, style: Style) -> String {
    let times: Vec<String> = anomaly.operations.iter().map(|shown| times(shown, precision)).collect();
    let widest = times.iter().map(|time| time.chars().count()).max().unwrap_or(0);
    let mut legend = String::new();
    for (shown, time) in anomaly.operations.iter().zip(times) {
        let label = format!("{}  {time:widest$}  ", shown.label);
        let text = style.letters(&printable(&shown.text)).into_owned();
        legend.push_str(&wrapped(&label, &text, label.chars().count(), style.width));
    }
    legend.push_str(&proof(anomaly, style));
    legend
}

/// Which of the operations contradict each other, if there are others.
fn proof(anomaly: &Anomaly, style: Style) -> String {
    let (context, proof): (Vec<&Witness>, Vec<&Witness>) =
        anomaly.operations.iter().partition(|shown| shown.context);
    let letters = |shown: Vec<&Witness>| -> String {
        list(&shown.iter().map(|shown| shown.label.as_str()).collect::<Vec<_>>())
    };
    let are = match context[..] {
        [] => return String::new(),
        [_] => "is",
        _ => "are",
    };
    let text = format!("The contradiction is in {}; {} {are} context.", letters(proof), letters(context));
    wrapped("", &text, 0, style.width)
}

fn times(shown: &Witness, precision: Precision) -> String {
    match shown.completed {
        Some(completed) => {
            format!("{} .. {} s", precision.number(shown.invoked), precision.number(completed))
        }
        None => format!("from {} s", precision.number(shown.invoked)),
    }
}
