//! Arrays of numbers as one short text: little-endian bytes in base64 (RFC 4648 §4). Keeps the stored state compact and exact.
//!
//! Refuses a text that does not hold exactly the expected count of numbers, so a damaged state is an error, not a panic.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A number with a fixed little-endian form.
pub(super) trait Number: Copy + Default {
    /// Bytes of one number.
    const BYTES: usize;
    /// Appends the bytes.
    fn write(self, out: &mut Vec<u8>);
    /// Reads one number from exactly [`Self::BYTES`] bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Number for f32 {
    const BYTES: usize = 4;
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
}

impl Number for u16 {
    const BYTES: usize = 2;
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
}

impl Number for f64 {
    const BYTES: usize = 8;
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// One number the same way, for `#[serde(with)]`: decimal text may lose the last bit on the way back.
pub(super) mod one {
    use super::Number;
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer, T: Number>(number: &T, sink: S) -> Result<S::Ok, S::Error> {
        super::serialize(&[*number], sink)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>, T: Number>(source: D) -> Result<T, D::Error> {
        super::deserialize(source).map(|[number]| number)
    }
}

/// For `#[serde(with)]`.
pub(super) fn serialize<S: Serializer, T: Number, const N: usize>(
    numbers: &[T; N],
    sink: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(N * T::BYTES);
    for number in numbers {
        number.write(&mut bytes);
    }
    sink.serialize_str(&encode(&bytes))
}

/// For `#[serde(with)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Number, const N: usize>(source: D) -> Result<[T; N], D::Error> {
    let text = String::deserialize(source)?;
    let bytes = decode(&text).ok_or_else(|| D::Error::custom("expected base64"))?;
    if bytes.len() != N * T::BYTES {
        return Err(D::Error::custom(format!("expected {} bytes, found {}", N * T::BYTES, bytes.len())));
    }
    let mut numbers = [T::default(); N];
    for (number, chunk) in numbers.iter_mut().zip(bytes.chunks_exact(T::BYTES)) {
        *number = T::read(chunk).ok_or_else(|| D::Error::custom("expected a number"))?;
    }
    Ok(numbers)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &byte| (word << 8) | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place)) & 63;
            text.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[digit as usize]) });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut word = 0_u32;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(symbol) => ALPHABET.iter().position(|known| known == symbol)?,
                None => 0,
            };
            word = (word << 6) | u32::try_from(digit).ok()?;
        }
        bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn encodes_the_test_vectors_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for text in ["Zg", "Zg=", "Z===", "Zm9*", "====", "Zä=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
