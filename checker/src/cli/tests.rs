use super::*;
use crate::explain::Style;
use crate::history::timeline;

fn judgement(picture: &str) -> Judgement {
    let evidence = Evidence { history: timeline::parse(picture).unwrap(), ..Evidence::default() };
    let mut notes = Vec::new();
    let names = default_checks(&evidence, &mut notes);
    let checks = check::check(&evidence, &names, &Limits::none());
    Judgement { verdict: Verdict::of(&checks), checks, notes, not_written: None }
}

#[test]
fn a_violation_is_told_drawn_and_counted() {
    let judgement = judgement(
        "p3@n1:   |-send a=1-|  |-send b=2-|
         p5@n2:                                |-read [a]-|
         p6@n1:                                              |-final-read [a b]-|
         nemesis:     |-partition n2--------------------|",
    );
    assert_eq!(
        text::judgement(Style::default(), &judgement, "room.jsonl"),
        "\
INVALID  room.jsonl: linearizable: stale-read in k

  linearizable         invalid  4 examined, 1 key, 1 anomaly
  durable              valid    3 examined, 1 key
                                2 acknowledged, 2 attempts, 1 final-reads, 2 stable, 1 stale
                                stable-latency of 2: median 4.000 ms, p99 4.000 ms, max 4.000 ms
  sessions             valid    4 examined, 1 key
                                3 sessions

  linearizable: stale-read (G-single-realtime) in k
  send b (A) was acknowledged at 0.034 s as number 2; the read by client 5 on n2 (B) began at
  0.038 s and ended at number 1 without it; the final read by client 6 on n1 (C), which ended at
  0.071 s, shows it

                    0.023           0.034    0.038         0.047 0.049   0.052               0.071 s
    partition n2    ◀━━━━━━━━━━ 0.013 .. 0.047 s ━━━━━━━━━━┫
    client 3 on n1  ├─A─────────────┤
    client 5 on n2                           ├─B─────────────────┤
    client 6 on n1                                                       ├─C───────────────────────┤

    A  0.023 .. 0.034 s  send b: ok, number 2
    B  0.038 .. 0.049 s  read after 0 limit 100: head 1, 1:a
    C  0.052 .. 0.071 s  final read after 0 limit 100: head 2, 1:a 2:b
    The contradiction is in A and B; C is context.

  impossible  A read shows the newest state of a moment between its beginning and its end. What was
              acknowledged or shown before it began is part of every such state.
  look at     Events 3 to 7 of the history, and the logs of n1 and n2 from 0.023 s to 0.049 s.
              Meanwhile: partition n2. Did n2 ask a majority whether it was current before it
              answered? A node that was cut off, paused or deposed and does not know it answers like
              this.

  note       one-leader-per-term was not checked: there are no traces
  note       convergence was not checked: there are no digests
"
    );
}

#[test]
fn the_help_lists_the_exit_codes() {
    use clap::CommandFactory;
    let help = Arguments::command().render_long_help().to_string();
    let table = "Exit codes:
   0  valid
   1  a property is violated
   2  wrong command line, or no history that can be read
   3  unknown: a limit was hit, or there is nothing to check
   4  the verdict, or the certificate that was asked for, could not be written
  70  a bug of this program";
    assert!(help.contains(table), "{help}");
}

#[test]
fn a_guess_is_told_with_its_reason() {
    let told = |picture: &str| {
        let history = timeline::parse(picture).unwrap();
        guessed(&fitting::choose(&history, None, &Limits::none()).unwrap())
    };
    assert_eq!(
        told("p0: |-add 1-| |-get [1]-|").as_deref(),
        Some(
            "judged as set, because its operations are add and read, and reads answer with lists; `--model` may name \
             another"
        )
    );
    assert_eq!(told("p0: |-send a=1-|"), None, "a chat's operations need no guess");
}
