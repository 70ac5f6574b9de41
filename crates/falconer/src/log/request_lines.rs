//! The line of each request, written as the log writes its lines, without asking for each of its parts how it wants to be written.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use falconer_web::{RequestLine, RequestLog};
use falconer_wire::date_time;

use super::lines::Lines;
use crate::config::LogFormat;

/// Adds lines of requests to the log.
pub struct RequestLines {
    pub lines: Arc<Lines>,
    pub format: LogFormat,
}

impl RequestLog for RequestLines {
    fn note(&self, line: &RequestLine<'_>) {
        self.lines.add(self.text(line, now_us()).as_bytes(), false);
    }
}

impl RequestLines {
    fn text(&self, line: &RequestLine<'_>, now_us: i64) -> String {
        let mut text = String::with_capacity(192);
        // Writing to memory cannot fail.
        let _ = match self.format {
            LogFormat::Text => as_text(&mut text, line, now_us),
            LogFormat::Json => as_json(&mut text, line, now_us),
        };
        text
    }
}

/// The same with the id of the trace. Of its own, so that nothing is asked where there are no traces.
pub struct TracedRequestLines(pub RequestLines);

impl RequestLog for TracedRequestLines {
    fn note(&self, line: &RequestLine<'_>) {
        let mut text = self.0.text(line, now_us());
        if let Some(trace_id) = falconer_traces::trace_id() {
            with_trace_id(&mut text, &trace_id.to_string(), self.0.format);
        }
        self.0.lines.add(text.as_bytes(), false);
    }
}

/// As the last of the fields. What a caller chose stands before them.
fn with_trace_id(text: &mut String, trace_id: &str, format: LogFormat) {
    match format {
        LogFormat::Text => text.insert_str(text.len().saturating_sub(1), &format!(" trace_id={trace_id}")),
        LogFormat::Json => {
            let at = text.rfind("},\"target\"").unwrap_or(text.len());
            text.insert_str(at, &format!(",\"trace_id\":\"{trace_id}\""));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the log says when a line was written by the system's clock, as for all other lines")]
fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn as_text(text: &mut String, line: &RequestLine<'_>, now_us: i64) -> fmt::Result {
    date_time::push_us(text, now_us);
    text.push_str("  INFO ");
    text.push_str(RequestLine::TARGET);
    text.push_str(": request id=");
    text.push_str(line.id.as_str());
    text.push_str(" method=");
    text.push_str(line.method.as_str());
    text.push_str(" path=");
    line.path().write_to(text)?;
    text.push_str(" status=");
    text.push_str(line.status.as_str());
    write!(text, " microseconds={}", line.microseconds)?;
    if let Some(reason) = line.reason {
        write!(text, " reason={reason:?}")?;
    }
    text.write_char('\n')
}

fn as_json(text: &mut String, line: &RequestLine<'_>, now_us: i64) -> fmt::Result {
    text.push_str("{\"timestamp\":\"");
    date_time::push_us(text, now_us);
    text.push_str("\",\"level\":\"INFO\",\"fields\":{\"message\":\"request\",\"id\":\"");
    text.push_str(line.id.as_str());
    // A method and a path are what others chose.
    let method = serde_json::to_string(line.method.as_str()).map_err(|_| fmt::Error)?;
    let path = serde_json::to_string(&line.path().to_string()).map_err(|_| fmt::Error)?;
    write!(text, "\",\"method\":{method},\"path\":{path},\"status\":{},\"microseconds\":{}", line.status.as_str(), line.microseconds)?;
    if let Some(reason) = line.reason {
        write!(text, ",\"reason\":\"{reason}\"")?;
    }
    writeln!(text, "}},\"target\":\"{}\"}}", RequestLine::TARGET)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use falconer_web::RequestId;
    use tracing_subscriber::fmt::format::Writer;
    use tracing_subscriber::fmt::time::FormatTime;

    use super::*;

    const NOW_US: i64 = 1_767_323_045_678_901;

    struct FixedTime;

    impl FormatTime for FixedTime {
        fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
            writer.write_str("2026-01-02T03:04:05.678901Z")
        }
    }

    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_id_of_a_trace_is_the_last_field() {
        let uri = "/a?x".parse().unwrap();
        let (id, status) = (RequestId::new([1, 2, 3, 4, 5]), http::StatusCode::OK);
        let line = RequestLine { id, method: &http::Method::GET, uri: &uri, status, microseconds: 1234, reason: Some("bad_mac") };
        let (mut text, mut json) = (String::new(), String::new());
        as_text(&mut text, &line, NOW_US).unwrap();
        as_json(&mut json, &line, NOW_US).unwrap();
        with_trace_id(&mut text, "4bf92f35", LogFormat::Text);
        with_trace_id(&mut json, "4bf92f35", LogFormat::Json);
        assert!(text.ends_with(" reason=\"bad_mac\" trace_id=4bf92f35\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["fields"]["trace_id"], "4bf92f35");
    }

    #[test]
    fn a_line_is_what_the_log_would_write() {
        for (uri, reason) in [
            ("/", None),
            ("/api/auth/v1/authenticate-hawk", Some("bad_mac")),
            ("/a%22b?limit=5&bewit=x", Some("grant_ended")),
            ("/api/auth/v1/clients/a~'b?x%22", None),
        ] {
            let (uri, method) = (uri.parse().unwrap(), http::Method::from_bytes(b"M-SEARCH").unwrap());
            let (id, status) = (RequestId::new([1, 2, 3, 4, 5]), http::StatusCode::NOT_FOUND);
            let line = RequestLine { id, method: &method, uri: &uri, status, microseconds: 1234, reason };
            for json in [false, true] {
                let out = Out::default();
                let writer = out.clone();
                let builder = tracing_subscriber::fmt()
                    .with_timer(FixedTime)
                    .with_writer(move || writer.clone())
                    .with_max_level(tracing::Level::INFO);
                let path = line.path();
                let log = || tracing::info!(target: RequestLine::TARGET, %id, %method, %path, status = 404_u16, microseconds = 1234_u64, reason, "request");
                let mut ours = String::new();
                if json {
                    tracing::subscriber::with_default(builder.json().finish(), log);
                    as_json(&mut ours, &line, NOW_US).unwrap();
                } else {
                    tracing::subscriber::with_default(builder.with_ansi(false).finish(), log);
                    as_text(&mut ours, &line, NOW_US).unwrap();
                }
                assert_eq!(ours, String::from_utf8(out.0.lock().unwrap().clone()).unwrap());
            }
        }
    }
}
