//! What an image is: format, pixels, whether it moves. From its headers; no pixel is decoded.

use domain::performance::pages::{Format, Picture};
use imagesize::ImageType;

/// Blocks of a GIF that are looked at for a second frame.
const BLOCKS_MAX: usize = 100_000;

pub(crate) fn picture(bytes: &[u8]) -> Option<Picture> {
    let format = match imagesize::image_type(bytes).ok()? {
        ImageType::Png => Format::Png,
        ImageType::Jpeg => Format::Jpeg,
        ImageType::Gif => Format::Gif,
        ImageType::Webp => Format::Webp,
        ImageType::Heif(imagesize::Compression::Av1) => Format::Avif,
        _ => return None,
    };
    let size = imagesize::blob_size(bytes).ok()?;
    let is_animated = match format {
        Format::Gif => gif_frames(bytes) > 1,
        // A chunk of control before the first of data; a flag of the extended header.
        Format::Png => bytes.windows(4).take(4_096).take_while(|chunk| chunk != b"IDAT").any(|chunk| chunk == b"acTL"),
        Format::Webp => bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0),
        _ => false,
    };
    #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
    let (width, height) = (size.width as f64, size.height as f64);
    (width >= 1.0 && height >= 1.0).then_some(Picture { format, width, height, is_animated })
}

/// Frames of a GIF, at most two (GIF89a, "The Grammar").
fn gif_frames(bytes: &[u8]) -> usize {
    let colours = |flags: u8| if flags & 0x80 != 0 { 3 << ((flags & 7) + 1) } else { 0 };
    let Some(flags) = bytes.get(10) else { return 0 };
    let (mut at, mut frames) = (13 + colours(*flags), 0);
    for _ in 0..BLOCKS_MAX {
        match bytes.get(at) {
            Some(0x21) => at += 2,
            Some(0x2c) => {
                frames += 1;
                let Some(flags) = bytes.get(at + 9) else { break };
                at += 11 + colours(*flags);
            }
            _ => break,
        }
        if frames > 1 {
            break;
        }
        // Pieces of data up to an empty one.
        while let Some(length) = bytes.get(at) {
            at += 1 + usize::from(*length);
            if *length == 0 {
                break;
            }
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gif_moves_from_its_second_frame_on() {
        let head = b"GIF89a\x02\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff";
        let frame = b"\x21\xf9\x04\x00\x05\x00\x00\x00\x2c\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02\x44\x0a\x00";
        let one = [head.as_slice(), frame, b"\x3b"].concat();
        let two = [head.as_slice(), frame, frame, b"\x3b"].concat();
        assert_eq!(picture(&one), Some(Picture { format: Format::Gif, width: 2.0, height: 1.0, is_animated: false }));
        assert!(picture(&two).unwrap().is_animated);
        for cut in 0..two.len() {
            let _ = picture(&two[..cut]);
        }
        assert_eq!(picture(b"<svg/>"), None);
    }
}
