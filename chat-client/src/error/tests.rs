//! Every row of the table, and every way that a status can come about.

use super::*;

const CODES: [Code; 16] = [
    Code::Unspecified,
    Code::Invalid,
    Code::Exists,
    Code::NotFound,
    Code::WrongPassword,
    Code::NotAuthenticated,
    Code::TooLarge,
    Code::AttemptForgotten,
    Code::Conflict,
    Code::NoLeader,
    Code::Overloaded,
    Code::Starting,
    Code::Stopping,
    Code::ReadUnavailable,
    Code::NotAMember,
    Code::Unknown,
];

fn every_cause() -> Vec<Cause> {
    let chat = CODES.into_iter().map(Cause::Chat);
    let grpc = (0..=16).map(|code| Cause::Grpc(tonic::Code::from_i32(code)));
    chat.chain(grpc).chain([Cause::Connect, Cause::Deadline, Cause::Broken, Cause::Decode]).collect()
}

fn error(effect: Effect, cause: Cause) -> Error {
    Error::new("send", effect, cause, "127.0.0.1:1", "as planned".to_owned())
}

#[test]
fn every_code_of_the_contract_is_walked() {
    let known = (0..=100).filter(|&number| Code::try_from(number).is_ok()).count();
    assert_eq!(known, CODES.len(), "a code was added to the contract: give it a row and add it to this list");
}

#[test]
fn exactly_these_causes_prove_that_nothing_was_applied() {
    let definite: Vec<Cause> = every_cause().into_iter().filter(|cause| cause.row().definite).collect();
    let proven = [
        Code::Invalid,
        Code::Exists,
        Code::NotFound,
        Code::WrongPassword,
        Code::NotAuthenticated,
        Code::TooLarge,
        Code::AttemptForgotten,
        Code::Conflict,
        Code::NoLeader,
        Code::Overloaded,
        Code::Starting,
        Code::Stopping,
        Code::ReadUnavailable,
        Code::NotAMember,
    ];
    let expected: Vec<Cause> = proven.into_iter().map(Cause::Chat).chain([Cause::Connect]).collect();
    assert_eq!(definite, expected);
}

#[test]
fn exactly_these_causes_pass() {
    let passing: Vec<Cause> = every_cause().into_iter().filter(|cause| cause.row().passing).collect();
    let chat = [
        Code::NoLeader,
        Code::Overloaded,
        Code::Starting,
        Code::Stopping,
        Code::ReadUnavailable,
        Code::NotAMember,
        Code::Unknown,
    ];
    use tonic::Code as Grpc;
    let grpc = [
        Grpc::Cancelled,
        Grpc::Unknown,
        Grpc::DeadlineExceeded,
        Grpc::ResourceExhausted,
        Grpc::Aborted,
        Grpc::Internal,
        Grpc::Unavailable,
        Grpc::DataLoss,
    ];
    let expected: Vec<Cause> = chat
        .into_iter()
        .map(Cause::Chat)
        .chain(grpc.into_iter().map(Cause::Grpc))
        .chain([Cause::Connect, Cause::Deadline, Cause::Broken])
        .collect();
    assert_eq!(passing, expected);
}

#[test]
fn exactly_these_causes_are_outcomes_that_the_cluster_keeps() {
    let kept: Vec<Cause> = every_cause().into_iter().filter(|cause| cause.row().kept).collect();
    assert_eq!(kept, [Code::Exists, Code::NotFound, Code::Conflict].map(Cause::Chat));
    assert!(kept.iter().all(|cause| cause.row().definite && !cause.row().passing));
}

#[test]
fn every_row_says_why_and_every_code_has_its_own_word() {
    assert!(every_cause().iter().all(|cause| !cause.row().why.is_empty()));
    let words: std::collections::BTreeSet<&str> =
        CODES.iter().map(|code| Cause::Chat(*code).word()).collect();
    assert_eq!(words.len(), CODES.len());
    for code in CODES {
        let contract = code.as_str_name().trim_start_matches("CODE_").to_lowercase();
        assert_eq!(Cause::Chat(code).word(), contract);
    }
}

#[test]
fn a_read_is_definite_whatever_happens_and_a_write_as_the_table_says() {
    for cause in every_cause() {
        assert!(error(Effect::Read, cause).is_definite());
        assert!(error(Effect::Read, cause).after(3, true).is_definite());
        assert_eq!(error(Effect::Write, cause).is_definite(), cause.row().definite);
    }
}

#[test]
fn no_later_error_makes_an_unknown_write_definite() {
    for cause in every_cause() {
        assert!(!error(Effect::Write, cause).after(2, true).is_definite(), "{cause:?}");
    }
}

#[test]
fn a_status_without_the_chats_detail_is_never_a_proof() {
    for number in 0..=16 {
        let code = tonic::Code::from_i32(number);
        let error = Error::from_status("send", Effect::Write, "127.0.0.1:1", &Status::new(code, "no"));
        assert_eq!(error.cause(), Cause::Grpc(code));
        assert!(!error.is_definite());
    }
}

fn with_detail(code: i32, leader: &str) -> Error {
    let detail = ErrorDetail { code, message: "the node says so".to_owned(), leader: leader.to_owned() };
    let status = Status::with_details(tonic::Code::Internal, "outer", detail.encode_to_vec().into());
    Error::from_status("send", Effect::Write, "127.0.0.1:1", &status)
}

#[test]
fn the_chats_detail_decides_whatever_the_status_around_it() {
    let error = with_detail(Code::NoLeader.into(), "n2");
    assert_eq!(error.code(), Some(Code::NoLeader));
    assert_eq!(error.leader(), Some("n2"));
    assert_eq!(error.message(), "the node says so");
    assert!(error.is_definite());
    assert_eq!(with_detail(Code::NoLeader.into(), "").leader(), None);
}

#[test]
fn a_code_of_a_later_version_is_not_understood_and_not_definite() {
    let error = with_detail(39, "");
    assert_eq!(error.cause(), Cause::Decode);
    assert!(!error.is_definite());
    assert_eq!(error.message(), "the error's code 39 is not known here: the node says so");
}

#[test]
fn an_error_of_the_transport_is_told_from_a_status_that_was_sent() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let connect = Status::from_error(Box::new(tonic::ConnectError(Box::new(refused))));
    let error = Error::from_status("send", Effect::Write, "127.0.0.1:1", &connect);
    assert_eq!((error.cause(), error.message()), (Cause::Connect, "could not connect: connection refused"));

    let timeout = Status::from_error(Box::new(tonic::TimeoutExpired(())));
    assert_eq!(Error::from_status("send", Effect::Write, "", &timeout).cause(), Cause::Deadline);

    let reset = Status::from_error(Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(Error::from_status("send", Effect::Write, "", &reset).cause(), Cause::Broken);
}

#[test]
fn the_line_names_the_server_and_the_tries_where_they_matter() {
    assert_eq!(error(Effect::Write, Cause::Deadline).to_string(), "as planned (127.0.0.1:1)");
    assert_eq!(
        error(Effect::Write, Cause::Connect).after(4, false).to_string(),
        "as planned (127.0.0.1:1), after 4 tries"
    );
    assert_eq!(error(Effect::Write, Cause::Chat(Code::NotFound)).to_string(), "as planned");
}
