//! What follows from the engine of a database.

/// The default of `max_connections` in AWS's parameter groups, computed from `DBInstanceClassMemory` as the engine does.
/// A parameter group of one's own may say otherwise; the answer is then too high or too low by as much.
///
/// For example `db.t4g.medium` (4 GiB) with Postgres: 4,294,967,296 / 9,531,392 = 450.
pub fn connections_max(engine: &str, memory_bytes: f64) -> Option<f64> {
    match engine {
        "postgres" | "aurora-postgresql" => Some((memory_bytes / 9_531_392.0).floor().min(5_000.0)),
        "mysql" | "mariadb" => Some((memory_bytes / 12_582_880.0).floor()),
        // Aurora MySQL: GREATEST(log2(memory / 256 MiB) × 45, log2(memory / 8 GiB) × 1,000).
        "aurora-mysql" | "aurora" => {
            let small = (memory_bytes / 268_435_456.0).log2() * 45.0;
            let large = (memory_bytes / 8_589_934_592.0).log2() * 1_000.0;
            Some(small.max(large).floor())
        }
        _ => None,
    }
}
