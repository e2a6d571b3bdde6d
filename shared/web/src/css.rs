//! What a style sheet loads, by its tokens (CSS Syntax Module Level 3): other sheets, fonts, backgrounds; and which elements it gives a size.

use crate::srcset::holds;
use cssparser::{BasicParseError, ParseError, Parser, Token};

/// Rules within rules.
const DEPTH_MAX: usize = 16;
/// Longest selector that is looked at.
const SELECTOR_BYTES_MAX: usize = 2_000;

/// What is kept of each kind of thing that one style sheet says: what comes from elsewhere must not fill the memory.
const SAID_MAX: usize = 2_000;
/// Longest list of fonts that is kept.
const FAMILIES_CHARS_MAX: usize = 300;

/// What a style sheet says.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// `@import`: address and medium.
    pub(crate) imports: Vec<(String, Option<String>)>,
    /// Backgrounds: selector and address.
    pub(crate) images: Vec<(String, String)>,
    /// Fonts.
    pub(crate) faces: Vec<Face>,
    /// Values of `font` and `font-family`, in small letters.
    pub(crate) families: Vec<String>,
    /// Selectors of what gets a width and a height, or a shape.
    pub(crate) sized: Vec<String>,
    /// It says more than is kept.
    pub(crate) is_cut: bool,
}

/// Keeps one thing more, as far as there is room; says whether there was.
fn put<T>(list: &mut Vec<T>, item: T) -> bool {
    let has_room = list.len() < SAID_MAX;
    if has_room {
        list.push(item);
    }
    has_room
}

/// A `@font-face`.
#[derive(Debug, Default)]
pub(crate) struct Face {
    pub(crate) family: String,
    pub(crate) display: Option<String>,
    pub(crate) url: Option<String>,
    /// It has the letters of English.
    pub(crate) is_latin: bool,
}

type Parsed = Result<(), ParseError<()>>;

/// Reads a style sheet.
pub(crate) fn sheet(text: &str) -> Sheet {
    let mut sheet = Sheet::default();
    // What can't be read is over with its rule.
    let _ = rules(&mut Parser::new(text), &mut sheet, 0);
    sheet
}

/// Reads the `style` of an element, as a rule for it alone.
pub(crate) fn of_element(style: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let _ = declarations(&mut Parser::new(style), "*", &mut sheet, DEPTH_MAX);
    sheet
}

/// The next token that is neither blank nor comment, as one of our own.
fn next<'i>(parser: &mut Parser<'i>) -> Result<Token<'i>, BasicParseError> {
    parser.next().cloned()
}

fn rules(parser: &mut Parser<'_>, sheet: &mut Sheet, depth: usize) -> Parsed {
    loop {
        let start = parser.position();
        let Ok(token) = next(parser) else { return Ok(()) };
        match token {
            Token::AtKeyword(name) => at_rule(parser, &name.to_ascii_lowercase(), sheet, depth)?,
            Token::CurlyBracketBlock => skip(parser)?,
            _ => {
                let Some(end) = block(parser) else { return Ok(()) };
                let selector = parser.slice(start..end).trim();
                let selector = if selector.len() > SELECTOR_BYTES_MAX { "" } else { selector };
                parser.parse_nested_block(|inner| declarations(inner, selector, sheet, depth))?;
            }
        }
    }
}

/// Goes to the next block, and tells where it begins.
fn block(parser: &mut Parser<'_>) -> Option<cssparser::SourcePosition> {
    loop {
        let at = parser.position();
        if next(parser).ok()? == Token::CurlyBracketBlock {
            return Some(at);
        }
    }
}

fn at_rule(parser: &mut Parser<'_>, name: &str, sheet: &mut Sheet, depth: usize) -> Parsed {
    let start = parser.position();
    if name == "import" {
        let url = url_of(parser);
        let after = parser.position();
        let mut end = after;
        while let Ok(token) = next(parser) {
            if token == Token::Semicolon {
                break;
            }
            end = parser.position();
        }
        let media = parser.slice(after..end).trim().to_owned();
        if let Some(url) = url {
            sheet.is_cut |= !put(&mut sheet.imports, (url, (!media.is_empty()).then_some(media)));
        }
        return Ok(());
    }
    // Up to its block, or its end where it has none.
    loop {
        let at = parser.position();
        match next(parser) {
            Ok(Token::Semicolon) | Err(_) => return Ok(()),
            Ok(Token::CurlyBracketBlock) => {
                let prelude = parser.slice(start..at);
                return match name {
                    "font-face" => parser.parse_nested_block(|inner| face(inner, sheet)),
                    "media" if !holds(prelude) => skip(parser),
                    "media" | "supports" | "layer" | "container" if depth < DEPTH_MAX => {
                        parser.parse_nested_block(|inner| rules(inner, sheet, depth + 1))
                    }
                    _ => skip(parser),
                };
            }
            Ok(_) => {}
        }
    }
}

