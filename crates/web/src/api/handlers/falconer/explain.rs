//! explain: why a request was refused, for those who may know.

use falconer_auth::{CertificateFault, Explained, Failure, Reason, Refusal, RefusedBy, RefusedFor, RoleWith, WouldMatch};
use falconer_wire::{ExplainedRequest, ExplainedRole, Explanation};

use crate::api::answer::failure::text_of;
use crate::api::answer::reply::Reply;
use crate::api::answer::words;
use crate::api::handlers::{Answer, Request, time};

pub(crate) fn explain(request: &Request<'_>) -> Answer {
    let explained = request.auth.explain(request.who, request.param("refusalId"))?;
    Ok(Reply::json(&explanation(&explained)))
}

/// Whether credentials failed or scopes were denied, the word of the reason, and a sentence.
pub(crate) fn verdict(why: &RefusedFor) -> (&'static str, &'static str, String) {
    match why {
        RefusedFor::Credentials(reason) => ("failed", words::of(reason), text_of(reason)),
        RefusedFor::Scopes { client_id: None, .. } => {
            ("denied", words::NO_CREDENTIALS, "There were no credentials, and not everybody may do that".to_owned())
        }
        RefusedFor::Scopes { client_id: Some(client_id), .. } => {
            ("denied", words::SCOPES_MISSING, format!("{client_id} does not have the scopes"))
        }
    }
}

/// Who refused, as the API calls it.
pub(crate) fn refused_by(by: RefusedBy) -> &'static str {
    match by {
        RefusedBy::Check => "check",
        RefusedBy::AuthenticateHawk => "authenticateHawk",
        RefusedBy::Api => "api",
    }
}

/// What the API says of a refusal.
pub(crate) fn explanation(explained: &Explained) -> Explanation {
    let Explained { refusal, is_known, would_match, roles } = explained;
    let (status, reason, message) = verdict(&refusal.why);
    let (client_id, missing, required) = match &refusal.why {
        RefusedFor::Scopes { client_id, missing, required } => (client_id.clone(), missing.clone(), required.clone()),
        RefusedFor::Credentials(_) => (None, None, None),
    };
    let seen = refusal.request();
    Explanation {
        id: refusal.id.clone(),
        time: time(refusal.at_ms),
        by: refused_by(refusal.by).to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        request: ExplainedRequest {
            method: seen.method.to_owned(),
            resource: shown(seen.resource),
            host: seen.host.to_owned(),
            port: seen.port,
        },
        client_id,
        claimed_id: refusal.claimed_id().map(str::to_owned),
        known: *is_known,
        clock_offset_seconds: refusal.clock_offset_seconds(),
        signed_hash: refusal.signed_hash().map(str::to_owned),
        payload_hash: refusal.payload_hash.clone(),
        required,
        missing,
        roles: roles
            .iter()
            .map(|role| ExplainedRole { role_id: role.role_id.clone(), scope: role.scope.clone(), gives: role.gives.clone() })
            .collect(),
        would_match: would_match.as_ref().map(|what| ExplainedRequest {
            method: what.method.clone(),
            resource: shown(&what.resource),
            host: what.host.clone(),
            port: what.port,
        }),
        hints: hints(explained, reason).into_iter().chain(roles.iter().map(of_role)).collect(),
    }
}

/// What was found out, without what each role has: a page shows that as links.
pub(crate) fn hints(explained: &Explained, reason: &str) -> Vec<String> {
    let Explained { refusal, is_known, would_match, roles } = explained;
    let mut hints = Vec::new();
    match (would_match, is_known, reason) {
        (Some(what), ..) => hints.push(of_match(refusal, what)),
        (None, Some(false), "bad-mac" | "other-host") => {
            hints.push(format!("There is no client `{}`.", refusal.claimed_id().unwrap_or_default()));
        }
        (None, Some(true), "bad-mac" | "other-host") => hints.push(
            "It was signed with another key than this client has at present, or for a host, port, path, query or method that is not near what was asked about."
                .to_owned(),
        ),
        (None, None, "bad-mac" | "other-host") => hints.push("The credentials are too long to be looked into.".to_owned()),
        _ => {}
    }
    if let (Some(offset), "stale-timestamp") = (refusal.clock_offset_seconds(), reason) {
        let way = if offset < 0 { "behind" } else { "ahead of" };
        hints.push(format!("The caller's clock is {} seconds {way} this server's.", offset.unsigned_abs()));
    }
    if let RefusedFor::Credentials(Reason::Credentials(Failure::Certificate(CertificateFault::Revoked { issuer, before_ms }))) =
        &refusal.why
    {
        hints.push(match before_ms {
            Some(before_ms) => {
                format!("What `{issuer}` has issued counts if it starts at {} or later; see `falconer client show`.", time(*before_ms))
            }
            None => format!("`falconer client show {issuer}` has the seeds that were revoked."),
        });
    }
    if reason == words::SCOPES_MISSING && roles.is_empty() {
        hints.push("No role has what is missing.".to_owned());
    }
    hints
}

fn of_role(role: &RoleWith) -> String {
    format!("The role `{}` has `{}`, which gives `{}`.", role.role_id, role.scope, role.gives)
}

/// A path and query without the values in the query: whoever asks why need not learn what a service's callers send.
pub(crate) fn shown(resource: &str) -> String {
    let Some((path, query)) = resource.split_once('?') else { return resource.to_owned() };
    let name = |pair: &str| pair.split_once('=').map_or_else(|| "...".to_owned(), |(name, _)| format!("{name}=..."));
    format!("{path}?{}", query.split('&').map(name).collect::<Vec<_>>().join("&"))
}

/// What differs, and where somebody sets it.
fn of_match(refusal: &Refusal, what: &WouldMatch) -> String {
    let WouldMatch { method, resource, host, port } = what;
    let seen = refusal.request();
    if (host.as_str(), *port) != (seen.host, seen.port) && *resource == seen.resource {
        return format!(
            "The signature would match for {host}:{port}; it was asked about for {}:{}. Either the caller or the service has the wrong origin.",
            seen.host, seen.port
        );
    }
    if !method.eq_ignore_ascii_case(seen.method) {
        return format!("The signature would match for the method {method}; it was asked about for {}.", seen.method.to_ascii_uppercase());
    }
    format!("The signature would match for {} at {host}:{port}: a proxy, or the caller, changes the path or the query.", shown(resource))
}
