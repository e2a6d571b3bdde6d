//! Checks of caches.

use super::databases::SECRETS;
use super::servers::{self, Server};
use super::{Application, Notes};
use crate::shape::join;
use crate::stores::Cache;

pub(super) fn check(app: &Application, path: &str, notes: &mut Notes<'_>) {
    let at = join(path, "caches");
    servers::number(app.caches.len(), "caches", &at, notes);
    for (name, cache) in &app.caches {
        let at = join(&at, name);
        servers::name(name, &at, notes);
        if app.databases.contains_key(name) {
            notes.add(&at, "has the name of a database, so nobody could tell whose finding is whose: give it another");
        }
        of_one(cache, &at, notes);
    }
}

fn of_one(cache: &Cache, at: &str, notes: &mut Notes<'_>) {
    let server = Server {
        host: &cache.host,
        port: cache.port,
        tls: cache.tls,
        ca_pem: cache.ca_pem.as_deref(),
        example: "shop.abc.0001.euc1.cache.amazonaws.com",
    };
    servers::place(&server, at, notes);
    let [(read, begins), _] = SECRETS;
    servers::secret(read, cache.read_secret.as_deref(), begins, at, notes);
}

#[cfg(test)]
mod tests {
    use crate::Config;

    fn with(cache: &str) -> Result<Config, String> {
        let file = format!("applications:\n  shop:\n    caches:\n      {cache}\n");
        Config::parse(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn a_cache_has_a_port_encryption_and_no_secret_by_default() {
        let config = with("carts: {host: cache.example.com}").unwrap();
        let cache = &config.resolve(&"shop".into()).unwrap().caches["carts"];
        assert_eq!((cache.port, cache.tls, cache.read_secret.as_ref()), (6_379, crate::Tls::Verify, None));
        assert!(with("carts: {host: 127.0.0.1, tls: off, read_secret: maintainer/read/carts}").is_ok());
    }

    #[test]
    fn what_can_not_be_meant_is_one_sentence() {
        for (cache, says) in [
            ("carts: {host: 'redis://cache.example.com'}", "must be a host such as \"shop.abc.0001"),
            ("carts: {host: c.example.com, port: 0}", "must be from 1 to 65535"),
            ("carts: {host: c.example.com, tls: off}", "must not be off"),
            ("carts: {host: c.example.com, read_secret: maintainer/change/carts}", "begins with \"maintainer/read/\""),
            ("carts: {host: c.example.com, ca_pem: none}", "must hold certificates as PEM"),
            ("'a b': {host: c.example.com}", "must have a name of at most 40"),
            (
                "carts: {host: c.example.com}\n    databases:\n      carts: {host: d.example.com, database: d, read_secret: maintainer/read/d}",
                "has the name of a database",
            ),
        ] {
            let error = with(cache).err().unwrap_or_default();
            assert!(error.contains(says), "{cache}: {error}");
        }
    }
}
