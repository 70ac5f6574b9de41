//! A second, obvious reading of well-formed credentials, so that the rules about differences need not ask the verifier. It knows nothing of
//! malformed ones.

use super::World;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Well-formed credentials and the text that they sign.
pub struct Credentials {
    pub id: String,
    pub time: String,
    pub mac: String,
    pub ext: Option<Value>,
    pub ext_is_json: bool,
    pub is_bewit: bool,
    /// The text that was signed.
    pub normalized: String,
}

/// `None`: none given, or not well-formed enough.
pub fn credentials(request: &Value) -> Option<Credentials> {
    match request["authorization"].as_str().filter(|header| !header.is_empty()) {
        Some(header) => from_header(request, header),
        None => from_bewit(request),
    }
}

impl Credentials {
    /// Whether the MAC is right under the key that README.md 1 says: the temporary key if ext has a certificate with a seed that is text.
    pub fn mac_is_right(&self, world: &World) -> bool {
        let certificate = self.ext.as_ref().map(|ext| &ext["certificate"]);
        let seed = certificate.and_then(|certificate| certificate["seed"].as_str());
        let issuer = certificate.and_then(|certificate| certificate["issuer"].as_str()).filter(|issuer| !issuer.is_empty());
        let owner = if seed.is_some() { issuer.unwrap_or(&self.id) } else { &self.id };
        let Some(client) = world.client(owner) else {
            return false;
        };
        let key = match seed {
            Some(seed) => URL_SAFE_NO_PAD.encode(hmac(client.token.expose().as_bytes(), seed)),
            None => client.token.expose().to_owned(),
        };
        STANDARD.encode(hmac(key.as_bytes(), &self.normalized)) == self.mac
    }
}

fn from_header(request: &Value, header: &str) -> Option<Credentials> {
    let attribute = |name: &str| {
        let start = format!("{name}=\"");
        let (at, _) = header.match_indices(&start).find(|(at, _)| header[..*at].ends_with([' ', '\t', ',']))?;
        Some(header[at + start.len()..].split_once('"')?.0.to_owned())
    };
    let text = |name: &str| attribute(name).unwrap_or_default();
    let mut lines = vec![
        "hawk.1.header".to_owned(),
        attribute("ts")?,
        attribute("nonce")?,
        request["method"].as_str()?.to_uppercase(),
        request["resource"].as_str()?.to_owned(),
        request["host"].as_str()?.to_lowercase(),
        request["port"].to_string(),
        text("hash"),
        text("ext"),
    ];
    if let Some(app) = attribute("app") {
        lines.extend([app, text("dlg")]);
    }
    lines.push(String::new());
    let (ext, ext_is_json) = ext(&text("ext"));
    Some(Credentials {
        id: attribute("id")?,
        time: attribute("ts")?,
        mac: attribute("mac")?,
        ext,
        ext_is_json,
        is_bewit: false,
        normalized: lines.join("\n"),
    })
}

fn from_bewit(request: &Value) -> Option<Credentials> {
    let resource = request["resource"].as_str()?;
    let at = resource.rfind("bewit=")?;
    let (value, after) = resource[at + 6..].split_once('&').unwrap_or((&resource[at + 6..], ""));
    let before = if after.is_empty() { &resource[..at - 1] } else { &resource[..at] };
    let plain: String = LENIENT.decode(value).ok()?.into_iter().map(char::from).collect();
    let [id, exp, mac, ext_text] = plain.split('\\').collect::<Vec<_>>().try_into().ok()?;
    let host = request["host"].as_str()?.to_lowercase();
    let (ext, ext_is_json) = ext(ext_text);
    Some(Credentials {
        normalized: format!("hawk.1.bewit\n{exp}\n\nGET\n{before}{after}\n{host}\n{}\n\n{ext_text}\n", request["port"]),
        id: id.to_owned(),
        time: exp.to_owned(),
        mac: mac.to_owned(),
        ext,
        ext_is_json,
        is_bewit: true,
    })
}

/// The object in ext, and whether it is JSON at all.
fn ext(text: &str) -> (Option<Value>, bool) {
    let spelled = text.split('=').next().unwrap().replace('+', "-").replace('/', "_");
    let mut spelled: String = spelled.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    spelled.truncate(spelled.len() - usize::from(spelled.len() % 4 == 1));
    match LENIENT.decode(spelled).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(json) => (Some(json), true),
        None => (None, text.is_empty()),
    }
}
