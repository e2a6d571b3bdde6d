//! How rules about a server put numbers and names before people.

use crate::performance::vitals::{Busy, Look};
use crate::text::line;

/// Transactions from which a holder of old rows is worth naming.
const HOLDS_BACK_MIN: f64 = 10_000.0;

/// `45 s`, `12 min`, `3.5 h`, `8 d`.
pub(in crate::performance) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// `3.2 GiB`, `45.0 MiB`.
pub(in crate::performance) fn size(bytes: f64) -> String {
    if bytes >= 1_073_741_824.0 {
        format!("{:.1} GiB", bytes / 1_073_741_824.0)
    } else {
        format!("{:.1} MiB", bytes / 1_048_576.0)
    }
}

/// `1.6 billion`, `512 million`, `12345`.
pub(in crate::performance) fn count(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2} billion", n / 1e9),
        n if n >= 1e7 => format!("{:.0} million", n / 1e6),
        n => format!("{n:.0}"),
    }
}

/// The smallest power of two of megabytes that holds so many bytes, within bounds, as a setting takes it.
pub(super) fn setting(bytes: f64, min_mib: f64, max_mib: f64) -> String {
    let mib = (bytes / 1_048_576.0).max(1.0).log2().ceil().exp2().clamp(min_mib, max_mib);
    if mib >= 1_024.0 { format!("{:.0}GB", mib / 1_024.0) } else { format!("{mib:.0}MB") }
}

/// `shop/api`: user and application.
pub(super) fn who(user: &str, application: &str) -> String {
    line(&if application.is_empty() { user.to_owned() } else { format!("{user}/{application}") })
}

/// The statement that ends this session and no other: the number of its process may belong to another by the time it is read.
pub(super) fn end(session: &Busy) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {} AND backend_start = '{}'",
        session.pid, session.since
    )
}

/// What keeps dead rows from being removed: the oldest transaction that something still sees, where it is old.
pub(super) fn holder(look: &Look) -> Option<String> {
    let sessions = look.sessions.known().into_iter().flat_map(|sessions| &sessions.busy);
    let prepared = look.prepared.known().into_iter().flatten();
    let slots = look.slots.known().into_iter().flatten();
    let holders = sessions
        .map(|session| (session.holds_back, format!("process {} ({})", session.pid, line(&session.user))))
        .chain(prepared.map(|one| (one.holds_back, format!("prepared transaction {}", one.name.sql))))
        .chain(slots.map(|slot| (slot.holds_back, format!("replication slot {}", slot.name.sql))));
    let oldest = holders.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(age, _)| *age >= HOLDS_BACK_MIN)?;
    Some(oldest.1)
}
