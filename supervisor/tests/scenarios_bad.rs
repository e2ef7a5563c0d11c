//! What a person reads when a scenario is wrong: every file in `scenarios-bad` with the text beside it.
//!
//! A line `# --set path=value` in a file is an override that it is parsed with. `UPDATE_GOLDEN=1` writes the texts
//! anew; the difference is then for review.

use std::fs;
use std::path::{Path, PathBuf};

use supervisor::scenario::file::{LoadError, Place, ScenarioFile};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios-bad")
}

fn bad_scenarios() -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).expect("the directory is readable");
    let paths = entries.map(|entry| entry.expect("the directory is readable").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    paths.sort();
    paths
}

#[test]
fn every_bad_scenario_is_refused_in_the_words_beside_it() {
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    assert!(bad_scenarios().len() >= 20, "the bad scenarios were not found");
    for path in bad_scenarios() {
        let text = fs::read_to_string(&path).unwrap();
        let overrides: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("# --set ")).map(str::to_owned).collect();
        let name = Path::new(path.file_name().unwrap());
        let errors = ScenarioFile::parse(name, &text, &overrides).expect_err(&path.display().to_string());
        let rendered = format!("{errors}\n");
        let golden = path.with_extension("txt");
        if is_update {
            fs::write(&golden, &rendered).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != rendered {
            different.push(format!("{}:\n{rendered}", golden.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_scenario_that_is_not_there_is_named_with_the_one_that_was_meant() {
    let wanted = directory().join("two-verb.yaml");
    let error = ScenarioFile::load(&wanted, &[]).unwrap_err();
    assert!(matches!(error, LoadError::Read { .. }));
    let message = error.to_string();
    assert!(message.contains("two-verb.yaml; did you mean"), "{message}");
    assert!(message.ends_with("two-verbs.yaml?"), "{message}");
}

/// A scenario with any character damaged is a scenario or is refused in words: nothing panics, every place exists.
#[test]
fn no_damage_goes_beyond_words() {
    let good = fs::read_to_string(directory().join("../../../scenarios/leader-kill.yaml")).unwrap();
    assert!(good.is_ascii(), "every byte is a character");
    for position in 0..good.len() {
        for damage in
            ["", " ", "\n", "\t", "'", "{", "]", ":", "- ", "&a", "*a", "!", "|", "0", "é", "\u{feff}"]
        {
            let text = format!("{}{damage}{}", &good[..position], &good[position + 1..]);
            let Err(errors) = ScenarioFile::parse(Path::new("leader-kill.yaml"), &text, &[]) else {
                continue;
            };
            let lines: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
            for error in errors.errors() {
                let Place::File { line, column, .. } = error.place else { panic!("there are no overrides") };
                assert!(line <= lines.len() && column <= lines[line - 1] + 1, "{errors}\n{text}");
            }
        }
    }
}
