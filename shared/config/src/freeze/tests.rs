use super::*;
use proptest::prelude::*;

fn window(days: &[Day], from: &str, to: &str, zone: &str) -> Result<Window, Wrong> {
    Window::read(&Freeze {
        name: "sale".into(),
        days: days.to_vec(),
        from: from.into(),
        to: to.into(),
        time_zone: (!zone.is_empty()).then(|| zone.into()),
    })
}

fn holds(window: &Window, at: &str) -> bool {
    window.holds_at(at.parse().unwrap())
}

fn says(result: Result<Window, Wrong>) -> String {
    let (key, says) = result.unwrap_err();
    format!("{key} {says}")
}

#[test]
fn holds_from_its_beginning_until_before_its_end() {
    let lunch = window(&[], "12:00", "13:30", "").unwrap();
    assert!(!holds(&lunch, "2026-11-24T11:59:59.999Z"));
    assert!(holds(&lunch, "2026-11-24T12:00:00Z"));
    assert!(holds(&lunch, "2026-11-24T13:29:59Z"));
    assert!(!holds(&lunch, "2026-11-24T13:30:00Z"));
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    // 2026-11-27 is a Friday.
    let night = window(&[Day::Fri], "22:00", "06:00", "").unwrap();
    assert!(!holds(&night, "2026-11-27T05:00:00Z"), "the night before began on a Thursday");
    assert!(holds(&night, "2026-11-27T22:00:00Z"));
    assert!(holds(&night, "2026-11-28T05:59:00Z"), "Saturday morning is still Friday's night");
    assert!(!holds(&night, "2026-11-28T06:00:00Z"));
    assert!(!holds(&night, "2026-11-28T22:30:00Z"));
}

#[test]
fn a_whole_day_is_from_midnight_to_24() {
    let sunday = window(&[Day::Sun], "00:00", "24:00", "Asia/Tokyo").unwrap();
    // Sunday in Tokyo begins on Saturday at 15:00 UTC.
    assert!(!holds(&sunday, "2026-11-28T14:59:59Z"));
    assert!(holds(&sunday, "2026-11-28T15:00:00Z"));
    assert!(holds(&sunday, "2026-11-29T14:59:59Z"));
    assert!(!holds(&sunday, "2026-11-29T15:00:00Z"));
}

#[test]
fn follows_the_clock_on_the_wall_in_summer_and_in_winter() {
    let evening = window(&[], "20:00", "22:00", "Europe/Berlin").unwrap();
    assert!(holds(&evening, "2026-07-01T18:00:00Z") && !holds(&evening, "2026-07-01T20:30:00Z"), "summer: UTC+2");
    assert!(holds(&evening, "2026-12-01T19:00:00Z") && !holds(&evening, "2026-12-01T18:30:00Z"), "winter: UTC+1");
}

#[test]
fn takes_the_longer_reading_of_a_time_that_happens_twice() {
    // In Berlin 02:00 to 03:00 happens twice on 2026-10-25: from 00:00 to 01:00 UTC and again until 02:00 UTC.
    let window = window(&[], "02:15", "02:45", "Europe/Berlin").unwrap();
    assert!(!holds(&window, "2026-10-25T00:14:00Z"));
    assert!(holds(&window, "2026-10-25T00:15:00Z"));
    assert!(holds(&window, "2026-10-25T01:10:00Z"), "between the two readings");
    assert!(holds(&window, "2026-10-25T01:44:00Z"));
    assert!(!holds(&window, "2026-10-25T01:45:00Z"));
}

#[test]
fn a_time_that_is_skipped_still_gives_a_window() {
    // In Berlin 02:00 to 03:00 does not happen on 2026-03-29: 01:59 is followed by 03:00, at 01:00 UTC.
    let window = window(&[], "02:15", "02:45", "Europe/Berlin").unwrap();
    let frozen = (0..24 * 60).filter(|minute| {
        let at: Timestamp = "2026-03-29T00:00:00Z".parse().unwrap();
        window.holds_at(at + jiff::SignedDuration::from_mins(*minute))
    });
    assert!(frozen.count() >= 30);
}

#[test]
fn a_date_without_time_ends_with_that_day() {
    let sale = window(&[], "2026-11-27", "2026-11-30", "America/New_York").unwrap();
    assert!(!holds(&sale, "2026-11-27T04:59:59Z"));
    assert!(holds(&sale, "2026-11-27T05:00:00Z"));
    assert!(holds(&sale, "2026-12-01T04:59:59Z"), "still the 30th in New York");
    assert!(!holds(&sale, "2026-12-01T05:00:00Z"));
    let launch = window(&[], "2026-11-27T18:00", "2026-11-27T20:00", "").unwrap();
    assert!(holds(&launch, "2026-11-27T19:59:00Z") && !holds(&launch, "2026-11-27T20:00:00Z"));
}

#[test]
fn golden_refusals_say_what_would_be_right() {
    for (refused, sentence) in [
        (window(&[], "22:00", "22:00", ""), "to is the same as from: a whole day is from 00:00 to 24:00"),
        (window(&[], "24:00", "06:00", ""), "from can't be 24:00, so write 00:00 of the next day"),
        (
            window(&[], "22:00", "2026-11-27", ""),
            "to must be of the same form as from: two times of day such as 22:00, or two dates",
        ),
        (
            window(&[Day::Mon], "2026-11-27", "2026-11-28", ""),
            "days stand beside dates, but a window between two dates happens once",
        ),
        (window(&[], "2026-11-28", "2026-11-27", ""), "to must be after from"),
        (
            window(&[], "25:00", "06:00", ""),
            "from must be a time of day such as \"22:00\" or a moment such as \"2026-11-27\" or \"2026-11-27T18:00\" without offset, not \"25:00\"",
        ),
        (
            window(&[], "22:00", "06:00", "Europe/Berln"),
            "time_zone is no IANA time zone: \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        ),
        (
            window(&[], "22:00", "06:00", "berlin"),
            "time_zone is no IANA time zone: \"berlin\"; did you mean \"Europe/Berlin\"?",
        ),
        (
            window(&[], "22:00", "06:00", "Middle Earth"),
            "time_zone is no IANA time zone: \"Middle Earth\"; names are like \"Europe/Berlin\"",
        ),
    ] {
        assert_eq!(says(refused), sentence);
    }
    let offset = says(window(&[], "2026-11-27T18:00Z", "2026-11-28T18:00Z", ""));
    assert!(offset.starts_with("from must be"), "{offset}");
}

proptest! {
    #[test]
    fn prop_reading_any_text_gives_a_window_or_a_sentence(from in ".{0,24}", to in ".{0,24}", zone in ".{0,20}") {
        if let Err((key, says)) = window(&[], &from, &to, &zone) {
            prop_assert!(!key.is_empty() && !says.contains('\n'));
        }
    }

    #[test]
    fn prop_a_daily_window_and_its_complement_cover_every_moment(
        from in 0u32..1440, length in 1u32..1440, second in 1_600_000_000i64..2_000_000_000, zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ) {
        let clock = |minute: u32| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
        let to = from + length;
        let held = window(&[], &clock(from), &clock(to), zone).unwrap();
        let rest = window(&[], &clock(to), &clock(from), zone).unwrap();
        let at = Timestamp::from_second(second).unwrap();
        prop_assert!(held.holds_at(at) || rest.holds_at(at));
    }
}
