//! Amounts of money as AWS writes them, digit by digit: a float in between would make millionths of its own.

/// Digits after the point that are kept.
const PLACES: i32 = 6;
/// Largest exponent that is looked at; everything beyond is none of a bill.
const EXPONENT_MAX: i32 = 30;

/// "12.3456789", "-0.5" or "1.5E-7" in millionths, rounded to the nearest, halves away from zero. None for what is no
/// number, or one that does not fit.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    let (text, is_negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    if exponent.unsigned_abs() > EXPONENT_MAX.unsigned_abs() {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Where the last digit that is kept ends, from the left.
    let end = i32::try_from(whole.len()).ok()?.checked_add(exponent + PLACES)?;
    let mut value: i64 = 0;
    for place in 0..end.max(0) {
        let digit = digits.get(usize::try_from(place).ok()?).map_or(0, |digit| i64::from(digit - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    let next = usize::try_from(end).ok().and_then(|end| digits.get(end));
    if next.is_some_and(|digit| *digit >= b'5') {
        value = value.checked_add(1)?;
    }
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_digit_by_digit() {
        for (text, value) in [
            ("0", 0),
            ("0.0168000000", 16_800),
            ("1", 1_000_000),
            ("2.5", 2_500_000),
            ("-2.5", -2_500_000),
            ("+1.25", 1_250_000),
            (".5", 500_000),
            ("3.", 3_000_000),
            ("0.0000004999", 0),
            ("0.0000005", 1),
            ("-0.0000005", -1),
            ("0.9999995", 1_000_000),
            ("1.2345674999999", 1_234_567),
            ("1.5E-7", 0),
            ("5E-7", 1),
            ("5E-8", 0),
            ("1E-30", 0),
            ("1.2e2", 120_000_000),
            ("12.34E1", 123_400_000),
            ("123456789012.123456", 123_456_789_012_123_456),
            ("0.1", 100_000),
            ("0.30000000000000004", 300_000),
        ] {
            assert_eq!(micros(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_has_no_value() {
        for text in
            ["", "-", ".", "E5", "free", "0.x", "1,5", "--1", "1E", "1E99", "NaN", "inf", "99999999999999999999"]
        {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
