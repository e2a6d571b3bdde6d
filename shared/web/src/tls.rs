//! Encryption: TLS 1.2 and 1.3, certificates checked, HTTP/2 offered before HTTP/1.1.

use engine::ports::{PortError, PortResult};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// Authorities that are trusted.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Those of this machine.
    System,
    /// These certificates, as PEM.
    Pem(String),
}

pub(crate) fn config(roots: &Roots) -> PortResult<ClientConfig> {
    let rejected = |why: String| PortError::Rejected { operation: "look at web pages".to_owned(), why };
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::Pem(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let taken = certificate.ok().is_some_and(|certificate| store.add(certificate).is_ok());
                if !taken {
                    return Err(rejected("a certificate of an authority can't be read".to_owned()));
                }
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| rejected(error.to_string()))?;
    let mut config = config.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
