//! Whom connections to servers of applications trust: one place for databases, caches and pages. Decides nothing.

use engine::ports::{PortError, PortResult};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// What a client has to know for TLS with the certificate checked: the authorities in `ca_pem`, else those of the system. `operation` says
/// for what, in errors.
///
/// # Errors
/// [`PortError::Rejected`] when a certificate can't be read.
pub fn client(operation: &str, ca_pem: Option<&str>) -> PortResult<ClientConfig> {
    let rejected = |why: String| PortError::Rejected { operation: operation.to_owned(), why };
    let mut roots = RootCertStore::empty();
    match ca_pem {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let taken = certificate.ok().is_some_and(|certificate| roots.add(certificate).is_ok());
                if !taken {
                    return Err(rejected("ca_pem has a certificate that can't be read".to_owned()));
                }
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| rejected(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Says that a certificate is not trusted, and what to do about it. That is no trouble of the moment.
pub fn untrusted(operation: String, said: &str) -> PortError {
    let why = format!("the server's certificate is not trusted; name its authority in ca_pem ({said})");
    PortError::Rejected { operation, why }
}
