//! The words that a task document uses for a status, a priority, and the levels of a risk.

use super::names;
use super::values::{Priority, RiskLevel, Status};

/// A value that one of several words names.
pub(super) type Word<T> = (&'static str, T);

const STATUS_WORDS: [Word<Status>; 20] = [
    ("pending", Status::Pending),
    ("todo", Status::Pending),
    ("to do", Status::Pending),
    ("not started", Status::Pending),
    ("backlog", Status::Pending),
    ("open", Status::Pending),
    ("planned", Status::Pending),
    ("ready", Status::Pending),
    ("draft", Status::Pending),
    ("in progress", Status::InProgress),
    ("active", Status::InProgress),
    ("doing", Status::InProgress),
    ("started", Status::InProgress),
    ("blocked", Status::Blocked),
    ("on hold", Status::Blocked),
    ("completed", Status::Completed),
    ("complete", Status::Completed),
    ("done", Status::Completed),
    ("finished", Status::Completed),
    ("closed", Status::Completed),
];

const PRIORITY_WORDS: [Word<Priority>; 6] = [
    ("low", Priority::Low),
    ("medium", Priority::Medium),
    ("normal", Priority::Medium),
    ("high", Priority::High),
    ("critical", Priority::Critical),
    ("urgent", Priority::Critical),
];

/// What the value of a field line for a status or a priority means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice<T> {
    Value(T),
    /// The value offers several words, as a template does.
    Several,
    Unknown,
}

/// Reads the value of the field line for the status.
pub(super) fn read_status(text: &str) -> Choice<Status> {
    read_choice(text, &STATUS_WORDS)
}

/// Reads the value of the field line for the priority.
pub(super) fn read_priority(text: &str) -> Choice<Priority> {
    read_choice(text, &PRIORITY_WORDS)
}

fn read_choice<T: Copy>(text: &str, words: &[Word<T>]) -> Choice<T> {
    let parts = text.split(['|', '/']);
    match parts.filter(|part| first_words(part, words).is_some()).take(2).count() {
        2 => Choice::Several,
        _ => first_words(text, words).map_or(Choice::Unknown, Choice::Value),
    }
}

/// The value of the word with which a text begins. Leading symbols are skipped.
fn first_words<T: Copy>(text: &str, words: &[Word<T>]) -> Option<T> {
    let text = text.replace('_', " ").to_lowercase();
    let text = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let begins = |word: &str| {
        let rest = text.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    words.iter().find(|(word, _)| begins(word)).map(|(_, value)| *value)
}

/// Reads the cell of a likelihood or an impact.
pub(super) fn read_level(text: &str) -> Option<RiskLevel> {
    Some(match names::key(text).as_str() {
        "low" => RiskLevel::Low,
        "medium" | "med" | "moderate" => RiskLevel::Medium,
        "high" => RiskLevel::High,
        _ => return None,
    })
}

/// The words that a new value of a status is written with.
pub(super) fn status_text(status: Status) -> &'static str {
    match status {
        Status::Pending => "Pending",
        Status::InProgress => "In Progress",
        Status::Blocked => "Blocked",
        Status::Completed => "Completed",
    }
}

/// The word that a new value of a priority is written with.
pub(super) fn priority_text(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Critical => "Critical",
    }
}

/// The word that a new value of a likelihood or an impact is written with.
pub(super) fn level_text(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_a_value_decide_about_the_status() {
        for (text, expected) in [
            ("Pending", Choice::Value(Status::Pending)),
            ("🟡 In Progress (since May)", Choice::Value(Status::InProgress)),
            ("IN_PROGRESS", Choice::Value(Status::InProgress)),
            ("**Done**", Choice::Value(Status::Completed)),
            ("Complete, almost", Choice::Value(Status::Completed)),
            ("Completed", Choice::Value(Status::Completed)),
            ("In progress / waiting for review", Choice::Value(Status::InProgress)),
            ("Pending | In Progress | Blocked | Completed", Choice::Several),
            ("todo/done", Choice::Several),
            ("Openly discussed", Choice::Unknown),
            ("In Review", Choice::Unknown),
            ("", Choice::Unknown),
        ] {
            assert_eq!(read_status(text), expected, "{text}");
        }
    }

    #[test]
    fn a_priority_is_a_word_and_not_a_number() {
        assert_eq!(read_priority("🔥 high"), Choice::Value(Priority::High));
        assert_eq!(read_priority("Urgent!"), Choice::Value(Priority::Critical));
        assert_eq!(read_priority("P1"), Choice::Unknown);
        assert_eq!(read_priority("Low | Medium | High | Critical"), Choice::Several);
    }
}
