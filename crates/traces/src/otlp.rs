//! Spans as bytes: an `ExportTraceServiceRequest` of OTLP in the binary form of protocol buffers (opentelemetry-proto, `trace_service.proto`, `trace.proto`).
//!
//! Numbers behind the names of fields are those of the schema.

use crate::span::{Kind, Span, Value};

/// What is said of the program that the spans come from.
#[derive(Clone, Debug)]
pub struct Resource {
    /// `service.name`
    pub service: String,
    /// `service.version`
    pub version: String,
    /// `service.instance.id`: another one for each process.
    pub instance: String,
}

/// The message as it is sent to `/v1/traces`.
pub fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut scope_spans = Vec::new();
    let mut scope = Vec::new();
    text(&mut scope, 1, "falconer");
    text(&mut scope, 2, &resource.version);
    message(&mut scope_spans, 1, &scope);
    for span in spans {
        message(&mut scope_spans, 2, &of_span(span));
    }
    let mut described = Vec::new();
    for (key, value) in
        [("service.name", &resource.service), ("service.version", &resource.version), ("service.instance.id", &resource.instance)]
    {
        message(&mut described, 1, &attribute(key, &Value::Text(value.clone())));
    }
    let mut resource_spans = Vec::new();
    message(&mut resource_spans, 1, &described);
    message(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    message(&mut request, 1, &resource_spans);
    request
}

fn of_span(span: &Span) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    message(&mut out, 1, &span.context.trace.0);
    message(&mut out, 2, &span.context.span.0);
    if let Some(parent) = span.parent {
        message(&mut out, 4, &parent.0);
    }
    text(&mut out, 5, span.name);
    let kind = match span.kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
    };
    number(&mut out, 6, kind);
    fixed(&mut out, 7, span.began_ns);
    fixed(&mut out, 8, span.ended_ns);
    for (key, value) in &span.attributes {
        message(&mut out, 9, &attribute(key, value));
    }
    if span.has_failed {
        let mut status = Vec::new();
        // STATUS_CODE_ERROR
        number(&mut status, 3, 2);
        message(&mut out, 15, &status);
    }
    out
}

fn attribute(key: &str, value: &Value) -> Vec<u8> {
    let mut any = Vec::new();
    match value {
        Value::Word(word) => text(&mut any, 1, word),
        Value::Text(words) => text(&mut any, 1, words),
        Value::Number(value) => number(&mut any, 3, value.cast_unsigned()),
    }
    let mut out = Vec::new();
    text(&mut out, 1, key);
    message(&mut out, 2, &any);
    out
}

/// What stands before the value of a field.
fn tag(out: &mut Vec<u8>, field: u64, wire_type: u64) {
    varint(out, (field << 3) | wire_type);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    tag(out, field, 0);
    varint(out, value);
}

fn fixed(out: &mut Vec<u8>, field: u64, value: u64) {
    tag(out, field, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    tag(out, field, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn text(out: &mut Vec<u8>, field: u64, text: &str) {
    message(out, field, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    /// What the official implementation (the Python package `opentelemetry-proto` 1.45.2) writes for these spans.
    const OFFICIAL: &str = include_str!("official.hex");

    #[test]
    fn the_bytes_are_those_of_the_official_implementation() {
        let context = Context::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let span = Span {
            context,
            parent: Some(context.span),
            name: "authenticateHawk",
            kind: Kind::Server,
            began_ns: 1_767_225_600_000_000_001,
            ended_ns: u64::MAX,
            attributes: vec![
                ("word", Value::Word("POST")),
                ("text", Value::Text("x".repeat(300))),
                ("number", Value::Number(503)),
                ("negative", Value::Number(-1)),
            ],
            has_failed: true,
        };
        let plain = Span { parent: None, kind: Kind::Client, attributes: Vec::new(), has_failed: false, ..span.clone() };
        let resource = Resource { service: "falconer".to_owned(), version: "1".to_owned(), instance: "i".to_owned() };
        let written: String = request(&resource, &[span, plain]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, OFFICIAL.trim());
    }
}
