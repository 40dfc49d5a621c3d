//! Splits a document into lexical tokens (GraphQL specification, 2.1).

/// A token and its offset in the document, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub at: usize,
    pub text: &'a str,
    /// False for a string without closing quotes.
    pub is_terminated: bool,
}

/// The tokens of a document. Text that is not GraphQL gives tokens too; the parser refuses it later.
pub fn tokens(query: &str) -> impl Iterator<Item = Token<'_>> {
    let (bytes, mut at) = (query.as_bytes(), 0);
    std::iter::from_fn(move || {
        while let Some(length) = ignored(&bytes[at..]) {
            at += length;
        }
        let start = at;
        let rest = &bytes[at..];
        let mut is_terminated = true;
        at += match *rest.first()? {
            b'"' => {
                let length = string(rest);
                is_terminated = length.is_some();
                length.unwrap_or(rest.len())
            }
            b'.' => prefix(rest, |byte| byte == b'.'),
            b'-' | b'0'..=b'9' => number(rest),
            byte if is_word(byte) => prefix(rest, is_word),
            _ => query[at..].chars().next().map_or(1, char::len_utf8),
        };
        Some(Token { at: start, text: &query[start..at], is_terminated })
    })
}

/// The length of an ignored token: white space, a comma, a comment or a byte order mark.
fn ignored(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b' ' | b'\t' | b'\n' | b'\r' | b',', ..] => Some(1),
        [b'#', rest @ ..] => Some(1 + prefix(rest, |byte| !matches!(byte, b'\n' | b'\r'))),
        [0xef, 0xbb, 0xbf, ..] => Some(3),
        _ => None,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn prefix(bytes: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !is_part(byte)).unwrap_or(bytes.len())
}

/// The length of a number. A sign belongs to it at the beginning and after the letter of an exponent.
fn number(bytes: &[u8]) -> usize {
    let mut length = 1;
    while let Some(&byte) = bytes.get(length) {
        let is_part = match byte {
            b'+' | b'-' => matches!(bytes[length - 1], b'e' | b'E'),
            b'.' => bytes.get(length + 1).is_some_and(u8::is_ascii_digit),
            byte => is_word(byte),
        };
        if !is_part {
            break;
        }
        length += 1;
    }
    length
}

/// The length of the string at the beginning of `bytes`, with its quotes; None without closing quotes.
fn string(bytes: &[u8]) -> Option<usize> {
    let is_block = bytes.starts_with(br#"""""#);
    let mut at = if is_block { 3 } else { 1 };
    loop {
        at += match &bytes[at..] {
            [b'\\', b'"', b'"', b'"', ..] if is_block => 4,
            [b'"', b'"', b'"', ..] if is_block => return Some(at + 3),
            [_, ..] if is_block => 1,
            [b'"', ..] => return Some(at + 1),
            [b'\n' | b'\r', ..] | [b'\\', b'\n' | b'\r', ..] | [b'\\'] | [] => return None,
            [b'\\', ..] => 2,
            [..] => 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(query: &str) -> Vec<&str> {
        tokens(query).map(|token| token.text).collect()
    }

    #[test]
    fn a_document_is_split_as_the_grammar_says() {
        assert_eq!(texts("{a:b ...F,}"), ["{", "a", ":", "b", "...", "F", "}"]);
        assert_eq!(
            texts("$x: [Int!]=[-1,2.5e-3 1-1 1E+2]"),
            ["$", "x", ":", "[", "Int", "!", "]", "=", "[", "-1", "2.5e-3", "1", "-1", "1E+2", "]"]
        );
        assert_eq!(texts("a # { comment \r\"b } \\\" c\""), ["a", "\"b } \\\" c\""]);
        assert_eq!(
            texts("\"\"\" \" \\\"\"\" ( \"\"\" \"\"\"\"\"\""),
            ["\"\"\" \" \\\"\"\" ( \"\"\"", "\"\"\"\"\"\""]
        );
        assert_eq!(texts("\u{feff}a\u{feff}b ä1..."), ["a", "b", "ä", "1", "..."]);
    }

    #[test]
    fn a_string_without_closing_quotes_is_found() {
        for open in [
            "\"",
            "\"a",
            "\"a\\\"",
            "\"a\n\"",
            "\"a\\\n\"",
            "\"\\",
            "\"\"\"",
            "\"\"\"a\"\"",
            "\"\"\"\\\"\"\"",
            "\"\"\"\"\"",
        ] {
            assert!(tokens(open).any(|token| !token.is_terminated), "{open}");
        }
        for whole in ["\"\"", "\"\\\\\"", "\"\"\"\"\"\"", "\"\"\"\n\\\"\"\"\\\"\"\"\"\"\"", "\"ä\\u00e4😀\""]
        {
            assert!(tokens(whole).all(|token| token.is_terminated), "{whole}");
        }
    }
}
