//! The table and the picture of the same opportunities.

use super::*;
use crate::cost::opportunity::{Effort, Remedy};
use crate::ids::{ResourceId, RuleId};
use crate::observed::{Missing, Observed};

fn opportunity(rule: &str, risk: Risk, usd: Option<(i64, i64, i64)>) -> Opportunity {
    let micros = |usd: i64| UsdMicros(usd * 1_000_000);
    Opportunity {
        rule: RuleId::from(rule),
        resource: ResourceId::from("r"),
        name: "r".to_owned(),
        summary: String::new(),
        evidence: Vec::new(),
        saving: usd.map_or(Observed::Missing(Missing::NoData), |(low, likely, high)| {
            Observed::Known(Saving { low: micros(low), likely: micros(likely), high: micros(high) })
        }),
        risk,
        effort: Effort::None,
        confidence: 1.0,
        remedy: Remedy::Wait { why: String::new() },
        way_back: String::new(),
    }
}

fn some() -> Vec<Opportunity> {
    vec![
        opportunity("gp2_volume", Risk::Low, Some((12, 12, 12))),
        opportunity("gp2_volume", Risk::Low, Some((30, 30, 30))),
        opportunity("oversized_fleet", Risk::Low, Some((300, 335, 370))),
        opportunity("oversized_fleet", Risk::Low, None),
        opportunity("idle_nights", Risk::Medium, Some((700, 820, 900))),
        opportunity("oversized_machine", Risk::Medium, None),
        opportunity("orphaned_snapshot", Risk::High, Some((0, 13, 27))),
    ]
}

#[test]
fn the_table_is_aligned_and_says_what_is_not_priced() {
    let want = "\
USD a month              low risk    medium risk    high risk                  sum
----------------------------------------------------------------------------------
idle_nights                     -     820.00 (1)            -           820.00 (1)
oversized_fleet  335.00 (1), ? (1)              -            -    335.00 (1), ? (1)
";
    let text = text(&some());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()), "{text}");
    let words =
        |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    for line in words(want).iter().filter(|line| !line.starts_with('-')) {
        assert!(words(&text).contains(line), "{line}\n{text}");
    }
    assert!(
        words(&text).contains(&"sum 377.00 (3), ? (1) 820.00 (1), ? (1) 13.00 (1) 1210.00 (5), ? (2)".to_owned()),
        "{text}"
    );
    assert_eq!(super::text(&[]), "nothing to save was found\n");
}

#[test]
fn the_picture_is_well_formed_and_text_in_it_is_escaped() {
    let mut all = some();
    all.push(opportunity("<script>&\"'", Risk::High, Some((1, 2, 3))));
    let picture = svg(&all);
    assert!(picture.contains("&lt;script&gt;&amp;&quot;&#39;") && !picture.contains("<script>"), "{picture}");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    let opened = picture.matches('<').count() - picture.matches("</").count() - picture.matches("/>").count();
    assert_eq!(opened, picture.matches("</").count(), "every element is closed");
    // Two lines of fleets and volumes, two of medium risk, two of high risk; those with a price have a dot.
    assert_eq!(picture.matches("<circle").count(), 5);
    assert!(!picture.contains("NaN") && !picture.contains("inf"));
    assert!(svg(&[]).contains("nothing to save was found"));
}

#[test]
fn dots_stand_within_the_scale_whatever_is_saved() {
    for usd in [0, 1, 99, 100, 101, 5_000_000] {
        let picture = svg(&[opportunity("a", Risk::Low, Some((0, usd, usd)))]);
        let x: f64 = picture.split("cx=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        assert!((250.0..=600.0).contains(&x), "{usd} {x}");
    }
}
