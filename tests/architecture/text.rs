//! Finds the comments and the string literals of a Rust file, which a parser leaves out or takes apart.

/// The file with everything blanked except comments and, if wanted, string literals.
pub fn readable(text: &str, with_strings: bool) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(first_part(rest));
        let string = part.len() > 1 && part.ends_with(['"', '#']);
        if part.starts_with("//") || part.starts_with("/*") || string && with_strings {
            kept.push_str(part);
        } else {
            kept.extend(part.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    kept
}

/// The length of what a text starts with: a comment, a literal, a word, or any other character.
fn first_part(text: &str) -> usize {
    let through =
        |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let after_word = text.trim_start_matches(|char: char| char.is_alphanumeric() || char == '_');
    let word = &text[..text.len() - after_word.len()];
    let after_hashes = after_word.trim_start_matches('#');
    match text.as_bytes() {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => through(2, "*/"),
        [b'"', ..] => {
            let mut chars = text.char_indices().skip(1);
            loop {
                match chars.next() {
                    Some((_, '\\')) => drop(chars.next()),
                    Some((at, '"')) => break at + 1,
                    Some(_) => {}
                    None => break text.len(),
                }
            }
        }
        [b'\'', b'\\', ..] => through(3, "'"),
        [b'\'', ..] if text.chars().nth(2) == Some('\'') => through(1, "'"),
        _ if ["r", "br"].contains(&word) && after_hashes.starts_with('"') => {
            let hashes = &after_word[..after_word.len() - after_hashes.len()];
            through(text.len() - after_hashes.len() + 1, &format!("\"{hashes}"))
        }
        _ if !word.is_empty() => word.len(),
        _ => text.chars().next().map_or(1, char::len_utf8),
    }
}
