//! What a service brings in place of a proof where it asks once more about one request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::bearer::token::{BearerKey, characters};
use crate::key::mac::{LENGTH, Mac};

/// A request with which a token was shown, and whose proof has counted.
#[derive(Clone, Copy, Debug)]
pub struct ProvedRequest<'r> {
    /// The token.
    pub token: &'r str,
    /// Letter case does not count.
    pub method: &'r str,
    /// Letter case does not count.
    pub host: &'r str,
    /// Of the service.
    pub port: u16,
    /// Path and query.
    pub resource: &'r str,
}

impl BearerKey {
    /// What a service brings in place of the proof where it asks once more about the same request: a proof counts once. Base64url, 43 characters.
    pub fn follow_up(&self, request: &ProvedRequest<'_>) -> String {
        URL_SAFE_NO_PAD.encode(self.follow_up_mac(request).bytes())
    }

    /// Whether it is that of this request, in constant time.
    pub fn is_follow_up(&self, request: &ProvedRequest<'_>, sent: &str) -> bool {
        let mut mac = [0; LENGTH + 1];
        let is_written = sent.len() == characters(LENGTH) && URL_SAFE_NO_PAD.decode_slice(sent, &mut mac) == Ok(LENGTH);
        is_written && mac.split_first_chunk().is_some_and(|(mac, _)| self.follow_up_mac(request).equals(mac))
    }

    fn follow_up_mac(&self, request: &ProvedRequest<'_>) -> Mac {
        let ProvedRequest { token, method, host, port, resource } = request;
        let (method, host) = (method.to_ascii_lowercase(), host.to_ascii_lowercase());
        self.0.mac(|text| {
            // No token begins with a zero.
            for part in [token.as_bytes(), method.as_bytes(), host.as_bytes(), &port.to_be_bytes(), resource.as_bytes()] {
                text.push_bytes(&[0]);
                text.push_bytes(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                text.push_bytes(part);
            }
        })
    }
}
