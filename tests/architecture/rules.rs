//! The rules as functions of source files: each returns its violations, as sentences with file and line.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::source::{Kind, Reference, SourceFile, layer};

pub const MAX_HEADER_LINES: usize = 5;
pub const MAX_FUNCTION_LINES: usize = 70;

/// A layer, and the layers or single items (`layer::Item`) that it may import.
pub type LayerRule = (&'static str, &'static [&'static str]);
/// Layers, and the libraries that no others may use.
pub type LibraryRule = (&'static [&'static str], &'static [&'static str]);
/// The end of a path, the files that may name it, and what others do instead.
pub type ReservedRule = (&'static str, &'static [&'static str], &'static str);
/// A word or two that comments must not contain, and what to write instead.
pub type WordRule = (&'static str, &'static str);

/// A layer imports only what its row names. Unit tests follow the same rule as the code that they test. Of
/// each file, an import is reported once, not again where the imported name is used.
pub fn imports(files: &[SourceFile], layers: &[LayerRule]) -> Vec<String> {
    let crates: BTreeSet<_> = files.iter().filter_map(|file| file.module.first()).collect();
    let is_in = |path: &str, other: &str| path == other || path.starts_with(&format!("{other}::"));
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| !file.module.is_empty()) {
        let own = file.layer();
        let Some((_, allowed)) = layers.iter().find(|(layer, _)| *layer == own) else {
            violations.push(format!("{}:1: the layer `{own}` has no row; add it to LAYERS", file.path));
            continue;
        };
        let mut reported: Vec<String> = Vec::new();
        for Reference { path, line, .. } in &file.references {
            let Some(other) = layer(path).filter(|_| crates.contains(&path[0])) else { continue };
            let path = path[usize::from(path[0] == "taskhold")..].join("::");
            let fine = other == own || allowed.iter().any(|row| is_in(&path, row));
            if !fine && !reported.iter().any(|reported| is_in(&path, reported)) {
                violations.push(format!(
                    "{}:{line}: {own} imports {path}, but it may import only {allowed:?}; \
                     move the item down, or have it passed in from above",
                    file.path
                ));
                reported.push(path);
            }
        }
    }
    violations
}

/// No files import each other, directly or through others.
pub fn circles(files: &[SourceFile], exceptions: &[&[&str]]) -> Vec<String> {
    let imports = imports_of_files(files);
    let reached: Vec<BTreeSet<usize>> = (0..files.len()).map(|start| reachable(start, &imports)).collect();
    let mut violations = Vec::new();
    for first in 0..files.len() {
        let circle: Vec<_> = reached[first].iter().filter(|at| reached[**at].contains(&first)).collect();
        let excepted = |exception: &&[&str]| circle.iter().all(|at| exception.contains(&&*files[**at].path));
        if circle.first() != Some(&&first) || exceptions.iter().any(excepted) {
            continue;
        }
        let edges =
            circle.iter().flat_map(|from| imports[**from].iter().map(move |(to, line)| (from, to, line)));
        let lines = edges.filter(|(_, to, _)| circle.contains(to)).map(|(from, to, line)| {
            format!("\n    {}:{line}: imports {}", files[**from].path, files[*to].path)
        });
        let (count, lines) = (circle.len(), lines.collect::<String>());
        violations
            .push(format!("{count} files import each other; move what they share to another file:{lines}"));
    }
    violations
}

/// For each file, the files that it imports, each with the line of the first import. `mod` and `pub use` are
/// no imports: what is imported through a `pub use` counts as imported from the file that defines it. Unit
/// tests do not count either.
fn imports_of_files(files: &[SourceFile]) -> Vec<BTreeMap<usize, usize>> {
    let modules =
        files.iter().enumerate().flat_map(|(at, file)| file.names.keys().map(move |path| (&path[..], at)));
    let modules: HashMap<&[String], usize> = modules.collect();
    let of_file = |(from, file): (usize, &SourceFile)| {
        let mut imports = BTreeMap::new();
        let counts = |found: &&Reference| found.kind != Kind::ReExport && !found.in_unit_test;
        for reference in file.references.iter().filter(counts) {
            if let Some(to) = defining_file(files, &modules, &reference.path, 0).filter(|to| *to != from) {
                imports.entry(to).or_insert(reference.line);
            }
        }
        imports
    };
    files.iter().enumerate().map(of_file).collect()
}

/// Follows the modules of a path as far as they go, then the `use` that brings the next name there.
fn defining_file(
    files: &[SourceFile],
    modules: &HashMap<&[String], usize>,
    path: &[String],
    depth: usize,
) -> Option<usize> {
    let length = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let file = modules[module];
    let next = files[file].absolute(module, rest, 0);
    let followed = if depth < 8 && !rest.is_empty() && next != rest {
        defining_file(files, modules, &next, depth + 1)
    } else {
        None
    };
    followed.or(Some(file))
}

/// The files that a file imports, directly or through others; the file itself only if it is in a circle.
fn reachable(start: usize, imports: &[BTreeMap<usize, usize>]) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(at) = open.pop() {
        open.extend(imports[at].keys().filter(|to| reached.insert(**to)));
    }
    reached
}

