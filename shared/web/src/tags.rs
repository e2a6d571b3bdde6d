//! Elements by their tags: which stand within which. Not the tree that a browser builds, but as many elements, and as deep, for pages that people
//! write; of any length in one pass.

/// Elements without an end.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that a following one of these ends.
const ENDED_BY: [(&str, &[&str]); 10] = [
    ("li", &["li"]),
    ("dt", &["dt", "dd"]),
    ("dd", &["dt", "dd"]),
    ("option", &["option", "optgroup"]),
    ("tr", &["tr", "tbody", "tfoot"]),
    ("td", &["td", "th", "tr", "tbody", "tfoot"]),
    ("th", &["td", "th", "tr", "tbody", "tfoot"]),
    ("thead", &["tbody", "tfoot"]),
    ("tbody", &["tbody", "tfoot"]),
    (
        "p",
        &[
            "p",
            "div",
            "ul",
            "ol",
            "dl",
            "table",
            "section",
            "article",
            "aside",
            "nav",
            "header",
            "footer",
            "main",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "pre",
            "blockquote",
            "figure",
            "hr",
            "address",
            "details",
            "fieldset",
            "menu",
        ],
    ),
];
/// Deepest nesting; browsers go no deeper, what is deeper stands beside.
const DEPTH_MAX: usize = 512;
/// Elements for which it is asked whether something stands in them.
const AROUND: [&str; 5] = ["noscript", "template", "picture", "svg", "head"];

/// Elements that are open, and what was counted of all.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    open: Vec<(String, usize)>,
    /// How many of [`AROUND`] are open.
    around: [usize; AROUND.len()],
    /// Elements.
    pub(crate) count: usize,
    /// Deepest place.
    pub(crate) depth: usize,
    /// Most children of one element.
    pub(crate) widest: usize,
}

impl Tags {
    /// An element begins.
    pub(crate) fn begin(&mut self, name: &str, is_closed: bool) {
        while let Some((last, _)) = self.open.last() {
            let is_ended = ENDED_BY.iter().any(|(ended, by)| ended == last && by.contains(&name));
            if !is_ended {
                break;
            }
            self.close(self.open.len() - 1);
        }
        self.count += 1;
        if let Some((_, children)) = self.open.last_mut() {
            *children += 1;
            self.widest = self.widest.max(*children);
        }
        self.depth = self.depth.max(self.open.len() + 1);
        // In HTML a slash closes nothing; in the SVG within it does.
        let is_drawing = is_closed && self.is_in("svg");
        if !VOID.contains(&name) && !is_drawing && self.open.len() < DEPTH_MAX {
            self.note(name, 1);
            self.open.push((name.to_owned(), 0));
        }
    }

    /// An element ends.
    pub(crate) fn end(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.close(at);
        }
    }

    /// Whether what follows stands in such an element, one of [`AROUND`].
    pub(crate) fn is_in(&self, name: &str) -> bool {
        AROUND.iter().zip(self.around).any(|(one, open)| *one == name && open > 0)
    }

    /// Closes all from this place on.
    fn close(&mut self, at: usize) {
        for (name, _) in self.open.split_off(at) {
            self.note(&name, -1);
        }
    }

    fn note(&mut self, name: &str, more: isize) {
        if let Some(at) = AROUND.iter().position(|one| *one == name) {
            self.around[at] = self.around[at].saturating_add_signed(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_as_browsers_close_them() {
        let mut tags = Tags::default();
        for name in ["html", "body", "p", "div", "ul", "li", "li", "li"] {
            tags.begin(name, false);
        }
        tags.begin("br", true);
        tags.end("ul");
        tags.begin("img", false);
        tags.end("nothing");
        assert_eq!((tags.count, tags.depth, tags.widest), (10, 6, 3));
        tags.begin("picture", false);
        tags.begin("svg", false);
        tags.begin("path", true);
        assert!(tags.is_in("picture") && tags.is_in("svg"));
        tags.end("picture");
        assert!(!tags.is_in("svg"));
    }
}
