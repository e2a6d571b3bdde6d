//! What is told to people about a web page, one rule per file. A rule tells of all files of a page at once, the worst first.

mod animated_gif;
mod broken_files;
mod cdn_miss;
mod document_write;
mod dom_size;
mod duplicates;
mod eager_images;
mod first_image_late;
mod font_display;
mod import_chain;
mod lazy_first_image;
mod legacy_script;
mod long_cached_page;
mod many_requests;
mod mixed_content;
mod no_charset;
mod no_doctype;
mod no_preconnect;
mod no_reuse;
mod no_tls;
mod no_viewport;
mod not_immutable;
mod not_restored;
mod old_http;
mod old_image_format;
mod oversized_image;
mod redirects;
mod render_blocking;
mod script_weight;
mod short_cache;
mod slow_server;
mod style_weight;
mod total_weight;
mod uncompressed;
mod unminified;
mod unsized_image;
mod unused_preload;
mod weak_compression;
mod words;

use super::look::PageLook;
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::{ResourceId, RuleId};
use crate::performance::policy::Policy;

/// A rule.
struct Rule {
    name: &'static str,
    /// What it is about, the last part of the resource.
    about: &'static str,
    find: fn(&PageLook, &Policy) -> Option<Told>,
}

/// What a rule tells, without its name.
struct Told {
    severity: Severity,
    confidence: f64,
    summary: String,
    evidence: Vec<Evidence>,
}

/// Every rule.
const TABLE: &[Rule] = &[
    Rule { name: "page_uncompressed", about: "compression", find: uncompressed::find },
    Rule { name: "page_weak_compression", about: "compression-strength", find: weak_compression::find },
    Rule { name: "page_short_cache", about: "cache", find: short_cache::find },
    Rule { name: "page_not_immutable", about: "immutable", find: not_immutable::find },
    Rule { name: "page_long_cached_page", about: "page-cache", find: long_cached_page::find },
    Rule { name: "page_not_restored", about: "back-button", find: not_restored::find },
    Rule { name: "page_old_image_format", about: "image-format", find: old_image_format::find },
    Rule { name: "page_oversized_image", about: "image-size", find: oversized_image::find },
    Rule { name: "page_unsized_image", about: "image-room", find: unsized_image::find },
    Rule { name: "page_eager_images", about: "lazy-images", find: eager_images::find },
    Rule { name: "page_lazy_first_image", about: "first-image", find: lazy_first_image::find },
    Rule { name: "page_first_image_late", about: "first-image-priority", find: first_image_late::find },
    Rule { name: "page_animated_gif", about: "animation", find: animated_gif::find },
    Rule { name: "page_render_blocking", about: "blocking", find: render_blocking::find },
    Rule { name: "page_script_weight", about: "scripts", find: script_weight::find },
    Rule { name: "page_style_weight", about: "styles", find: style_weight::find },
    Rule { name: "page_total_weight", about: "weight", find: total_weight::find },
    Rule { name: "page_many_requests", about: "requests", find: many_requests::find },
    Rule { name: "page_redirects", about: "redirects", find: redirects::find },
    Rule { name: "page_slow_server", about: "server-time", find: slow_server::find },
    Rule { name: "page_old_http", about: "http-version", find: old_http::find },
    Rule { name: "page_no_reuse", about: "connections", find: no_reuse::find },
    Rule { name: "page_no_tls", about: "encryption", find: no_tls::find },
    Rule { name: "page_mixed_content", about: "mixed-content", find: mixed_content::find },
    Rule { name: "page_cdn_miss", about: "cdn", find: cdn_miss::find },
    Rule { name: "page_dom_size", about: "elements", find: dom_size::find },
    Rule { name: "page_font_display", about: "font-display", find: font_display::find },
    Rule { name: "page_no_preconnect", about: "preconnect", find: no_preconnect::find },
    Rule { name: "page_duplicates", about: "duplicates", find: duplicates::find },
    Rule { name: "page_unminified", about: "minified", find: unminified::find },
    Rule { name: "page_document_write", about: "document-write", find: document_write::find },
    Rule { name: "page_legacy_script", about: "legacy-script", find: legacy_script::find },
    Rule { name: "page_no_doctype", about: "doctype", find: no_doctype::find },
    Rule { name: "page_no_charset", about: "charset", find: no_charset::find },
    Rule { name: "page_no_viewport", about: "viewport", find: no_viewport::find },
    Rule { name: "page_broken_files", about: "broken", find: broken_files::find },
    Rule { name: "page_unused_preload", about: "preload", find: unused_preload::find },
    Rule { name: "page_import_chain", about: "import", find: import_chain::find },
];

/// Names of all rules.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|rule| rule.name)
}

/// All findings of all rules about a page. Their resource is the page without its scheme, and what it is about.
pub fn find(look: &PageLook, policy: &Policy) -> Vec<Finding> {
    let page = words::place(look.url.split(['?', '#']).next().unwrap_or_default());
    let of = |rule: &Rule| {
        let told = (rule.find)(look, policy)?;
        Some(Finding {
            rule: RuleId::from(rule.name),
            resource: ResourceId::new(format!("{}/{}", page.trim_end_matches('/'), rule.about)),
            member: None,
            severity: told.severity,
            confidence: told.confidence,
            summary: told.summary,
            evidence: told.evidence,
        })
    };
    TABLE.iter().filter_map(of).collect()
}
