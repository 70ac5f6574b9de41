//! From the six values of a request to what must be verified.

use crate::Failure;
use crate::certificate::ext::Ext;
use crate::hawk::authentic::{Claim, Covered, Moment, Signed};
use crate::hawk::normalized::{lower_case, signed_resource};
use crate::hawk::{bewit, header};
use std::borrow::Cow;

/// The six values of `authenticateHawk` without the source address, borrowed.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// HTTP method in any letter case.
    pub method: &'a str,
    /// The request target exactly as on the request line: path and query, not decoded, not normalized.
    pub resource: &'a str,
    /// Host name without the port, in any letter case; IPv6 in brackets.
    pub host: &'a str,
    /// The port that the client connected to, as it sees it.
    pub port: u16,
    /// The value of the `Authorization` header; an empty one counts as none.
    pub authorization: Option<&'a str>,
}

/// Reads the form of a request's credentials. `None`: it carries none. A failure tells about the form only, never about a client.
///
/// A non-empty `authorization` is always taken as a header; a bewit counts only without one.
pub fn read<'a>(parts: &RequestParts<'a>) -> Result<Option<Signed<'a>>, Failure> {
    match parts.authorization.filter(|value| !value.is_empty()) {
        Some(value) => read_header(parts, value).map(Some),
        None if bewit::is_present(parts.resource) => read_bewit(parts).map(Some),
        None => Ok(None),
    }
}

fn read_header<'a>(parts: &RequestParts<'a>, value: &'a str) -> Result<Signed<'a>, Failure> {
    let attributes = header::parse(value)?;
    let claim = Claim {
        id: attributes.id.into(),
        ext: attributes.ext.map(Ext::parse).unwrap_or_default(),
        moment: Moment::Timestamp(attributes.ts.into()),
        hash: attributes.hash.map(Cow::Borrowed),
        host: lower_case(parts.host),
        port: parts.port,
    };
    let covered = Covered {
        nonce: attributes.nonce,
        method: parts.method,
        resource: (signed_resource(parts.resource), ""),
        ext: attributes.ext.map(Cow::Borrowed),
        app: attributes.app,
        dlg: attributes.dlg,
    };
    Ok(Signed::new(claim, covered, attributes.mac.as_bytes()))
}

fn read_bewit<'a>(parts: &RequestParts<'a>) -> Result<Signed<'a>, Failure> {
    let bewit = bewit::parse(parts.method, parts.resource)?;
    let ext = Some(bewit.ext).filter(|ext| !ext.is_empty());
    let claim = Claim {
        ext: ext.as_deref().map(Ext::parse).unwrap_or_default(),
        id: bewit.id.into(),
        moment: Moment::Expiry(bewit.exp.into()),
        hash: None,
        host: lower_case(parts.host),
        port: parts.port,
    };
    let (before, after) = bewit.resource;
    let covered = Covered { nonce: "", method: "GET", resource: (before.into(), after), ext: ext.map(Cow::Owned), app: None, dlg: None };
    Ok(Signed::new(claim, covered, bewit.mac.as_bytes()))
}
