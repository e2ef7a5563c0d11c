//! Random logs: the machine agrees with the model, two replicas hold the same bytes, and nothing makes it panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proto::log::command::Action;
use proto::log::set_topic::Expected as TopicExpected;
use proto::log::{CloseSession, CreateAccount, DeleteAccount, OpenSession, Send, SetTopic};

use super::model::{Expected, Message, Model};
use super::world::{Try, World, hash, proposal};
use crate::machine::conversation::{Part, page};
use crate::machine::name::Name;
use crate::machine::pattern::Pattern;
use crate::machine::{account, inbox, session, topic};

const NAMES: [&str; 3] = ["al", "bo", "al.bo"];
const TOKENS: u8 = 12;

/// What one entry of a log asks for, before the state decides what can come of it.
#[derive(Debug, Clone)]
enum Step {
    Minutes(u64),
    Create { name: usize, attempt: Try },
    Login { name: usize, token: u8, minutes: u64, right_life: bool },
    Logout { token: u8, everywhere: bool },
    Delete { token: u8, attempt: Try },
    Send { token: u8, to: usize, attempt: Try, body: String },
    SetTopic { token: u8, with: usize, attempt: Try, text: String, expected: Option<TopicExpected> },
    Garbage(Vec<u8>),
}

/// An attempt among `count` of each of two clients: the fewer, the more retries.
fn attempt(count: u64) -> impl Strategy<Value = Try> {
    ("[xy]", 1..=count, 0..3_u64).prop_map(|(client_id, sequence, back)| Try {
        client_id,
        sequence,
        // Mostly nothing is answered, so that most attempts are new ones or retries.
        answered_below: if back == 0 { sequence } else { 0 },
    })
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    let token = 0..TOKENS;
    prop_oneof![
        2 => (0..6_u64).prop_map(Step::Minutes),
        4 => (name.clone(), attempt(30)).prop_map(|(name, attempt)| Step::Create { name, attempt }),
        6 => (name.clone(), token.clone(), 1..60_u64, prop::bool::weighted(0.9)).prop_map(
            |(name, token, minutes, right_life)| Step::Login { name, token, minutes, right_life }
        ),
        1 => (token.clone(), any::<bool>()).prop_map(|(token, everywhere)| Step::Logout { token, everywhere }),
        2 => (token.clone(), attempt(7)).prop_map(|(token, attempt)| Step::Delete { token, attempt }),
        12 => (token.clone(), name.clone(), attempt(7), "[a-z]{1,3}").prop_map(|(token, to, attempt, body)| {
            Step::Send { token, to, attempt, body }
        }),
        6 => (token, name, attempt(7), "[a-b]{0,1}", topic_expected()).prop_map(
            |(token, with, attempt, text, expected)| Step::SetTopic { token, with, attempt, text, expected }
        ),
        1 => vec(any::<u8>(), 0..40).prop_map(Step::Garbage),
    ]
}

/// Few versions and texts, so that many an expectation is met.
fn topic_expected() -> impl Strategy<Value = Option<TopicExpected>> {
    prop_oneof![
        Just(None),
        (0..4_u64).prop_map(|version| Some(TopicExpected::ExpectedVersion(version))),
        "[a-b]{0,1}".prop_map(|text| Some(TopicExpected::ExpectedText(text))),
    ]
}

/// A log in which two people can talk from the start.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let begin = |name| {
        let attempt = Try { client_id: "begin".to_owned(), sequence: name as u64 + 1, answered_below: 0 };
        let token = u8::try_from(name).unwrap();
        [Step::Create { name, attempt }, Step::Login { name, token, minutes: 60, right_life: true }]
    };
    vec(step(), 1..100)
        .prop_map(move |steps| [begin(0), begin(1)].concat().into_iter().chain(steps).collect())
}

/// Applies one step to both, and returns what each answered; `None` for a step that no model judges.
fn take(world: &mut World, model: &mut Model, step: Step) -> Option<(Expected, Expected)> {
    let (token, attempt, action) = match step {
        Step::Minutes(minutes) => {
            world.clock_ms += minutes * 60_000;
            return None;
        }
        Step::Garbage(mut bytes) => {
            // No field has the wire type 7, so this is not a proposal, and its time does not count.
            bytes.insert(0, 0xff);
            world.apply(&bytes);
            model.skip();
            return None;
        }
        Step::Create { name, attempt } => {
            let create = CreateAccount { name: NAMES[name].to_owned(), password_hash: "hash".to_owned() };
            (String::new(), attempt, Action::CreateAccount(create))
        }
        Step::Login { name, token, minutes, right_life } => {
            let token = token.to_string();
            let open = OpenSession {
                name: NAMES[name].to_owned(),
                account_id: if right_life { model.life(NAMES[name]).unwrap_or(0) } else { 1 },
                token_hash: hash(&token).to_vec(),
                lifetime_ms: minutes * 60_000,
            };
            (token, Try::default(), Action::OpenSession(open))
        }
        Step::Logout { token, everywhere } => {
            (token.to_string(), Try::default(), Action::CloseSession(CloseSession { everywhere }))
        }
        Step::Delete { token, attempt } => {
            (token.to_string(), attempt, Action::DeleteAccount(DeleteAccount {}))
        }
        Step::Send { token, to, attempt, body } => {
            let send = Send { to: NAMES[to].to_owned(), body };
            (token.to_string(), attempt, Action::Send(send))
        }
        Step::SetTopic { token, with, attempt, text, expected } => {
            let set = SetTopic { with: NAMES[with].to_owned(), text, expected };
            (token.to_string(), attempt, Action::SetTopic(set))
        }
    };
    let expected = model.propose(world.clock_ms, &token, &attempt, &action);
    Some((world.propose(&token, &attempt, action).into(), expected))
}

