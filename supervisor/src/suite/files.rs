//! The scenario files that paths mean: a file is itself, a directory is every `*.yaml` and `*.yml` below it.
//!
//! The order is that of the paths as they were given, and of the names within each. A file that is meant twice, also
//! through a link, is taken once. What begins with a dot is passed over, and so are directories behind links, which
//! could lead in circles.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::harness::{HarnessFailure, chain};

/// The files, each once.
///
/// # Errors
/// Every path that cannot be read, and every directory without a scenario, as sentences that are ready to be shown.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<String>> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in paths {
        match expand(path) {
            Ok(found) if found.is_empty() => {
                errors.push(format!("there is no scenario (*.yaml, *.yml) in {}", path.display()));
            }
            // A file that is not there is named by whoever reads it.
            Ok(found) => files.extend(
                found
                    .into_iter()
                    .filter(|file| seen.insert(fs::canonicalize(file).unwrap_or_else(|_| file.clone()))),
            ),
            Err(failure) => errors.push(chain(&failure)),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

fn expand(path: &Path) -> Result<Vec<PathBuf>, HarnessFailure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(path)
        .and_then(Iterator::collect::<io::Result<_>>)
        .map_err(HarnessFailure::file("read", path))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let inner = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let kind = entry.file_type().map_err(HarnessFailure::file("read", &inner))?;
        if is_hidden {
            continue;
        }
        if kind.is_dir() {
            files.extend(expand(&inner)?);
        } else if is_scenario(&inner) && !inner.is_dir() {
            files.push(inner);
        }
    }
    Ok(files)
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn directories_are_walked_in_the_order_of_names_and_no_file_is_taken_twice() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::create_dir_all(root.join("b/deep")).unwrap();
        fs::create_dir_all(root.join("empty")).unwrap();
        for name in ["c.yaml", "a.yml", "b/z.yaml", "b/deep/y.yaml", "b/.hidden.yaml", "notes.txt"] {
            fs::write(root.join(name), "").unwrap();
        }
        symlink("../c.yaml", root.join("b/link.yaml")).unwrap();
        symlink("..", root.join("b/circle")).unwrap();
        let names = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
            let found = find(&paths).unwrap();
            found.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
        };
        assert_eq!(
            names(&[""]),
            ["a.yml", "b/deep/y.yaml", "b/link.yaml", "b/z.yaml"],
            "c.yaml is b/link.yaml"
        );
        assert_eq!(names(&["c.yaml", "b", "c.yaml"]), ["c.yaml", "b/deep/y.yaml", "b/z.yaml"]);
        assert_eq!(names(&["nowhere.yaml"]), ["nowhere.yaml"], "whoever reads it says that it is not there");
        let errors = find(&[root.join("empty"), root.join("b")]).unwrap_err();
        assert_eq!(
            errors,
            [format!("there is no scenario (*.yaml, *.yml) in {}", root.join("empty").display())]
        );
    }
}
