//! A web page and what it loads, as they came over the wire: facts without a judgement. Sizes are bytes, times milliseconds.
//!
//! Addresses and headers come from outside: they are bounded, without control characters, and values of queries are left out.

use crate::observed::Observed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One look at a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageLook {
    /// Its address, as configured.
    pub url: String,
    /// What came for it.
    pub answer: Answer,
    /// What its HTML says.
    pub document: Document,
    /// What it loads, in the order of its HTML, then of its style sheets. Each file once.
    pub resources: Vec<Resource>,
    /// Fonts that its style sheets declare.
    pub faces: Vec<FontFace>,
    /// A static file that was asked for a second time, for its caches.
    pub again: Option<Again>,
    /// Files that were not asked for, because a limit was reached.
    pub left_out: f64,
    /// Its HTML or one of its style sheets was longer than is read.
    pub is_cut: bool,
}

/// What came for one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Where it came from in the end.
    pub url: String,
    /// Status.
    pub status: u16,
    /// What led there.
    pub redirects: Vec<Hop>,
    /// Version of the protocol.
    pub http: Http,
    /// Headers of interest, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Bytes of the body on the wire.
    pub transferred: f64,
    /// What the body is; missing where it can't be decoded.
    pub body: Observed<Body>,
    /// From the request, on an open connection, to the first byte.
    pub ttfb_ms: f64,
    /// From the first request, with redirects and connections, to the last byte.
    pub total_ms: f64,
    /// What it took to connect; `None` where a connection was used again.
    pub connect_ms: Option<f64>,
}

/// A redirect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// From where.
    pub url: String,
    /// Status.
    pub status: u16,
    /// How long it took.
    pub ms: f64,
}

/// Version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Http {
    /// HTTP/1.0.
    One,
    /// HTTP/1.1.
    OneOne,
    /// HTTP/2.
    Two,
}

/// A body without its coding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Its length.
    pub bytes: f64,
    /// Checksum: two bodies of one length and checksum are the same.
    pub mark: u32,
    /// What gzip makes of it, for text that came without a coding or as gzip; beyond the first 256 KiB in proportion.
    pub gzip_bytes: Option<f64>,
    /// Blanks and comments in it, for scripts and styles.
    pub blank_bytes: Option<f64>,
    /// What it shows, for images whose format is known.
    pub picture: Option<Picture>,
    /// It is a script that calls `document.write`.
    pub writes_document: bool,
    /// What it brings that every browser of the last five years has, for scripts.
    pub polyfills: Vec<String>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Format.
    pub format: Format,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// It has several frames.
    pub is_animated: bool,
}

/// Format of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Png,
    Jpeg,
    Gif,
    Webp,
    Avif,
}

/// What the HTML of a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Elements, counted by their tags.
    pub elements: f64,
    /// Elements within elements, at the deepest place.
    pub depth: f64,
    /// Children of the element that has most.
    pub widest: f64,
    /// It begins with `<!doctype html>`.
    pub has_doctype: bool,
    /// Its encoding, where the header, a byte order mark or a `<meta>` within the first 1,024 bytes names one.
    pub charset: Option<String>,
    /// The content of `<meta name="viewport">`.
    pub viewport: Option<String>,
    /// Bytes of scripts in the HTML.
    pub inline_script_bytes: f64,
    /// Bytes of styles in the HTML.
    pub inline_style_bytes: f64,
    /// A script in the HTML calls `document.write`.
    pub writes_document: bool,
    /// Origins that it prepares a connection to.
    pub preconnects: Vec<String>,
}

/// A file that the page loads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Its address.
    pub url: String,
    /// Scheme, host and port of its address.
    pub origin: String,
    /// What it is, by how it is used.
    pub kind: Kind,
    /// Where it is used, at most twenty places.
    pub uses: Vec<Use>,
    /// What came for it.
    pub answer: Observed<Answer>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Style,
    Script,
    Image,
    Font,
    Frame,
    Icon,
    Data,
}

impl Kind {
    /// Made once and sent to everybody: what caches are for.
    pub fn is_static(self) -> bool {
        matches!(self, Self::Style | Self::Script | Self::Image | Self::Font)
    }
}

/// One place where a file is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// How.
    pub how: How,
    /// The style sheet that uses it, empty for one within the HTML; `None` for an element.
    pub style: Option<String>,
    /// Place of its element among all of the HTML.
    pub at: f64,
    /// In the head, or before anything that is shown.
    pub in_head: bool,
    /// `media` of its element.
    pub media: Option<String>,
    /// `loading=lazy`.
    pub is_lazy: bool,
    /// Width in which it is shown, in CSS pixels, where HTML says.
    pub width: Option<f64>,
    /// Height in which it is shown, in CSS pixels, where HTML says.
    pub height: Option<f64>,
    /// Its room is kept before it is there: HTML or a style says its size or its shape.
    pub is_sized: bool,
    /// `fetchpriority`.
    pub priority: Option<String>,
}

/// How a file is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A style sheet or a script that holds up what follows.
    Blocking,
    /// A script that runs when it is there.
    Async,
    /// A script that runs at the end, or a module.
    Defer,
    /// Shown.
    #[default]
    Shown,
    /// Fetched early, for a use that comes.
    Preload,
    /// `@import` of a style sheet.
    Import,
    /// `src` of a `@font-face`.
    Face,
    /// A background in a style sheet.
    Background,
}

/// A font that a style sheet declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FontFace {
    /// Its name.
    pub family: String,
    /// `font-display`.
    pub display: Option<String>,
    /// It is loaded over the network.
    pub is_loaded: bool,
    /// The style sheet that declares it; `None` for the HTML.
    pub style: Option<String>,
}

/// A file that was asked for a second time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Again {
    /// Its address.
    pub url: String,
    /// Headers of the second answer.
    pub headers: BTreeMap<String, String>,
}
