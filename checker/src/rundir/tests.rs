#![expect(clippy::disallowed_methods, reason = "these tests are about files")]

use super::*;
use crate::history::binary;

const HISTORY: &str = "{\"format\":\"hearsay-history\",\"version\":1}\n\
    {\"index\":0,\"time\":1,\"process\":3,\"type\":\"invoke\",\"f\":\"send\",\"key\":\"k\",\"value\":{\"id\":\"a\"}}\n";

/// A directory with these files, removed at the end of the test.
fn with_files<T>(name: &str, files: &[(&str, &str)], test: impl FnOnce(&Path) -> T) -> T {
    let root = std::env::temp_dir().join(format!("checker-rundir-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let result = test(&root);
    fs::remove_dir_all(&root).unwrap();
    result
}

#[test]
fn a_whole_run_directory_is_read() {
    let files = [
        ("history.jsonl", HISTORY),
        ("nodes/n2/trace.jsonl", "{\"kind\":\"start\",\"at\":1,\"node\":\"n2\"}\n{\"kind\":\"sta"),
        ("nodes/n1/trace.jsonl", "{\"kind\":\"start\",\"at\":1,\"node\":\"n1\"}\n"),
        ("nodes/n3/log.jsonl", "{}\n"),
        (
            "events.jsonl",
            "{\"kind\":\"phase\",\"name\":\"read\"}\n\
             {\"kind\":\"node-left\",\"node\":\"n2\",\"why\":\"it was removed\"}\n\
             {\"kind\":\"digest\",\"node\":\"n1\",\"index\":9,\"digest\":\"ff\",\"time\":5}\n{\"kin",
        ),
    ];
    with_files("whole", &files, |root| {
        let Loaded { evidence, notes } = read(root).unwrap();
        assert_eq!(evidence.history.operations().len(), 1);
        let nodes: Vec<_> = evidence.traces.iter().map(|t| (t.node.as_str(), t.events.len())).collect();
        assert_eq!(nodes, [("n1", 1), ("n2", 1)]);
        assert_eq!(evidence.departed, ["n2".to_owned()].into());
        assert!(evidence.nodes().contains("n2") && !evidence.remaining().contains("n2"));
        assert_eq!(evidence.digests, [StateDigest { node: "n1".into(), index: 9, digest: "ff".into() }]);
        let shown = |path: &str| root.join(path).display().to_string();
        assert_eq!(
            notes,
            [
                format!("{}:2: the line is torn and was passed over", shown("nodes/n2/trace.jsonl")),
                format!("{}:4: the line is torn and was passed over", shown("events.jsonl")),
            ]
        );
    });
}

#[test]
fn a_history_alone_is_enough() {
    with_files("alone", &[("history.jsonl", HISTORY)], |root| {
        for path in [root.to_owned(), root.join("history.jsonl")] {
            let Loaded { evidence, notes } = read(&path).unwrap();
            assert_eq!((evidence.history.operations().len(), evidence.traces.len()), (1, 0));
            assert_eq!(notes, Vec::<String>::new());
        }
    });
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let events = "{\"kind\":\"phase\"}\n{\"kind\":\"digest\",\"node\":\"n1\"}\n";
    with_files("broken", &[("history.jsonl", HISTORY), ("events.jsonl", events)], |root| {
        let path = root.join("events.jsonl").display().to_string();
        assert_eq!(read(root).unwrap_err().to_string(), format!("{path}:2:29: missing field `index`"));
        assert!(matches!(read(&root.join("nowhere")), Err(RunDirError::Read { .. })));
    });
}

#[test]
fn what_is_no_run_is_refused_in_clear_words() {
    let files = [
        ("empty", ""),
        ("binary", "\u{7f}ELF\0\0\n"),
        ("other.json", "{\"name\":\"x\"}\n"),
        ("dir/notes", ""),
    ];
    with_files("nonsense", &files, |root| {
        let refused = |name: &str| {
            let error = read(&root.join(name)).unwrap_err().to_string();
            error.replace(&root.display().to_string(), "")
        };
        let header = r#"{"format":"hearsay-history","version":1}"#;
        assert_eq!(
            refused("empty"),
            format!("/empty:1:1: the file is empty; a history begins with {header}")
        );
        let wanted = format!("the first line must be {header}");
        assert_eq!(
            refused("binary"),
            "/binary:1:1: not a history: it is no JSON, no EDN, and no line is one of a Jepsen log; if it is one, say its format"
        );
        assert_eq!(
            refused("other.json"),
            format!("/other.json:1:12: not a history: missing field `format`; {wanted}")
        );
        assert_eq!(refused("dir"), "/dir is not a run directory: it has no history.jsonl and no history.bin");
    });
}

#[test]
fn a_binary_history_is_known_by_its_first_bytes() {
    let (text, path) = (HISTORY.as_bytes(), Path::new("history.bin"));
    let history = read_history(path, text, None).unwrap().evidence.history;
    let mut file = Vec::new();
    binary::write(&history, &mut file).unwrap();
    let loaded = read_history(path, &*file, None).unwrap();
    assert_eq!(loaded.notes, Vec::<String>::new());
    let lines = |history| crate::history::jsonl::events(history).collect::<Vec<_>>();
    assert_eq!(lines(&loaded.evidence.history), lines(&history));
    let begin = file.len() - 1;
    let loaded = read_history(path, &file[..begin], None).unwrap();
    let [note] = &loaded.notes[..] else { panic!("{:?}", loaded.notes) };
    assert!(
        note.starts_with("history.bin: byte ") && note.ends_with("the block is torn and was passed over")
    );
    file[begin] ^= 1;
    let error = read_history(path, &*file, None).unwrap_err().to_string();
    assert!(error.ends_with("the checksum of the block is wrong: the file is damaged"), "{error}");
}
