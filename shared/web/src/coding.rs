//! Undoes codings, to know how large a body is without them. Bounded: a small body may unpack to anything.

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// Buffer of the decoder of brotli.
const BUFFER_BYTES: usize = 16_384;
/// Largest window of zstd that browsers take (RFC 8878, RFC 9659).
const WINDOW_BYTES_MAX: u64 = 8 << 20;
/// Codings on top of each other.
const LAYERS_MAX: usize = 2;

/// Why a body has no plain form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecoded {
    /// Its coding is none of those that were asked for.
    Unknown,
    /// It is not what its header says.
    Damaged,
    /// It unpacks to more than is read.
    TooLarge,
}

impl Undecoded {
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Unknown => "its Content-Encoding was not asked for",
            Self::Damaged => "it is not what its Content-Encoding says",
            Self::TooLarge => "it unpacks to more than is read",
        }
    }
}

/// The body without its codings (`Content-Encoding`), at most `bytes_max` of it.
pub(crate) fn decode(body: &[u8], coding: &str, bytes_max: usize) -> Result<Vec<u8>, Undecoded> {
    let coding = coding.to_ascii_lowercase();
    let layers: Vec<&str> =
        coding.split(',').map(str::trim).filter(|layer| !matches!(*layer, "" | "identity")).collect();
    if layers.len() > LAYERS_MAX {
        return Err(Undecoded::Unknown);
    }
    let mut plain = body.to_vec();
    // The last one was put on last.
    for layer in layers.iter().rev() {
        plain = match *layer {
            "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(plain.as_slice()), bytes_max),
            "deflate" => bounded(ZlibDecoder::new(plain.as_slice()), bytes_max),
            "br" => bounded(brotli_decompressor::Decompressor::new(plain.as_slice(), BUFFER_BYTES), bytes_max),
            "zstd" => {
                let frame =
                    ruzstd::decoding::StreamingDecoder::new_with_max_window_size(plain.as_slice(), WINDOW_BYTES_MAX);
                bounded(frame.map_err(|_| Undecoded::Damaged)?, bytes_max)
            }
            _ => Err(Undecoded::Unknown),
        }?;
    }
    Ok(plain)
}

fn bounded(reader: impl Read, bytes_max: usize) -> Result<Vec<u8>, Undecoded> {
    let mut plain = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut plain).map_err(|_| Undecoded::Damaged)?;
    if plain.len() > bytes_max { Err(Undecoded::TooLarge) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_coding_is_undone_and_what_is_damaged_is_said_so() {
        assert_eq!(decode(b"plain", "", 100).unwrap(), b"plain");
        assert_eq!(decode(&gzip(b"plain"), "GZip", 100).unwrap(), b"plain");
        assert_eq!(decode(&gzip(&gzip(b"plain")), "gzip, gzip", 100).unwrap(), b"plain");
        // "hello" by `brotli` and by `zstd`.
        assert_eq!(decode(&[0x0f, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x03], "br", 100).unwrap(), b"hello");
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f];
        assert_eq!(decode(&zstd, "zstd", 100).unwrap(), b"hello");
        for coding in ["gzip", "br", "zstd", "deflate"] {
            assert_eq!(decode(b"<!doctype html>", coding, 100), Err(Undecoded::Damaged), "{coding}");
        }
        assert_eq!(decode(b"plain", "lzma", 100), Err(Undecoded::Unknown));
        assert_eq!(decode(b"plain", "gzip, gzip, gzip", 100), Err(Undecoded::Unknown));
    }

    #[test]
    fn a_bomb_unpacks_to_the_limit_and_no_further() {
        let bomb = gzip(&gzip(&vec![0; 50 << 20]));
        assert!(bomb.len() < 10_000, "{}", bomb.len());
        assert_eq!(decode(&bomb, "gzip, gzip", 1 << 20), Err(Undecoded::TooLarge));
    }
}
