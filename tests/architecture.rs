//! The walls of the house: which room may know which, and which library.

use std::fs;
use std::path::{Path, PathBuf};

/// The room, the rooms it may import, and the libraries it alone knows.
const ROOMS: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("db", &["domain"]),
    ("auth", &["domain"]),
    ("service", &["db", "auth", "domain"]),
    ("api", &["graphql", "service", "auth", "domain"]),
    ("graphql", &["api", "domain"]),
    ("http", &["api", "graphql", "auth"]),
];

/// A library and the rooms that may name it.
const LIBRARIES: [(&str, &[&str]); 6] = [
    ("sea_orm::", &["db", "service"]),
    ("migration::", &["db"]),
    ("axum::", &["http", "app"]),
    ("prometheus_client::", &["http"]),
    ("async_graphql::", &["api", "graphql", "http"]),
    ("jsonwebtoken", &["auth"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there").flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => sources(&path),
            path if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

/// The code lines of every source file, with the room that it stands in.
fn lines() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = Vec::new();
    for file in sources(&src) {
        let below = file.strip_prefix(&src).expect("it is below src").with_extension("");
        let room = below.iter().next().expect("it has a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("it is text");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|line| (room.clone(), below.clone(), line.to_owned())));
    }
    lines
}

#[test]
fn a_room_knows_only_the_rooms_below_it() {
    for (room, file, line) in lines() {
        let Some((_, known)) = ROOMS.iter().find(|(name, _)| *name == room) else { continue };
        for (_, rest) in line.match_indices("crate::").map(|(at, found)| line.split_at(at + found.len())) {
            let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let allowed = other.is_empty() || other == room || known.contains(&other.as_str());
            assert!(allowed, "{} imports {other}: {line}", file.display());
        }
    }
}

#[test]
fn a_library_is_known_to_its_own_rooms_only() {
    for (room, file, line) in lines() {
        for (library, rooms) in LIBRARIES {
            // The log's filter knows the libraries by name, as text.
            let named = line.contains(library) && !line.contains(&format!("\"{library}"));
            let free = !named || rooms.contains(&room.as_str());
            assert!(free, "{} knows {library}: {line}", file.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests", "benches", "migration/src", "crates"] {
        for file in sources(&root.join(folder)) {
            let text = fs::read_to_string(&file).expect("it is text");
            assert!(text.starts_with("//! "), "{} does not begin with //!", file.display());
        }
    }
}

#[test]
fn only_a_live_session_makes_a_viewer() {
    let admitting: Vec<_> = lines()
        .into_iter()
        .filter(|(_, _, line)| line.contains("Viewer::authenticated("))
        .map(|(_, file, _)| file)
        .collect();
    assert!(!admitting.is_empty());
    assert!(admitting.iter().all(|file| file.ends_with("service/sessions/mod")), "{admitting:?}");
}
