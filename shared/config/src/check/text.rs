//! Texts with a form of their own: schedules, addresses, ARNs, statistics.

use crate::nearest::{hint, nearest, quoted};
use domain::resource::ResourceKind;

/// Kinds as in `kind/name`. A custom metric is configured under `metrics`, not listed.
const KINDS: [ResourceKind; 11] = [
    ResourceKind::AutoScalingGroup,
    ResourceKind::EcsService,
    ResourceKind::TargetGroup,
    ResourceKind::LoadBalancer,
    ResourceKind::Function,
    ResourceKind::Api,
    ResourceKind::Database,
    ResourceKind::Cache,
    ResourceKind::Queue,
    ResourceKind::Table,
    ResourceKind::Distribution,
];

/// An address that mail can be sent to, as far as its form tells.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    is_plain(local)
        && is_plain(host)
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && text.len() <= 254
}

/// Longest web address, in bytes.
const URL_BYTES_MAX: usize = 2_048;

/// A web address that shows where it leads: in messages and on pages it stands as a link, so it has no user name before the
/// host, and nothing that an address must write in another way.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        text.len() <= URL_BYTES_MAX
            && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && !host.contains('@')
            && rest.chars().all(|c| c.is_ascii_graphic() && !"<>\"'`\\^{|}".contains(c))
    })
}

/// A schedule of EventBridge; the rest of the sentence otherwise.
pub(super) fn schedule(text: &str) -> Result<(), String> {
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(rate) = inner("rate") {
        return self::rate(rate);
    }
    if let Some(cron) = inner("cron") {
        return self::cron(cron);
    }
    Err(format!("must be \"rate(4 hours)\" or \"cron(0 */4 * * ? *)\", not {}", quoted(text)))
}

fn rate(inner: &str) -> Result<(), String> {
    let mut words = inner.split(' ');
    let (Some(count), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(format!("must be a number and a unit, such as \"rate(4 hours)\", not {}", quoted(inner)));
    };
    let Some(count) = count.parse::<u32>().ok().filter(|count| *count > 0) else {
        return Err(format!("must have a whole number above 0, such as \"rate(4 hours)\", not {}", quoted(count)));
    };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    if !["minute", "hour", "day"].contains(&singular) {
        return Err(format!("must have the unit \"minutes\", \"hours\" or \"days\", not {}", quoted(unit)));
    }
    let right = if count == 1 { singular.to_owned() } else { format!("{singular}s") };
    if unit != right {
        return Err(format!(
            "must be \"rate({count} {right})\": AWS takes the singular for 1 and the plural otherwise"
        ));
    }
    // The cycle itself takes at least ten minutes; a run that is under way makes the next one return at once.
    if singular == "minute" && count < 10 {
        return Err(format!("must not be more often than every 10 minutes, which one run takes, not every {count}"));
    }
    Ok(())
}

fn cron(inner: &str) -> Result<(), String> {
    let fields: Vec<&str> = inner.split_ascii_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
        let form = "minutes, hours, day of month, month, day of week, year";
        return Err(format!("must have 6 fields ({form}) such as \"cron(0 */4 * * ? *)\", not {}", fields.len()));
    };
    if (*day == "?") == (*weekday == "?") {
        return Err("must have \"?\" as day of month or as day of week, and only in one of the two".to_owned());
    }
    for (rule, field) in CRON.iter().zip([minutes, hours, day, month, weekday, year]) {
        if !field.split(',').all(|item| rule.takes(item)) {
            let CronRule { name, min, max, .. } = rule;
            return Err(format!("has {} as {name}, which must be from {min} to {max}, or *", quoted(field)));
        }
    }
    Ok(())
}

/// What may stand in a field of a cron expression.
struct CronRule {
    name: &'static str,
    min: u32,
    max: u32,
    /// Words that stand for numbers.
    words: &'static [&'static str],
    /// Characters with a meaning of their own.
    special: &'static str,
}

