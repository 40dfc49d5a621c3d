//! What stands behind the key of a task: marks such as `[P]` and `[US1]`, and the beginning of the text.

use std::collections::HashSet;

use crate::list::keys;
use crate::text::one_line;

/// What is skipped between the key and the first group, besides white space.
const BEFORE_FIRST_GROUP: &str = "*_`~]:.,)—–-→|";
/// What is skipped between groups, besides white space.
const BETWEEN_GROUPS: &str = "*_`";
/// What stands between the last mark and the text, besides white space.
const SEPARATORS: &str = ":—–-";

/// The marks of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub parallel: bool,
    /// The stories, each once.
    pub stories: Vec<String>,
    /// The content of the first group that is no mark, if it follows the marks. The text begins with it.
    pub unknown: Option<String>,
}

/// What stands behind a key. Offsets are bytes of the text behind the key.
#[derive(Clone, Debug)]
pub struct Behind {
    pub marks: Marks,
    /// Where the text begins. A `\` that is not part of the text is included.
    pub text: usize,
    /// Where another text can be written: at the text, or before symbols that are skipped before a group
    /// only.
    pub new_text: usize,
    /// The state of reading at `new_text`.
    pub reader: Reader,
}

/// Reads marks. It keeps what influences how the following text is read.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Emphasis, code spans and brackets that have been opened and not closed, from the outside: each a
    /// character and how often it stands there.
    open: Vec<(char, usize)>,
    is_behind_group: bool,
}

impl Reader {
    /// A reader behind a key, before which only `*`, `_`, `` ` `` and `[` stand.
    pub fn new(before_key: &str) -> Self {
        let mut reader = Self::default();
        reader.pass(before_key);
        reader
    }

    /// A reader behind at least one mark.
    pub fn behind_marks() -> Self {
        Self { open: Vec::new(), is_behind_group: true }
    }

    /// Reads the rest of a paragraph.
    pub fn read(mut self, rest: &str) -> Behind {
        let mut marks = Marks::default();
        let mut known = HashSet::new();
        let mut at = 0;
        while let Some((group, content)) = self.next_group(&rest[at..]) {
            if !marks.add(content, &mut known) {
                marks.unknown = Some(content.to_owned());
                let text = at + group;
                return Behind {
                    marks,
                    text,
                    new_text: at + self.skip_separators(&rest[at..]),
                    reader: self,
                };
            }
            self.pass(&rest[at..at + group]);
            self.is_behind_group = true;
            at += group + content.len() + 2;
        }
        at += self.skip_separators(&rest[at..]);
        Behind { marks, text: at, new_text: at, reader: self }
    }

    /// Whether a text that is written here would not be read as it is. A `\` before it prevents that: behind
    /// the `\`, everything is text.
    pub fn needs_backslash(&self, text: &str) -> bool {
        let text = text.trim_start_matches('\\');
        if text.starts_with(char::is_whitespace) {
            return false;
        }
        text.starts_with('[')
            || keys::scan(text.trim_start_matches(['*', '_', '`', '['])).is_some()
            || keys::begins_with_end_of_range(text)
            || self.clone().read(text).text > 0
    }

    /// The text that is written here, on one line and without a `\` that is not part of it.
    pub fn text(&self, written: &str) -> String {
        let text = match written.strip_prefix('\\') {
            Some(text) if self.needs_backslash(text) => text,
            _ => written,
        };
        one_line(text)
    }

    /// The beginning and the content of the next group, unless it is the text of a link.
    fn next_group<'a>(&self, rest: &'a str) -> Option<(usize, &'a str)> {
        let skipped = if self.is_behind_group { BETWEEN_GROUPS } else { BEFORE_FIRST_GROUP };
        let group = rest.trim_start_matches(|char: char| char.is_whitespace() || skipped.contains(char));
        let (content, behind) = group.strip_prefix('[')?.split_once(']')?;
        (!behind.starts_with('(')).then_some((rest.len() - group.len(), content))
    }

    /// Notes what the symbols of a text open and close.
    fn pass(&mut self, text: &str) {
        let mut rest = text;
        while let Some((symbol, count)) = run(rest) {
            rest = &rest[count * symbol.len_utf8()..];
            match (symbol, self.open.last()) {
                (']', Some(('[', _))) => drop(self.open.pop()),
                ('*' | '_' | '`', Some(last)) if *last == (symbol, count) => drop(self.open.pop()),
                ('*' | '_' | '`', _) => self.open.push((symbol, count)),
                ('[', _) => self.open.extend(std::iter::repeat_n(('[', 1), count)),
                _ => {}
            }
        }
    }

    /// Skips separators, and what closes emphasis, code spans and brackets that have been opened.
    fn skip_separators(&mut self, text: &str) -> usize {
        let is_separator = |char: char| char.is_whitespace() || SEPARATORS.contains(char);
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(is_separator);
            let Some(((opened, needed), (symbol, count))) = self.open.last().copied().zip(run(rest)) else {
                break;
            };
            let closes = if opened == '[' { symbol == ']' } else { symbol == opened && count >= needed };
            if !closes {
                break;
            }
            self.open.pop();
            rest = &rest[needed..];
        }
        text.len() - rest.len()
    }
}

