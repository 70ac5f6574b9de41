//! The `bewit` query parameter.

use percent_encoding::percent_decode_str;

use crate::Failure;
use crate::certificate::ext::decode_lenient;
use crate::failure::FormFault;
use crate::hawk::header::{is_line_break, is_longer};

/// Longest resource that may carry a bewit, in UTF-16 units.
const LONGEST: usize = 4096;

/// A bewit that has the right form. The texts are owned because they were decoded.
pub(crate) struct Bewit<'a> {
    pub id: String,
    pub exp: String,
    pub mac: String,
    pub ext: String,
    /// The resource without the bewit, in two pieces: what stood before it, and what is left of the query behind it.
    pub resource: (&'a str, &'a str),
}

/// Whether the resource asks for bewit authentication at all.
pub(crate) fn is_present(resource: &str) -> bool {
    // Most resources have no query: one look for its first character, instead of two for names.
    has_separator(resource) && resource.starts_with('/') && (resource.contains("?bewit=") || resource.contains("&bewit="))
}

/// Whether a request carries a header and a bewit at once, so that nobody can tell which of both was meant. `resource` is the request target as it was sent;
/// an empty `authorization` is none.
///
/// It is the stricter one of two readings: what would be taken for a bewit if there were no header, and a parameter whose decoded name is `bewit`, also without
/// a value.
pub fn is_signed_twice(resource: &str, authorization: Option<&str>) -> bool {
    authorization.is_some_and(|value| !value.is_empty())
        && has_separator(resource)
        && may_name_one(resource)
        && (is_present(resource) || has_parameter(resource))
}

/// Whether the name stands anywhere, or something that may be it once it is decoded.
fn may_name_one(resource: &str) -> bool {
    memchr::memchr(b'%', resource.as_bytes()).is_some() || memchr::memmem::find(resource.as_bytes(), b"bewit").is_some()
}

/// Whether there is a character that a parameter may follow.
fn has_separator(resource: &str) -> bool {
    memchr::memchr2(b'?', b'&', resource.as_bytes()).is_some()
}

fn has_parameter(resource: &str) -> bool {
    let query = resource.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        matches!(name.as_bytes().first(), Some(b'b' | b'%')) && percent_decode_str(name).eq(*b"bewit")
    })
}

/// Reads the bewit of a resource for which [`is_present`] said yes.
pub(crate) fn parse<'a>(method: &str, resource: &'a str) -> Result<Bewit<'a>, Failure> {
    if is_longer(resource, LONGEST) {
        return Err(FormFault::ResourceTooLong.into());
    }
    let Some(Place { before, value, after }) = find(resource) else {
        return Err(FormFault::OtherScheme.into());
    };
    if value.is_empty() {
        return Err(FormFault::EmptyBewit.into());
    }
    if !method.eq_ignore_ascii_case("get") && !method.eq_ignore_ascii_case("head") {
        return Err(FormFault::BewitMethod.into());
    }
    if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err(FormFault::BewitEncoding.into());
    }
    // Bytes 0 to 255 are the characters of the same number.
    let text: String = decode_lenient(value).into_iter().map(char::from).collect();
    let mut parts = text.split('\\');
    let (Some(id), Some(exp), Some(mac), Some(ext), None) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(FormFault::BewitStructure.into());
    };
    if id.is_empty() || exp.is_empty() || mac.is_empty() {
        return Err(FormFault::BewitAttributes.into());
    }
    Ok(Bewit { id: id.to_owned(), exp: exp.to_owned(), mac: mac.to_owned(), ext: ext.to_owned(), resource: (before, after) })
}

struct Place<'a> {
    before: &'a str,
    value: &'a str,
    after: &'a str,
}

/// `^(\/.*)([?&])bewit=([^&$]*)(?:&(.+))?$`, greedy: the last place that fits counts. With something behind the bewit, the separator stays
/// with what stood before it.
fn find(resource: &str) -> Option<Place<'_>> {
    // Looked for once, not at each of the hundreds of places that a hostile resource may have.
    let first_break = resource.find(is_line_break).unwrap_or(resource.len());
    let mut end = resource.len();
    loop {
        let at = resource.get(..end)?.rfind("bewit=")?;
        end = at;
        let (with_separator, rest) = resource.split_at_checked(at)?;
        let Some(before) = with_separator.strip_suffix(['?', '&']) else {
            continue;
        };
        let rest = rest.strip_prefix("bewit=")?;
        let (value, after) = match rest.find(['&', '$']).and_then(|stop| rest.split_at_checked(stop)) {
            None => (rest, None),
            Some((value, after)) => (value, Some(after)),
        };
        if !before.starts_with('/') || first_break < before.len() {
            continue;
        }
        match after {
            None => {
                return Some(Place { before, value, after: "" });
            }
            Some(after) => match after.strip_prefix('&') {
                Some(after) if !after.is_empty() && !after.contains(is_line_break) => {
                    return Some(Place { before: with_separator, value, after });
                }
                _ => continue,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        input: Input,
        expected: bool,
    }

    #[derive(serde::Deserialize)]
    struct Input {
        resource: String,
        authorization: Option<String>,
    }

    /// Three places decided this for themselves, and not alike: a header that is empty counted in one of them, a name that is encoded in another one only. Then the kits did.
    #[test]
    fn a_header_and_a_bewit_at_once() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../../../vectors/ours/two-schemes.json")).unwrap();
        assert!(cases.len() >= 29, "{}", cases.len());
        for Case { name, input, expected } in cases {
            assert_eq!(is_signed_twice(&input.resource, input.authorization.as_deref()), expected, "{name}");
        }
    }
}
