//! What databases and caches have in common: names that can be an id, hosts, secrets that the functions may read, certificates that are some.

use super::Notes;
use crate::nearest::quoted;
use crate::shape::join;
use crate::stores::Tls;

/// Longest name of a server in the configuration: it is part of ids.
const NAME_CHARS_MAX: usize = 40;
/// Most servers of a kind of an application: they are looked at one after another within a step.
const SERVERS_MAX: usize = 8;

/// A server as the file names it.
pub(super) struct Server<'a> {
    pub host: &'a str,
    pub port: u16,
    pub tls: Tls,
    pub ca_pem: Option<&'a str>,
    /// What a host of this kind looks like.
    pub example: &'static str,
}

/// Checks how many there are.
pub(super) fn number(count: usize, of: &str, at: &str, notes: &mut Notes<'_>) {
    if count > SERVERS_MAX {
        notes.add(at, format!("has {count} {of}, at most {SERVERS_MAX} are looked at in a run"));
    }
}

/// Checks the name of one.
pub(super) fn name(name: &str, at: &str, notes: &mut Notes<'_>) {
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_name || name.is_empty() || name.len() > NAME_CHARS_MAX {
        let says = format!("must have a name of at most {NAME_CHARS_MAX} letters, digits, \"-\" and \"_\"");
        notes.add(at, says);
    }
}

/// Checks the name of a secret.
pub(super) fn secret(key: &str, secret: Option<&str>, begins: &str, at: &str, notes: &mut Notes<'_>) {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    let Some(secret) = secret else { return };
    if !secret.starts_with(begins) || secret.len() == begins.len() || !secret.chars().all(is_secret) {
        let says = format!("must be the name of a secret that begins with \"{begins}\", not {}", quoted(secret));
        notes.add(&join(at, key), says);
    }
}

/// Checks where a server is, and how it is reached.
pub(super) fn place(server: &Server<'_>, at: &str, notes: &mut Notes<'_>) {
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if server.host.is_empty() || !server.host.chars().all(is_host) {
        let says = format!("must be a host such as \"{}\", not {}", server.example, quoted(server.host));
        notes.add(&join(at, "host"), says);
    }
    if server.port == 0 {
        notes.add(&join(at, "port"), "must be from 1 to 65535, not 0");
    }
    let is_here = matches!(server.host, "127.0.0.1" | "::1" | "localhost");
    if server.tls == Tls::Off && !is_here {
        let says = "must not be off: passwords and data would cross the network in the clear. It may be off for 127.0.0.1 only";
        notes.add(&join(at, "tls"), says);
    }
    if server.ca_pem.is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
        notes.add(&join(at, "ca_pem"), "must hold certificates as PEM: -----BEGIN CERTIFICATE----- and so on");
    }
}
