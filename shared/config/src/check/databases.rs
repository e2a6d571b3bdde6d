//! Checks of databases: names that can be an id, secrets that the functions may read, certificates that are some.

use super::Notes;
use crate::file::{Database, Tls};
use crate::nearest::quoted;
use crate::shape::join;
use std::collections::BTreeMap;

/// How the names of secrets begin that the functions which read may read, and that which changes.
const SECRETS: [(&str, &str); 2] = [("read_secret", "maintainer/read/"), ("change_secret", "maintainer/change/")];
/// Longest name of a database in the configuration: it is part of ids.
const NAME_CHARS_MAX: usize = 40;
/// Most databases of an application: they are looked at one after another within a step.
const DATABASES_MAX: usize = 8;
/// Longest name that Postgres keeps, in bytes.
const POSTGRES_NAME_BYTES_MAX: usize = 63;

pub(super) fn check(databases: &BTreeMap<String, Database>, path: &str, notes: &mut Notes<'_>) {
    let at = join(path, "databases");
    if databases.len() > DATABASES_MAX {
        notes.add(&at, format!("has {} databases, at most {DATABASES_MAX} are looked at in a run", databases.len()));
    }
    for (name, database) in databases {
        let at = join(&at, name);
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !is_name || name.is_empty() || name.len() > NAME_CHARS_MAX {
            let says = format!("must have a name of at most {NAME_CHARS_MAX} letters, digits, \"-\" and \"_\"");
            notes.add(&at, says);
        }
        of_one(database, &at, notes);
    }
}

fn of_one(database: &Database, at: &str, notes: &mut Notes<'_>) {
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if database.host.is_empty() || !database.host.chars().all(is_host) {
        let says = format!(
            "must be a host such as \"shop.abc.eu-central-1.rds.amazonaws.com\", not {}",
            quoted(&database.host)
        );
        notes.add(&join(at, "host"), says);
    }
    if database.port == 0 {
        notes.add(&join(at, "port"), "must be from 1 to 65535, not 0");
    }
    if database.database.is_empty() || database.database.len() > POSTGRES_NAME_BYTES_MAX {
        let says = format!("must be the name of a database, 1 to {POSTGRES_NAME_BYTES_MAX} bytes");
        notes.add(&join(at, "database"), says);
    }
    for (key, begins) in SECRETS {
        let secret = if key == "read_secret" { Some(&database.read_secret) } else { database.change_secret.as_ref() };
        let is_secret = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        let Some(secret) = secret else { continue };
        if !secret.starts_with(begins) || secret.len() == begins.len() || !secret.chars().all(is_secret) {
            let says = format!("must be the name of a secret that begins with \"{begins}\", not {}", quoted(secret));
            notes.add(&join(at, key), says);
        }
    }
    let is_here = matches!(database.host.as_str(), "127.0.0.1" | "::1" | "localhost");
    if database.tls == Tls::Off && !is_here {
        let says = "must not be off: passwords and data would cross the network in the clear. It may be off for 127.0.0.1 only";
        notes.add(&join(at, "tls"), says);
    }
    if database.ca_pem.as_ref().is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
        notes.add(&join(at, "ca_pem"), "must hold certificates as PEM: -----BEGIN CERTIFICATE----- and so on");
    }
}