/// What everyone sees is what the model says that they see.
fn check_views(world: &World, model: &Model) -> Result<(), TestCaseError> {
    let mut names: Vec<_> = model.accounts.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    let all = account::list(&world.tables, &Pattern::parse("").unwrap(), "", 100).unwrap();
    prop_assert_eq!(all.names, names);
    for known in &model.sessions {
        let caller = session::caller(&world.tables, &hash(&known.token)).unwrap();
        prop_assert_eq!(caller.is_some(), model.is_live(known), "session {:?}", known);
        let Some(caller) = caller else { continue };
        prop_assert_eq!((caller.name.as_str(), caller.account_id), (known.name.as_str(), known.life));

        let events = inbox::events(&world.tables, caller.account_id, 0, 1_000).unwrap();
        let told: Vec<_> =
            events.into_iter().map(|e| (e.cursor, e.conversation, e.sequence, e.message.body)).collect();
        let visible = model.visible(&known.name, known.life);
        let due: Vec<_> =
            visible.map(|m| (m.index, m.conversation.clone(), m.sequence, m.body.clone())).collect();
        prop_assert_eq!(told, due);

        for with in NAMES {
            check_topic(world, model, &caller, with)?;
            check_pages(world, model, &caller, with)?;
        }
    }
    Ok(())
}

fn check_topic(
    world: &World,
    model: &Model,
    caller: &session::Caller,
    with: &str,
) -> Result<(), TestCaseError> {
    let shown = topic::find(&world.tables, caller, &Name::parse(with).unwrap()).unwrap();
    let due = model.topic(caller.name.as_str(), caller.account_id, with);
    let shown = shown.map(|topic| (topic.version, topic.text, topic.by));
    let due = due.map(|settings| {
        let last = settings.last().map(|last| (last.text.clone(), last.by.clone()));
        let (text, by) = last.unwrap_or_default();
        (settings.len() as u64, text, by)
    });
    prop_assert_eq!(shown, due);
    Ok(())
}

fn check_pages(
    world: &World,
    model: &Model,
    caller: &session::Caller,
    with: &str,
) -> Result<(), TestCaseError> {
    let me = caller.name.as_str();
    let ours = |m: &&Message| (m.from == me && m.to == with) || (m.from == with && m.to == me);
    let due: Vec<_> = model.visible(me, caller.account_id).filter(ours).collect();
    let due: Vec<_> = due.iter().map(|m| (m.sequence, m.body.as_str())).collect();
    let with_name = Name::parse(with).unwrap();
    let shown = |part, limit| page(&world.tables, caller, &with_name, part, limit).unwrap();
    let Some(whole) = shown(Part::After(0), 1_000) else {
        prop_assert!(due.is_empty() && model.life(with).is_none(), "{with} is there, or was heard of");
        return Ok(());
    };
    let pairs = |page: &crate::machine::conversation::Page| -> Vec<(u64, String)> {
        page.messages.iter().map(|(sequence, message)| (*sequence, message.body.clone())).collect()
    };
    let due: Vec<_> = due.into_iter().map(|(sequence, body)| (sequence, body.to_owned())).collect();
    prop_assert_eq!(pairs(&whole), due.clone());
    prop_assert_eq!(whole.head, due.last().map_or(0, |(sequence, _)| *sequence));

    let last = shown(Part::Last, 2).unwrap();
    prop_assert_eq!(pairs(&last), due[due.len().saturating_sub(2)..].to_vec());
    if let Some((middle, _)) = due.get(due.len() / 2) {
        let before: Vec<_> = due.iter().filter(|(sequence, _)| sequence < middle).cloned().collect();
        let before = before[before.len().saturating_sub(2)..].to_vec();
        prop_assert_eq!(pairs(&shown(Part::Before(*middle), 2).unwrap()), before);
        let after: Vec<_> = due.iter().filter(|(sequence, _)| sequence > middle).take(2).cloned().collect();
        prop_assert_eq!(pairs(&shown(Part::After(*middle), 2).unwrap()), after);
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_machine_agrees_with_the_model(steps in steps()) {
        let (mut world, mut model) = (World::default(), Model::default());
        for (place, step) in steps.into_iter().enumerate() {
            if let Some((answered, expected)) = take(&mut world, &mut model, step.clone()) {
                prop_assert_eq!(answered, expected, "step {}: {:?}", place, step);
            }
            check_views(&world, &model)?;
        }
    }

    #[test]
    fn two_replicas_hold_the_same_bytes(steps in steps()) {
        let mut twins = [(World::default(), Model::default()), (World::default(), Model::default())];
        for step in steps {
            let [one, other] = &mut twins;
            let answers = take(&mut one.0, &mut one.1, step.clone());
            prop_assert_eq!(answers, take(&mut other.0, &mut other.1, step));
            prop_assert_eq!(&one.0.tables, &other.0.tables);
        }
    }

    #[test]
    fn no_bytes_make_the_machine_panic(
        logs in vec((vec(any::<u8>(), 0..60), any::<u64>(), step(), vec((any::<u8>(), any::<usize>()), 0..4)), 1..20),
    ) {
        let (mut world, mut model) = (World::default(), Model::default());
        for (bytes, time_ms, step, flips) in logs {
            take(&mut world, &mut model, step);
            world.apply(&bytes);
            let send = Action::Send(Send { to: "al".to_owned(), body: "hi".to_owned() });
            let attempt = Try { client_id: "x".to_owned(), sequence: time_ms, answered_below: time_ms };
            let mut near = proposal(time_ms, "0", &attempt, send);
            for (flip, at) in flips {
                let at = at % near.len();
                near[at] ^= flip;
            }
            world.apply(&near);
        }
    }
}
