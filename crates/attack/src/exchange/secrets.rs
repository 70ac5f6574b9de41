use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falconer_client::Value;

use super::Crafted;

/// What is looked for has at least so many letters and digits in a row: shorter ones are met by chance.
const SHORTEST: usize = 12;

/// A part of a request that nobody else may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub what: &'static str,
    /// Letters and digits only, so that it is the same however it is escaped.
    pub text: String,
}

impl Secret {
    fn of(what: &'static str, value: &str) -> Option<Secret> {
        let run = value.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|run| run.len())?;
        (run.len() >= SHORTEST).then(|| Secret { what, text: run.to_owned() })
    }

    /// What of a request is secret.
    pub fn all(request: &Crafted) -> Vec<Secret> {
        let mut found = Vec::new();
        if let Some(header) = request.authorization() {
            let attribute = |name: &str| header.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split('"').next());
            found.extend(attribute("mac").and_then(|mac| Secret::of("the signature of the Authorization header", mac)));
            if let Some(ext) = attribute("ext") {
                found.extend(Secret::of("the Authorization header", ext));
                found.extend(signature(ext).and_then(|text| Secret::of("the certificate", &text)));
            }
        }
        let query = request.resource.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            match name {
                "bewit" => found.extend(Secret::of("the bewit", value)),
                "accessToken" => found.extend(Secret::of("the access token", value)),
                _ => {}
            }
        }
        found
    }
}

/// The signature of the certificate in an `ext`.
fn signature(ext: &str) -> Option<String> {
    let fields: Value = serde_json::from_slice(&STANDARD.decode(ext).ok()?).ok()?;
    Some(fields.get("certificate")?.get("signature")?.as_str()?.to_owned())
}

/// Which of the secrets stand in a text.
pub(crate) fn within<'s>(secrets: &'s [Secret], text: &str) -> Vec<&'s Secret> {
    secrets.iter().filter(|secret| text.contains(&secret.text)).collect()
}

#[cfg(test)]
mod tests {
    use falconer_client::Method;

    use super::*;

    #[test]
    fn what_is_secret_is_found_however_it_is_written() {
        let certificate = r#"{"certificate":{"signature":"sigSIGsigSIG0123/x="}}"#;
        let mut request = Crafted {
            method: Method::GET,
            resource: "/a?b=c&bewit=BEWITbewit0123-x&accessToken=TOKENtoken0123".to_owned(),
            headers: http::HeaderMap::new(),
            body: None,
        };
        request.set("authorization", &format!("Hawk id=\"a\", mac=\"MACmacMACmac0/+=\", ext=\"{}\"", STANDARD.encode(certificate)));
        let secrets = Secret::all(&request);
        let said = |text: &str| within(&secrets, text).iter().map(|secret| secret.what).collect::<Vec<_>>();
        assert_eq!(said(r"mac=\u0022MACmacMACmac0\/+"), ["the signature of the Authorization header"]);
        assert_eq!(said("sigSIGsigSIG0123%2Fx"), ["the certificate"]);
        assert_eq!(said("GET /a?bewit=BEWITbewit0123-x"), ["the bewit"]);
        assert_eq!(said("TOKENtoken0123"), ["the access token"]);
        assert!(said("GET /a?b=c 401 MACmacMACma").is_empty());
    }
}
