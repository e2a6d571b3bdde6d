//! Encryption: TLS 1.2 and 1.3, certificates checked, HTTP/2 offered before HTTP/1.1.

use engine::ports::PortResult;
use rustls::ClientConfig;

/// Authorities that are trusted.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Those of this machine.
    System,
    /// These certificates, as PEM.
    Pem(String),
}

pub(crate) fn config(roots: &Roots) -> PortResult<ClientConfig> {
    let pem = match roots {
        Roots::System => None,
        Roots::Pem(pem) => Some(pem.as_str()),
    };
    let mut config = trust::client("look at web pages", pem)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
