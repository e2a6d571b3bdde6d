//! Files as servers send them, made from a seed: real images, scripts and styles that pack as such do.

use fastrand::Rng;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write;

/// What gzip makes of it, at a strength from 0 to 9.
pub fn gzip(plain: &[u8], strength: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(strength));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What zstd makes of it.
pub fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A script without blanks that does nothing, of about so many bytes; gzip leaves two thirds of it.
pub fn script(rng: &mut Rng, bytes: usize) -> String {
    let mut script = String::from("(function(){");
    while script.len() < bytes {
        let word: String = (0..12).map(|_| rng.alphanumeric()).collect();
        script.push_str(&format!("window.a_{word}={};", rng.u32(..)));
    }
    script.push_str("})();");
    script
}

/// A style sheet without blanks, for nothing that is there.
pub fn style(rng: &mut Rng, bytes: usize) -> String {
    let mut style = String::new();
    while style.len() < bytes {
        let word: String = (0..12).map(|_| rng.lowercase()).collect();
        style.push_str(&format!(".{word}{{color:#{:06x};margin:{}px}}", rng.u32(..0x0100_0000), rng.u32(..100)));
    }
    style
}

/// Bytes that nothing packs.
pub fn noise(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    rng.fill(&mut noise);
    noise
}

/// A PNG of this size: noise, or one colour.
pub fn png(rng: &mut Rng, width: u32, height: u32, is_noise: bool) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let named = [name.as_slice(), data].concat();
        png.extend(&named);
        png.extend(crc32fast::hash(&named).to_be_bytes());
    };
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([8, 2, 0, 0, 0]);
    chunk(b"IHDR", &head);
    let mut pixels = Vec::new();
    for _ in 0..height {
        pixels.extend([0]);
        let line = 3 * width as usize;
        if is_noise { pixels.extend(noise(rng, line)) } else { pixels.resize(pixels.len() + line, 90) }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&pixels).unwrap();
    chunk(b"IDAT", &encoder.finish().unwrap());
    chunk(b"IEND", &[]);
    png
}

/// A GIF of so many frames of noise. Its codes are all of eight colours with a clear code between, which needs no table.
pub fn gif(rng: &mut Rng, side: u16, frames: usize) -> Vec<u8> {
    let [low, high] = side.to_le_bytes();
    let mut gif = [b"GIF89a".as_slice(), &[low, high, low, high, 0xf6, 0, 0]].concat();
    for colour in 0..128_u8 {
        gif.extend([colour, colour.wrapping_mul(2), 255 - colour]);
    }
    gif.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00");
    for _ in 0..frames {
        gif.extend([0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, low, high, low, high, 0, 7]);
        // Of 7 bits a pixel, in codes of 8: a clear code (128) before the table would make them wider.
        let mut codes = Vec::new();
        for at in 0..usize::from(side) * usize::from(side) {
            if at % 120 == 0 {
                codes.push(128);
            }
            codes.push(rng.u8(..128));
        }
        codes.push(129);
        for piece in codes.chunks(255) {
            gif.push(u8::try_from(piece.len()).unwrap());
            gif.extend(piece);
        }
        gif.push(0);
    }
    gif.push(0x3b);
    gif
}

/// The head of a WebP of this size, with noise where pixels would be: nothing here decodes it.
pub fn webp(rng: &mut Rng, width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    webp.extend(&(width - 1).to_le_bytes()[..3]);
    webp.extend(&(height - 1).to_le_bytes()[..3]);
    webp.extend(b"VP8L");
    webp.extend(noise(rng, bytes));
    let length = u32::try_from(webp.len() - 8).unwrap();
    webp[4..8].copy_from_slice(&length.to_le_bytes());
    webp
}
