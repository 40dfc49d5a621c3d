//! Checks and conversions for the JSON of a request: its nesting and memory before it is parsed, and the
//! numbers in variables.

use async_graphql_value::{ConstValue as Value, Variables};

/// Arrays and objects inside each other in the JSON of a request.
pub const MAX_JSON_NESTING: usize = 64;
/// 2^53: many JSON parsers cannot represent every integer beyond it.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Turns numbers without a fraction into integers: in JSON `5.0` and `1e2` are the same as 5 and 100, but
/// async-graphql accepts only integers for an Int.
pub fn normalize_integers(variables: &mut Variables) {
    variables.values_mut().for_each(normalize_integers_in);
}

fn normalize_integers_in(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole =
                number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= MAX_SAFE_INTEGER);
            if let Some(float) = whole {
                *number = (float as i64).into();
            }
        }
        Value::List(items) => items.iter_mut().for_each(normalize_integers_in),
        Value::Object(fields) => fields.values_mut().for_each(normalize_integers_in),
        _ => {}
    }
}

/// Bytes of memory that a parsed value takes.
const JSON_VALUE_BYTES: usize = 80;
/// Bytes of memory that a parsed object takes in addition to its values.
const JSON_OBJECT_BYTES: usize = 450;

/// The nesting and the memory of a JSON text, estimated before it is parsed.
pub struct JsonEstimate {
    /// Arrays and objects inside each other.
    pub nesting: usize,
    /// An estimate of the bytes of memory that its values take, without the content of strings.
    pub memory_bytes: usize,
}

/// Estimates from the bytes of a JSON text, which need not be valid.
pub fn estimate_json(bytes: &[u8]) -> JsonEstimate {
    let (mut open, mut deepest, mut at, mut memory) = (0_usize, 0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
                memory += if byte == b'{' { JSON_OBJECT_BYTES } else { JSON_VALUE_BYTES };
            }
            b',' => memory += JSON_VALUE_BYTES,
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at)
                    && byte != b'"'
                {
                    at += if byte == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    JsonEstimate { nesting: deepest, memory_bytes: memory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_nesting_ignores_strings() {
        let nesting = |text: &[u8]| estimate_json(text).nesting;
        assert_eq!(nesting(br#"{"a":[{"b":"[[["}],"c\"[":[]}"#), 3);
        assert_eq!(nesting(br#"[["#), 2);
        assert_eq!(nesting(br#""\"#), 0);
    }

    #[test]
    fn many_small_json_values_take_more_memory_than_their_text() {
        let memory = |text: &str| estimate_json(text.as_bytes()).memory_bytes;
        assert!(memory(&format!("[{}0]", "0,".repeat(1_000))) > 1_000 * 72);
        assert!(memory(&"{},".repeat(1_000)) > 1_000 * 400);
        assert_eq!(memory(&format!("\"{}\"", ",".repeat(1_000))), 0);
    }
}
