//! Whether a selector is for elements of a page, by its last part alone: names, ids and classes. Enough to tell which backgrounds a page loads.

use std::collections::BTreeSet;

/// Whether one of a list of selectors is for an element with these names, `#id`s and `.class`es.
pub(crate) fn selects(list: &str, marks: &BTreeSet<String>) -> bool {
    list.split(',').any(|selector| {
        let last = selector.trim().rsplit([' ', '>', '+', '~', '\n', '\t']).next().unwrap_or_default();
        let parts = parts(last);
        // What shows only while a pointer is there is loaded then.
        let is_later = [":hover", ":focus", ":active"].iter().any(|state| last.contains(state));
        !is_later && !last.is_empty() && parts.iter().all(|part| part == "*" || marks.contains(part))
    })
}

/// `a.b#c[d]:e` as `a`, `.b`, `#c`; what is in brackets or behind a colon is taken to hold.
fn parts(compound: &str) -> Vec<String> {
    let end = compound.find([':', '[', '(']).unwrap_or(compound.len());
    let (mut parts, mut part): (Vec<String>, String) = (Vec::new(), String::new());
    for c in compound[..end].chars() {
        if matches!(c, '.' | '#') && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_selector_says_whom_it_is_for() {
        let marks: BTreeSet<String> = ["img", ".thumb", "#a", "body"].map(str::to_owned).into();
        for is in [
            "img",
            ".no .thumb",
            "img.thumb#a",
            ".no, body",
            "*",
            "img[src]",
            ".thumb::before",
            "div > .thumb:first-child",
        ] {
            assert!(selects(is, &marks), "{is}");
        }
        for is_not in ["", ".no", "p.thumb", ".thumb .no", ".thumb:hover", ",,"] {
            assert!(!selects(is_not, &marks), "{is_not}");
        }
    }
}
