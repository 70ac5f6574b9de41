//! Following the changes of a Falconer: server-sent events, resumed where they broke off.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use serde_json::Value;

use crate::connection::target;
use crate::error::innermost;
use crate::{Call, Client, Error, system};

/// Three heartbeats of the server. A connection that is quiet for longer is dead.
const QUIET: Duration = Duration::from_secs(45);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// An event beyond this is refused instead of kept in memory.
const LONGEST_EVENT_BYTES: usize = 1024 * 1024;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEvent {
    /// Where the follower stands after it: keep it to resume with [`Client::events`].
    pub id: String,
    /// `client-created`, `client-updated`, `client-deleted`, the same three with `role`; `ready` at the beginning of each connection; `reset`:
    /// list everything again, changes were missed.
    pub name: String,
    /// Such as `{"version":1,"clientId":"proj/one","revision":17}`.
    pub data: Value,
}

/// Changes as they come. See [`Client::events`].
pub struct Events {
    client: Client,
    last_id: Option<String>,
    open: Option<Open>,
    failures: u32,
}

struct Open {
    answer: reqwest::Response,
    lines: Lines,
}

impl Client {
    /// Follows the changes of clients and roles (`GET /api/falconer/v1/events`, scope `auth:events`), after `since` (a revision or the id of an
    /// event), or from now on.
    #[must_use]
    pub fn events(&self, since: Option<&str>) -> Events {
        Events { client: self.clone(), last_id: since.map(str::to_owned), open: None, failures: 0 }
    }
}

impl Events {
    /// The id of the last event, or where it was told to begin.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The next event, for as long as it takes: connections that break are made again, with growing waits, and go on where they broke off.
    /// Errors: what waiting can't mend, such as a refusal.
    pub async fn next(&mut self) -> Result<ServerEvent, Error> {
        loop {
            match self.try_next().await {
                Err(error) if is_temporary(&error) => tokio::time::sleep(self.wait()?).await,
                other => return other,
            }
        }
    }

    /// The same without another try: after an error that [`is_temporary`], wait for [`Events::wait`]. The next call then connects again and goes on.
    pub async fn try_next(&mut self) -> Result<ServerEvent, Error> {
        let next = self.read().await;
        match &next {
            Ok(event) => {
                self.failures = 0;
                self.last_id = Some(event.id.clone());
            }
            Err(_) => {
                self.failures = self.failures.saturating_add(1);
                self.open = None;
            }
        }
        next
    }

    /// How long to wait now: longer after each failure in a row, and never exactly as long as others do.
    pub fn wait(&self) -> Result<Duration, Error> {
        let retry = crate::Retry { first_delay: Duration::from_millis(500), longest_delay: LONGEST_WAIT, ..crate::Retry::default() };
        Ok(retry.delay(self.failures.max(1), system::random()?))
    }

    async fn read(&mut self) -> Result<ServerEvent, Error> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(self.client.open_events(self.last_id.as_deref()).await?),
        };
        loop {
            while let Some(block) = open.lines.block()? {
                if let Some(event) = block.event()? {
                    return Ok(event);
                }
                if let Some(id) = block.id {
                    self.last_id = Some(id);
                }
            }
            let url = open.answer.url().clone();
            let lost = |detail: String| Error::Network { host: target::shown(&url), detail, source: None };
            let chunk = tokio::time::timeout(QUIET, open.answer.chunk()).await.map_err(|_| lost("it fell silent".to_owned()))?;
            match chunk.map_err(|error| lost(innermost(&error)))? {
                Some(chunk) => open.lines.take(&chunk)?,
                None => return Err(lost("it ended the stream".to_owned())),
            }
        }
    }
}

/// Whether waiting may mend it: the server was not reached, broke off, or is not well.
#[must_use]
pub fn is_temporary(error: &Error) -> bool {
    matches!(error, Error::Network { .. }) || error.status().is_some_and(|status| status >= 500 || status == 429)
}

