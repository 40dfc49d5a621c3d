//! Text as people write it: NFC, trimmed, counted in code points, free of U+0000.

use unicode_normalization::UnicodeNormalization;

use crate::domain::{Problem, Rule};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 200;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 20_000;
/// The longest display name, in characters.
pub const MAX_NAME: usize = 100;
/// The longest name of the person or team that a task document names, in characters.
pub const MAX_OWNER_LABEL: usize = 200;
/// The longest objective, in characters.
pub const MAX_OBJECTIVE: usize = 1_000;
/// The longest rationale, in characters.
pub const MAX_RATIONALE: usize = 10_000;
/// The longest text of a checklist item, in characters.
pub const MAX_ITEM: usize = 1_000;
/// The longest description of a risk, in characters.
pub const MAX_RISK: usize = 1_000;
/// The longest mitigation of a risk, in characters.
pub const MAX_MITIGATION: usize = 2_000;
/// The longest path of a file, in characters.
pub const MAX_PATH: usize = 500;

/// Brings text to NFC and cuts surrounding white space. PostgreSQL cannot keep U+0000 and SQLite can,
/// so it is refused here, for both.
pub fn normalize(raw: &str) -> Result<String, Problem> {
    if raw.contains('\0') {
        return Err(Problem::new(Rule::Invalid, "must not contain the character U+0000"));
    }
    // ASCII is in NFC.
    if raw.is_ascii() {
        return Ok(raw.trim().to_owned());
    }
    let composed: String = raw.nfc().collect();
    Ok(composed.trim().to_owned())
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

/// What text is compared by when case is of no account: lower case, with both small sigmas as one, since
/// which of them a capital becomes depends on what follows.
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
    fn the_null_character_is_refused_wherever_it_stands() {
        assert_eq!(at_most("a\0b", 5).map_err(|problem| problem.rule), Err(Rule::Invalid));
    }
}
