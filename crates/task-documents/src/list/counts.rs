//! Compares the numbers of tasks that a list document states with the tasks that it has.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use crate::list::marks::story_number_length;
use crate::list::types::ListDocument;
use crate::text::{after_symbols, regex};

static MARKED: LazyLock<Regex> = LazyLock::new(|| regex(r"([0-9]+) tasks marked (?:with )?\[p\]"));
static PHASES: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\bphases\s+([0-9]+)\s*(?:-|–|to\b)\s*([0-9]+)\b[^0-9()\[\]{}]*\(([0-9]+) tasks?\b")
});
static RANGE_OR_LIST: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^\s*(?:[-–—~,;/+&]|\.\.|to\b|and\b|or\b|through\b)\s*(?:phases?\s+|us|user story\s+)?[0-9]")
});
static NUMBER_OF_TASKS: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*([0-9]+) tasks?\b"));
static WORD_TASK: LazyLock<Regex> = LazyLock::new(|| regex(r"\btasks?\b"));

/// A number that a line states, and the tasks that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub claimed: u64,
    pub counted: u64,
    /// The tasks, as the end of a sentence such as `of phase 3`.
    pub tasks: String,
}

/// The numbers of tasks of a list.
pub struct Counts {
    all: u64,
    parallel: u64,
    /// By the number of the phase, in lower case.
    phases: HashMap<String, u64>,
    /// By the key of the story, in lower case.
    stories: HashMap<String, u64>,
    /// For each integer before the dot of a phase's number, the tasks of all phases up to it.
    up_to_phase: BTreeMap<u64, u64>,
}

impl Counts {
    pub fn new(document: &ListDocument) -> Self {
        let number = |phase: usize| document.phases[phase].number.as_ref();
        let mut phases: HashMap<String, u64> = document
            .phases
            .iter()
            .filter_map(|phase| Some((phase.number.as_ref()?.to_lowercase(), 0)))
            .collect();
        let mut stories: HashMap<String, u64> =
            document.stories.iter().map(|story| (story.key.to_lowercase(), 0)).collect();
        let mut up_to_phase: BTreeMap<u64, u64> = BTreeMap::new();
        for task in &document.tasks {
            if let Some(number) = task.phase.and_then(number) {
                *phases.entry(number.to_lowercase()).or_default() += 1;
                let digits = number.split(|char: char| !char.is_ascii_digit()).next();
                if let Some(integer) = digits.and_then(|digits| digits.parse().ok()) {
                    *up_to_phase.entry(integer).or_default() += 1;
                }
            }
            for story in &task.stories {
                *stories.entry(story.to_lowercase()).or_default() += 1;
            }
        }
        let mut sum = 0;
        for count in up_to_phase.values_mut() {
            sum += *count;
            *count = sum;
        }
        let parallel = document.tasks.iter().filter(|task| task.parallel).count() as u64;
        Self { all: document.tasks.len() as u64, parallel, phases, stories, up_to_phase }
    }

    /// The numbers that a line states and that differ from what was counted.
    pub fn wrong_claims(&self, line: &str) -> Vec<Claim> {
        let line: String = line.chars().filter(|char| !matches!(char, '*' | '`')).collect();
        let line = line.replace('_', " ").to_lowercase();
        if !line.contains("task") {
            return Vec::new();
        }
        let first = [self.total(&line), self.of_phase(&line), self.of_story(&line)];
        let claims = first.into_iter().flatten().chain(self.marked(&line)).chain(self.of_phases(&line));
        claims.filter(|claim| claim.claimed != claim.counted).collect()
    }

    fn total(&self, line: &str) -> Option<Claim> {
        let rest = after_symbols(line).strip_prefix("total")?;
        let rest = skip_words(skip_words(rest, &["number", "of"]), &["tasks"]);
        let number = after_symbols(rest);
        let symbols = &rest[..rest.len() - number.len()];
        if !(1..=6).contains(&symbols.chars().count()) || symbols.contains('~') || !WORD_TASK.is_match(line) {
            return None;
        }
        let (digits, behind) = split_digits(number)?;
        let second = behind.chars().nth(1);
        let continues = behind.starts_with(['.', ',', '-', '–', '/', '+', '~'])
            && second.is_some_and(|second| second.is_ascii_digit());
        let next = behind.trim_start();
        let word: String = next.chars().take_while(|char| char.is_alphanumeric()).collect();
        if continues || next.starts_with('%') || !matches!(word.as_str(), "" | "task" | "tasks") {
            return None;
        }
        let tasks = "in all".to_owned();
        Some(Claim { claimed: digits.parse().ok()?, counted: self.all, tasks })
    }

    fn of_phase(&self, line: &str) -> Option<Claim> {
        let behind = after_symbols(line).strip_prefix("phase")?;
        let rest = behind.trim_start();
        let length = phase_number_length(rest).filter(|_| rest.len() < behind.len())?;
        let (number, behind) = rest.split_at(length);
        let (claimed, counted) = (stated_number(behind)?, *self.phases.get(number)?);
        let tasks = format!("in phase {}", number.to_uppercase());
        Some(Claim { claimed, counted, tasks })
    }

    fn of_story(&self, line: &str) -> Option<Claim> {
        let rest = after_symbols(line);
        let rest = rest.strip_prefix("user story ").or_else(|| rest.strip_prefix("us"))?;
        let (number, behind) = rest.split_at(story_number_length(rest)?);
        let (claimed, counted) = (stated_number(behind)?, *self.stories.get(&format!("us{number}"))?);
        let tasks = format!("of the story US{number}");
        Some(Claim { claimed, counted, tasks })
    }

