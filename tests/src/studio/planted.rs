//! Secrets that people leave where the maintainer reads: in tags, environments, user data and statements. Nothing that it writes may
//! hold one (`tests/localcloud/leaks.py` looks for how they begin).

/// A tag of nearly everything.
pub const TAG: (&str, &str) = ("db-password", "planted-canary-of-a-tag");
/// A variable of the workers' environment.
pub const VARIABLE: (&str, &str) = ("DATABASE_URL", "postgres://shop:planted-canary-of-an-environment@db/shop");
/// User data of the web servers: `TOKEN=planted-canary-of-user-data`, in base64 as the service takes it.
pub const USER_DATA: &str = "VE9LRU49cGxhbnRlZC1jYW5hcnktb2YtdXNlci1kYXRhCg==";
/// Statements of every minute, which the server keeps with what stands in them.
pub const STATEMENTS: [&str; 2] = [
    "ALTER ROLE planted PASSWORD 'planted-canary-of-a-statement'",
    "SELECT /* token=planted-canary-of-a-comment */ now()",
];
