//! How rules about pages put files and numbers before people.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::headers::Sender;
use crate::performance::pages::look::{Answer, How, Kind, PageLook, Resource, Use};
use crate::text::line;

/// Files that a sentence names.
const NAMED_MAX: usize = 3;
/// Files whose numbers stand in a finding.
const EVIDENCE_MAX: usize = 20;

/// Files that a rule tells of, each with the number that says how bad it is.
pub(super) struct Files<'a> {
    all: Vec<(&'a str, f64)>,
}

impl<'a> Files<'a> {
    /// The worst first.
    pub(super) fn new(all: impl Iterator<Item = (&'a str, f64)>) -> Self {
        let mut all: Vec<_> = all.collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        Self { all }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// All numbers together.
    pub(super) fn sum(&self) -> f64 {
        self.all.iter().map(|(_, number)| number).sum()
    }

    /// `a.js, b.js, c.js and 4 more`.
    pub(super) fn names(&self) -> String {
        let named: Vec<String> = self.all.iter().take(NAMED_MAX).map(|(url, _)| place(url)).collect();
        match self.all.len().saturating_sub(NAMED_MAX) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }

    /// A finding with the number of each file; none where there is no file.
    pub(super) fn told(
        &self,
        signal: &str,
        severity: Severity,
        confidence: f64,
        says: impl FnOnce(&Self) -> String,
    ) -> Option<Told> {
        if self.all.is_empty() {
            return None;
        }
        let evidence = self.all.iter().take(EVIDENCE_MAX);
        let evidence = evidence.map(|(url, number)| Evidence::level(signal, *number, place(url))).collect();
        Some(Told { severity, confidence, summary: says(self), evidence })
    }
}

/// An address without its scheme, for people.
pub(super) fn place(url: &str) -> String {
    line(url.split_once("://").map_or(url, |(_, rest)| rest))
}

/// `3.2 MB`, `45 kB`, `300 B`: as browsers and Lighthouse count.
pub(super) fn size(bytes: f64) -> String {
    match bytes {
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.0} kB", b / 1e3),
        b => format!("{b:.0} B"),
    }
}

/// `45 s`, `3 h`, `30 d`.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// What to set, in the words of who sends: CloudFront, Cloudflare, or a server of one's own.
pub(super) fn set<'a>(look: &PageLook, cloudfront: &'a str, cloudflare: &'a str, other: &'a str) -> &'a str {
    match look.sender() {
        Sender::CloudFront => cloudfront,
        Sender::Cloudflare => cloudflare,
        Sender::Other => other,
    }
}

/// Files that came well, with what came.
pub(super) fn good(look: &PageLook) -> impl Iterator<Item = (&Resource, &Answer)> {
    let came = look.resources.iter().filter_map(|resource| Some((resource, resource.answer.known()?)));
    came.filter(|(_, answer)| answer.status == 200)
}

/// The page and the files that came well.
pub(super) fn answers(look: &PageLook) -> impl Iterator<Item = (&str, &Answer)> {
    std::iter::once((look.url.as_str(), &look.answer))
        .chain(good(look).map(|(resource, answer)| (resource.url.as_str(), answer)))
}

/// The first image of the HTML that is large enough to be what people look at first: among the first three, shown or made larger than
/// 300 by 200.
pub(super) fn first_large_image(look: &PageLook) -> Option<(&Resource, &Use, &Answer)> {
    let mut shown: Vec<(&Resource, &Use, &Answer)> = good(look)
        .filter(|(resource, _)| resource.kind == Kind::Image)
        .flat_map(|(resource, answer)| resource.uses.iter().map(move |place| (resource, place, answer)))
        .filter(|(_, place, _)| place.how == How::Shown)
        .collect();
    shown.sort_by(|a, b| a.1.at.total_cmp(&b.1.at));
    let is_large = |(_, place, answer): &(&Resource, &Use, &Answer)| {
        let picture = answer.body.known().and_then(|body| body.picture.as_ref());
        let width = place.width.or(picture.map(|picture| picture.width));
        let height = place.height.or(picture.map(|picture| picture.height));
        width.zip(height).is_some_and(|(width, height)| width >= 300.0 && height >= 200.0)
    };
    shown.into_iter().take(3).find(is_large)
}

/// Whether an address is on this machine.
pub(super) fn is_here(url: &str) -> bool {
    let host = origin(url).split_once("://").map_or("", |(_, host)| host);
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|here| host.strip_prefix(here).is_some_and(|port| port.is_empty() || port.starts_with(':')))
}

/// Scheme, host and port of an address.
pub(super) fn origin(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |at| begin + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_stands_before_the_path() {
        assert_eq!(origin("https://a.example:8443/b?c"), "https://a.example:8443");
        assert!(
            is_here("http://localhost:80/a") && is_here("http://[::1]/") && !is_here("http://127.0.0.1.evil.example/")
        );
    }

    #[test]
    fn a_sentence_names_the_worst() {
        let files = Files::new(
            [("https://a/1", 1.0), ("https://a/4", 4.0), ("https://a/3", 3.0), ("https://a/2", 2.0)].into_iter(),
        );
        assert_eq!((files.names().as_str(), files.sum()), ("a/4, a/3, a/2 and 1 more", 10.0));
        assert_eq!([size(12.0), size(45_000.0), size(3.2e6)], ["12 B", "45 kB", "3.2 MB"]);
    }
}