/// A library is used only by its own layers, and every dependency in the manifest has a row. The other crates
/// of the workspace are layers, and their own manifests limit what they use.
pub fn libraries(files: &[SourceFile], manifest: &str, rows: &[LibraryRule]) -> Vec<String> {
    let has_row = |library: &String| rows.iter().any(|(_, libraries)| libraries.contains(&library.as_str()));
    let missing = dependencies(manifest).filter(|library| !has_row(library));
    let mut violations: Vec<_> =
        missing.map(|library| format!("Cargo.toml: {library} has no row; add it to LIBRARIES")).collect();
    for file in files.iter().filter(|file| file.module.first().is_some_and(|root| root == "taskhold")) {
        let foreign = rows.iter().filter(|(layers, _)| !layers.is_empty() && !layers.contains(&file.layer()));
        for (layers, library) in
            foreign.flat_map(|(layers, row)| row.iter().map(move |library| (layers, library)))
        {
            let names = |reference: &&Reference| {
                format!("{}::", reference.path.join("::")).starts_with(&format!("{library}::"))
            };
            if let Some(Reference { line, .. }) = file.references.iter().find(names) {
                let path = &file.path;
                violations
                    .push(format!("{path}:{line}: uses {library}; only {layers:?} may, so call one of them"));
            }
        }
    }
    violations
}

/// The dependencies of the program itself, as `use` names them, without the crates of the workspace.
fn dependencies(manifest: &str) -> impl Iterator<Item = String> {
    let ours =
        |header: &str| header == "dependencies]" || header.starts_with("target.") && !header.contains("dev-");
    let sections = manifest.split("\n[").filter(move |section| section.lines().next().is_some_and(ours));
    let lines = sections.flat_map(|section| section.lines().skip(1));
    let lines = lines.filter(|line| !line.starts_with('#') && !line.contains("path ="));
    lines.filter_map(|line| Some(line.split_once('=')?.0.split('.').next()?.trim().replace('-', "_")))
}

/// What only certain files may name. A rule about a name that they do not use is reported too: it was
/// renamed.
pub fn reserved(files: &[SourceFile], rows: &[ReservedRule]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, owners, instead) in rows {
        let named = |reference: &&Reference| reference.path.join("::").ends_with(name);
        let first =
            files.iter().filter_map(|file| Some((&file.path, file.references.iter().find(named)?.line)));
        let (owned, foreign): (Vec<_>, Vec<_>) = first.partition(|(path, _)| owners.contains(&path.as_str()));
        if owned.is_empty() {
            violations.push(format!("{}:1: does not name {name}; correct its row in RESERVED", owners[0]));
        }
        let sentence =
            |(path, line)| format!("{path}:{line}: names {name}; only {owners:?} may, so {instead}");
        violations.extend(foreign.into_iter().map(sentence));
    }
    violations
}

pub fn headers(files: &[SourceFile]) -> Vec<String> {
    let wrong = files.iter().filter(|file| !(1..=MAX_HEADER_LINES).contains(&file.header_lines));
    let sentence = |SourceFile { path, header_lines, .. }: &SourceFile| {
        format!(
            "{path}:1: has {header_lines} `//!` lines; say in 1 to {MAX_HEADER_LINES} what the file is for"
        )
    };
    wrong.map(sentence).collect()
}

pub fn function_lengths(files: &[SourceFile]) -> Vec<String> {
    let all = files.iter().flat_map(|file| file.functions.iter().map(move |function| (&file.path, function)));
    let long = all.filter(|(_, (_, _, lines))| *lines > MAX_FUNCTION_LINES);
    long.map(|(path, (name, line, lines))| {
        format!(
            "{path}:{line}: {name} has {lines} lines, more than {MAX_FUNCTION_LINES}; split it by its steps"
        )
    })
    .collect()
}

/// Words in comments, string literals and documents, which are given as path and text.
pub fn vocabulary(files: &[SourceFile], documents: &[(String, String)], rows: &[WordRule]) -> Vec<String> {
    let of_files = files.iter().map(|file| (&file.path, &file.prose));
    let all = of_files.chain(documents.iter().map(|(path, text)| (path, text)));
    all.flat_map(|(path, text)| {
        let found = words_in(text, rows).into_iter();
        found.map(move |(line, (word, instead))| format!("{path}:{line}: says \"{word}\"; write {instead}"))
    })
    .collect()
}

fn words_in<'a>(text: &str, rows: &'a [WordRule]) -> Vec<(usize, &'a WordRule)> {
    let text = text.to_lowercase();
    let of_line = |(line, number)| {
        str::split(line, |char: char| !char.is_alphanumeric()).map(move |word| (number, word))
    };
    let words: Vec<_> =
        text.lines().zip(1..).flat_map(of_line).filter(|(_, word)| !word.is_empty()).collect();
    let found = words.iter().enumerate().flat_map(|(at, (number, word))| {
        let next = words.get(at + 1).map_or("", |(_, next)| next);
        let is_row = move |(row, _): &&WordRule| match row.split_once(' ') {
            Some(two) => two == (*word, next),
            None => word.strip_prefix(row).is_some_and(|ending| ["", "s", "es", "d", "ed"].contains(&ending)),
        };
        rows.iter().filter(is_row).map(move |row| (*number, row))
    });
    found.collect()
}

/// The document about the architecture names every layer: in backquotes, as a folder, or as a file.
pub fn documented(document: &str, layers: &[LayerRule]) -> Vec<String> {
    let named = |layer: &str| {
        ["`{}`", "{}/", "{}.rs"].iter().any(|form| document.contains(&form.replace("{}", layer)))
    };
    let missing = layers.iter().filter(|(layer, _)| !named(layer) && !named(&layer.replace('_', "-")));
    missing
        .map(|(layer, _)| format!("docs/architecture.md:1: does not name `{layer}`; add it to the code map"))
        .collect()
}
