//! Requests whose MAC is right although their content is anything: what an honest signer would refuse to make.

use super::oracle::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

pub const RESOURCE: &str = "/api/kitchen/v1/oven?heat=high";
pub const HOST: &str = "tc.example.test";

/// A header for `GET RESOURCE` at `HOST:443`; `ext` is the decoded text.
pub fn header(id: &str, key: &str, ts: &str, ext: Option<&str>) -> String {
    let ext = ext.map(|ext| STANDARD.encode(ext)).unwrap_or_default();
    let text = format!("hawk.1.header\n{ts}\nn\nGET\n{RESOURCE}\n{HOST}\n443\n\n{ext}\n");
    let mac = STANDARD.encode(hmac(key.as_bytes(), &text));
    let attribute = if ext.is_empty() { String::new() } else { format!(", ext=\"{ext}\"") };
    format!("Hawk id=\"{id}\", ts=\"{ts}\", nonce=\"n\", mac=\"{mac}\"{attribute}")
}

/// `RESOURCE` with a bewit for `HOST:443`; `ext` is the decoded text.
pub fn bewit(id: &str, key: &str, exp: &str, ext: Option<&str>) -> String {
    let ext = ext.map(|ext| STANDARD.encode(ext)).unwrap_or_default();
    let text = format!("hawk.1.bewit\n{exp}\n\nGET\n{RESOURCE}\n{HOST}\n443\n\n{ext}\n");
    let mac = STANDARD.encode(hmac(key.as_bytes(), &text));
    format!("{RESOURCE}&bewit={}", URL_SAFE_NO_PAD.encode(format!("{id}\\{exp}\\{mac}\\{ext}")))
}

/// The temporary key.
pub fn temporary_key(token: &str, seed: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac(token.as_bytes(), seed))
}

/// The signature over a certificate's lines.
pub fn signature(token: &str, text: &str) -> String {
    STANDARD.encode(hmac(token.as_bytes(), text))
}
