use http::Method;

/// What of a body is signed: its type and its bytes, which for POST, PUT and PATCH may be none at all, so that nobody can add some. `None`: nothing is.
///
/// Source: `vectors/ours/signed-bodies.json`, which every signer of ours follows.
pub fn signed_payload<'p>(method: &Method, content_type: &'p str, body: &'p [u8]) -> Option<(&'p str, &'p [u8])> {
    let is_expected = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    (is_expected || !body.is_empty()).then_some((content_type, body))
}
