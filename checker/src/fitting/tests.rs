use super::*;
use crate::history::timeline;

fn guessed(picture: &str) -> Option<ModelName> {
    choose(&timeline::parse(picture).unwrap(), None, &Limits::none()).unwrap().model
}

fn named(model: ModelName, picture: &str) -> Result<Choice, String> {
    choose(&timeline::parse(picture).unwrap(), Some(model), &Limits::none())
        .map_err(|misfit| misfit.to_string())
}

/// A history of each model, with each of its operations.
const TYPICAL: [(ModelName, &str); 12] = [
    (ModelName::Conversation, "p0: |-send a=1-| |-read [a]-|"),
    (ModelName::Accounts, "p0: |-create al-| |-login al-| |-list [al]-|"),
    (ModelName::Register, "p0: |-write 1-| |-get 1-|"),
    (ModelName::CasRegister, "p0: |-write 1-| |-get 1-| |-cas 1 2-|"),
    (ModelName::MultiRegister, r#"p0: |-txn [["w",1,2],["r",1,null]] = [["w",1,2],["r",1,2]]-|"#),
    (ModelName::Mutex, "p0: |-acquire null-| |-release null-|"),
    (ModelName::Queue, "p0: |-enqueue 1-| |-enqueue 2-| |-dequeue = 1-| |-drain = [2]-|"),
    (
        ModelName::ListAppend,
        r#"p0: |-append 1-| |-get [1]-| |-txn [["append",3,2],["r",3,null]] = [["append",3,2],["r",3,[2]]]-|"#,
    ),
    (ModelName::Kv, r#"p0: |-put "a"-| |-append "b"-| |-get "ab"-|"#),
    (ModelName::Set, "p0: |-add 1-| |-remove 1-| |-call contains 1 = true-| |-get [1]-|"),
    (ModelName::Counter, "p0: |-add 1-| |-increment 2-| |-decrement 1-| |-get 2-|"),
    (ModelName::Marks, "p0: |-call mark 3-| |-get 3-|"),
];

#[test]
fn each_model_is_guessed_from_its_operations_and_knows_them() {
    for (model, picture) in TYPICAL {
        assert_eq!(named(model, picture).map(|choice| choice.model), Ok(Some(model)), "{picture}");
        let is_chat = matches!(model, ModelName::Conversation | ModelName::Accounts);
        assert_eq!(guessed(picture), Some(model).filter(|_| !is_chat), "{picture}");
        // And no other model knows all of it, but the one that knows more.
        for (other, _) in TYPICAL {
            let wider = (model, other) == (ModelName::Register, ModelName::CasRegister);
            assert_eq!(named(other, picture).is_ok(), other == model || wider, "{other} of {picture}");
        }
    }
}

#[test]
fn answers_decide_between_models_that_know_the_questions() {
    assert_eq!(guessed("p0: |-add 1-| |-get [1]-|"), Some(ModelName::Set));
    assert_eq!(guessed("p0: |-add 1-| |-get 1-|"), Some(ModelName::Counter));
    assert_eq!(guessed(r#"p0: |-append "a"-| |-get ["a"]-|"#), Some(ModelName::ListAppend));
    assert_eq!(guessed(r#"p0: |-append "a"-| |-get "a"-|"#), Some(ModelName::Kv));
    // A chat beside does not matter.
    assert_eq!(guessed("p0: |-send a=1-| |-enqueue 1-|"), Some(ModelName::Queue));
    assert_eq!(guessed("p0: |-write 1-| |-enqueue 1-|"), None);
}

#[test]
fn what_does_not_fit_is_told_with_its_place_and_with_the_models_that_know_it() {
    let told = |model, picture: &str| named(model, picture).unwrap_err();
    assert_eq!(
        told(ModelName::Register, "p0: |-write 1-| |-enqueue 3-|"),
        "`enqueue 3` at index 2 is no operation of the model `register`; the model queue knows it"
    );
    assert_eq!(
        told(ModelName::Counter, "p0: |-add 1-| |-get [1]-|"),
        "the answer [1] to `read` at index 2 is none that fits the model `counter`; the models register, cas-register, \
         list-append and set know it"
    );
    assert_eq!(
        told(ModelName::ListAppend, r#"p0: |-txn [["append",1,1],["append",2,1]]-?"#),
        "`txn [[\"append\",1,1],[\"append\",2,1]]` at index 0 is no operation of the model `list-append`; no other model knows \
         it either"
    );
    assert_eq!(
        told(ModelName::Queue, "p0: |-call frobnicate 3-?"),
        "`frobnicate 3` at index 0 is no operation of the model `queue`; no other model knows it either"
    );
}

#[test]
fn models_have_names() {
    for model in ModelName::ALL {
        assert_eq!(model.name().parse(), Ok(model));
    }
    let unknown = "stack".parse::<ModelName>().unwrap_err().to_string();
    assert!(unknown.starts_with("unknown model `stack`; there are conversation, accounts, "), "{unknown}");
}
