//! TLS of the calls: the certificate authorities of the system, and a provider of cryptography that is named here, so that nothing depends on what the
//! rest of a program has chosen for itself.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What certificates are verified with.
pub fn config() -> Result<ClientConfig, rustls::Error> {
    let mut config = versions()?.with_platform_verifier()?.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
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