const CRON: [CronRule; 6] = [
    CronRule { name: "minutes", min: 0, max: 59, words: &[], special: "" },
    CronRule { name: "hours", min: 0, max: 23, words: &[], special: "" },
    CronRule { name: "day of month", min: 1, max: 31, words: &[], special: "?LW" },
    CronRule { name: "month", min: 1, max: 12, words: &MONTHS, special: "" },
    CronRule { name: "day of week", min: 1, max: 7, words: &DAYS, special: "?L#" },
    CronRule { name: "year", min: 1970, max: 2199, words: &[], special: "" },
];

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl CronRule {
    /// `5`, `MON`, `1-5`, `*`, `*/4`, `0/15`, and where AWS has them `?`, `L`, `15W`, `2#1`.
    fn takes(&self, item: &str) -> bool {
        let has = |c: char| self.special.contains(c);
        if ["?", "L", "LW"].contains(&item) && item.chars().all(has) {
            return true;
        }
        if let Some((day, nth)) = item.split_once('#') {
            return has('#') && self.is_value(day) && nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth));
        }
        if let Some(value) = item.strip_suffix(['W', 'L']).filter(|value| !value.is_empty() && item.ends_with(has)) {
            return self.is_value(value);
        }
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let is_range = match range.split_once('-') {
            Some((from, to)) => self.is_value(from) && self.is_value(to),
            None => range == "*" || self.is_value(range),
        };
        is_range && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0 && step <= self.max))
    }

    fn is_value(&self, text: &str) -> bool {
        let is_word = self.words.iter().any(|word| word.eq_ignore_ascii_case(text));
        is_word || text.parse::<u32>().is_ok_and(|number| (self.min..=self.max).contains(&number))
    }
}

/// A resource as listed: an ARN of a kind that is observed, or `kind/name`; the rest of the sentence otherwise.
pub(super) fn resource(text: &str) -> Result<(), String> {
    if text.starts_with("arn:") {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let is_whole =
            parts.len() == 6 && parts.iter().enumerate().all(|(at, part)| matches!(at, 3 | 4) || !part.is_empty());
        if !is_whole || text.contains(char::is_whitespace) {
            let form = "\"arn:aws:service:region:account:name\"";
            return Err(format!("must be a whole ARN such as {form}, not {}", quoted(text)));
        }
        return Ok(());
    }
    let kinds: Vec<String> =
        KINDS.iter().filter_map(|kind| Some(serde_json::to_value(kind).ok()?.as_str()?.to_owned())).collect();
    match text.split_once('/') {
        Some((kind, name)) if kinds.iter().any(|known| known == kind) && !name.trim().is_empty() => Ok(()),
        Some((kind, name)) if !name.trim().is_empty() => {
            Err(format!("has the unknown kind {}: {}", quoted(kind), hint(kind, kinds.iter().map(String::as_str))))
        }
        _ => Err(format!(
            "must be an ARN or \"kind/name\" such as \"auto_scaling_group/shop-web\", not {}",
            quoted(text)
        )),
    }
}

/// Region and account that an ARN names, where it does.
pub(super) fn arn_home(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    (parts.next() == Some("arn")).then_some(())?;
    Some((parts.nth(2)?, parts.next()?))
}

/// A statistic of CloudWatch.
pub(super) fn is_stat(text: &str) -> bool {
    const NAMED: [&str; 5] = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"];
    let of_number = |rest: &str| {
        rest.len() <= 12
            && rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.parse::<f64>().is_ok_and(|n| n > 0.0 && n <= 100.0)
    };
    NAMED.contains(&text)
        || ["p", "tm", "wm", "tc", "ts"].iter().any(|kind| text.strip_prefix(kind).is_some_and(of_number))
}

/// An AWS account number.
pub(super) fn account(text: &str) -> Result<(), String> {
    let is_account = text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    if is_account { Ok(()) } else { Err(format!("must be an account number of 12 digits, not {}", quoted(text))) }
}

/// What stands before the number in the name of a Region. AWS opens new Regions, but they are called after the same directions.
const DIRECTIONS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];
/// What a Region's name begins with, before `gov` or `iso`.
const AREAS: [&str; 11] = ["af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us"];

