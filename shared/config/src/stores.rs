//! Databases and caches of an application, as they stand in the file.

use schemars::JsonSchema;
use serde::Deserialize;

/// A Postgres database, version 13 or later, of whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Host name or address.
    pub host: String,
    /// Port. Default 5432.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Name of the database on the server.
    pub database: String,
    /// Name of the secret with the user that reads, `maintainer/read/…`: JSON with `username` and `password`. The user needs `pg_monitor`
    /// and, so that plans can be priced, `pg_read_all_data`.
    pub read_secret: String,
    /// Name of the secret with the user that owns the tables, `maintainer/change/…`. Without it nothing is changed, only told.
    #[serde(default)]
    pub change_secret: Option<String>,
    /// Whether the connection is encrypted. Default `verify`.
    #[serde(default)]
    pub tls: Tls,
    /// Certificates of the authorities to trust, as PEM. Default: those that the system trusts; that of RDS is not among them.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// The instance of RDS on which it runs, by its name: tells how much room is left. Default: none is known.
    #[serde(default)]
    pub instance: Option<String>,
    /// It has a copy that answers queries, of which the counters here know nothing. Default: no.
    #[serde(default)]
    pub has_replica: bool,
}

const fn postgres_port() -> u16 {
    5432
}

/// A Redis or Valkey, of whoever runs it. One node is looked at: the one that is named here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Host name or address.
    pub host: String,
    /// Port. Default 6379.
    #[serde(default = "redis_port")]
    pub port: u16,
    /// Name of the secret with the user that reads, `maintainer/read/…`: JSON with `username` and `password`; where only a password is set,
    /// the username is `default`. Default: the cache asks for none.
    #[serde(default)]
    pub read_secret: Option<String>,
    /// Whether the connection is encrypted. Default `verify`.
    #[serde(default)]
    pub tls: Tls,
    /// Certificates of the authorities to trust, as PEM. Default: those that the system trusts; that of ElastiCache is among them.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// Its name in ElastiCache: advice names its parameter group in place of `CONFIG SET`. Default: it runs elsewhere.
    #[serde(default)]
    pub instance: Option<String>,
}

const fn redis_port() -> u16 {
    6379
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Tls {
    /// Encrypted, and the certificate must be that of the host.
    #[default]
    Verify,
    /// Not encrypted: only for a server on this machine.
    Off,
}
