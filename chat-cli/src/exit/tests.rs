//! Every end of an operation and its code.

use chat_client::Effect;
use chat_client::wire::chat::Code;

use super::*;

fn exit_of(effect: Effect, cause: Cause) -> Exit {
    Exit::from(&Error::new("send", effect, cause, "127.0.0.1:1", "as planned".to_owned()))
}

#[test]
fn the_chats_answers() {
    use Exit::{NotAuthenticated, Refused, Unavailable, Unknown};
    let expected = [
        (Code::Invalid, Refused),
        (Code::Exists, Refused),
        (Code::NotFound, Refused),
        (Code::TooLarge, Refused),
        (Code::Conflict, Refused),
        (Code::WrongPassword, NotAuthenticated),
        (Code::NotAuthenticated, NotAuthenticated),
        (Code::NoLeader, Unavailable),
        (Code::Overloaded, Unavailable),
        (Code::Starting, Unavailable),
        (Code::Stopping, Unavailable),
        (Code::ReadUnavailable, Unavailable),
        (Code::NotAMember, Unavailable),
        (Code::AttemptForgotten, Refused),
        (Code::Unknown, Unknown),
        (Code::Unspecified, Unknown),
    ];
    for (code, exit) in expected {
        assert_eq!(exit_of(Effect::Write, Cause::Chat(code)), exit, "{code:?}");
    }
}

#[test]
fn what_the_chat_did_not_say_is_unknown_of_a_write_and_unavailable_of_a_read() {
    let causes = [Cause::Deadline, Cause::Broken, Cause::Decode, Cause::Grpc(tonic_code())];
    for cause in causes {
        assert_eq!(exit_of(Effect::Write, cause), Exit::Unknown, "{cause:?}");
        assert_eq!(exit_of(Effect::Read, cause), Exit::Unavailable, "{cause:?}");
    }
    assert_eq!(exit_of(Effect::Write, Cause::Connect), Exit::Unavailable);
}

fn tonic_code() -> chat_client::GrpcCode {
    chat_client::GrpcCode::Unavailable
}

#[test]
fn the_table_lists_every_code_once() {
    insta::assert_snapshot!(Exit::table(), @r#"
    Exit codes:
        0  done
        1  refused by the server
        2  wrong usage, or a file or the terminal is in the way
        3  unavailable: certainly not applied
        4  unknown outcome: it may have been applied
        5  not authenticated: no session, or a wrong password
        6  an assertion of the script failed
       70  a bug of ours
      130  interrupted
      143  terminated
    "#);
}
