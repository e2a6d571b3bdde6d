//! What a page says of itself and what it names, by the tokens of HTML (the WHATWG's tokenizer). In one pass whatever the text is.

use crate::address::absolute;
use crate::body::{count, writes_document};
use crate::css::{Sheet, of_element};
use crate::srcset::{choose, holds};
use crate::tags::Tags;
use domain::performance::pages::{Document, How, Kind, Use};
use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};
use std::collections::BTreeSet;
use url::Url;

/// What a page names to be loaded.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) url: Url,
    pub(crate) kind: Kind,
    pub(crate) place: Use,
    /// The element, for selectors: its name, `#id` and `.class`es.
    pub(crate) marks: BTreeSet<String>,
}

/// A page that was read.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) document: Document,
    pub(crate) named: Vec<Named>,
    /// Style sheets within it.
    pub(crate) styles: Vec<String>,
    /// Backgrounds in the `style` of elements.
    pub(crate) own: Vec<Sheet>,
    /// Names, ids and classes of its elements.
    pub(crate) marks: BTreeSet<String>,
    /// What relative addresses are relative to.
    pub(crate) base: Option<Url>,
}

/// Names that are remembered for selectors.
const MARKS_MAX: usize = 20_000;
/// Things that are named.
const NAMED_MAX: usize = 5_000;
/// Elements with a style of their own that is read.
const OWN_MAX: usize = 500;
/// Longest value of an attribute that is read for what it says.
const VALUE_BYTES_MAX: usize = 16_384;
/// Elements that stand before anything that is shown.
const OF_HEAD: [&str; 10] =
    ["html", "head", "meta", "title", "link", "script", "style", "base", "noscript", "template"];

struct Reader<'a> {
    page: Page,
    address: &'a Url,
    tags: Tags,
    is_in_head: bool,
    has_element: bool,
    has_icon: bool,
    /// What the `<picture>` around has chosen.
    chosen: Option<(String, Option<f64>)>,
    /// The text that follows is a script, or a style.
    is_script: bool,
    is_style: bool,
}

/// Reads a page.
pub(crate) fn read(text: &str, address: &Url) -> Page {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut reader = Reader {
        page: Page::default(),
        address,
        tags: Tags::default(),
        is_in_head: true,
        has_element: false,
        has_icon: false,
        chosen: None,
        is_script: false,
        is_style: false,
    };
    for token in Tokenizer::new_with_emitter(text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.begin(&tag),
            Token::EndTag(tag) => reader.end(&text_of(&tag.name)),
            Token::String(text) => reader.text(&text),
            Token::Doctype(doctype) if !reader.has_element => {
                let is_old = doctype.public_identifier.is_some_and(|name| !name.is_empty());
                reader.page.document.has_doctype =
                    doctype.name.as_slice() == b"html" && !doctype.force_quirks && !is_old;
            }
            _ => {}
        }
    }
    let document = &mut reader.page.document;
    document.elements = count(reader.tags.count);
    document.depth = count(reader.tags.depth);
    document.widest = count(reader.tags.widest);
    reader.page
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE_BYTES_MAX)]).into_owned()
}

/// Attributes of an element.
struct Attributes<'a>(&'a StartTag<()>);

impl Attributes<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let key = HtmlString(name.as_bytes().to_vec());
        self.0.attributes.get(&key).map(|value| text_of(value))
    }

    fn small(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A number of pixels.
    fn pixels(&self, name: &str) -> Option<f64> {
        let text = self.small(name);
        text.strip_suffix("px")
            .unwrap_or(&text)
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number > 0.0)
    }
}

