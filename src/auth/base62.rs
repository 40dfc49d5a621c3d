//! Numbers in base 62, with the digits 0-9, A-Z and a-z: the letters of tokens that need no escaping anywhere.

/// The digits in ascending order.
pub const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a number with `length` digits, the most significant first. The number must fit.
pub fn encode(mut number: u128, length: usize) -> String {
    let mut digits = vec![DIGITS[0]; length];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// Reads a number. None when a character is not a digit, or the number needs more than 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    text.bytes().try_fold(0_u128, |number, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        number.checked_mul(62)?.checked_add(digit as u128)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(number: u128) {
            let text = encode(number, 22);
            prop_assert_eq!(text.len(), 22);
            prop_assert_eq!(decode(&text), Some(number));
        }
    }

    #[test]
    fn what_is_not_a_number_of_128_bits_is_refused() {
        assert_eq!(decode("0z"), Some(61));
        assert_eq!(decode("-1"), None);
        assert_eq!(decode("zzzzzzzzzzzzzzzzzzzzzz"), None);
    }
}
