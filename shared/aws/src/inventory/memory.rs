//! Memory of RDS instance classes, as data. A class that is not here has no known memory; nothing is guessed.

/// Gibibytes that a family has at size `large`; the other sizes are multiples of it.
const FAMILIES_AT_LARGE_GIB: &[(&str, f64)] = &[
    ("m5", 8.0),
    ("m5d", 8.0),
    ("m6g", 8.0),
    ("m6gd", 8.0),
    ("m6i", 8.0),
    ("m6id", 8.0),
    ("m6idn", 8.0),
    ("m6in", 8.0),
    ("m7g", 8.0),
    ("m7gd", 8.0),
    ("m7i", 8.0),
    ("m8g", 8.0),
    ("m8gd", 8.0),
    ("r4", 15.25),
    ("r5", 16.0),
    ("r5b", 16.0),
    ("r5d", 16.0),
    ("r6g", 16.0),
    ("r6gd", 16.0),
    ("r6i", 16.0),
    ("r6id", 16.0),
    ("r6idn", 16.0),
    ("r6in", 16.0),
    ("r7g", 16.0),
    ("r7gd", 16.0),
    ("r7i", 16.0),
    ("r8g", 16.0),
    ("r8gd", 16.0),
    ("t3", 8.0),
    ("t4g", 8.0),
    ("x2g", 32.0),
];

/// Size as a multiple of `large`. The burstable families have three smaller ones.
const SIZES: &[(&str, f64)] = &[
    ("micro", 0.125),
    ("small", 0.25),
    ("medium", 0.5),
    ("large", 1.0),
    ("xlarge", 2.0),
    ("2xlarge", 4.0),
    ("4xlarge", 8.0),
    ("8xlarge", 16.0),
    ("12xlarge", 24.0),
    ("16xlarge", 32.0),
    ("24xlarge", 48.0),
    ("32xlarge", 64.0),
    ("48xlarge", 96.0),
];

const GIB: f64 = 1_073_741_824.0;

/// Memory of a class such as `db.t4g.medium`, in bytes.
pub(super) fn bytes(class: &str) -> Option<f64> {
    let (family, size) = class.strip_prefix("db.")?.split_once('.')?;
    let (_, at_large_gib) = FAMILIES_AT_LARGE_GIB.iter().find(|(name, _)| *name == family)?;
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == size)?;
    Some(at_large_gib * factor * GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_classes_have_the_memory_that_aws_documents() {
        for (class, gib) in [
            ("db.t3.micro", 1.0),
            ("db.t4g.medium", 4.0),
            ("db.m6g.xlarge", 16.0),
            ("db.r6i.32xlarge", 1024.0),
            ("db.x2g.large", 32.0),
        ] {
            assert_eq!(bytes(class), Some(gib * GIB), "{class}");
        }
    }

    #[test]
    fn an_unknown_class_is_not_guessed() {
        for class in ["", "db.serverless", "db.z9.large", "db.r6g.metal", "t3.micro"] {
            assert_eq!(bytes(class), None, "{class}");
        }
    }
}
