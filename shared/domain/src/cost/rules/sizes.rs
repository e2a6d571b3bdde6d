//! Sizes of EC2 instances: the next smaller one of a family, and what it has of the larger one.
//!
//! Within a family, price, processors and memory follow AWS's normalization factors (EC2 User Guide, "How Reserved
//! Instances are applied": large 4, xlarge 8, 2xlarge 16 …). Which sizes a family has does not follow from anything;
//! those that skip or add some are listed here, and a size that is not listed has no smaller one.

/// A smaller size.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Smaller {
    /// Its instance type.
    pub(super) instance_type: String,
    /// What it has of the larger one's price, processors and memory, 0 to 1.
    pub(super) share: f64,
    /// CPU in per cent that it may use all the time: the baseline of a burstable type, else 100.
    pub(super) baseline_pct: f64,
}

/// Size, the next smaller one in most families, and its share of the larger one.
const STEPS: [(&str, &str, f64); 10] = [
    ("48xlarge", "24xlarge", 24.0 / 48.0),
    ("32xlarge", "24xlarge", 24.0 / 32.0),
    ("24xlarge", "16xlarge", 16.0 / 24.0),
    ("16xlarge", "12xlarge", 12.0 / 16.0),
    ("12xlarge", "8xlarge", 8.0 / 12.0),
    ("8xlarge", "4xlarge", 0.5),
    ("4xlarge", "2xlarge", 0.5),
    ("2xlarge", "xlarge", 0.5),
    ("xlarge", "large", 0.5),
    ("large", "medium", 0.5),
];
/// Steps of families with other sizes than most.
const ODD: [(&[&str], &str, &str, f64); 8] = [
    (&["c5", "c5d"], "24xlarge", "18xlarge", 18.0 / 24.0),
    (&["c5", "c5d"], "18xlarge", "12xlarge", 12.0 / 18.0),
    (&["c5", "c5d"], "12xlarge", "9xlarge", 9.0 / 12.0),
    (&["c5n"], "18xlarge", "9xlarge", 0.5),
    (&["c5", "c5d", "c5n"], "9xlarge", "4xlarge", 4.0 / 9.0),
    (&["m4"], "16xlarge", "10xlarge", 10.0 / 16.0),
    (&["m4"], "10xlarge", "4xlarge", 0.4),
    (&["r4"], "16xlarge", "8xlarge", 0.5),
];
/// Sizes of the burstable families below `large`.
const BURSTABLE: [(&str, &str); 3] = [("medium", "small"), ("small", "micro"), ("micro", "nano")];
/// Baselines of burstable types, per processor; where T2 and later ones differ, the lower one. (EC2 User Guide,
/// "Burstable performance instances".)
const BASELINES_PCT: [(&str, f64); 6] =
    [("nano", 5.0), ("micro", 10.0), ("small", 20.0), ("medium", 20.0), ("large", 30.0), ("xlarge", 22.5)];

/// The next smaller size of the same family.
pub(super) fn smaller(instance_type: &str) -> Option<Smaller> {
    let (family, size) = instance_type.split_once('.')?;
    let (generation, kind) = general(family)?;
    let is_burstable = matches!(family, "t2" | "t3" | "t3a" | "t4g");
    let odd = ODD.iter().find(|(families, from, ..)| families.contains(&family) && *from == size);
    let burstable = || BURSTABLE.iter().find(|(from, _)| is_burstable && *from == size).map(|(_, to)| (*to, 0.5));
    let (to, share) = odd
        .map(|(_, _, to, share)| (*to, *share))
        .or_else(burstable)
        .or_else(|| STEPS.iter().find(|(from, ..)| *from == size).map(|(_, to, share)| (*to, *share)))?;
    // Among those that are not burstable, the smallest size is `medium` with AWS's own processors and with AMD's since
    // the 7th.
    let has_medium =
        is_burstable || kind.starts_with('g') || family == "a1" || (generation >= 7 && kind.starts_with('a'));
    if to == "medium" && !has_medium {
        return None;
    }
    let baseline = || BASELINES_PCT.iter().find(|(of, _)| *of == to).map_or(0.0, |(_, pct)| *pct);
    Some(Smaller {
        instance_type: format!("{family}.{to}"),
        share,
        baseline_pct: if is_burstable { baseline() } else { 100.0 },
    })
}

/// Its size as a multiple of `large`; of one that is not known the smallest.
pub(super) fn of_large(instance_type: &str) -> f64 {
    let size = instance_type.split_once('.').map_or("", |(_, size)| size);
    match size {
        "micro" => 0.125,
        "small" => 0.25,
        "medium" => 0.5,
        "large" => 1.0,
        "xlarge" => 2.0,
        _ => size
            .strip_suffix("xlarge")
            .and_then(|times| times.parse::<u16>().ok())
            .map_or(0.0625, |times| 2.0 * f64::from(times)),
    }
}

/// Processors and memory of a type of a general family, and who makes its processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// Virtual processors.
    pub(super) vcpus: u32,
    /// Memory in MiB.
    pub(super) mib: u32,
    /// AWS's own processors (arm64).
    pub(super) is_graviton: bool,
}