impl Client {
    async fn open_events(&self, last_id: Option<&str>) -> Result<Open, Error> {
        let call = Call { method: Method::GET, service: "falconer", version: "v1", route: "/events".to_owned(), query: Vec::new() };
        let url = target::parse(&self.url(&call)?).map_err(Error::Request)?;
        let mut headers = http::HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_id {
            let id = HeaderValue::from_str(id).map_err(|_| Error::Request(format!("`{id}` is no id of an event")))?;
            headers.insert("last-event-id", id);
        }
        let answer = self.open(&call.method, &url, &headers, QUIET).await?;
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(Error::Answer {
                host: target::shown(&url),
                detail: format!("events were asked for, and it sent `{kind}`"),
                source: None,
            });
        }
        Ok(Open { answer, lines: Lines::default() })
    }
}

/// The bytes of a stream, as far as they make no whole event yet.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
}

/// The fields of one event, before it is looked at.
#[derive(Debug, Default, PartialEq)]
struct Block {
    id: Option<String>,
    name: Option<String>,
    data: Option<String>,
}

impl Lines {
    fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if self.bytes.len().saturating_add(chunk.len()) > LONGEST_EVENT_BYTES {
            return Err(garbled(format!("an event is larger than {LONGEST_EVENT_BYTES} bytes")));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// The next lines that end with an empty one. Falconer ends lines with a line feed alone.
    fn block(&mut self) -> Result<Option<Block>, Error> {
        let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") else { return Ok(None) };
        let rest = self.bytes.split_off(end.saturating_add(2));
        let whole = std::mem::replace(&mut self.bytes, rest);
        let text = String::from_utf8(whole).map_err(|_| garbled("an event is no UTF-8".to_owned()))?;
        let mut block = Block::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => block.id = Some(value),
                "event" => block.name = Some(value),
                "data" => match &mut block.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(&value);
                    }
                    None => block.data = Some(value),
                },
                // Comments, and what later versions may send.
                _ => {}
            }
        }
        Ok(Some(block))
    }
}

impl Block {
    /// `None`: there is no data, so that nothing is to be told.
    fn event(&self) -> Result<Option<ServerEvent>, Error> {
        let Some(data) = &self.data else { return Ok(None) };
        let data = serde_json::from_str(data).map_err(|error| garbled(error.to_string()))?;
        let name = self.name.clone().unwrap_or_else(|| "message".to_owned());
        Ok(Some(ServerEvent { id: self.id.clone().unwrap_or_default(), name, data }))
    }
}

fn garbled(detail: String) -> Error {
    Error::Answer { host: "the server of the events".to_owned(), detail, source: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "id: 1\nevent: ready\ndata: {\"a\":\ndata: 1}\n\n: \nid: 2.1\n\nunknown: x\nid: 3\nevent: role-created\ndata: {\"roleId\":\"é: b\"}\n\n: begun";
        for size in [1, 2, 3, 7, 1000] {
            let mut lines = Lines::default();
            let (mut events, mut ids) = (Vec::new(), Vec::new());
            for chunk in text.as_bytes().chunks(size) {
                lines.take(chunk).unwrap();
                while let Some(block) = lines.block().unwrap() {
                    ids.extend(block.id.clone());
                    events.extend(block.event().unwrap());
                }
            }
            assert_eq!(ids, ["1", "2.1", "3"]);
            let event = |id: &str, name: &str, data: Value| ServerEvent { id: id.to_owned(), name: name.to_owned(), data };
            assert_eq!(events, [event("1", "ready", json!({ "a": 1 })), event("3", "role-created", json!({ "roleId": "é: b" }))]);
        }
    }

    #[test]
    fn what_is_no_event_is_an_error_and_not_kept() {
        let mut lines = Lines::default();
        lines.take(b"data: {\n\ndata: \xff\n\n").unwrap();
        assert!(lines.block().unwrap().unwrap().event().is_err());
        assert!(lines.block().is_err());
        assert!(Lines::default().take(&vec![b'a'; LONGEST_EVENT_BYTES + 1]).is_err());
    }
}