/// A Region such as `eu-central-1`, as far as its form tells; the rest of the sentence otherwise.
pub(super) fn region(text: &str) -> Result<(), String> {
    let no_region = || format!("must be a Region such as \"eu-central-1\", not {}", quoted(text));
    let parts: Vec<&str> = text.split('-').collect();
    let [area, between @ .., direction, number] = parts.as_slice() else { return Err(no_region()) };
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let is_number = !number.starts_with(['0', '+']) && number.parse::<u8>().is_ok();
    if !is_number || ![area, direction].into_iter().chain(between).all(is_word) {
        return Err(no_region());
    }
    // An area that is like no known one is new rather than mistyped.
    let meant_area = if AREAS.contains(area) { area } else { nearest(area, AREAS).unwrap_or(area) };
    let Some(meant_direction) = nearest(direction, DIRECTIONS) else { return Err(no_region()) };
    let meant = [&[meant_area], between, &[meant_direction, number]].concat().join("-");
    if meant == text {
        Ok(())
    } else {
        Err(format!("must be a Region, not {}: did you mean {}?", quoted(text), quoted(&meant)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_schedules_that_aws_takes() {
        for good in [
            "rate(1 hour)",
            "rate(4 hours)",
            "rate(30 minutes)",
            "cron(0 */4 * * ? *)",
            "cron(15 10 ? * MON-FRI *)",
            "cron(0 8 1,15 * ? 2026)",
            "cron(0 9 ? * 2#1 *)",
            "cron(0 0 L * ? *)",
            "cron(0/15 8-17 ? * MON-FRI *)",
        ] {
            assert_eq!(schedule(good), Ok(()), "{good}");
        }
        for (bad, says) in [
            ("4 hours", "must be \"rate(4 hours)\""),
            ("rate(1 hours)", "must be \"rate(1 hour)\""),
            ("rate(4 hour)", "must be \"rate(4 hours)\""),
            ("rate(0 hours)", "above 0"),
            ("rate(2 weeks)", "must have the unit"),
            ("rate(5 minutes)", "every 10 minutes"),
            ("cron(0 * * * *)", "must have 6 fields"),
            ("cron(0 8 * * * *)", "only in one of the two"),
            ("cron(0 8 ? * ? *)", "only in one of the two"),
            ("cron(61 8 * * ? *)", "\"61\" as minutes"),
            ("cron(0 24 * * ? *)", "\"24\" as hours"),
        ] {
            let said = schedule(bad).unwrap_err();
            assert!(said.contains(says), "{bad}: {said}");
        }
    }

    #[test]
    fn tells_addresses_resources_and_statistics_from_other_text() {
        assert!(
            is_email("ops@example.com") && !is_email("ops") && !is_email("a b@example.com") && !is_email("ops@example")
        );
        assert!(
            is_url("https://shop.example.com/health")
                && !is_url("shop.example.com")
                && !is_url("https://")
                && !is_url("https://a b")
                && !is_url("https://shop.example.com@evil.example/")
                && !is_url("https://shop.example.com/\"><script>")
                && !is_url("https://shop.example.com/\u{202e}moc")
                && !is_url(&format!("https://shop.example.com/{}", "a".repeat(3_000)))
        );
        assert!(
            is_stat("p95")
                && is_stat("p99.9")
                && is_stat("Average")
                && !is_stat("average")
                && !is_stat("p")
                && !is_stat("p101")
        );
        assert_eq!(account("012345678901"), Ok(()));
        assert_eq!(account("1234").unwrap_err(), "must be an account number of 12 digits, not \"1234\"");
        for known in
            ["eu-central-1", "us-gov-west-1", "us-isob-east-1", "ap-southeast-7", "eusc-de-east-1", "nz-north-1"]
        {
            assert_eq!(region(known), Ok(()), "{known}");
        }
        for (typo, says) in [
            ("eu-centrl-1", "must be a Region, not \"eu-centrl-1\": did you mean \"eu-central-1\"?"),
            ("ue-central-1", "must be a Region, not \"ue-central-1\": did you mean \"eu-central-1\"?"),
            ("Frankfurt", "must be a Region such as \"eu-central-1\", not \"Frankfurt\""),
            ("eu-central", "must be a Region such as \"eu-central-1\", not \"eu-central\""),
            ("eu-central-01", "must be a Region such as \"eu-central-1\", not \"eu-central-01\""),
            ("eu-central-1a", "must be a Region such as \"eu-central-1\", not \"eu-central-1a\""),
        ] {
            assert_eq!(region(typo), Err(says.to_owned()));
        }
        assert_eq!(resource("auto_scaling_group/shop-web"), Ok(()));
        assert_eq!(resource("arn:aws:sqs:eu-central-1:111122223333:shop-jobs"), Ok(()));
        assert!(resource("arn:aws:sqs").is_err() && resource("shop-web").is_err() && resource("database/").is_err());
        assert_eq!(
            resource("autoscaling_group/x").unwrap_err(),
            "has the unknown kind \"autoscaling_group\": did you mean \"auto_scaling_group\"?"
        );
        assert_eq!(arn_home("arn:aws:sqs:eu-central-1:111122223333:shop-jobs"), Some(("eu-central-1", "111122223333")));
        assert_eq!(arn_home("database/shop"), None);
    }
}
