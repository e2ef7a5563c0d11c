//! A second account of what the chat promises, in vectors: nothing is indexed, bounded or swept.

use proto::chat::Code;
use proto::log::command::Action;
use proto::log::reply::Outcome;
use proto::log::set_topic::Expected as TopicExpected;
use proto::log::{Reply, Sent, SetTopic, TopicSet};

use super::world::Try;

/// A reply without its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Refused(Code),
    Done,
    Opened(u64),
    Sent(Sent),
    TopicSet(TopicSet),
}

impl From<Reply> for Expected {
    fn from(reply: Reply) -> Self {
        match reply.outcome.unwrap() {
            Outcome::Refusal(refusal) => Expected::Refused(Code::try_from(refusal.code).unwrap()),
            Outcome::Done(_) => Expected::Done,
            Outcome::SessionOpened(opened) => Expected::Opened(opened.expires_ms),
            Outcome::Sent(sent) => Expected::Sent(sent),
            Outcome::TopicSet(set) => Expected::TopicSet(set),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) token: String,
    pub(super) name: String,
    pub(super) life: u64,
    expires_ms: u64,
    closed: bool,
    /// It ended with all sessions of its account.
    swept: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) index: u64,
    pub(super) conversation: String,
    pub(super) sequence: u64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) body: String,
}

/// One setting of a topic that took place.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The two lives, in the order of their names.
    lives: (u64, u64),
    pub(super) text: String,
    pub(super) by: String,
}

/// The whole past, and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Model {
    index: u64,
    now_ms: u64,
    /// Names and their lives.
    pub(super) accounts: Vec<(String, u64)>,
    pub(super) sessions: Vec<Session>,
    pub(super) messages: Vec<Message>,
    settings: Vec<Setting>,
    /// Every outcome that was ever kept, by scope and client and sequence.
    outcomes: Vec<(u64, String, u64, Expected)>,
    /// What each client, by scope, has said that it was answered below.
    answered: Vec<(u64, String, u64)>,
}

impl Model {
    pub(super) fn life(&self, name: &str) -> Option<u64> {
        self.accounts.iter().find(|(taken, _)| taken == name).map(|(_, life)| *life)
    }

    pub(super) fn is_live(&self, session: &Session) -> bool {
        !session.closed && !session.swept && session.expires_ms > self.now_ms
    }

    /// What a life of `name` may read: all that was sent by or to it while it lived.
    pub(super) fn visible<'a>(&'a self, name: &'a str, life: u64) -> impl Iterator<Item = &'a Message> {
        self.messages.iter().filter(move |m| m.index > life && (m.from == name || m.to == name))
    }

    /// The next entry is no proposal, but a number of the log all the same.
    pub(super) fn skip(&mut self) {
        self.index += 1;
    }

    pub(super) fn propose(&mut self, clock_ms: u64, token: &str, attempt: &Try, action: &Action) -> Expected {
        self.index += 1;
        self.now_ms = self.now_ms.max(clock_ms);
        let session = self.sessions.iter().position(|session| session.token == token);
        match action {
            Action::CreateAccount(create) => self.once(0, attempt, true, |model| {
                if model.life(&create.name).is_some() {
                    return Expected::Refused(Code::Exists);
                }
                model.accounts.push((create.name.clone(), model.index));
                Expected::Done
            }),
            Action::OpenSession(open) => self.open(token, &open.name, open.account_id, open.lifetime_ms),
            Action::CloseSession(close) => self.close(session, close.everywhere),
            Action::DeleteAccount(_) => self.acted(session, attempt, |model, session| {
                model.accounts.retain(|(name, _)| *name != session.name);
                model.end_all(session.life);
                Expected::Done
            }),
            Action::Send(send) => {
                self.acted(session, attempt, |model, session| model.send(&session.name, &send.to, &send.body))
            }
            Action::SetTopic(set) => {
                self.acted(session, attempt, |model, session| model.set_topic(session, set))
            }
        }
    }

    fn open(&mut self, token: &str, name: &str, life: u64, lifetime_ms: u64) -> Expected {
        match self.life(name) {
            None => return Expected::Refused(Code::NotFound),
            Some(now) if now != life => return Expected::Refused(Code::WrongPassword),
            Some(_) => {}
        }
        if self.sessions.iter().any(|session| session.token == token) {
            return Expected::Refused(Code::Exists);
        }
        let expires_ms = self.now_ms + lifetime_ms;
        let (token, name) = (token.to_owned(), name.to_owned());
        self.sessions.push(Session { token, name, life, expires_ms, closed: false, swept: false });
        Expected::Opened(expires_ms)
    }

