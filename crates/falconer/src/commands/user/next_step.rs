//! What to do about a server's refusal, or about one that is none.

use std::error::Error as _;

use falconer_client::Error;
use falconer_login::TlsFault;
use falconer_wire::error::RequestInfo;
use falconer_wire::pattern::{APPLICATION_ID, CLIENT_ID, GRANT_ID, IDENTITY, NAMESPACE, Pattern, ROLE_ID};
use falconer_wire::{Call, Code, Method};
use serde_json::Value;

use super::options::ServiceRefused;
use super::session::{Source, source_in_use};

/// What `falconer current-scopes` needs.
const CURRENT_SCOPES: &str = "auth:current-scopes";

/// The protocol's text for a wrong MAC. Its error shape has no other sign of it (ADR 283).
const BAD_MAC: &str = "Unauthorized: Bad mac";

/// Whether a refusal is of this code.
fn has_code(failure: &Error, code: Code) -> bool {
    failure.code() == Some(code.as_str())
}

/// What was asked, as a refusal repeats it.
fn request_info(failure: &Error) -> Option<RequestInfo> {
    let Error::Api { body, .. } = failure else { return None };
    serde_json::from_value(body.get("requestInfo")?.clone()).ok()
}

/// What names a record in a path, and what people have to know about it.
struct Named {
    /// As the path's parameter is called.
    parameter: &'static str,
    pattern: Pattern,
    /// How it is written.
    form: &'static str,
    /// What shows those that there are.
    list: &'static str,
}

const NAMED: &[Named] = &[
    Named {
        parameter: "clientId",
        pattern: CLIENT_ID,
        form: "A clientId is made of letters, digits and ! @ / : . + | _ -, without spaces.",
        list: "client list",
    },
    Named { parameter: "roleId", pattern: ROLE_ID, form: "A roleId is a line of ASCII characters.", list: "role list" },
    Named {
        parameter: "applicationId",
        pattern: APPLICATION_ID,
        form: "The id of an application is made of letters, digits, `.`, `_` and `-`, 100 at most.",
        list: "application list",
    },
    Named {
        parameter: "initialTokenId",
        pattern: APPLICATION_ID,
        form: "The name of an initial access token is made of letters, digits, `.`, `_` and `-`, 100 at most.",
        list: "application initial-token list",
    },
    Named {
        parameter: "namespace",
        pattern: NAMESPACE,
        form: "A namespace is made of letters, digits, `.`, `_` and `-`, 40 at most.",
        list: "scope-registry list",
    },
    Named {
        parameter: "grantId",
        pattern: GRANT_ID,
        form: "The id of a grant is 22 letters, digits, `-` and `_`: `falconer person show` has those of a person.",
        list: "person show",
    },
    // After the grant's, which stands behind it in a path.
    Named {
        parameter: "identity",
        pattern: IDENTITY,
        form: "An identity is the provider's name, a slash and the name there, such as `local/ann`.",
        list: "person list --remote",
    },
];

/// How the record is written that the call named wrongly.
fn form_of_wrong_name(failure: &Error) -> Option<&'static str> {
    let info = has_code(failure, Code::InvalidRequestArguments).then(|| request_info(failure)).flatten()?;
    let is_wrong = |one: &&Named| info.params.get(one.parameter).and_then(Value::as_str).is_some_and(|id| !(one.pattern.matches)(id));
    NAMED.iter().find(is_wrong).map(|one| one.form)
}

/// What lists the records among which the one that the call named is not.
fn list_of_missing(failure: &Error) -> Option<&'static str> {
    let info = has_code(failure, Code::ResourceNotFound).then(|| request_info(failure)).flatten()?;
    NAMED.iter().find(|one| info.params.contains_key(one.parameter)).map(|one| one.list)
}

/// Whether the MAC was wrong. Services say it by a word of its own; servers of the protocol by their text alone.
fn is_bad_mac(failure: &Error) -> bool {
    let Error::Api { body, message, .. } = failure else { return false };
    has_code(failure, Code::AuthenticationFailed)
        && match body.get("reason").and_then(Value::as_str) {
            Some(reason) => reason == "bad-mac",
            None => message == BAD_MAC,
        }
}

/// Whether what was refused is asking for one's own scopes, which takes just one scope.
fn is_current_scopes(failure: &Error) -> bool {
    let is_it = |info: RequestInfo| Method::of(Call::CurrentScopes).is_some_and(|method| method.name == info.method);
    has_code(failure, Code::InsufficientScopes) && request_info(failure).is_some_and(is_it)
}

