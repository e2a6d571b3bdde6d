//! Which of several images a browser takes (HTML, "Images"): on a desk, in a window of 1,350 by 940 pixels, one pixel of the screen for one of CSS.

/// The window.
const WIDTH: f64 = 1_350.0;
/// Candidates that are looked at.
const CANDIDATES_MAX: usize = 50;

/// The image of a `srcset` that is taken, and the width in which it is shown where `sizes` says.
pub(crate) fn choose(srcset: &str, sizes: Option<&str>) -> Option<(String, Option<f64>)> {
    let shown = sizes.and_then(width);
    let needed = shown.unwrap_or(WIDTH);
    // Density of each: pixels for one of CSS.
    let densities = candidates(srcset).into_iter().map(|(url, number, unit)| match unit {
        'w' => (url, number / needed),
        _ => (url, number),
    });
    let mut all: Vec<(String, f64)> = densities.collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let last = all.last().cloned();
    let (url, _) = all.into_iter().find(|(_, density)| *density >= 1.0).or(last)?;
    Some((url, sizes.filter(|sizes| sizes.contains("px")).and(shown)))
}

fn candidates(srcset: &str) -> Vec<(String, f64, char)> {
    let (mut rest, mut all) = (srcset, Vec::new());
    while all.len() < CANDIDATES_MAX {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            break;
        }
        let (url, after) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()));
        // An address that ends with a comma has no descriptor.
        let (descriptor, next) = match url.strip_suffix(',') {
            Some(_) => ("", after),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        rest = next;
        let descriptor = descriptor.trim();
        let unit = descriptor.chars().last().unwrap_or('x');
        let number = if descriptor.is_empty() {
            Some(1.0)
        } else {
            descriptor.get(..descriptor.len() - unit.len_utf8()).and_then(|number| number.parse().ok())
        };
        if let Some(number) = number.filter(|number: &f64| *number > 0.0 && matches!(unit, 'w' | 'x')) {
            all.push((url.trim_end_matches(',').to_owned(), number, unit));
        }
    }
    all
}

/// The width that `sizes` gives: the first whose condition holds, in `px` or `vw`.
fn width(sizes: &str) -> Option<f64> {
    sizes.split(',').find_map(|size| {
        let size = size.trim();
        let (condition, length) = match size.rfind(')') {
            Some(end) => (Some(&size[..=end]), size[end + 1..].trim()),
            None => (None, size),
        };
        condition.is_none_or(holds).then(|| pixels(length)).flatten()
    })
}

/// A length in `px` or `vw`.
fn pixels(length: &str) -> Option<f64> {
    let number = |unit| length.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
    number("px").or_else(|| number("vw").map(|share| share / 100.0 * WIDTH)).filter(|width| *width > 0.0)
}

/// Whether a condition on the window holds. One that is not about its width does where it is about screens.
pub(crate) fn holds(media: &str) -> bool {
    let media = media.trim().to_ascii_lowercase();
    if media.starts_with("print") || media.starts_with("not ") || media.contains("prefers-color-scheme: dark") {
        return false;
    }
    media.split('(').skip(1).all(|feature| {
        let feature = feature.split(')').next().unwrap_or_default();
        match feature.split_once(':') {
            Some((name, length)) if name.trim() == "min-width" => {
                pixels(length.trim()).is_none_or(|width| WIDTH >= width)
            }
            Some((name, length)) if name.trim() == "max-width" => {
                pixels(length.trim()).is_none_or(|width| WIDTH <= width)
            }
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_image_that_fills_its_place_is_taken() {
        let of = |srcset: &str, sizes: Option<&str>| choose(srcset, sizes);
        let widths = "s.webp 480w, m.webp 960w, l.webp 1920w";
        assert_eq!(of(widths, Some("(max-width: 600px) 100vw, 480px")), Some(("s.webp".to_owned(), Some(480.0))));
        assert_eq!(of(widths, Some("50vw")), Some(("m.webp".to_owned(), None)));
        assert_eq!(of(widths, None), Some(("l.webp".to_owned(), None)));
        assert_eq!(of("a.png, b.png 2x", None), Some(("a.png".to_owned(), None)));
        assert_eq!(of("a,b.png 1x,c.png 2x", None).unwrap().0, "a,b.png");
        for nothing in ["", " , ,", "a.png -1x", "a.png 3q", "a.png 1é"] {
            assert_eq!(of(nothing, None), None, "{nothing}");
        }
        assert!(holds("screen and (min-width: 600px)") && !holds("(min-width: 2000px)") && !holds("print"));
    }
}
