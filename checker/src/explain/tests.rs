use super::*;
use crate::anomaly::AnomalyKind;
use crate::evidence::trace::StateHash;
use crate::history::{History, OperationId, jsonl, timeline};

fn anomaly(scene: &Scene<'_>) -> Anomaly {
    Anomaly::of_scene(AnomalyKind::StaleRead, scene, "")
}

fn drawn(picture: &str) -> String {
    let history = timeline::parse(picture).unwrap();
    let ids: Vec<OperationId> = history.ids().collect();
    let drawing = anomaly(&Scene::new(&history, None, &ids)).drawing;
    assert!(drawing.lines().all(|line| line.chars().count() <= WIDTH), "too wide:\n{drawing}");
    drawing
}

#[test]
fn operations_are_bars_under_the_faults_of_their_time() {
    assert_eq!(
        drawn(
            "p3@n1:         |-send a=1-|
             p5@n2:                      |-read []-|
             p6:                |-send b (timeout)-?
             p7:                   |-send c-->
             nemesis:       |-kill n1-------|
             nemesis: |-pause n2 n3----------------------->"
        ),
        "                0.015           0.019     0.022       0.026   0.028     0.031            0.038 s
pause n2 n3     ◀━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ from 0.009 s ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━▶
kill n1             ┣━━━━━━━━━━━━━━━━ 0.015 .. 0.031 s ━━━━━━━━━━━━━━━━━┫
client 3 on n1  ├─A───────────────────────────────────┤
client 6                        ├─B────────────────────────────────────────────────────────────?
client 7                                  ├─C──────────────────────────────────────────────────?
client 5 on n2                                                ├─D──────────────────────────┤

A  0.015 .. 0.026 s  send a: ok, number 1
B  0.019 .. 0.038 s  send b: nobody knows, timeout
C  from 0.022 s      send c: nobody knows
D  0.028 .. 0.038 s  read after 0 limit 100: head 0, nothing
"
    );
}

/// A send that ends 120 µs before a read begins that does not see it.
const CLOSE: &str = r#"{"format":"hearsay-history","version":1}
{"index":0,"time":452000000,"process":4,"type":"invoke","f":"send","key":"k","value":{"id":"a"}}
{"index":1,"time":458120400,"process":4,"type":"ok","f":"send","key":"k","value":{"id":"a","seq":1}}
{"index":2,"time":458240000,"process":5,"type":"invoke","f":"read","key":"k","value":{"after":0,"limit":9}}
{"index":3,"time":459000000,"process":5,"type":"ok","f":"read","key":"k","value":{"messages":[],"head":0}}
"#;

#[test]
fn times_that_would_look_alike_are_told_more_exactly() {
    let (history, _) = jsonl::read(CLOSE.as_bytes()).unwrap();
    let ids: Vec<OperationId> = history.ids().collect();
    let scene = Scene::new(&history, None, &ids);
    let (send, read) = (history.operation(ids[0]), history.operation(ids[1]));
    assert_eq!(scene.ended(send), "0.458120 s");
    assert_eq!(
        scene.without(read, 1),
        "the read by client 5 began at 0.458240 s and ended at number 0 without it"
    );
    assert!(
        anomaly(&scene).drawing.contains("A  0.452000 .. 0.458120 s  send a"),
        "{}",
        anomaly(&scene).drawing
    );
    assert_eq!(Scene::new(&history, None, &ids[..1]).ended(send), "0.458 s");
}

#[test]
fn long_pages_are_abridged_to_what_matters_and_long_lines_broken() {
    let page: Vec<String> = (1..=30).map(|n| format!("message-{n}")).collect();
    let legend = |picture: &str| {
        let drawing = drawn(picture);
        let (_, legend) = drawing.split_once("\n\n").unwrap();
        legend.split_once(" s  ").unwrap().1.replace("\n", "|")
    };
    let read = format!("p1:                        |-read 0+50 [{}]/30-|", page.join(" "));
    assert_eq!(legend(&read), "read after 0 limit 50: head 30, 1:message-1 … 30:message-30 (30)|");
    assert_eq!(
        legend(&format!("p0: |-send message-7=8-|\n{read}")),
        "send message-7: ok, number 8|B  0.027 .. 0.365 s  read after 0 limit 50: head 30, 1:message-1 … \
         7:message-7 8:message-8 …|                     30:message-30 (30)|"
    );
    // Where a number is missing, its neighbours show it.
    assert_eq!(
        legend(
            "p0: |-send x=4-|
             p1:                 |-read [a b c 5:e f g]-|"
        ),
        "send x: ok, number 4|B  0.020 .. 0.043 s  read after 0 limit 100: head 7, 1:a … 3:c 5:e … 7:g (6)|"
    );
}

