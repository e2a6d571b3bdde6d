//! Fonts for which a browser hides text until they are there.

use super::Told;
use super::words::Files;
use crate::finding::Severity;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let hides = |display: Option<&str>| matches!(display.unwrap_or("auto"), "auto" | "block");
    let faces = look.faces.iter().filter(|face| face.is_loaded && hides(face.display.as_deref()));
    let faces = Files::new(faces.map(|face| (face.family.as_str(), 1.0)));
    faces.told("page_hidden_fonts", Severity::Low, 0.9, |faces| {
        format!(
            "text in {} font(s) is hidden until they are loaded ({}): \"font-display: swap\" in their @font-face (of Google Fonts: &display=swap)",
            faces.count(),
            faces.names()
        )
    })
}
