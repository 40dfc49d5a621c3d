//! Finds the paths of files and folders in the text of a task.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::markdown::{BlockKind, InlineKind, Markdown};
use crate::text::lines;

/// The extensions of file names, sorted, in lower case.
#[rustfmt::skip]
const EXTENSIONS: [&str; 126] = [
    "arb", "astro", "bash", "bat", "bicep", "c", "cc", "cfg", "cjs", "clj", "cmake", "cmd", "conf", "cpp",
    "cs", "cshtml", "csproj", "css", "csv", "cts", "dart", "dockerfile", "dockerignore", "ejs", "env",
    "erl", "ex", "example", "exs", "feature", "fs", "gitignore", "go", "gql", "gradle", "graphql", "h",
    "hbs", "hcl", "hpp", "hs", "htm", "html", "http", "ini", "ipynb", "j2", "java", "jl", "jpg", "js",
    "json", "json5", "jsonc", "jsonl", "jsx", "kt", "kts", "less", "lock", "lua", "m", "md", "mdx", "mjs",
    "ml", "mm", "mod", "mts", "nix", "pbxproj", "pdf", "php", "plist", "png", "po", "prisma", "properties",
    "proto", "ps1", "psm1", "py", "pyi", "r", "razor", "rb", "resx", "rs", "rst", "rules", "sass", "scala",
    "scss", "service", "sh", "sln", "snap", "sol", "spec", "sql", "storyboard", "styl", "sum", "svelte",
    "svg", "swift", "tape", "template", "tf", "tfvars", "tmpl", "toml", "ts", "tsv", "tsx", "txt", "vb",
    "vue", "vy", "wasm", "xaml", "xml", "yaml", "yml", "zig", "zsh",
];
/// The names of files without an extension.
const NAMES: [&str; 13] = [
    "Dockerfile",
    "Makefile",
    "Procfile",
    "Justfile",
    "Gemfile",
    "Rakefile",
    "LICENSE",
    "CODEOWNERS",
    "Jenkinsfile",
    "Vagrantfile",
    "Caddyfile",
    "Brewfile",
    "Tiltfile",
];
/// What is removed around a word, besides brackets. A full stop is removed at the end only.
const PUNCTUATION: &str = "\"'`“”„‘’‚«»‹›,;:!?*<>";
/// The characters of a path besides letters, digits and brackets.
const OF_PATHS: &str = "._-/@*+$~%&";

/// The paths of the files and folders that these texts name, each once, in their order.
pub fn paths<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let (mut paths, mut known) = (Vec::new(), HashSet::new());
    for text in texts {
        let source = as_document(text);
        let markdown = Markdown::parse(&source);
        for (range, is_code) in parts(&markdown) {
            let words = source[range].split(|char: char| char.is_whitespace() || char == ',');
            for path in words.filter_map(|word| path_of(word, is_code)) {
                if known.insert(path.clone()) {
                    paths.push(path);
                }
            }
        }
    }
    paths
}

/// Whether a path names a folder.
pub fn is_folder(path: &str) -> bool {
    path.ends_with('/')
}

/// The text as it stands in a document. A text of one line stands behind a word, so that it is part of a
/// paragraph.
fn as_document(text: &str) -> String {
    if !text.contains(['\n', '\r']) && !text.starts_with([' ', '\t']) {
        return format!("Text {text}");
    }
    dedented(text)
}

/// Details without the indentation that all of their lines have, so that they are not read as a code block.
pub fn dedented(text: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = lines(text).filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0);
    lines(text).map(|line| line.get(common..).unwrap_or_default().to_owned() + "\n").collect()
}

/// The parts of a document that are searched: the texts of paragraphs, headings and cells without the targets
/// of links, each with whether it is the content of a code span.
fn parts(markdown: &Markdown<'_>) -> Vec<(Range<usize>, bool)> {
    let mut parts = Vec::new();
    for (index, block) in markdown.blocks.iter().enumerate() {
        if !matches!(block.kind, BlockKind::Paragraph { .. } | BlockKind::Heading { .. } | BlockKind::Cell) {
            continue;
        }
        let mut cuts: Vec<(Range<usize>, Option<Range<usize>>)> = Vec::new();
        for inline in markdown.inlines_of(index) {
            match inline.kind {
                InlineKind::Code => cuts.push((inline.range.clone(), Some(inline.content.clone()))),
                InlineKind::Autolink => cuts.push((inline.range.clone(), None)),
                InlineKind::Link | InlineKind::Image => {
                    cuts.push((inline.range.start..inline.content.start, None));
                    cuts.push((inline.content.end..inline.range.end, None));
                }
                _ => {}
            }
        }
        cuts.sort_by_key(|(range, _)| (range.start, range.end));
        let mut at = block.content.start;
        for (range, code) in cuts {
            if range.start >= at {
                parts.push((at..range.start, false));
                parts.extend(code.map(|code| (code, true)));
            }
            at = range.end.max(at);
        }
        parts.push((at..block.content.end.max(at), false));
    }
    parts
}

/// The path that a word names.
fn path_of(word: &str, is_code: bool) -> Option<String> {
    let word = without_punctuation(word);
    if word.contains("//") || word.contains(['=', '<', '>', '|']) {
        return None;
    }
    let word = word.split('#').next()?;
    let word = without_line_numbers(word.split("::").next()?);
    let path = word.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let is_path = consists_of_path_characters(path) && (names_folder(path) || names_file(path, is_code));
    is_path.then(|| path.to_owned())
}

