use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::BoxError;

use crate::{BodyRule, Caller, Refusal, Verified};

/// Compares the body with what was signed, and gives it back. Only a body with a signed hash is read here.
pub(crate) async fn compare<B>(verified: Verified, headers: &HeaderMap, body: B, limit_bytes: usize) -> Result<(Caller, B), Refusal>
where
    B: Body + From<Bytes>,
    B::Error: Into<BoxError>,
{
    match verified.body_rule() {
        BodyRule::Any => Ok((verified.with_body("", b"")?, body)),
        BodyRule::Empty if body.is_end_stream() => Ok((verified.with_body("", b"")?, body)),
        BodyRule::Empty => Err(Refusal::BodyNotSigned),
        BodyRule::Hash(_) => {
            let bytes = read(body, limit_bytes).await?;
            let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            Ok((verified.with_body(content_type, &bytes)?, B::from(bytes)))
        }
    }
}

async fn read<B>(body: B, limit_bytes: usize) -> Result<Bytes, Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge { limit_bytes }),
        Err(_) => Err(Refusal::BodyUnreadable),
    }
}
