//! What is wrong with a subscription, as a sentence with the operations that prove it.

use super::known::Known;
use super::subscription::Wrong;
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::{Scene, the_poll, the_read};
use crate::history::{Delivery, History, Input, OperationId, Symbol};

/// The anomaly.
pub(super) fn tell(history: &History, known: &Known, wrong: &Wrong) -> Anomaly {
    Teller { history, known }.tell(wrong)
}

struct Teller<'a> {
    history: &'a History,
    known: &'a Known,
}

impl Teller<'_> {
    fn tell(&self, wrong: &Wrong) -> Anomaly {
        use AnomalyKind as Kind;
        let poll = |poll: OperationId| the_poll(self.history, self.history.operation(poll));
        match *wrong {
            Wrong::Phantom { poll: at, delivery, later: None } => {
                self.anomaly(Kind::Phantom, delivery, &[at], |tale, _| {
                    format!("{} delivered {}, which nobody has sent", poll(at), tale.message(delivery))
                })
            }
            Wrong::Phantom { poll: at, delivery, later: Some(send) } => {
                self.anomaly(Kind::Phantom, delivery, &[at, send], |tale, scene| {
                    let sent = scene.at(tale.history.operation(send).invoked);
                    let message = tale.message(delivery);
                    format!("{} delivered {message}, which was sent only later, at {sent}", poll(at))
                })
            }
            Wrong::Aborted { poll: at, delivery, send } => {
                self.anomaly(Kind::AbortedRead, delivery, &[send, at], |tale, scene| {
                    let (id, failed) = (tale.id(delivery.id), scene.ended(tale.history.operation(send)));
                    let message = tale.message(delivery);
                    format!(
                        "send {id} failed at {failed}, so it never happened, but {} delivered {message}",
                        poll(at)
                    )
                })
            }
            Wrong::Misplaced { poll: at, delivery, send } => {
                self.anomaly(Kind::WrongConversation, delivery, &[send, at], |tale, _| {
                    let to = tale.history.operation(send).key.map_or("nowhere", |key| tale.id(key));
                    format!("{} delivered {}, which was sent to {to}", poll(at), tale.message(delivery))
                })
            }
            Wrong::Stranger { poll: at, delivery, inbox } => {
                self.anomaly(Kind::WrongConversation, delivery, &[at], |tale, _| {
                    let (message, inbox) = (tale.message(delivery), tale.id(inbox));
                    format!("{} delivered {message}, which is none of {inbox}'s", poll(at))
                })
            }
            _ => self
                .disagreement(wrong)
                .or_else(|| self.absence(wrong))
                .unwrap_or_else(|| self.disorder(wrong)),
        }
    }

    fn disagreement(&self, wrong: &Wrong) -> Option<Anomaly> {
        use AnomalyKind as Kind;
        let poll = |poll: OperationId| the_poll(self.history, self.history.operation(poll));
        Some(match *wrong {
            Wrong::Conflict { poll: at, delivery, other, by } => {
                self.anomaly(Kind::Conflict, delivery, &[by, at], |tale, _| {
                    let (message, other, source) = (tale.message(delivery), tale.id(other), tale.source(by));
                    format!("{} delivered {message}, but by {source} that number is {other}", poll(at))
                })
            }
            Wrong::Moved { poll: at, delivery, seq, by } => {
                self.anomaly(Kind::Moved, delivery, &[by, at], |tale, _| {
                    let (message, source) = (tale.message(delivery), tale.source(by));
                    format!("{} delivered {message}, but by {source} it has number {seq}", poll(at))
                })
            }
            Wrong::OtherCursor { poll: at, delivery, cursor, by } => {
                self.anomaly(Kind::InconsistentCursor, delivery, &[by, at], |tale, _| {
                    let message = tale.message(delivery);
                    let (own, other) = (delivery.cursor, poll(by));
                    format!("{} delivered {message} with cursor {own}, and {other} with cursor {cursor}", poll(at))
                })
            }
            Wrong::OtherMessage { poll: at, delivery, key, seq, by } => {
                self.anomaly(Kind::InconsistentCursor, delivery, &[by, at], |tale, _| {
                    let (message, key) = (tale.message(delivery), tale.id(key));
                    let (cursor, other) = (delivery.cursor, poll(by));
                    format!(
                        "{} delivered {message} with cursor {cursor}, with which {other} had delivered number {seq} \
                         of {key}",
                        poll(at)
                    )
                })
            }
            _ => return None,
        })
    }

    /// What is not there: in a subscription, or in a read that follows it.
    fn absence(&self, wrong: &Wrong) -> Option<Anomaly> {
        use AnomalyKind as Kind;
        let poll = |poll: OperationId| the_poll(self.history, self.history.operation(poll));
        Some(match *wrong {
            Wrong::Early { poll: at, delivery, read } => {
                self.anomaly(Kind::DirtyRead, delivery, &[at, read], |tale, scene| {
                    let (reader, told) = (tale.history.operation(read), tale.history.operation(at));
                    format!(
                        "{} delivered {} at {}, but {} began at {} and ended before it: that was not committed",
                        poll(at),
                        tale.message(delivery),
                        scene.ended(told),
                        the_read(tale.history, reader),
                        scene.at(reader.invoked)
                    )
                })
            }
            Wrong::PassedOver { poll: at, key, seq, cursor, reached } => {
                let by = self.known.cursor(key, seq).map(|(_, by)| by);
                let proof: Vec<OperationId> = by.into_iter().chain([at]).collect();
                let scene = Scene::new(self.history, Some(key), &proof);
                let told = by.map_or("somebody".to_owned(), poll);
                let sentence = format!(
                    "the subscription of {} was at cursor {reached} in the end and was never told number {seq} of {}, \
                     which {told} had delivered with cursor {cursor}",
                    poll(at),
                    self.id(key)
                );
                Anomaly::of_scene(Kind::PollSkip, &scene, sentence)
            }
            Wrong::Lost { poll: at, key, first, count } => {
                let missed = self.known.number(key, first);
                let proof: Vec<OperationId> =
                    missed.map(|missed| missed.by).into_iter().chain([at]).collect();
                let scene = Scene::new(self.history, Some(key), &proof);
                let began = scene.at(self.history.operation(at).invoked);
                let what = self.missing(&scene, key, first, count);
                let sentence = format!(
                    "{} began at {began} and was the last of its subscription, which never delivered {what} of {}",
                    poll(at),
                    self.id(key)
                );
                Anomaly::of_scene(Kind::LostTail, &scene, sentence)
            }
            _ => return None,
        })
    }

    fn disorder(&self, wrong: &Wrong) -> Anomaly {
        use AnomalyKind as Kind;
        let poll = |poll: OperationId| the_poll(self.history, self.history.operation(poll));
        match *wrong {
            Wrong::Again { poll: at, delivery, first: Some(first), .. } => {
                self.anomaly(Kind::DuplicateDelivery, delivery, &[first, at], |tale, scene| {
                    let message = tale.message(delivery);
                    let before = match first == at {
                        true => "it had delivered before".to_owned(),
                        false => {
                            let ended = scene.ended(tale.history.operation(first));
                            format!("{} had delivered at {ended}", poll(first))
                        }
                    };
                    format!("{} delivered {message} again, which {before}", poll(at))
                })
            }
            Wrong::Again { poll: at, delivery, first: None, after } => {
                self.anomaly(Kind::DuplicateDelivery, delivery, &[at], |tale, _| {
                    let (message, cursor) = (tale.message(delivery), delivery.cursor);
                    format!(
                        "{} was to go on after cursor {after} and delivered {message} with cursor {cursor}",
                        poll(at)
                    )
                })
            }
            Wrong::CursorBack { poll: at, delivery, after } => {
                self.anomaly(Kind::NonmonotonicPoll, delivery, &[at], |tale, _| {
                    let (message, cursor) = (tale.message(delivery), delivery.cursor);
                    format!(
                        "{} delivered {message} with cursor {cursor} after one with cursor {after}",
                        poll(at)
                    )
                })
            }
            Wrong::NumberBack { poll: at, delivery, after } => {
                self.anomaly(Kind::NonmonotonicPoll, delivery, &[at], |tale, _| {
                    format!("{} delivered {} after number {after}", poll(at), tale.message(delivery))
                })
            }
            Wrong::Skipped { poll: at, delivery, first, count } => {
                let missed = self.known.number(delivery.key, first);
                let proof: Vec<OperationId> =
                    missed.map(|missed| missed.by).into_iter().chain([at]).collect();
                self.anomaly(Kind::PollSkip, delivery, &proof, |tale, scene| {
                    let what = tale.missing(scene, delivery.key, first, count);
                    format!("{} delivered {} without {what}", poll(at), tale.message(delivery))
                })
            }
            _ => unreachable!("what cannot be delivered and what disagrees is told elsewhere"),
        }
    }

    fn anomaly(
        &self,
        kind: AnomalyKind,
        delivery: Delivery,
        proof: &[OperationId],
        sentence: impl FnOnce(&Self, &Scene<'_>) -> String,
    ) -> Anomaly {
        let scene = Scene::new(self.history, Some(delivery.key), proof).about(delivery.id, delivery.seq);
        Anomaly::of_scene(kind, &scene, sentence(self, &scene))
    }

    /// The messages that are missing: `number 4 (c2-7, acknowledged at 3.012 s) and 2 more behind it`.
    fn missing(&self, scene: &Scene<'_>, key: Symbol, first: u64, count: u64) -> String {
        let what = match self.known.number(key, first) {
            None => format!("number {first}"),
            Some(proven) => {
                let by = self.history.operation(proven.by);
                let how = if matches!(by.input, Input::Send { .. }) { "acknowledged" } else { "shown" };
                format!("number {first} ({}, {how} at {})", self.id(proven.message), scene.ended(by))
            }
        };
        if count > 1 { format!("{what} and {} more behind it", count - 1) } else { what }
    }

    /// The operation that says where a message is.
    fn source(&self, by: OperationId) -> String {
        let operation = self.history.operation(by);
        match operation.input {
            Input::Send { id } => format!("the acknowledgement of {}", self.id(id)),
            Input::Poll { .. } => the_poll(self.history, operation),
            _ => the_read(self.history, operation),
        }
    }

    /// `c1-9 as number 5 of alice:bob`.
    fn message(&self, delivery: Delivery) -> String {
        let Delivery { key, seq, id, .. } = delivery;
        format!("{} as number {seq} of {}", self.id(id), self.id(key))
    }

    fn id(&self, symbol: Symbol) -> &str {
        self.history.text(symbol)
    }
}