#[test]
fn the_faults_nearest_to_the_trouble_are_drawn_and_none_from_other_times() {
    let drawing = drawn(
        "nemesis: |-kill n9-|
         p0:                   |-read []-|
         nemesis:              |-kill n1 @1------------------------------------|
         nemesis:               |-kill n2 @2-------------|
         nemesis:                |-kill n3 @3-------------|
         nemesis:                 |-kill n4 @4-------------|
         nemesis:                  |-kill n5 @5-------------|
         p1:                           |-read []-|
         nemesis:                        |-kill n6 @6------|
         p2:                                          |-read []-|
         nemesis:                                                    |-kill n8 @8-|",
    );
    let labels = drawing.lines().skip(1).take(6).map(|line| line.split("  ").next().unwrap_or_default());
    assert_eq!(
        labels.collect::<Vec<_>>(),
        ["kill n2", "kill n3", "kill n4", "kill n5", "", "client 0"],
        "{drawing}"
    );
}

#[test]
fn the_times_of_a_fault_stand_beside_its_bar_if_that_is_too_short() {
    let drawing = drawn(
        "p0: |-read []-|  |-read []-|   |-read []-|   |-read []-|
         nemesis:   |-kill n1-|
         nemesis:                                       |-kill n2-|",
    );
    let faults: Vec<&str> = drawing.lines().skip(1).take(2).collect();
    assert_eq!(
        faults,
        [
            "kill n1             ┣━ 0.011 .. 0.021 s ━┫",
            "kill n2                                                           0.047 .. 0.057 s ┣━━━━━━━━━━━▶",
        ]
    );
}

#[test]
fn nothing_is_drawn_of_nothing() {
    assert_eq!(anomaly(&Scene::new(&History::new(), None, &[])).drawing, "");
    assert_eq!(draw_trace(&[], Style::default()), "");
    assert_eq!(draw_digests(&[], Style::default()), "");
}

#[test]
fn traces_and_digests_are_lists() {
    let (at, node) = (1_794_992_400_000_000_000, "n1".to_owned());
    let trace = [
        TraceEvent::Applied {
            at: at + 9_000_000,
            node: "n2".into(),
            index: 4,
            term: 5,
            state: StateHash(255),
        },
        TraceEvent::Commit { at: at + 8_000_000, node: "n2".into(), index: 4, term: 5 },
        TraceEvent::Leader { at: at + 7_000_000, node: node.clone(), term: 5 },
        TraceEvent::Vote { at: at + 1_000_000, node: node.clone(), term: 5, r#for: "n1".into() },
        TraceEvent::Start { at, node },
    ];
    assert_eq!(
        draw_trace(&trace, Style { width: 60, ..Style::default() }),
        "\
n1    +0.000 s   started
n1    +0.001 s   voted for n1 in term 5
n1    +0.007 s   became leader of term 5
n2    +0.008 s   committed up to index 4 of term 5
n2    +0.009 s   applied index 4 of term 5: state
                 000000000000000000000000000000ff
"
    );
    let digest = StateDigest { node: "n3".into(), index: 9, digest: "ab".repeat(40) };
    assert_eq!(
        draw_digests(&[digest], Style::default()),
        format!("n3    index 9   {}…\n", &"ab".repeat(40)[..31])
    );
}

#[test]
fn a_drawing_has_other_widths_and_can_be_ascii() {
    let history = timeline::parse(
        "p3@n1:       |-send a=1-| |-send b=2-|
         p5@n2:                                  |-read [a]-|
         nemesis: |-partition n2 n3 n4 n5 n6-->",
    )
    .unwrap();
    let ids: Vec<OperationId> = history.ids().collect();
    let anomaly = anomaly(&Scene::new(&history, None, &ids));
    for width in [Style::WIDTH_MIN, 60, 76, 96, 140] {
        let drawing = anomaly.draw(Style { width, ..Style::default() });
        assert!(drawing.lines().all(|line| line.chars().count() <= width), "{width}:\n{drawing}");
    }
    assert_eq!(
        anomaly.draw(Style { width: 60, ascii: true, colour: false }),
        "                    0.013    0.024          0.037    0.051 s
partition n2 n3...  <============ from 0.009 s ============>
client 3 on n1      |-A------|    |-B-------|
client 5 on n2                                   |-C-------|

A  0.013 .. 0.024 s  send a: ok, number 1
B  0.026 .. 0.037 s  send b: ok, number 2
C  0.040 .. 0.051 s  read after 0 limit 100: head 1, 1:a
"
    );
}