    fn close(&mut self, session: Option<usize>, everywhere: bool) -> Expected {
        let Some(at) = session else { return Expected::Refused(Code::NotAuthenticated) };
        let session = self.sessions[at].clone();
        if everywhere && !session.swept && !self.is_live(&session) {
            return Expected::Refused(Code::NotAuthenticated);
        }
        if everywhere && self.is_live(&session) {
            self.end_all(session.life);
        }
        if !everywhere {
            self.sessions[at].closed = true;
        }
        Expected::Done
    }

    fn end_all(&mut self, life: u64) {
        self.sessions
            .iter_mut()
            .filter(|session| session.life == life)
            .for_each(|session| session.swept = true);
    }

    fn send(&mut self, from: &str, to: &str, body: &str) -> Expected {
        if self.life(to).is_none() {
            return Expected::Refused(Code::NotFound);
        }
        let mut pair = [from, to];
        pair.sort_unstable();
        let conversation = pair.join(":");
        let sequence = 1 + self.messages.iter().filter(|m| m.conversation == conversation).count() as u64;
        self.messages.push(Message {
            index: self.index,
            conversation: conversation.clone(),
            sequence,
            from: from.to_owned(),
            to: to.to_owned(),
            body: body.to_owned(),
        });
        Expected::Sent(Sent { conversation, sequence, time_ms: self.now_ms })
    }

    /// Every setting of the topic that the life `life` of `name` and the present life of `with` share, the oldest first.
    pub(super) fn topic(&self, name: &str, life: u64, with: &str) -> Option<Vec<&Setting>> {
        let mut pair = [(name, life), (with, self.life(with)?)];
        pair.sort_unstable();
        let lives = (pair[0].1, pair[1].1);
        Some(self.settings.iter().filter(|setting| setting.lives == lives).collect())
    }

    fn set_topic(&mut self, session: &Session, set: &SetTopic) -> Expected {
        let Some(before) = self.topic(&session.name, session.life, &set.with) else {
            return Expected::Refused(Code::NotFound);
        };
        let (version, text) = (before.len() as u64, before.last().map_or("", |last| last.text.as_str()));
        let is_met = match &set.expected {
            None => true,
            Some(TopicExpected::ExpectedVersion(expected)) => *expected == version,
            Some(TopicExpected::ExpectedText(expected)) => expected == text,
        };
        if !is_met {
            return Expected::Refused(Code::Conflict);
        }
        let with = (set.with.as_str(), self.life(&set.with).expect("the topic was found"));
        let mut pair = [(session.name.as_str(), session.life), with];
        pair.sort_unstable();
        let conversation = format!("{}:{}", pair[0].0, pair[1].0);
        let lives = (pair[0].1, pair[1].1);
        self.settings.push(Setting { lives, text: set.text.clone(), by: session.name.clone() });
        Expected::TopicSet(TopicSet { conversation, version: version + 1, time_ms: self.now_ms })
    }

    fn acted(
        &mut self,
        session: Option<usize>,
        attempt: &Try,
        act: impl FnOnce(&mut Self, &Session) -> Expected,
    ) -> Expected {
        let Some(session) = session.map(|at| self.sessions[at].clone()) else {
            return Expected::Refused(Code::NotAuthenticated);
        };
        let live = self.is_live(&session);
        self.once(session.life, attempt, live, |model| act(model, &session))
    }

    fn once(
        &mut self,
        scope: u64,
        attempt: &Try,
        permitted: bool,
        act: impl FnOnce(&mut Self) -> Expected,
    ) -> Expected {
        let Try { client_id, sequence, answered_below } = attempt;
        let answered_below = (*answered_below).max(1);
        let mine = |(of, client, _): &&mut (u64, String, u64)| *of == scope && client == client_id;
        let known = self.answered.iter_mut().find(mine).map(|(_, _, below)| *below);
        if known.map_or(answered_below > 1, |below| *sequence < below) {
            return Expected::Refused(Code::AttemptForgotten);
        }
        let same =
            |of: u64, client: &str, number: u64| of == scope && client == client_id && number == *sequence;
        if let Some(kept) = self.outcomes.iter().find(|(of, client, number, _)| same(*of, client, *number)) {
            return kept.3.clone();
        }
        if !permitted {
            return Expected::Refused(Code::NotAuthenticated);
        }
        let outcome = act(self);
        self.outcomes.push((scope, client_id.clone(), *sequence, outcome.clone()));
        match self.answered.iter_mut().find(mine) {
            Some((_, _, below)) => *below = answered_below.max(*below),
            None => self.answered.push((scope, client_id.clone(), answered_below)),
        }
        outcome
    }
}
