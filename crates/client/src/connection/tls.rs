//! TLS of the calls: the certificate authorities of the system, and a provider of cryptography that is named here, so that nothing depends on what the
//! rest of a program has chosen for itself.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What certificates are verified with. The system's authorities are read once for the whole program: reading them takes longer than all else that a
/// client needs to begin. Those that the system gets later take a new start.
pub fn config() -> Result<ClientConfig, rustls::Error> {
    static READ: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = READ.get() {
        return Ok(config.clone());
    }
    let mut config = versions()?.with_platform_verifier()?.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(READ.get_or_init(|| config).clone())
}

/// The same, where only these authorities count: certificates in PEM, at least one, all of them fit to be one.
pub fn config_with(authorities: &str) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(certificate.map_err(|error| rustls::Error::General(error.to_string()))?)?;
    }
    if roots.is_empty() {
        return Err(rustls::Error::General("there is no certificate in it".to_owned()));
    }
    Ok(versions()?.with_root_certificates(roots).with_no_client_auth())
}

fn versions() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop")]
mod tests {
    use super::*;

    /// Story: reading the rules of a gateway read all authorities of the system, for each origin again.
    #[test]
    fn the_authorities_are_read_once() {
        let (first, second) = (config().unwrap(), config().unwrap());
        assert!(Arc::ptr_eq(first.crypto_provider(), second.crypto_provider()));
    }
}
