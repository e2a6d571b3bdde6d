//! The picture: a lane for each class of risk, a line for each rule in it; a dot at the likely saving, a bar from low
//! to high, by size.
//!
//! The scale is logarithmic: savings of three dollars and of three thousand stand in one picture. Colours are told
//! apart by people who confuse red and green, and each is named by its lane.

use super::{Cell, RISKS, cells};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::Opportunity;
use crate::mode::Risk;
use std::fmt::Write as _;

const WIDTH: f64 = 920.0;
/// Where names end and the scale begins, and where it ends.
const LEFT: f64 = 250.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 64.0;
const ROW: f64 = 26.0;
const LANE_GAP: f64 = 34.0;
/// The scale: US dollars a month at its left end, and the least at its right end.
const LEAST_USD: f64 = 1.0;
const MOST_USD_MIN: f64 = 100.0;

/// The picture as a file of SVG.
pub fn svg(opportunities: &[Opportunity]) -> String {
    let cells = cells(opportunities);
    let most = cells.iter().map(|cell| usd(cell.saving.high)).fold(MOST_USD_MIN, f64::max);
    let most = 10_f64.powf(most.log10().ceil());
    let lanes: Vec<(Risk, Vec<&Cell>)> = RISKS
        .iter()
        .map(|risk| (*risk, cells.iter().filter(|cell| cell.risk == *risk).collect::<Vec<_>>()))
        .filter(|(_, cells)| !cells.is_empty())
        .collect();
    let height = lanes.iter().fold(TOP, |sum, (_, cells)| sum + LANE_GAP + ROW * count(cells.len())) + 44.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n<title>Savings and risk</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    label(&mut out, 20.0, 28.0, "start", "#111111", "bold", "Savings and risk, US dollars a month");
    if lanes.is_empty() {
        label(&mut out, 20.0, TOP, "start", "#444444", "normal", "nothing to save was found");
        out.push_str("</svg>\n");
        return out;
    }
    scale(&mut out, most, height);
    let mut y = TOP;
    for (risk, cells) in &lanes {
        y += LANE_GAP;
        let sum: UsdMicros = cells.iter().map(|cell| cell.saving.likely).sum();
        label(&mut out, 20.0, y - 10.0, "start", colour(*risk), "bold", &format!("{risk} risk"));
        label(&mut out, WIDTH - 20.0, y - 10.0, "end", colour(*risk), "bold", &format!("{sum}"));
        for cell in cells {
            row(&mut out, cell, y + ROW / 2.0, most);
            y += ROW;
        }
    }
    label(
        &mut out,
        LEFT,
        height - 14.0,
        "start",
        "#444444",
        "normal",
        "dot: likely; bar: from low to high; (number of resources)",
    );
    out.push_str("</svg>\n");
    out
}

/// Vertical lines at powers of ten.
fn scale(out: &mut String, most: f64, height: f64) {
    let mut usd = LEAST_USD;
    while usd <= most * 1.001 {
        let (x, bottom) = (place(usd, most), height - 34.0);
        let _ = writeln!(out, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>");
        label(out, x, TOP - 8.0, "middle", "#444444", "normal", &format!("{usd:.0}"));
        usd *= 10.0;
    }
}

fn row(out: &mut String, cell: &Cell, y: f64, most: f64) {
    let text_y = y + 4.5;
    let name = format!("{} ({})", cell.rule, cell.priced + cell.unpriced);
    label(out, LEFT - 14.0, text_y, "end", "#111111", "normal", &name);
    if cell.priced == 0 {
        label(out, LEFT, text_y, "start", "#444444", "normal", "price or saving not known: nothing is claimed");
        return;
    }
    let colour = colour(cell.risk);
    let [low, likely, high] = [cell.saving.low, cell.saving.likely, cell.saving.high].map(|it| place(usd(it), most));
    let _ = writeln!(
        out,
        "<line x1=\"{low:.1}\" y1=\"{y}\" x2=\"{high:.1}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"4\" \
         stroke-opacity=\"0.35\" stroke-linecap=\"round\"/>"
    );
    let _ = writeln!(out, "<circle cx=\"{likely:.1}\" cy=\"{y}\" r=\"6\" fill=\"{colour}\"/>");
    label(out, WIDTH - 20.0, text_y, "end", "#111111", "normal", &said(cell));
}

fn said(cell: &Cell) -> String {
    let (saving, unpriced) = (&cell.saving, cell.unpriced);
    let interval =
        if saving.low == saving.high { String::new() } else { format!(" ({} to {})", saving.low, saving.high) };
    let rest = if unpriced == 0 { String::new() } else { format!(", {unpriced} not known") };
    format!("{}{interval}{rest}", saving.likely)
}

/// Blue, orange and purple of Okabe and Ito's palette, darkened for text.
fn colour(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "#0072b2",
        Risk::Medium => "#b35900",
        Risk::High => "#8f3d72",
    }
}

fn place(usd: f64, most: f64) -> f64 {
    let share = (usd.max(LEAST_USD) / LEAST_USD).log10() / (most / LEAST_USD).log10();
    LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

fn label(out: &mut String, x: f64, y: f64, anchor: &str, fill: &str, weight: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{fill}\" \
         font-weight=\"{weight}\">{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "an amount that is drawn")]
fn usd(amount: UsdMicros) -> f64 {
    amount.0 as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "rows of a picture")]
fn count(number: usize) -> f64 {
    number as f64
}