/// Goes to the end of the block that begins here.
fn skip(parser: &mut Parser<'_>) -> Parsed {
    parser.parse_nested_block(|inner| {
        while inner.next().is_ok() {}
        Ok(())
    })
}

/// An address that stands here: `url(…)` or a text in quotes.
fn url_of(parser: &mut Parser<'_>) -> Option<String> {
    match next(parser).ok()? {
        Token::UnquotedUrl(url) | Token::QuotedString(url) => Some(url.to_string()),
        Token::Function(name) if name.eq_ignore_ascii_case("url") => quoted(parser),
        _ => None,
    }
}

/// The text in quotes within the function that has begun.
fn quoted(parser: &mut Parser<'_>) -> Option<String> {
    let read: Result<String, ParseError<()>> = parser.parse_nested_block(|inner| {
        let url = inner.expect_string().map(|url| url.to_string())?;
        while inner.next().is_ok() {}
        Ok(url)
    });
    read.ok()
}

/// What a value holds: its addresses, and its text.
fn value(parser: &mut Parser<'_>, urls: &mut Vec<String>, formats: &mut Vec<String>, depth: usize) -> (String, bool) {
    let start = parser.position();
    loop {
        let at = parser.position();
        match next(parser) {
            Err(_) => return (parser.slice(start..at).to_owned(), true),
            Ok(Token::Semicolon) => return (parser.slice(start..at).to_owned(), false),
            Ok(Token::UnquotedUrl(url)) => urls.push(url.to_string()),
            Ok(Token::Function(name)) if name.eq_ignore_ascii_case("url") => urls.extend(quoted(parser)),
            Ok(Token::Function(name)) if name.eq_ignore_ascii_case("format") => {
                // Written with quotes or without.
                let read: Result<String, ParseError<()>> =
                    parser.parse_nested_block(|inner| Ok(inner.expect_ident_or_string()?.to_string()));
                formats.extend(read.ok());
            }
            Ok(Token::Function(_)) if depth < DEPTH_MAX => {
                let _: Parsed = parser.parse_nested_block(|inner| {
                    value(inner, urls, formats, depth + 1);
                    Ok(())
                });
            }
            Ok(_) => {}
        }
    }
}

fn declarations(parser: &mut Parser<'_>, selector: &str, sheet: &mut Sheet, depth: usize) -> Parsed {
    let (mut has_width, mut has_height, mut has_shape) = (false, false, false);
    while let Ok(token) = next(parser) {
        match token {
            Token::Ident(name) => {
                if next(parser) != Ok(Token::Colon) {
                    continue;
                }
                let name = name.to_ascii_lowercase();
                let mut urls = Vec::new();
                let (text, is_end) = value(parser, &mut urls, &mut Vec::new(), 0);
                let text = text.trim().to_ascii_lowercase();
                let is_length = text.starts_with(|c: char| c.is_ascii_digit()) && !text.starts_with("0 ")
                    || text.starts_with("calc(");
                let has_set = text.contains("image-set(");
                match name.as_str() {
                    "width" | "inline-size" => has_width |= is_length,
                    "height" | "block-size" => has_height |= is_length,
                    "aspect-ratio" => has_shape |= text.starts_with(|c: char| c.is_ascii_digit()),
                    "font" | "font-family" => {
                        let text = text.chars().take(FAMILIES_CHARS_MAX).collect();
                        sheet.is_cut |= !put(&mut sheet.families, text);
                    }
                    _ => {}
                }
                if name.starts_with("background")
                    || matches!(name.as_str(), "list-style" | "list-style-image" | "border-image" | "content")
                {
                    // Of several for screens of several densities, the first.
                    let many = if has_set { 1 } else { usize::MAX };
                    for url in urls.into_iter().take(many) {
                        sheet.is_cut |= !put(&mut sheet.images, (selector.to_owned(), url));
                    }
                }
                if is_end {
                    break;
                }
            }
            Token::AtKeyword(name) => at_rule(parser, &name.to_ascii_lowercase(), sheet, depth + 1)?,
            // A rule within a rule: for whom is not computed, only what it loads for everybody.
            Token::CurlyBracketBlock if depth < DEPTH_MAX => {
                parser.parse_nested_block(|inner| declarations(inner, "", sheet, depth + 1))?;
            }
            _ => {}
        }
    }
    if has_shape || has_width && has_height {
        sheet.is_cut |= !put(&mut sheet.sized, selector.to_owned());
    }
    Ok(())
}