/// What to do about a server's refusal, and how to ask why it was one.
pub fn next_step(error: &anyhow::Error) -> Option<String> {
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Error>())?;
    let why = if let Error::Api { refusal: Some(id), .. } = failure {
        Some(format!("`falconer why {id} --remote` asks what was compared, with credentials that have auth:explain:*."))
    } else {
        None
    };
    let lines: Vec<String> = advice(error, failure).into_iter().chain(why).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn advice(error: &anyhow::Error, failure: &Error) -> Option<String> {
    const SIGN_IN: &str = "`eval \"$(falconer signin)\"` gets fresh ones through the browser";
    if let Error::Segment(_) = failure {
        return Some(
            "The pages of the server can show and delete it: /auth/clients/edit?id=.. and /auth/roles/edit?id=.. take any id.".to_owned(),
        );
    }
    if let Error::Network { .. } = failure {
        return Some(unreachable(failure).to_owned());
    }
    if let Some(form) = form_of_wrong_name(failure) {
        return Some(form.to_owned());
    }
    if let Some(list) = list_of_missing(failure) {
        return Some(format!("`falconer {list}` shows those that there are."));
    }
    let service = error.downcast_ref::<ServiceRefused>();
    if service.is_none()
        && let Some(step) = other_server(failure)
    {
        return Some(step);
    }
    let has_certificate = std::env::var_os("TASKCLUSTER_CERTIFICATE").is_some_and(|text| !text.is_empty());
    let bad_mac = is_bad_mac(failure);
    match (failure.status()?, source_in_use()) {
        (401 | 403, Source::Nowhere) => {
            Some(format!("There are no credentials in the environment, and no session: `falconer signin` begins one, and {SIGN_IN}."))
        }
        (401, Source::Environment | Source::Session(_)) if bad_mac && let Some(service) = service => Some(format!(
            "The call was signed for {0}. Does the service ask Falconer about that very origin? `localhost` and `127.0.0.1` are two, and behind a proxy it is the \
             proxy's. Where `falconer curl /api/auth/v1/scopes/current` works, the credentials hold and the service's origin is wrong.",
            service.origin
        )),
        (401, Source::Environment) if bad_mac && has_certificate => Some(format!(
            "TASKCLUSTER_CERTIFICATE is set: it belongs to the temporary credentials that it came with. With others, `unset TASKCLUSTER_CERTIFICATE`; else {SIGN_IN}."
        )),
        (401, Source::Environment) => Some(format!("The credentials in the environment do not hold: {SIGN_IN}.")),
        (401, Source::Session(name)) => {
            Some(format!("The session {name} does not hold: `falconer signin --session {name}` begins another."))
        }
        (403, _) if is_current_scopes(failure) => Some(format!(
            "Asking what one may do needs a scope of its own: let somebody who may change this client add {CURRENT_SCOPES} to it, or give it a role that has it."
        )),
        (403, _) => Some("`falconer current-scopes` shows what the credentials may do.".to_owned()),
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
    use serde_json::json;

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

    /// A refusal with this body, as the client reads it.
    fn refused(status: u16, body: &Value) -> Error {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Error::Api {
            host: "auth.example.com".to_owned(),
            status,
            code: text("code"),
            message: text("message"),
            body: Box::new(body.clone()),
            refusal: None,
        }
    }

    /// Advice went by words of a text that any release of a server may put otherwise, and by words that callers had sent.
    #[test]
    fn the_code_and_the_request_decide_and_not_the_text() {
        let bad_argument = |client_id: &str, message: &str| {
            let info = json!({"method": "client", "params": {"clientId": client_id}, "payload": {}, "time": ""});
            refused(400, &json!({"code": "InvalidRequestArguments", "message": message, "requestInfo": info}))
        };
        let form = |failure: &Error| form_of_wrong_name(failure).unwrap_or_default();
        assert!(form(&bad_argument("a b", "Other words")).starts_with("A clientId"));
        assert_eq!(form(&bad_argument("a/b", "URL parameter 'clientId' is right, and the query is not")), "");
        assert_eq!(form(&refused(400, &json!({"code": "InputError", "message": "URL parameter 'clientId'"}))), "");

        let lacking = |method: &str, message: &str| {
            let info = json!({"method": method, "params": {}, "payload": {}, "time": ""});
            refused(403, &json!({"code": "InsufficientScopes", "message": message, "requestInfo": info}))
        };
        assert!(is_current_scopes(&lacking("currentScopes", "Other words")));
        let named = "is missing the following scopes:\n\n```\nauth:current-scopes\n```";
        assert!(!is_current_scopes(&lacking("createClient", named)));
    }

    /// An identity without its provider was answered with a regular expression, and a client that is not there with three words.
    #[test]
    fn every_name_of_a_record_is_explained() {
        let about = |code: &str, parameter: &str, value: &str| {
            let info = json!({"method": "any", "params": {parameter: value}, "payload": {}, "time": ""});
            advice_of(&refused(400, &json!({"code": code, "message": "", "requestInfo": info})))
        };
        for one in NAMED {
            // A line break is in none of them.
            assert_eq!(about("InvalidRequestArguments", one.parameter, "a\nb").as_deref(), Some(one.form));
            assert!(about("ResourceNotFound", one.parameter, "local/nobody").unwrap().contains(one.list));
        }
        assert!(about("InvalidRequestArguments", "identity", "bob").unwrap().contains("local/ann"));
    }

    fn advice_of(failure: &Error) -> Option<String> {
        form_of_wrong_name(failure).map(str::to_owned).or_else(|| list_of_missing(failure).map(str::to_owned))
    }

    #[test]
    fn a_wrong_mac_is_known_by_its_reason_and_without_one_by_the_text_of_the_protocol() {
        let failed = |body: Value| is_bad_mac(&refused(401, &body));
        assert!(failed(json!({"code": "AuthenticationFailed", "message": "Other words", "reason": "bad-mac"})));
        assert!(!failed(json!({"code": "AuthenticationFailed", "message": BAD_MAC, "reason": "certificate-expired"})));
        assert!(failed(json!({"code": "AuthenticationFailed", "message": BAD_MAC})));
        assert!(!failed(json!({"code": "AuthenticationFailed", "message": "The name is Bad mac"})));
        assert!(!failed(json!({"code": "InputError", "message": BAD_MAC})));
    }
}