    fn marked<'a>(&'a self, line: &'a str) -> impl Iterator<Item = Claim> + 'a {
        MARKED.captures_iter(line).filter_map(|found| {
            let before = &line[..found.get(1)?.start()];
            let word = before.trim_end().rsplit(|char: char| !char.is_alphanumeric()).next();
            let is_part = before.ends_with(|last: char| last.is_alphanumeric() || ".,-–/+~".contains(last));
            if is_part || matches!(word, Some("phase" | "phases")) {
                return None;
            }
            let tasks = "with the mark [P]".to_owned();
            Some(Claim { claimed: found[1].parse().ok()?, counted: self.parallel, tasks })
        })
    }

    fn of_phases<'a>(&'a self, line: &'a str) -> impl Iterator<Item = Claim> + 'a {
        PHASES.captures_iter(line).filter_map(|found| {
            let (first, last): (u64, u64) = (found[1].parse().ok()?, found[2].parse().ok()?);
            let before = |end: u64| self.up_to_phase.range(..end).next_back().map_or(0, |(_, count)| *count);
            let counted = before(last.checked_add(1)?).checked_sub(before(first))?;
            let tasks = format!("in the phases {first} to {last}");
            Some(Claim { claimed: found[3].parse().ok()?, counted, tasks })
        })
    }
}

/// The rest of a text behind these words, or the whole text if it does not begin with them.
fn skip_words<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let mut rest = text;
    for word in words {
        match rest.strip_prefix(char::is_whitespace).and_then(|rest| rest.trim_start().strip_prefix(word)) {
            Some(behind) => rest = behind,
            None => return text,
        }
    }
    rest
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| text.split_at(length))
}

/// The length of the number of a phase with which a text begins, or of a single letter.
pub fn phase_number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if length > 0 {
        while bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
    }
    length += usize::from(bytes.get(length).is_some_and(u8::is_ascii_alphabetic));
    let is_complete = text[length..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    (length > 0 && is_complete).then_some(length)
}

/// The number of tasks behind the first `:` or `|`, unless the text continues a range or a list.
fn stated_number(behind: &str) -> Option<u64> {
    if RANGE_OR_LIST.is_match(behind) {
        return None;
    }
    let (_, rest) = behind.split_once([':', '|'])?;
    NUMBER_OF_TASKS.captures(rest)?[1].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list with 2 tasks in phase 1, 1 in phase 2A, and 3 in phase 3, which is that of story US1.
    fn counts() -> Counts {
        let tasks = |numbers: std::ops::Range<usize>, mark: &str| -> String {
            numbers.map(|number| format!("- [ ] T{number:03}{mark} a\n")).collect()
        };
        let source = format!(
            "## Phase 1: A\n{}\n## Phase 2A\n{}\n## Phase 3: US1\n{}",
            tasks(1..3, " [P]"),
            tasks(3..4, " [US2]"),
            tasks(4..7, "")
        );
        Counts::new(&ListDocument::read(&source))
    }

    #[test]
    fn numbers_that_differ_from_the_count_are_found() {
        let counts = counts();
        let cases = [
            ("**Total Tasks**: 70", 70, 6),
            ("- Total: 7 tasks", 7, 6),
            ("| Total | 70 | all tasks |", 70, 6),
            ("Total number of tasks = 5 (2 parallel)", 5, 6),
            ("_TOTAL_ **8 tasks**", 8, 6),
            ("✅ Phase 1 (Setup): 4 tasks", 4, 2),
            ("| **Phase 2a** | 12 tasks | x |", 12, 1),
            ("> - phase 3: 1 task", 1, 3),
            ("- US1 (Registration): 12 tasks", 12, 3),
            ("User Story 2: 9 tasks (4 tests)", 9, 1),
            ("**Parallel**: 36 tasks marked `[P]` can run", 36, 2),
            ("with 1 tasks marked with [P]", 1, 2),
            ("MVP: Phases 1-2 only (25 tasks)", 25, 3),
            ("Phases 2–3 (1 task)", 1, 4),
            ("phases 1 to 9, all of them, (4 tasks", 4, 6),
        ];
        for (line, claimed, counted) in cases {
            let found = counts.wrong_claims(line);
            let numbers: Vec<_> = found.iter().map(|claim| (claim.claimed, claim.counted)).collect();
            assert_eq!(numbers, [(claimed, counted)], "{line}");
        }
    }

    #[test]
    fn right_numbers_and_other_numbers_are_not_reported() {
        let counts = counts();
        for line in [
            "**Total Tasks**: 6",
            "Phase 1: 2 tasks",
            "US1: 3 tasks",
            "2 tasks marked [P]",
            "Phases 1-3 (6 tasks)",
            "Total tasks: ~70",
            "Total tasks: 70%",
            "Total: 70 user tasks",
            "Total tasks: 70-80",
            "Total tasks: 1,000",
            "Total: 70",
            "Total tasks -------: 70",
            "Totals tasks: 7",
            "The total: 7 tasks",
            "Total tasks: 70k",
            "Phase 3-15: 279 tasks",
            "Phase 3 and 4: 5 tasks",
            "Phase 1, 2: 5 tasks",
            "Phase 9: 5 tasks",
            "Phase 1: about 5 tasks",
            "Phase 1: a: 5 tasks",
            "Phase 12: 5 tasks",
            "US9: 5 tasks",
            "US1-US2: 7 tasks",
            "US1/2: 7 tasks",
            "Phase 3 tasks marked [P]",
            "Phases 5 tasks marked [P]",
            "Phases 1-2 and 5 (7 tasks)",
            "Phases 1-2 (a) (7 tasks)",
            "Phases 3-1 (7 tasks)",
            "~7 tasks marked [P]",
            "Total tasks: 99999999999999999999999",
        ] {
            assert_eq!(counts.wrong_claims(line), [], "{line}");
        }
    }
}
