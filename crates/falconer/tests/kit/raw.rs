//! How the requests that all kits share byte by byte are sent and judged.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Input, Key, Service, sent};
use crate::support::patience::patience;

#[derive(Deserialize)]
pub struct RawCase {
    pub name: String,
    pub input: RawInput,
    pub expected: RawExpected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawInput {
    #[serde(flatten)]
    pub of: Input,
    send: String,
    when_continued: Option<String>,
    #[serde(default)]
    half_close: bool,
}

#[derive(Deserialize)]
pub struct RawExpected {
    answers: Vec<Answer>,
    never: Option<String>,
    continues: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    status: Vec<u16>,
    reason: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    #[serde(default)]
    optional: bool,
}

/// A text of a case as bytes: each character is one, but for what stands in angle brackets.
fn bytes_of(text: &str, service: &Service, path: &str, authorization: &str) -> Vec<u8> {
    let bewit = path.find("bewit=").and_then(|at| path.get(at..)).unwrap_or_default();
    let text = text.replace("<host>", &service.authority()).replace("<signature>", authorization).replace("<bewit>", bewit);
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(" bytes>") {
        let (before, length) = before.rsplit_once('<').expect("a length");
        filled += before;
        filled += &".".repeat(length.parse().expect("a length"));
        rest = after;
    }
    filled += rest;
    filled.chars().map(|letter| u8::try_from(u32::from(letter)).expect("a character is one byte")).collect()
}

/// What came back until the other side closed.
pub async fn exchange(service: &Service, input: &RawInput, key: Option<&Key>) -> String {
    let signed = sent(&input.of, service, key);
    let authorization = signed.headers.get("Authorization").map(String::as_str).unwrap_or_default();
    let bytes = |text: &str| bytes_of(text, service, &signed.path, authorization);
    let mut stream = TcpStream::connect(service.authority()).await.unwrap();
    // It may be answered before all of it was read.
    let _ = stream.write_all(&bytes(&input.send)).await;
    if input.half_close {
        stream.shutdown().await.unwrap();
    }
    let mut said = Vec::new();
    let reading = async {
        if let Some(rest) = &input.when_continued {
            while !said.windows(4).any(|four| four == b"\r\n\r\n") {
                if stream.read_buf(&mut said).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            if said.starts_with(b"HTTP/1.1 100 ") {
                let _ = stream.write_all(&bytes(rest)).await;
            }
        }
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut said).await;
    };
    tokio::time::timeout(patience(), reading).await.expect("an end of the connection");
    said.iter().copied().map(char::from).collect()
}

/// Where answers begin.
fn parts(said: &str) -> Vec<&str> {
    let is_begin = |at: &usize| {
        let head = &said[*at..];
        let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "));
        status.is_some_and(|rest| rest.as_bytes().get(..4).is_some_and(|four| four[..3].iter().all(u8::is_ascii_digit) && four[3] == b' '))
    };
    let begins: Vec<usize> = said.match_indices("HTTP/1.").map(|(at, _)| at).filter(is_begin).collect();
    let ends = begins.iter().skip(1).copied().chain([said.len()]);
    begins.iter().zip(ends).map(|(&begin, end)| &said[begin..end]).collect()
}

/// Errors: what is not as expected.
pub fn judge(said: &str, expected: &RawExpected) -> Result<(), String> {
    let check = |fine: bool, what: &str| if fine { Ok(()) } else { Err(format!("{what}: {said}")) };
    let compact = |text: &str| text.replace("\": \"", "\":\"");
    check(expected.never.as_ref().is_none_or(|never| !compact(said).contains(never)), "what must never be there")?;
    let (continued, parts): (Vec<&str>, Vec<&str>) = parts(said).into_iter().partition(|part| part.starts_with("HTTP/1.1 100 "));
    check(expected.continues.is_none_or(|continues| continues != continued.is_empty()), "whether it asked for the body")?;
    check(parts.len() <= expected.answers.len(), "more answers")?;
    for (at, answer) in expected.answers.iter().enumerate() {
        let Some(part) = parts.get(at) else {
            check(answer.optional, "an answer is missing")?;
            continue;
        };
        let (head, body) = part.split_once("\r\n\r\n").unwrap_or((part, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        check(answer.status.contains(&status), "another status")?;
        if answer.status.first() != Some(&status) {
            continue;
        }
        let body = compact(body);
        check(answer.reason.as_ref().is_none_or(|reason| body.contains(&format!("\"reason\":\"{reason}\""))), "another reason")?;
        check(answer.body.as_ref().is_none_or(|wanted| body.contains(wanted) && body.is_empty() == wanted.is_empty()), "another body")?;
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        for (name, value) in &answer.headers {
            let found = lines.clone().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            check(found == value.as_deref(), name)?;
        }
    }
    Ok(())
}
