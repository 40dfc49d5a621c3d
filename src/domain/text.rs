//! Text of users: converted to NFC, trimmed, measured in code points, without U+0000.

use unicode_normalization::UnicodeNormalization;

use crate::domain::{Problem, Rule};

/// The maximum length of a title, in characters.
pub const MAX_TITLE: usize = 200;
/// The maximum length of a description, in characters.
pub const MAX_DESCRIPTION: usize = 20_000;
/// The maximum length of a display name, in characters.
pub const MAX_NAME: usize = 100;
/// The maximum length of the name of a person or team in a task document, in characters.
pub const MAX_OWNER_LABEL: usize = 200;
/// The maximum length of an objective, in characters.
pub const MAX_OBJECTIVE: usize = 1_000;
/// The maximum length of a rationale, in characters.
pub const MAX_RATIONALE: usize = 10_000;
/// The maximum length of the text of a checklist item, in characters.
pub const MAX_ITEM: usize = 1_000;
/// The maximum length of the description of a risk, in characters.
pub const MAX_RISK: usize = 1_000;
/// The maximum length of the mitigation of a risk, in characters.
pub const MAX_MITIGATION: usize = 2_000;
/// The maximum length of the path of a file, in characters.
pub const MAX_PATH: usize = 500;

/// Converts text to NFC and trims it. U+0000 is rejected, because PostgreSQL cannot store it.
pub fn normalize(raw: &str) -> Result<String, Problem> {
    if raw.contains('\0') {
        return Err(Problem::new(Rule::Invalid, "must not contain the character U+0000"));
    }
    // ASCII is always in NFC.
    if raw.is_ascii() {
        return Ok(raw.trim().to_owned());
    }
    let composed: String = raw.nfc().collect();
    Ok(composed.trim().to_owned())
}

/// The text with a space in place of each run of line breaks and the white space around them.
pub fn one_line(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// Normalized text of at most `max` characters.
pub fn at_most(raw: &str, max: usize) -> Result<String, Problem> {
    let text = normalize(raw)?;
    if text.chars().count() > max {
        return Err(Problem::new(Rule::TooLong, format!("must have at most {max} characters")));
    }
    Ok(text)
}

/// Normalized text of 1 to `max` characters.
pub fn non_empty(raw: &str, max: usize) -> Result<String, Problem> {
    let text = at_most(raw, max)?;
    if text.is_empty() { Err(Problem::required()) } else { Ok(text) }
}

/// The form of a text for case-insensitive comparison: in lower case, and with final sigma replaced, because
/// lower-casing chooses between the two small sigmas by position.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.to_lowercase().replace('ς', "σ").nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_code_points_after_composition() {
        assert_eq!(non_empty(&"e\u{301}".repeat(5), 5).as_deref(), Ok("ééééé"));
        assert_eq!(non_empty(&"𝒳".repeat(5), 5).map(|text| text.len()), Ok(20));
        assert_eq!(non_empty(&"𝒳".repeat(6), 5).map_err(|problem| problem.rule), Err(Rule::TooLong));
    }

    #[test]
    fn blank_text_is_missing_text() {
        assert_eq!(non_empty(" \u{3000}\n", 5).map_err(|problem| problem.rule), Err(Rule::Required));
    }

    #[test]
    fn the_null_character_is_rejected() {
        assert_eq!(at_most("a\0b", 5).map_err(|problem| problem.rule), Err(Rule::Invalid));
    }
}
