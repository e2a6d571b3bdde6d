//! Checks of databases.

use super::Notes;
use super::servers::{self, Server};
use crate::shape::join;
use crate::stores::Database;
use std::collections::BTreeMap;

/// How the names of secrets begin that the functions which read may read, and that which changes.
pub(super) const SECRETS: [(&str, &str); 2] =
    [("read_secret", "maintainer/read/"), ("change_secret", "maintainer/change/")];
/// Longest name that Postgres keeps, in bytes.
const POSTGRES_NAME_BYTES_MAX: usize = 63;

pub(super) fn check(databases: &BTreeMap<String, Database>, path: &str, notes: &mut Notes<'_>) {
    let at = join(path, "databases");
    servers::number(databases.len(), "databases", &at, notes);
    for (name, database) in databases {
        let at = join(&at, name);
        servers::name(name, &at, notes);
        of_one(database, &at, notes);
    }
}

fn of_one(database: &Database, at: &str, notes: &mut Notes<'_>) {
    let server = Server {
        host: &database.host,
        port: database.port,
        tls: database.tls,
        ca_pem: database.ca_pem.as_deref(),
        example: "shop.abc.eu-central-1.rds.amazonaws.com",
    };
    servers::place(&server, at, notes);
    if database.database.is_empty() || database.database.len() > POSTGRES_NAME_BYTES_MAX {
        let says = format!("must be the name of a database, 1 to {POSTGRES_NAME_BYTES_MAX} bytes");
        notes.add(&join(at, "database"), says);
    }
    let [(read, begins_read), (change, begins_change)] = SECRETS;
    servers::secret(read, Some(&database.read_secret), begins_read, at, notes);
    servers::secret(change, database.change_secret.as_deref(), begins_change, at, notes);
}
