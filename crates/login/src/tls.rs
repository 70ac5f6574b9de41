//! What is wrong with the TLS of a provider, a directory or a mail server, as a value: libraries hand it on below errors of their own.

use std::error::Error as StdError;

use rustls::{CertificateError, InvalidMessage};
use thiserror::Error;

/// What is wrong with the TLS of a server, told apart as far as somebody can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The server shows the certificate of an authority as its own.
    AuthorityAsServer,
    /// What answers speaks no TLS.
    NoTls,
    /// The certificate is of an authority that is not known here.
    UnknownIssuer,
    /// The certificate is for another name.
    OtherName,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate does not hold for another reason.
    Certificate,
    /// Something else.
    Other,
}

/// The fault, with the words of the library, for the log and for operators.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct TlsProblem {
    /// What is wrong.
    pub fault: TlsFault,
    /// In the words of the library.
    pub text: String,
}

impl TlsFault {
    /// The fault, if `error` or something below it is one of TLS.
    #[must_use]
    pub fn below(error: &(dyn StdError + 'static)) -> Option<TlsFault> {
        let mut next = Some(error);
        while let Some(cause) = next {
            // What an error of input and output holds is not among its causes.
            let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let inner = inner.map(|inner| inner as &(dyn StdError + 'static));
            let found = cause.downcast_ref::<rustls::Error>().map(TlsFault::of).or_else(|| inner.and_then(TlsFault::below));
            if found.is_some() {
                return found;
            }
            next = cause.source();
        }
        None
    }

    fn of(error: &rustls::Error) -> TlsFault {
        match error {
            rustls::Error::InvalidCertificate(certificate) => TlsFault::of_certificate(certificate),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFault::NoTls,
            _ => TlsFault::Other,
        }
    }

    fn of_certificate(error: &CertificateError) -> TlsFault {
        match error {
            CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::OtherName,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
            CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(webpki::Error::CaUsedAsEndEntity) => TlsFault::AuthorityAsServer,
                _ => TlsFault::Certificate,
            },
            _ => TlsFault::Certificate,
        }
    }
}

impl TlsProblem {
    /// A fault of TLS that an operation on a connection came to, if it is one.
    pub(crate) fn of(error: &std::io::Error) -> Option<TlsProblem> {
        TlsFault::below(error).map(|fault| TlsProblem { fault, text: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[derive(Debug, Error)]
    #[error("a library's own words")]
    struct Around(#[source] io::Error);

    /// The words of a library were looked through for marks, and its next version could have other words.
    #[test]
    fn a_fault_is_found_below_the_errors_of_libraries() {
        let certificate = |error| rustls::Error::InvalidCertificate(error);
        let authority = CertificateError::Other(OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
        for (error, fault) in [
            (certificate(authority), TlsFault::AuthorityAsServer),
            (certificate(CertificateError::UnknownIssuer), TlsFault::UnknownIssuer),
            (certificate(CertificateError::NotValidForName), TlsFault::OtherName),
            (certificate(CertificateError::Expired), TlsFault::Expired),
            (certificate(CertificateError::NotValidYet), TlsFault::NotYetValid),
            (certificate(CertificateError::Revoked), TlsFault::Certificate),
            (rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), TlsFault::NoTls),
            (rustls::Error::DecryptError, TlsFault::Other),
        ] {
            assert_eq!(TlsFault::below(&error), Some(fault), "{error}");
            let wrapped = io::Error::other(error.clone());
            assert_eq!(TlsFault::below(&wrapped), Some(fault), "{error}");
            assert_eq!(TlsFault::below(&io::Error::other(Around(wrapped))), Some(fault), "{error}");
        }
        assert_eq!(TlsFault::below(&io::Error::other("UnknownIssuer")), None);
        assert_eq!(TlsFault::below(&Around(io::ErrorKind::ConnectionRefused.into())), None);
    }
}
