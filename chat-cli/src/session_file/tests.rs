//! Sessions on a real disk.

use std::os::unix::fs::PermissionsExt as _;

use chat_client::{Client, Policy, Servers};
use tempfile::TempDir;

use super::*;
use crate::exit::Exit;

struct Fixture {
    root: TempDir,
    sessions: SessionDir,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let sessions = SessionDir { path: root.path().join("state/hearsay") };
        Fixture { root, sessions }
    }

    fn save(&self, name: &str, token: &str) {
        let client = Client::new(Servers::new(&["127.0.0.1:1"]).unwrap(), Policy::default());
        self.sessions.save(&client.resume(name, Token::new(token.to_owned()), 7)).unwrap();
    }

    fn token(&self, user: Option<&str>) -> String {
        self.sessions.find(user).unwrap().token.reveal().to_owned()
    }
}

#[test]
fn what_is_kept_is_found_until_it_is_removed() {
    let fixture = Fixture::new();
    assert_eq!(fixture.sessions.find(None).unwrap_err().exit(), Exit::NotAuthenticated);
    fixture.save("alice", "t1");
    assert_eq!(fixture.token(None), "t1");
    fixture.save("alice", "t2");
    assert_eq!(fixture.token(Some("alice")), "t2");
    assert_eq!(fixture.sessions.find(Some("alice")).unwrap().expires_ms, 7);
    fixture.sessions.remove("alice").unwrap();
    fixture.sessions.remove("alice").unwrap();
    assert_eq!(fixture.sessions.find(Some("alice")).unwrap_err().exit(), Exit::NotAuthenticated);
}

#[test]
fn of_several_people_one_must_be_chosen() {
    let fixture = Fixture::new();
    fixture.save("bob", "b");
    fixture.save("alice", "a");
    let failure = fixture.sessions.find(None).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    assert_eq!(
        failure.to_string(),
        "several people are logged in here (alice, bob): say who acts with --as NAME or CHAT_USER"
    );
    assert_eq!(fixture.token(Some("bob")), "b");
}

#[test]
fn nobody_else_can_read_it() {
    let fixture = Fixture::new();
    fixture.save("alice", "t");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = fixture.sessions.path.join("alice.json");
    assert_eq!((mode(&file), mode(&fixture.sessions.path)), (0o600, 0o700));
    let files: Vec<_> = fs::read_dir(&fixture.sessions.path).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside it");
}

#[test]
fn a_name_leads_nowhere_else() {
    let fixture = Fixture::new();
    fs::write(fixture.root.path().join("stolen.json"), "{}").unwrap();
    for name in ["../../stolen", "", "a/b", "Alice", "a b"] {
        assert_eq!(fixture.sessions.find(Some(name)).unwrap_err().exit(), Exit::Usage, "{name}");
    }
    fixture.save("..", "dots");
    assert_eq!(fixture.token(Some("..")), "dots");
}

#[test]
fn a_file_that_is_none_is_named() {
    let fixture = Fixture::new();
    fixture.save("alice", "t");
    fs::write(fixture.sessions.path.join("alice.json"), "{\"name\":").unwrap();
    let failure = fixture.sessions.find(None).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    assert!(failure.to_string().contains("alice.json"), "{failure}");
}
