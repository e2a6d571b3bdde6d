//! The files of a page, each once, as HTML and style sheets name them.

use crate::address::{absolute, origin, shown};
use crate::css::{Face, Sheet};
use crate::html::{Named, Page};
use crate::select::selects;
use domain::observed::{Missing, Observed};
use domain::performance::pages::{FontFace, How, Kind, Resource, Use};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// What is kept of each kind of thing that the style sheets of a page say, and of files that are left out.
const SAID_MAX: usize = 2_000;
/// Places of use of one file that are kept.
const USES_MAX: usize = 20;

/// Files that are loaded, each once.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) resources: Vec<Resource>,
    pub(crate) urls: Vec<Url>,
    places: BTreeMap<Url, usize>,
    pub(crate) left_out: BTreeSet<String>,
    files_max: usize,
}

impl Files {
    pub(crate) fn new(files_max: usize) -> Self {
        Self { files_max, ..Self::default() }
    }

    fn name(&mut self, url: Url, kind: Kind, place: Use) {
        let file = match self.places.get(&url) {
            Some(at) => &mut self.resources[*at],
            None if self.urls.len() >= self.files_max => {
                if self.left_out.len() < SAID_MAX {
                    self.left_out.insert(url.to_string());
                }
                return;
            }
            None => {
                self.places.insert(url.clone(), self.urls.len());
                let answer = Observed::Missing(Missing::NoData);
                self.resources.push(Resource {
                    url: shown(&url),
                    origin: origin(&url),
                    kind,
                    uses: Vec::new(),
                    answer,
                });
                self.urls.push(url);
                let last = self.resources.len() - 1;
                &mut self.resources[last]
            }
        };
        if file.uses.len() < USES_MAX {
            file.uses.push(place);
        }
    }

    pub(crate) fn of_html(&mut self, page: &mut Page) {
        for Named { url, kind, place, .. } in &page.named {
            self.name(url.clone(), *kind, place.clone());
        }
    }

    pub(crate) fn leave_out(&mut self, at: usize) {
        self.left_out.insert(self.urls[at].to_string());
        self.resources[at].answer = Observed::Missing(Missing::Partial);
    }

    /// All files, after every style sheet has been read: which images a style gives a size is known only now.
    pub(crate) fn ended(self, styles: &Styles) -> Vec<Resource> {
        let mut resources = self.resources;
        for (url, marks, at) in &styles.marked {
            if let Some(file) = self.places.get(url) {
                let is_sized = styles.sized.iter().any(|selector| selects(selector, marks));
                let places = resources[*file].uses.iter_mut().filter(|place| place.at.to_bits() == *at);
                places.for_each(|place| place.is_sized |= is_sized);
            }
        }
        resources
    }
}

/// What the style sheets of a page say, all together.
#[derive(Default)]
pub(crate) struct Styles {
    /// Those whose files are not named yet: which, what their addresses are relative to, and what they say.
    new: Vec<(Option<String>, Url, Sheet)>,
    declared: Vec<(Option<String>, Url, Face)>,
    families: Vec<String>,
    sized: Vec<String>,
    /// Images of the HTML with their marks and the place of their element.
    marked: Vec<(Url, BTreeSet<String>, u64)>,
    pub(crate) is_cut: bool,
}

impl Styles {
    pub(crate) fn take(&mut self, style: Option<String>, base: Url, mut sheet: Sheet) {
        let room = |used: usize| SAID_MAX.saturating_sub(used);
        let is_more = sheet.is_cut
            || sheet.families.len() > room(self.families.len())
            || sheet.sized.len() > room(self.sized.len())
            || sheet.faces.len() > room(self.declared.len());
        self.is_cut |= is_more;
        sheet.families.truncate(room(self.families.len()));
        sheet.sized.truncate(room(self.sized.len()));
        sheet.faces.truncate(room(self.declared.len()));
        self.families.append(&mut sheet.families);
        self.sized.append(&mut sheet.sized);
        let faces = std::mem::take(&mut sheet.faces);
        self.declared.extend(faces.into_iter().map(|face| (style.clone(), base.clone(), face)));
        self.new.push((style, base, sheet));
    }

    /// Names the files of new style sheets: what they import, backgrounds of elements that are there, fonts that are used.
    pub(crate) fn name(&mut self, page: &Page, files: &mut Files) {
        if self.marked.is_empty() {
            let images = page.named.iter().filter(|named| named.kind == Kind::Image);
            self.marked =
                images.map(|named| (named.url.clone(), named.marks.clone(), named.place.at.to_bits())).collect();
        }
        for (style, base, sheet) in std::mem::take(&mut self.new) {
            let place = |how, media| Use {
                how,
                style: Some(style.clone().unwrap_or_default()),
                in_head: true,
                media,
                ..Use::default()
            };
            for (named, media) in sheet.imports {
                if let Some(url) = absolute(&base, &named) {
                    files.name(url, Kind::Style, place(How::Import, media.map(|media| domain::text::line(&media))));
                }
            }
            for (selector, named) in sheet.images {
                if let Some(url) = absolute(&base, &named).filter(|_| selects(&selector, &page.marks)) {
                    files.name(url, Kind::Image, place(How::Background, None));
                }
            }
        }
        let faces: Vec<(Option<String>, Url)> = self
            .declared
            .iter()
            .filter(|(_, _, face)| self.is_used(face))
            .filter_map(|(style, base, face)| Some((style.clone(), absolute(base, face.url.as_deref()?)?)))
            .collect();
        for (style, url) in faces {
            let style = Some(style.unwrap_or_default());
            let is_known = files
                .places
                .get(&url)
                .is_some_and(|at| files.resources[*at].uses.iter().any(|place| place.how == How::Face));
            if !is_known {
                files.name(url, Kind::Font, Use { how: How::Face, style, ..Use::default() });
            }
        }
    }

    /// A browser loads a font when an element asks for it with letters that it has.
    fn is_used(&self, face: &Face) -> bool {
        face.is_latin && !face.family.is_empty() && self.families.iter().any(|families| families.contains(&face.family))
    }

    pub(crate) fn faces(&self) -> Vec<FontFace> {
        let faces = self.declared.iter().map(|(style, _, face)| FontFace {
            family: domain::text::line(&face.family),
            display: face.display.as_deref().map(domain::text::line),
            is_loaded: face.url.is_some() && self.is_used(face),
            style: style.clone(),
        });
        faces.collect()
    }
}