fn names_folder(path: &str) -> bool {
    is_folder(path) && !path.starts_with('/') && path.contains(char::is_alphanumeric)
}

fn names_file(path: &str, is_code: bool) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if NAMES.contains(&name) {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    if EXTENSIONS.binary_search(&extension.to_lowercase().as_str()).is_err() {
        return false;
    }
    let begins_as_name =
        |first: char| first.is_lowercase() || first.is_numeric() || matches!(first, '.' | '_');
    is_code || path.contains('/') || path.starts_with(begins_as_name) || !stem.contains(char::is_lowercase)
}

/// Whether a path has only letters, digits, some symbols, and brackets that have a partner.
fn consists_of_path_characters(path: &str) -> bool {
    let mut open = Vec::new();
    path.chars().all(|char| match char {
        '(' | '[' | '{' => {
            open.push(partner(char));
            true
        }
        ')' | ']' | '}' => open.pop() == Some(char),
        _ => char.is_alphanumeric() || OF_PATHS.contains(char),
    }) && open.is_empty()
}

fn partner(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The word without punctuation around it, without brackets at its ends that have no partner, and without
/// brackets that hold all of it.
fn without_punctuation(word: &str) -> &str {
    let pairs = pairs(word);
    let is_alone = |at: usize, char: char| "()[]{}".contains(char) && !pairs.contains_key(&at);
    let (mut start, mut end) = (0, word.len());
    loop {
        let text = &word[start..end];
        let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else { return text };
        let last_at = end - last.len_utf8();
        if PUNCTUATION.contains(first) || is_alone(start, first) {
            start += first.len_utf8();
        } else if last == '.' || PUNCTUATION.contains(last) || is_alone(last_at, last) {
            end = last_at;
        } else if pairs.get(&start) == Some(&last_at) {
            (start, end) = (start + 1, last_at);
        } else {
            return text;
        }
    }
}

/// The positions of brackets that have a partner, each with that of its partner.
fn pairs(word: &str) -> HashMap<usize, usize> {
    let (mut open, mut pairs) = (Vec::new(), HashMap::new());
    for (at, char) in word.char_indices() {
        match char {
            '(' | '[' | '{' => open.push((at, partner(char))),
            ')' | ']' | '}' => {
                if let Some((opened, _)) = open.pop_if(|(_, expected)| *expected == char) {
                    pairs.extend([(opened, at), (at, opened)]);
                }
            }
            _ => {}
        }
    }
    pairs
}

/// The word without line numbers at its end, such as `:12` and `:12-34`.
fn without_line_numbers(word: &str) -> &str {
    let mut word = word;
    while let Some((rest, number)) = word.rsplit_once(':') {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !number.splitn(2, '-').all(is_number) {
            break;
        }
        word = rest;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths([text])
    }

    #[test]
    fn extensions_can_be_searched() {
        assert!(EXTENSIONS.is_sorted());
    }

    #[test]
    fn paths_are_found_in_texts() {
        let cases: [(&str, &[&str]); 26] = [
            ("POST /api/auth in backend/auth.py: valid/invalid", &["backend/auth.py"]),
            ("Update README.md with Node.js 20", &["README.md"]),
            ("src/d.rs:12-34, src/e.rs#L9, ./src/g.rs", &["src/d.rs", "src/e.rs", "src/g.rs"]),
            ("src/app/(auth)/[id]/page.tsx", &["src/app/(auth)/[id]/page.tsx"]),
            ("Create backend/lib/ with __init__.py", &["backend/lib/", "__init__.py"]),
            ("[src/c.rs](../c.rs) and https://example.com/a.html", &["src/c.rs"]),
            ("Use application/json, v1.2.3 and T001.5", &[]),
            ("`Node.js` and Node.js", &["Node.js"]),
            ("(see src/a.rs) (src/b.rs). \"c.rs\"! **d.rs**", &["src/a.rs", "src/b.rs", "c.rs", "d.rs"]),
            ("a.rs:12:5 b.rs::tests::c d.rs,e.rs", &["a.rs", "b.rs", "d.rs", "e.rs"]),
            ("src\\windows\\a.cs", &["src/windows/a.cs"]),
            ("Dockerfile docker/Makefile dockerfile Dockerfiles", &["Dockerfile", "docker/Makefile"]),
            ("a.rs a.rs `a.rs`", &["a.rs"]),
            (".env .gitignore .github/workflows/ci.YML", &[".env", ".gitignore", ".github/workflows/ci.YML"]),
            ("/etc/ and a// and / and ../ and *", &[]),
            ("a=b.rs x<y.rs a|b.rs", &[]),
            ("src/(a.rs src/a).rs src/[id].rs", &["src/[id].rs"]),
            ("e.g. i.e. etc. 1.5", &[]),
            ("`cargo test tests/a.rs,tests/b.rs`", &["tests/a.rs", "tests/b.rs"]),
            ("<https://example.com/a.rs> ![b.rs](c.rs)", &["b.rs"]),
            (
                "    - in src/a.rs\n      ```\n      src/b.rs\n      ```\n      src/c.rs",
                &["src/a.rs", "src/c.rs"],
            ),
            ("  a.rs\n\n      b.rs\n", &["a.rs"]),
            ("```a.rs", &["a.rs"]),
            ("# a.rs", &["a.rs"]),
            ("src/größe.rs src/a.rs…", &["src/größe.rs"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
