//! The tasks that the lines of a task name after a word such as `depends on`.

use crate::list::names::KeyReference;
use crate::list::paths::dedented;
use crate::list::scanner::{Line, ends_with_negation};
use crate::markdown::Markdown;
use crate::text::lines;

/// The words, of which a longer one comes first.
const WORDS: &[&str] =
    &["depends on", "depend on", "depends", "dependency", "dependencies", "requires", "blocked by"];
/// One more word, which must follow one of the signs.
const AFTER: &[&str] = &["after"];
/// What can stand between the word and the first key.
const BEFORE_KEYS: &[char] = &[' ', ':', '*', '_', '[', '`'];
/// What the word `after` must follow.
const BEFORE_AFTER: &[char] = &['(', '[', '—', '–', '-', ';', '.', ','];

/// The references of a task with this text and these details, in their order.
pub fn references(text: &str, details: Option<&str>) -> Vec<KeyReference> {
    with_lines(text, details).into_iter().map(|(_, reference)| reference).collect()
}

/// The references, each with the number of its line: 0 for the text, 1 for the first line of the details.
pub fn with_lines(text: &str, details: Option<&str>) -> Vec<(usize, KeyReference)> {
    let of_line = |(number, line)| in_line(line).into_iter().map(move |reference| (number, reference));
    let mut found: Vec<_> = of_line((0, text)).collect();
    let details = details.unwrap_or_default();
    let mut in_details = (1..).zip(lines(details)).flat_map(of_line).peekable();
    if in_details.peek().is_some() {
        let source = dedented(details);
        let is_unread = Markdown::parse(&source).unread_lines();
        found.extend(in_details.filter(|(number, _)| !is_unread[*number]));
    }
    found
}

fn in_line(line: &str) -> Vec<KeyReference> {
    let line = Line::new(line);
    let text = line.text.as_str();
    let (mut references, mut is_in_word) = (Vec::new(), false);
    for (at, char) in text.char_indices() {
        let begins = !std::mem::replace(&mut is_in_word, char.is_alphanumeric());
        if !begins || !matches!(char, 'A' | 'B' | 'D' | 'R' | 'a' | 'b' | 'd' | 'r') {
            continue;
        }
        let (mut scanner, before) = (line.scanner(at, text.len()), &text[..at]);
        if !(scanner.word(WORDS) || scanner.word(AFTER) && is_after_sign(before))
            || ends_with_negation(before)
        {
            continue;
        }
        scanner.skip(BEFORE_KEYS);
        references.extend(scanner.keys());
    }
    references
}

/// Whether the text before the word `after` ends with one of the signs. Emphasis of the word can stand behind it.
fn is_after_sign(before: &str) -> bool {
    before.trim_end_matches(['*', '_']).trim_end().ends_with(BEFORE_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The references as words, a range with `..`.
    fn found(text: &str, details: Option<&str>) -> String {
        let references = references(text, details).into_iter().map(|reference| match reference {
            KeyReference::One(key) => key,
            KeyReference::Range(first, last) => format!("{first}..{last}"),
        });
        references.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keys_behind_certain_words_are_references() {
        let cases = [
            ("Build it (depends on T001, T002)", "T001 T002"),
            ("Build it. Depends on T001 and T003.", "T001 T003"),
            ("Build it — depends on T001–T003", "T001..T003"),
            ("Build it **Depends on**: T001/T002", "T001 T002"),
            ("Build it (after T005)", "T005"),
            ("Build it, blocked by `T009` ", "T009"),
            ("Remove the link after T010", ""),
            ("Build it; it does not depend on T008", ""),
            ("They DEPEND ON T001", "T001"),
            ("It depends T001", "T001"),
            ("Dependency: T001", "T001"),
            ("**Dependencies:** T001 + T002 & T003", "T001 T002 T003"),
            ("Requires `T001`, `T002`", "T001 T002"),
            ("requires T001, and T002", "T001 T002"),
            ("(depends on [T001], [T002](#t002), T003)", "T001 T002 T003"),
            ("depends on [T001](a.md#t001)/[T002](b.md)", "T001 T002"),
            ("depends on T001 (the \t base (of a)), T002 (b)", "T001 T002"),
            ("depends on T001 (a) T002", "T001"),
            ("depends on T001 (a, T002", "T001"),
            ("depends on T001 or T002", "T001"),
            ("depends on T001, then T002", "T001"),
            ("depends on T001 to T003, T005 through T007", "T001..T003 T005..T007"),
            ("depends on `T001` - `T003`, T1.2~T1.4", "T001..T003 T1.2..T1.4"),
            ("depends on T001 to do it", "T001"),
            ("depends on T012a, T083-B. T5", "T012a T083-B"),
            ("depends on the T001", ""),
            ("depends on TXXX", ""),
            ("depends on t001", ""),
            ("depends on T001st", ""),
            ("independently of T001", ""),
            ("hereafter T001, (thereafter T001)", ""),
            ("_depends on_ T001", "T001"),
            ("depends on T001; requires T002", "T001 T002"),
            ("depends on T001 (blocked by T002), T003", "T001 T003 T002"),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text, None), expected, "{text}");
        }
    }

    #[test]
    fn after_needs_a_sign_before_it() {
        for text in [
            "a (after T1)",
            "a [after T1]",
            "a — after T1",
            "a –after T1",
            "a - **After** T1",
            "a; after: T1",
        ] {
            assert_eq!(found(text, None), "T1", "{text}");
        }
        for text in ["after T1", "a after T1", "a: after T1", "a/after T1", "**a.** after T1"] {
            assert_eq!(found(text, None), "", "{text}");
        }
    }

    #[test]
    fn a_negation_at_most_one_word_before_counts() {
        for text in [
            "does not depend on T1",
            "doesn't depend on T1",
            "doesn’t really depend on T1",
            "no dependency: T1",
            "never requires T1",
            "is not yet blocked by T1",
            "it NO longer depends on T1",
        ] {
            assert_eq!(found(text, None), "", "{text}");
        }
        for text in ["not a thing that depends on T1", "a no-op test, depends on T1", "nothing depends on T1"]
        {
            assert_eq!(found(text, None), "T1", "{text}");
        }
    }

    #[test]
    fn details_are_read_without_code_blocks() {
        let details = "  - Depends on:\n    T001\n  - **Depends on**: T002\n\n    ```\n    depends on T003\n    \
            ```\n  <!-- depends on T4 -->\n\n        depends on T005\n  > requires T006";
        assert_eq!(found("a", Some(details)), "T002 T006");
        assert_eq!(found("depends on T9", Some("depends on T8")), "T9 T8");
        assert_eq!(
            with_lines("a", Some("a\r\nrequires T1\rrequires T2")),
            [(2, KeyReference::One("T1".to_owned())), (3, KeyReference::One("T2".to_owned()))]
        );
    }
}
