//! What to do about a server's refusal, or about one that is none.

use std::error::Error as _;

use falconer_client::{Environment, Error};
use falconer_login::TlsFault;

use super::options::ServiceRefused;

/// What `falconer current-scopes` needs.
const CURRENT_SCOPES: &str = "auth:current-scopes";

/// The scopes that a 403 says are missing: one a line in the first fence. The second holds all that the call needs.
fn missing(message: &str) -> impl Iterator<Item = &str> {
    let fenced = message.split_once("missing the following scopes:").and_then(|(_, after)| after.split("```").nth(1));
    fenced.unwrap_or_default().lines().map(str::trim)
}

/// What to do about a server's refusal.
pub fn next_step(error: &anyhow::Error) -> Option<String> {
    const SIGN_IN: &str = "`eval \"$(falconer signin)\"` gets fresh ones through the browser";
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Error>())?;
    if let Error::Segment(_) = failure {
        return Some(
            "The pages of the server can show and delete it: /auth/clients/edit?id=.. and /auth/roles/edit?id=.. take any id.".to_owned(),
        );
    }
    if let Error::Network { .. } = failure {
        return Some(unreachable(failure).to_owned());
    }
    if failure.to_string().contains("URL parameter 'clientId'") {
        return Some("A clientId is made of letters, digits and ! @ / : . + | _ -, without spaces.".to_owned());
    }
    let service = error.downcast_ref::<ServiceRefused>();
    if service.is_none()
        && let Some(step) = other_server(failure)
    {
        return Some(step);
    }
    let credentials = Environment::read().ok().and_then(|found| found.credentials);
    let bad_mac = failure.to_string().contains("Bad mac");
    match (failure.status()?, credentials) {
        (401 | 403, None) => Some(format!("There are no credentials in the environment: {SIGN_IN}.")),
        (401, Some(_)) if bad_mac && let Some(service) = service => Some(format!(
            "The call was signed for {0}. Does the service ask Falconer about that very origin? `localhost` and `127.0.0.1` are two, and behind a proxy it is the \
             proxy's. Where `falconer curl /api/auth/v1/scopes/current` works, the credentials hold and the service's origin is wrong.",
            service.origin
        )),
        (401, Some(credentials)) if bad_mac && credentials.certificate().is_some() => Some(format!(
            "TASKCLUSTER_CERTIFICATE is set: it belongs to the temporary credentials that it came with. With others, `unset TASKCLUSTER_CERTIFICATE`; else {SIGN_IN}."
        )),
        (401, Some(_)) => Some(format!("The credentials in the environment do not hold: {SIGN_IN}.")),
        (403, Some(_)) if missing(&failure.to_string()).any(|scope| scope == CURRENT_SCOPES) => Some(format!(
            "Asking what one may do needs a scope of its own: let somebody who may change this client add {CURRENT_SCOPES} to it, or give it a role that has it."
        )),
        (403, Some(_)) => Some("`falconer current-scopes` shows what the credentials may do.".to_owned()),
        _ => None,
    }
}

/// What to do about a server that gave no answer.
fn unreachable(failure: &Error) -> &'static str {
    if let Some(fault) = failure.source().and_then(TlsFault::below) {
        tls_problem(fault)
    } else if failure.is_unknown_host() {
        "No address is known for this name: is it written correctly?"
    } else if failure.is_no_http() {
        "What is there does not speak HTTP: is the port right, and should the URL begin with https:// instead of http://?"
    } else {
        "Is the address right, and does the server run there?"
    }
}

/// What is wrong with a server's TLS, in words.
pub fn tls_problem(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::AuthorityAsServer => {
            "The server shows the certificate of an authority (CA:TRUE) as its own, and such a one is never accepted as a server's. Make it anew with \
             `-addext basicConstraints=critical,CA:FALSE`, or let that authority sign another one for the server."
        }
        TlsFault::NoTls => {
            "What is there does not speak TLS: should the URL begin with http:// instead of https://, or the port be another one?"
        }
        TlsFault::UnknownIssuer => {
            "Its TLS certificate is not of an authority that this machine knows. For a private authority, SSL_CERT_FILE (or `ca_file`, where the configuration \
             has one) names a PEM file with the authorities that count."
        }
        TlsFault::OtherName => "Its TLS certificate is for another host name: write the name that it is for.",
        TlsFault::Expired => "Its TLS certificate has expired, or the clock of this machine is wrong.",
        TlsFault::NotYetValid => "Its TLS certificate is not valid yet: is the clock of this machine right?",
        TlsFault::Certificate => {
            "Its TLS certificate does not hold. For a private authority, SSL_CERT_FILE names a PEM file with the authorities that count."
        }
        TlsFault::Other => "TLS with it fails: is the port right, and does the server speak TLS 1.2 or 1.3?",
    }
}

/// What to do about an answer that is none of Falconer's: each of its own has a code.
fn other_server(failure: &Error) -> Option<String> {
    let (host, status) = match failure {
        Error::Answer { host, .. } => (host, 200),
        Error::Api { host, status, .. } if failure.code() == Some("UnknownError") => (host, *status),
        _ => return None,
    };
    Some(match status {
        300..=399 => "Give the address that it leads to, up to the host and the port, as root URL.".to_owned(),
        500.. => format!("Is {host} a proxy in front of a Falconer that is away? Its log says more."),
        _ => format!(
            "Is {host} the host of a Falconer? The root URL is scheme, host and port only, such as https://auth.example.com; /api/auth/v1/ping below it answers \
             {{\"alive\": true}}."
        ),
    })
}

/// The message of an answer that is none of Falconer's, with whose it is and its status; `None` for all other errors.
pub fn named(failure: &Error) -> Option<String> {
    let Error::Api { host, status, message, .. } = failure else { return None };
    let status = if message.contains(&status.to_string()) { String::new() } else { format!(" (status {status})") };
    (failure.code() == Some("UnknownError")).then(|| format!("{host} answered{status}: {message}"))
}

#[cfg(test)]
mod tests {
    use falconer_client::TlsError;
    use rustls::{CertificateError, InvalidMessage};

    use super::*;

    /// A certificate of a private authority was answered with the question whether the server runs.
    #[test]
    fn a_private_authority_is_told_what_to_set() {
        let step = |below: std::io::Error| {
            let error = Error::Network { host: "auth.example.com:443".to_owned(), detail: String::new(), source: Some(Box::new(below)) };
            next_step(&anyhow::Error::from(error)).unwrap()
        };
        let tls = |error: TlsError| step(std::io::Error::other(error));
        assert!(tls(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)).contains("SSL_CERT_FILE"));
        assert!(tls(TlsError::InvalidMessage(InvalidMessage::InvalidContentType)).contains("http:// instead of https://"));
        assert!(step(std::io::ErrorKind::ConnectionRefused.into()).contains("does the server run there"));
        assert!(tls_problem(TlsFault::AuthorityAsServer).contains("CA:FALSE"));
    }

    #[test]
    fn what_is_missing_is_not_what_is_needed() {
        let text = "Client ID a does not have sufficient scopes and is missing the following scopes:\n\n```\nb\n```\n\nThis request requires the client to \
                    satisfy the following scope expression:\n\n```\n{\n  \"AllOf\": [\n    \"auth:current-scopes\",\n    \"b\"\n  ]\n}\n```";
        assert_eq!(missing(text).filter(|line| !line.is_empty()).collect::<Vec<_>>(), ["b"]);
    }
}
