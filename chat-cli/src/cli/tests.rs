//! What the command line accepts.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("chat-cli").chain(line.split_whitespace()))
}

fn command(line: &str) -> Command {
    match parse(line).unwrap().command {
        TopCommand::One(command) => command,
        TopCommand::Run { script } => panic!("{} is a script", script.display()),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_the_contract_is_there() {
    for line in [
        "account create alice",
        "account create alice --password-stdin",
        "account delete --yes",
        "account list",
        "account list a* --limit 3 --after alice",
        "login alice",
        "login alice --print-token",
        "logout --everywhere",
        "send bob hello",
        "send bob -",
        "read bob",
        "read bob --after 3 --limit 10",
        "read bob --before 3",
        "read bob --all --stale",
        "read bob --all --after 7",
        "topic get bob",
        "topic set bob lunch at noon",
        "topic set bob lunch --if-version 3",
        "topic set bob lunch --if-text breakfast",
        "watch",
        "watch --after 0 --limit 2 --for 5s --outage-max 1m",
        "cluster status",
        "cluster add n6",
        "cluster add n6 --learner",
        "cluster promote n6 n7",
        "cluster remove n2 n3",
        "cluster replace n2 n6",
        "cluster transfer",
        "cluster transfer n3",
        "cluster snapshot",
        "cluster snapshot n3 --purge",
        "run demo.chat",
        "-o json read bob",
        "read bob -o jsonl --timeout 500ms --servers a:1,b:2 --as alice",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "",
        "sned bob hello",
        "send bob",
        "read bob --after 1 --before 2",
        "read bob --all --limit 2",
        "read bob --limit 0",
        "topic",
        "topic set bob",
        "topic set bob x --if-version 1 --if-text y",
        "read bob --limit 1001",
        "read bob --timeout 5",
        "read bob -o yaml",
        "login alice --password secret",
        "cluster",
        "run",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn options_after_the_text_are_options() {
    let cli = parse("send bob hello there -o json").unwrap();
    assert_eq!(cli.settings.output, Format::Json);
    let TopCommand::One(Command::Send { text, .. }) = cli.command else { panic!("it sends") };
    assert_eq!(text, ["hello", "there"]);
}

#[test]
fn the_cluster_of_one_machine_is_the_default() {
    let servers = parse("cluster status").unwrap().settings.servers;
    let ports: Vec<&str> = servers.iter().map(|server| server.strip_prefix("127.0.0.1:").unwrap()).collect();
    assert_eq!(ports, ["50051", "50052", "50053", "50054", "50055"]);
}

#[test]
fn it_is_known_what_changes_something() {
    for line in ["account create a", "account delete", "login a", "logout", "send a b", "topic set a b"] {
        assert!(command(line).is_write(), "{line}");
    }
    for line in ["account list", "read a", "topic get a", "watch", "cluster status"] {
        assert!(!command(line).is_write(), "{line}");
    }
}