fn face(parser: &mut Parser<'_>, sheet: &mut Sheet) -> Parsed {
    let mut face = Face { is_latin: true, ..Face::default() };
    while let Ok(token) = next(parser) {
        let Token::Ident(name) = token else { continue };
        if next(parser) != Ok(Token::Colon) {
            continue;
        }
        let (mut urls, mut formats) = (Vec::new(), Vec::new());
        let (text, is_end) = value(parser, &mut urls, &mut formats, 0);
        let text = text.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        match name.to_ascii_lowercase().as_str() {
            "font-family" => face.family = text,
            "font-display" => face.display = Some(text),
            // The newest format that is there: a browser takes the first that it knows, and people list that first.
            "src" => {
                let newest = formats.iter().position(|format| format.eq_ignore_ascii_case("woff2"));
                face.url = newest
                    .filter(|_| formats.len() == urls.len())
                    .and_then(|at| urls.get(at))
                    .or(urls.first())
                    .cloned();
            }
            "unicode-range" => {
                face.is_latin = ["u+00", "u+0-", "u+20-", "u+0?", "u+??"].iter().any(|latin| text.contains(latin))
            }
            _ => {}
        }
        if is_end {
            break;
        }
    }
    sheet.is_cut |= !put(&mut sheet.faces, face);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_style_sheet_loads_is_found_wherever_it_stands() {
        let sheet = sheet(
            "@charset 'x'; @import 'a.css'; @import url(b.css) print; /* url(no.png) */ @import url(\"c.css\")\n screen;
             @font-face { font-family: 'Shop Sans'; src: url(f.woff) format('woff'), url('f.woff2') format(woff2); font-display: swap }
             @font-face { font-family: Far; src: url(g.woff2); unicode-range: U+0400-045F }
             .hero, #x { background: no-repeat url(h.png) 0 0; content: 'url(no.png)' } body { font: 12px/1 \"Shop Sans\", serif }
             @media (min-width: 600px) { .wide { background-image: url('w.png') } } @media print { p { background: url(no.png) } }
             img.thumb { width: 30px; height: 20px } .fluid { width: 100%; height: auto } .card img { aspect-ratio: 3 / 2; } a { color: red }
             .set { background: image-set(url(s1.png) 1x, url(s2.png) 2x) } .open { background: url(",
        );
        let media = |text: &str| Some(text.to_owned());
        assert_eq!(
            sheet.imports,
            [("a.css".to_owned(), None), ("b.css".to_owned(), media("print")), ("c.css".to_owned(), media("screen"))]
        );
        let images: Vec<&str> = sheet.images.iter().map(|(_, url)| url.as_str()).collect();
        assert_eq!(images[..3], ["h.png", "w.png", "s1.png"], "{images:?}");
        assert_eq!(sheet.images[0].0, ".hero, #x");
        assert_eq!(sheet.sized, ["img.thumb", ".card img"]);
        let face = &sheet.faces[0];
        assert_eq!(
            (face.family.as_str(), face.url.as_deref(), face.display.as_deref()),
            ("shop sans", Some("f.woff2"), Some("swap"))
        );
        assert!(face.is_latin && !sheet.faces[1].is_latin && sheet.families[0].contains("shop sans"));
        let style = of_element("width:3px;background:url(i.png);height:4px");
        assert_eq!((style.images.len(), style.sized.len()), (1, 1));
    }

    #[test]
    fn a_hostile_style_sheet_ends() {
        for text in [
            "{".repeat(100_000),
            "a{".repeat(100_000),
            "@media x{".repeat(100_000),
            "a:b(".repeat(100_000),
            "\0@import".repeat(10_000),
            "@font-face{src:".repeat(10_000),
        ] {
            let _ = sheet(&text);
        }
    }
}