/// What a type of the families `c`, `m` and `r` has since their 5th generation: 2, 4 and 8 GiB a processor, 2 processors of a `large`.
/// (AWS, "Amazon EC2 instance types".)
pub(super) fn spec(instance_type: &str) -> Option<Spec> {
    let (family, size) = instance_type.split_once('.')?;
    let (generation, capabilities) = general(family).filter(|(generation, _)| *generation >= 5)?;
    let gib_each = match family.as_bytes().first()? {
        b'c' => 2,
        b'm' => 4,
        b'r' => 8,
        _ => return None,
    };
    let vcpus = match size {
        "medium" => 1,
        "large" => 2,
        "xlarge" => 4,
        _ => size.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(4)?,
    };
    // c5n has 2.625 GiB a processor.
    let is_odd = family == "c5n";
    let is_graviton = generation >= 6 && capabilities.starts_with('g');
    (!is_odd).then_some(Spec { vcpus, mib: vcpus * gib_each * 1_024, is_graviton })
}

/// Generation and capabilities of a general family: `m7gd` gives 7 and `gd`.
fn general(family: &str) -> Option<(u8, &str)> {
    let mut letters = family.chars();
    let (kind, generation) = (letters.next()?, letters.next()?.to_digit(10)?);
    let capabilities = letters.as_str();
    // Those of the highest frequency (`z`) have sizes of their own.
    let is_general = match kind {
        'c' | 'm' | 'r' => generation >= 3 && !capabilities.contains('z'),
        't' | 'a' => true,
        _ => false,
    };
    is_general.then(|| Some((u8::try_from(generation).ok()?, capabilities)))?
}

/// The family that AWS sells in place of a previous one, with the same kind of processor, and its Graviton counterpart.
/// (AWS, "Previous Generation Instances", upgrade paths.)
pub(super) fn newer(instance_type: &str) -> Option<(&'static str, &'static str)> {
    let (family, _) = instance_type.split_once('.')?;
    Some(match family {
        "t1" | "t2" => ("t3", "t4g"),
        "m1" | "m2" | "m3" | "m4" => ("m6i", "m7g"),
        "c1" | "c3" | "c4" => ("c6i", "c7g"),
        "r3" | "r4" => ("r6i", "r7g"),
        _ => return None,
    })
}

/// The same size of the newer family, where that has it, and the Graviton family.
pub(super) fn newer_of_same_size(instance_type: &str) -> Option<(String, &'static str)> {
    let (_, size) = instance_type.split_once('.')?;
    let (family, graviton) = newer(instance_type)?;
    let has_size = match family {
        "t3" => matches!(size, "nano" | "micro" | "small" | "medium" | "large" | "xlarge" | "2xlarge"),
        _ => STEPS.iter().any(|(of, ..)| *of == size) && size != "48xlarge",
    };
    has_size.then(|| (format!("{family}.{size}"), graviton))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_and_memory_follow_from_family_and_size() {
        let some = |vcpus, gib: u32, is_graviton| Some(Spec { vcpus, mib: gib * 1_024, is_graviton });
        for (of, expected) in [
            ("m5.large", some(2, 8, false)),
            ("c6i.xlarge", some(4, 8, false)),
            ("r7g.medium", some(1, 8, true)),
            ("m7gd.2xlarge", some(8, 32, true)),
            ("m5a.24xlarge", some(96, 384, false)),
            ("c5n.large", None),
            ("c4.large", None),
            ("t3.large", None),
            ("m5.metal", None),
            ("m5.99999999999xlarge", None),
            ("x2idn.16xlarge", None),
        ] {
            assert_eq!(spec(of), expected, "{of}");
        }
    }

    #[test]
    fn the_next_smaller_size_is_one_that_the_family_has() {
        for (from, to) in [
            ("m5.xlarge", Some("m5.large")),
            ("m5.large", None),
            ("m7g.large", Some("m7g.medium")),
            ("t3.large", Some("t3.medium")),
            ("t3.micro", Some("t3.nano")),
            ("t3.nano", None),
            ("m5.24xlarge", Some("m5.16xlarge")),
            ("c5.24xlarge", Some("c5.18xlarge")),
            ("c5.9xlarge", Some("c5.4xlarge")),
            ("m4.10xlarge", Some("m4.4xlarge")),
            ("r4.16xlarge", Some("r4.8xlarge")),
            ("m5.metal", None),
            ("m7a.large", Some("m7a.medium")),
            ("m6a.large", None),
            ("c8gn.large", Some("c8gn.medium")),
            ("m5zn.12xlarge", None),
            ("g5.2xlarge", None),
            ("i3.16xlarge", None),
            ("nonsense", None),
        ] {
            assert_eq!(smaller(from).map(|it| it.instance_type).as_deref(), to, "{from}");
        }
        assert_eq!(smaller("m5.2xlarge").map(|it| (it.share, it.baseline_pct)), Some((0.5, 100.0)));
        assert_eq!(smaller("t3.large").map(|it| it.baseline_pct), Some(20.0));
        for (of, times) in [("t3.nano", 0.0625), ("m5.large", 1.0), ("m5.xlarge", 2.0), ("m5.24xlarge", 48.0)] {
            assert_eq!(of_large(of), times, "{of}");
        }
        assert_eq!(newer("m4.large"), Some(("m6i", "m7g")));
        assert_eq!(newer("m5.large"), None);
        let same = |of| newer_of_same_size(of).map(|(newer, _)| newer);
        assert_eq!(same("t2.micro").as_deref(), Some("t3.micro"));
        assert_eq!(same("r4.16xlarge").as_deref(), Some("r6i.16xlarge"));
        for none in ["m4.10xlarge", "m3.medium", "m1.small", "m5.large"] {
            assert_eq!(same(none), None, "{none}");
        }
    }
}