impl Reader<'_> {
    fn begin(&mut self, tag: &StartTag<()>) {
        let name = text_of(&tag.name);
        let attributes = Attributes(tag);
        self.tags.begin(&name, tag.self_closing);
        self.has_element = true;
        self.is_in_head &= OF_HEAD.contains(&name.as_str());
        // Of these a browser that runs scripts loads nothing.
        let is_inert = self.tags.is_in("noscript") || self.tags.is_in("template");
        if is_inert {
            return;
        }
        self.mark(&name, &attributes);
        match name.as_str() {
            "meta" => self.meta(&attributes),
            "base" if self.page.base.is_none() => {
                self.page.base = attributes.get("href").and_then(|href| absolute(self.address, &href));
            }
            "link" => self.link(&attributes),
            "script" => self.script(&attributes),
            "style" => self.is_style = attributes.get("media").is_none_or(|media| holds(&media)),
            "picture" => self.chosen = None,
            "source" if self.tags.is_in("picture") => self.source(&attributes),
            "img" => self.image(&name, &attributes),
            "iframe" => {
                let place = Use { is_lazy: attributes.small("loading") == "lazy", ..self.place(How::Shown) };
                self.name(attributes.get("src"), Kind::Frame, place, BTreeSet::new());
            }
            "video" => {
                let place = Use { is_sized: true, ..self.place(How::Shown) };
                self.name(attributes.get("poster"), Kind::Image, place, BTreeSet::new());
            }
            "input" if attributes.small("type") == "image" => self.image(&name, &attributes),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        self.tags.end(name);
        match name {
            "script" => self.is_script = false,
            "style" => self.is_style = false,
            "picture" => self.chosen = None,
            "head" => self.is_in_head = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &[u8]) {
        if self.is_script {
            self.page.document.inline_script_bytes += count(text.len());
            self.page.document.writes_document |= writes_document(&String::from_utf8_lossy(text));
        } else if self.is_style {
            self.page.document.inline_style_bytes += count(text.len());
            self.page.styles.push(String::from_utf8_lossy(text).into_owned());
        } else if text.iter().any(|byte| !byte.is_ascii_whitespace()) && !self.tags.is_in("head") {
            self.is_in_head = false;
        }
    }

    fn place(&self, how: How) -> Use {
        Use { how, at: count(self.tags.count), in_head: self.is_in_head, ..Use::default() }
    }

    fn name(&mut self, href: Option<String>, kind: Kind, place: Use, marks: BTreeSet<String>) {
        let base = self.page.base.as_ref().unwrap_or(self.address);
        if let Some(url) = href.and_then(|href| absolute(base, &href))
            && self.page.named.len() < NAMED_MAX
        {
            self.page.named.push(Named { url, kind, place, marks });
        }
    }

    fn mark(&mut self, name: &str, attributes: &Attributes<'_>) {
        if self.page.marks.len() < MARKS_MAX {
            self.page.marks.extend(marks(name, attributes));
        }
        if let Some(style) = attributes.get("style")
            && style.contains("url(")
            && self.page.own.len() < OWN_MAX
        {
            self.page.own.push(of_element(&style));
        }
    }

    fn meta(&mut self, attributes: &Attributes<'_>) {
        let content = attributes.get("content").unwrap_or_default();
        if attributes.small("name") == "viewport" {
            self.page.document.viewport = Some(domain::text::line(&content));
        }
    }

    fn link(&mut self, attributes: &Attributes<'_>) {
        let rel = attributes.small("rel");
        let rels: Vec<&str> = rel.split_ascii_whitespace().collect();
        let has = |name: &str| rels.contains(&name);
        let href = attributes.get("href");
        let priority = attributes.get("fetchpriority");
        let media = attributes.get("media").map(|media| domain::text::line(&media));
        if has("stylesheet") && !has("alternate") && !attributes.has("disabled") {
            let place = Use { media, priority, ..self.place(How::Blocking) };
            self.name(href, Kind::Style, place, BTreeSet::new());
        } else if has("preload") || has("modulepreload") {
            let kind = match attributes.small("as").as_str() {
                _ if has("modulepreload") => Kind::Script,
                "style" => Kind::Style,
                "script" => Kind::Script,
                "image" => Kind::Image,
                "font" => Kind::Font,
                "document" => Kind::Frame,
                _ => Kind::Data,
            };
            let of_set =
                attributes.get("imagesrcset").and_then(|set| choose(&set, attributes.get("imagesizes").as_deref()));
            let place = Use { priority, ..self.place(How::Preload) };
            if media.as_deref().is_none_or(holds) {
                self.name(of_set.map(|(url, _)| url).or(href), kind, place, BTreeSet::new());
            }
        } else if has("preconnect") {
            let base = self.page.base.as_ref().unwrap_or(self.address);
            let origin = href.and_then(|href| absolute(base, &href)).map(|url| crate::address::origin(&url));
            self.page.document.preconnects.extend(origin);
        } else if has("icon") && !self.has_icon {
            self.has_icon = true;
            let place = self.place(How::Shown);
            self.name(href, Kind::Icon, place, BTreeSet::new());
        } else if has("manifest") {
            let place = self.place(How::Defer);
            self.name(href, Kind::Data, place, BTreeSet::new());
        }
    }

    fn script(&mut self, attributes: &Attributes<'_>) {
        let of = attributes.small("type");
        let is_module = of == "module";
        let is_run = is_module || of.is_empty() || of.contains("javascript") || of.contains("ecmascript");
        // What is for browsers without modules, none of ours loads.
        if !is_run || attributes.has("nomodule") {
            return;
        }
        let Some(src) = attributes.get("src") else {
            self.is_script = true;
            return;
        };
        let how = if attributes.has("async") {
            How::Async
        } else if is_module || attributes.has("defer") {
            How::Defer
        } else {
            How::Blocking
        };
        let place = Use { priority: attributes.get("fetchpriority"), ..self.place(how) };
        self.name(Some(src), Kind::Script, place, BTreeSet::new());
    }

    /// One choice of a `<picture>`: the first whose type browsers know and whose condition holds.
    fn source(&mut self, attributes: &Attributes<'_>) {
        let of = attributes.small("type");
        let is_known = matches!(
            of.as_str(),
            "" | "image/avif" | "image/webp" | "image/png" | "image/jpeg" | "image/gif" | "image/svg+xml"
        );
        let is_meant = attributes.get("media").is_none_or(|media| holds(&media));
        if self.chosen.is_none() && is_known && is_meant {
            self.chosen = attributes.get("srcset").and_then(|set| choose(&set, attributes.get("sizes").as_deref()));
        }
    }

    fn image(&mut self, name: &str, attributes: &Attributes<'_>) {
        let of_set = || attributes.get("srcset").and_then(|set| choose(&set, attributes.get("sizes").as_deref()));
        let chosen = self.chosen.take().filter(|_| self.tags.is_in("picture")).or_else(of_set);
        let (src, shown) = match chosen {
            Some((url, shown)) => (Some(url), shown),
            None => (attributes.get("src"), None),
        };
        let style = attributes.get("style").map(|style| of_element(&style)).unwrap_or_default();
        let (width, height) = (attributes.pixels("width"), attributes.pixels("height"));
        let ratio = width.zip(height).map(|(width, height)| height / width);
        let place = Use {
            is_lazy: attributes.small("loading") == "lazy",
            width: shown.or(width),
            height: shown.zip(ratio).map(|(shown, ratio)| shown * ratio).or(if shown.is_some() {
                None
            } else {
                height
            }),
            is_sized: ratio.is_some() || !style.sized.is_empty(),
            priority: attributes
                .get("fetchpriority")
                .map(|priority| domain::text::line(&priority.to_ascii_lowercase())),
            ..self.place(How::Shown)
        };
        self.name(src, Kind::Image, place, marks(name, attributes));
    }
}

/// An element's name, `#id` and `.class`es.
fn marks(name: &str, attributes: &Attributes<'_>) -> BTreeSet<String> {
    let classes = attributes.get("class").unwrap_or_default();
    let classes = classes.split_ascii_whitespace().take(100).map(|class| format!(".{class}")).collect::<Vec<_>>();
    let id = attributes.get("id").map(|id| format!("#{id}"));
    std::iter::once(name.to_owned()).chain(id).chain(classes).collect()
}