impl Marks {
    /// Adds the mark with this content, of whose stories some are `known` already. False if it is no mark.
    fn add<'a>(&mut self, content: &'a str, known: &mut HashSet<&'a str>) -> bool {
        let content = content.trim();
        if content == "P" {
            self.parallel = true;
            return true;
        }
        let stories = || content.split(['+', ',', '/', '&']).map(str::trim);
        if !stories().all(is_story) {
            return false;
        }
        for story in stories() {
            if known.insert(story) {
                self.stories.push(story.to_owned());
            }
        }
        true
    }
}

/// The character with which a text begins, and how often it stands there.
fn run(text: &str) -> Option<(char, usize)> {
    let first = text.chars().next()?;
    Some((first, text.chars().take_while(|char| *char == first).count()))
}

/// Whether the whole text is the key of a story, such as `US1`, `US1a` or `US1.2`.
pub fn is_story(text: &str) -> bool {
    story_length(text) == Some(text.len())
}

/// The length of the number of a story with which a text begins, such as `1`, `1a` or `1.2`. A letter or a
/// digit must not follow it.
pub fn story_number_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let number = digits(text);
    if number == 0 {
        return None;
    }
    let rest = &text[number..];
    let suffix = match rest.as_bytes() {
        [b'.', behind @ ..] if behind.first().is_some_and(u8::is_ascii_digit) => 1 + digits(&rest[1..]),
        [letter, ..] if letter.is_ascii_alphabetic() => 1,
        _ => 0,
    };
    let behind = rest[suffix..].chars().next();
    behind.is_none_or(|next| !next.is_alphanumeric()).then_some(number + suffix)
}

fn story_length(text: &str) -> Option<usize> {
    Some(2 + story_number_length(text.strip_prefix("US")?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks and the text of what stands behind a key.
    fn read(before_key: &str, rest: &str) -> (bool, Vec<String>, Option<String>, String) {
        let behind = Reader::new(before_key).read(rest);
        let text = behind.reader.text(&rest[behind.text..]);
        (behind.marks.parallel, behind.marks.stories, behind.marks.unknown, text)
    }

    fn plain(rest: &str) -> String {
        read("", rest).3
    }

    #[test]
    fn marks_are_groups_behind_the_key() {
        type Case =
            (&'static str, &'static str, bool, &'static [&'static str], Option<&'static str>, &'static str);
        let cases: [Case; 16] = [
            ("", " [P] [US1] a", true, &["US1"], None, "a"),
            ("", "[P][US2][QA] a", true, &["US2"], Some("QA"), "[QA] a"),
            (
                "",
                " [US1a] [US1.2+US3, US4/US5&US1a] a",
                false,
                &["US1a", "US1.2", "US3", "US4", "US5"],
                None,
                "a",
            ),
            ("", ": [P] - a", true, &[], None, "a"),
            ("", ". [P]: a", true, &[], None, "a"),
            ("", " [P](b) a", false, &[], None, "[P](b) a"),
            ("", " [US1] [P](b) a", false, &["US1"], None, "[P](b) a"),
            ("", " [US1]: [P] a", false, &["US1"], None, "[P] a"),
            ("", " [P, US1] a", false, &[], Some("P, US1"), "[P, US1] a"),
            ("", " [p] a", false, &[], Some("p"), "[p] a"),
            ("", " [a", false, &[], None, "[a"),
            ("**", " [P]** a", true, &[], None, "a"),
            ("**", "** [P] **a**", true, &[], None, "**a**"),
            ("", " **[P]** **[US1]** a", true, &["US1"], None, "a"),
            ("[", "] [P] a", true, &[], None, "a"),
            ("", " a [P]", false, &[], None, "a [P]"),
        ];
        for (before, rest, parallel, stories, unknown, text) in cases {
            let stories = stories.iter().map(|story| (*story).to_owned()).collect();
            let expected = (parallel, stories, unknown.map(str::to_owned), text.to_owned());
            assert_eq!(read(before, rest), expected, "{before:?} {rest:?}");
        }
    }

    #[test]
    fn the_text_begins_behind_separators_and_closed_emphasis() {
        for rest in [" a", ": a", " - a", " — a", "-a", ":\na"] {
            assert_eq!(plain(rest), "a", "{rest:?}");
        }
        for (before, rest, text) in [
            ("**", "** a", "a"),
            ("**", ":** a", "a"),
            ("**", ": a**", "a**"),
            ("**", "***a*", "*a*"),
            ("`", "`: `a`", "`a`"),
            ("[`", "`] a", "a"),
            ("", "** a", "** a"),
            ("", ". a", ". a"),
            ("", "", ""),
        ] {
            assert_eq!(read(before, rest).3, text, "{before:?} {rest:?}");
        }
        assert_eq!(plain(" a\n   b  \n\tc"), "a b c");
    }

    #[test]
    fn a_backslash_before_a_bracket_or_a_key_is_not_part_of_the_text() {
        for (rest, text) in [
            (" \\[P] a", "[P] a"),
            (" \\T002 a", "T002 a"),
            (" \\- a", "- a"),
            (" \\\\[P] a", "\\[P] a"),
            (" \\a", "\\a"),
            (" \\*a*", "\\*a*"),
            (" \\", "\\"),
        ] {
            assert_eq!(plain(rest), text, "{rest:?}");
        }
    }

    #[test]
    fn stories_have_keys() {
        for story in ["US1", "US12", "US1a", "US1.2"] {
            assert!(is_story(story), "{story}");
        }
        for text in ["", "US", "us1", "USa", "US1ab", "US1.", "US1.2.3", "US1.a", "US 1", "US-1"] {
            assert!(!is_story(text), "{text}");
        }
    }
}
