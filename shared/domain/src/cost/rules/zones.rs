//! The time zone of a Region: that of the city it is named after, which is where most of its users' clocks are.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Regions with their zones. (AWS, "AWS Regions", and the IANA Time Zone Database.)
const ZONES: [(&str, &str); 34] = [
    ("us-east-1", "America/New_York"),
    ("us-east-2", "America/New_York"),
    ("us-west-1", "America/Los_Angeles"),
    ("us-west-2", "America/Los_Angeles"),
    ("us-gov-east-1", "America/New_York"),
    ("us-gov-west-1", "America/Los_Angeles"),
    ("ca-central-1", "America/Toronto"),
    ("ca-west-1", "America/Edmonton"),
    ("mx-central-1", "America/Mexico_City"),
    ("sa-east-1", "America/Sao_Paulo"),
    ("eu-central-1", "Europe/Berlin"),
    ("eu-central-2", "Europe/Zurich"),
    ("eu-west-1", "Europe/Dublin"),
    ("eu-west-2", "Europe/London"),
    ("eu-west-3", "Europe/Paris"),
    ("eu-north-1", "Europe/Stockholm"),
    ("eu-south-1", "Europe/Rome"),
    ("eu-south-2", "Europe/Madrid"),
    ("il-central-1", "Asia/Jerusalem"),
    ("me-south-1", "Asia/Bahrain"),
    ("me-central-1", "Asia/Dubai"),
    ("af-south-1", "Africa/Johannesburg"),
    ("ap-south-1", "Asia/Kolkata"),
    ("ap-south-2", "Asia/Kolkata"),
    ("ap-southeast-1", "Asia/Singapore"),
    ("ap-southeast-2", "Australia/Sydney"),
    ("ap-southeast-3", "Asia/Jakarta"),
    ("ap-southeast-4", "Australia/Melbourne"),
    ("ap-southeast-5", "Asia/Kuala_Lumpur"),
    ("ap-southeast-7", "Asia/Bangkok"),
    ("ap-northeast-1", "Asia/Tokyo"),
    ("ap-northeast-2", "Asia/Seoul"),
    ("ap-northeast-3", "Asia/Tokyo"),
    ("ap-east-1", "Asia/Hong_Kong"),
];

/// A zone with the offsets that held in a history.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Zone {
    /// Its name in the IANA Time Zone Database.
    pub(super) name: &'static str,
    /// Offsets from UTC in minutes, one, or two where the clock was changed.
    pub(super) offsets_min: Vec<i64>,
}

/// The zone of a Region for a history of so many days that ends now. `Etc/UTC` where the Region is not known.
pub(super) fn of_region(region: Option<&str>, now: Timestamp, days: u32) -> Zone {
    let name = ZONES.iter().find(|(of, _)| Some(*of) == region).map_or("Etc/UTC", |(_, name)| *name);
    let begin = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
    let offset_min = |zone: &TimeZone, at| i64::from(zone.to_offset(at).seconds()).div_euclid(60);
    match TimeZone::get(name) {
        Ok(zone) => {
            let mut offsets_min = vec![offset_min(&zone, begin), offset_min(&zone, now)];
            offsets_min.dedup();
            Zone { name, offsets_min }
        }
        Err(_) => Zone { name: "Etc/UTC", offsets_min: vec![0] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_known_and_offsets_are_those_of_the_history() {
        let january: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
        let april: Timestamp = "2026-04-15T00:00:00Z".parse().unwrap();
        for (region, name) in ZONES {
            assert_eq!(of_region(Some(region), january, 30).name, name);
        }
        assert_eq!(of_region(Some("eu-central-1"), january, 30).offsets_min, [60]);
        assert_eq!(of_region(Some("eu-central-1"), april, 30).offsets_min, [60, 120]);
        assert_eq!(of_region(Some("ap-south-1"), april, 30).offsets_min, [330]);
        for region in [None, Some("xx-moon-1")] {
            assert_eq!(of_region(region, april, 30), Zone { name: "Etc/UTC", offsets_min: vec![0] });
        }
    }
}
