//! `falconer curl`: a signed request to any service, the body on stdout as it comes.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_client::{Answer, Error, Exchange, HeaderMap, HeaderName, HeaderValue, Method, Refusal};

use super::session::{Source, refresh};
use super::signing_in::oauth::bearer;
use super::{ServiceRefused, UserOptions};
use crate::output::{WrongUse, harmless};

/// `falconer curl [-X METHOD] [-H HEADER] [-d BODY] [-i] [-o FILE] URL`
#[derive(clap::Args)]
pub struct Options {
    /// A whole URL of any service, or a path such as `/api/auth/v1/scopes/current` on the server
    url: String,
    /// The method; by default GET without a body, POST with one
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = method)]
    request: Option<Method>,
    /// A header, such as `Accept: text/plain`; may be repeated. With an Authorization of your own the request is not signed
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A body: JSON, unless a Content-Type says otherwise; `-` reads it from stdin, `@FILE` from a file
    #[arg(short, long, value_name = "BODY")]
    data: Option<String>,
    /// Print status and headers of the answer before its body
    #[arg(short, long)]
    include: bool,
    /// Write the answer into a file, which is there whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show a bearer token of the session, good for this service only, instead of a signature
    #[arg(long)]
    token: bool,
    #[command(flatten)]
    user: UserOptions,
}

/// Sends it. An answer of 300 or above goes to stderr and is a failure.
pub async fn run(options: Options) -> Result<()> {
    let (client, url) = if options.url.starts_with('/') {
        (options.user.client()?, format!("{}{}", options.user.root_url()?, options.url))
    } else if options.url.contains("://") {
        (options.user.client_for(&options.url)?, options.url.clone())
    } else {
        let wrong = format!("`{}` is neither a whole URL nor a path on the server that begins with `/`", options.url);
        return Err(WrongUse(wrong).into());
    };
    let body = options.data.as_deref().map(body).transpose()?;
    let method = options.request.clone().unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
    let mut headers = HeaderMap::new();
    for (name, value) in &options.headers {
        headers.append(name, value.clone());
    }
    if options.token {
        headers.insert("authorization", token(&options, &url).await?);
    }
    let server = options.user.root_url().ok().and_then(|url| origin(&url));
    let service = origin(&url).filter(|service| server.as_ref() != Some(service));
    let answer = client.exchange(&Exchange { method, url, headers, body }).await?;
    let head = options.include.then(|| head(&answer));
    if let Some(refusal) = answer.refusal {
        return Err(whole_answer(refusal, head, service));
    }
    match &options.output {
        None => pass_on(answer, head, &mut std::io::stdout().lock(), std::io::stdout().is_terminal()).await,
        Some(file) => write(answer, head, file).await,
    }
}

/// A token of the session for the service of this URL, which is of no use to that service elsewhere.
async fn token(options: &Options, url: &str) -> Result<HeaderValue> {
    let Source::Session(name) = options.user.chosen()?.source else {
        bail!("--token needs a session: the credentials of the environment sign, and have no tokens");
    };
    let resource = origin(url).with_context(|| format!("`{url}` is no URL"))?;
    bearer(&refresh::tokens_of(&name, Some(&resource)).await?.access_token)
}

fn body(text: &str) -> Result<Vec<u8>> {
    if text == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("can't read stdin")?;
        return Ok(bytes);
    }
    match text.strip_prefix('@') {
        Some(file) => fs::read(file).with_context(|| format!("can't read the body {file}")),
        None => Ok(text.as_bytes().to_vec()),
    }
}

/// As it stands on the wire, in one dialect.
fn head(answer: &Answer) -> String {
    let mut text = format!("{:?} {}\n", answer.version, answer.status);
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {}\n", harmless(&String::from_utf8_lossy(value.as_bytes()))));
    }
    text.push('\n');
    text
}

async fn pass_on(mut answer: Answer, head: Option<String>, to: &mut (impl Write + ?Sized), is_terminal: bool) -> Result<()> {
    to.write_all(head.unwrap_or_default().as_bytes())?;
    let (mut last, mut shown) = (None, TerminalText::default());
    while let Some(chunk) = answer.chunk().await.context("the answer broke off")? {
        if is_terminal {
            to.write_all(shown.next(&chunk)?.as_bytes())?;
        } else {
            to.write_all(&chunk)?;
        }
        // Whoever follows a stream sees each part when it comes.
        to.flush()?;
        last = chunk.last().copied().or(last);
    }
    to.write_all(shown.rest().as_bytes())?;
    if is_terminal && last.is_some_and(|byte| byte != b'\n') {
        to.write_all(b"\n")?;
    }
    Ok(to.flush()?)
}

/// What goes to a terminal is text that can't steer it. A character, or the end of a line, that came in part waits for its rest.
#[derive(Default)]
struct TerminalText(Vec<u8>);

impl TerminalText {
    /// Errors: it is no text.
    fn next(&mut self, chunk: &[u8]) -> Result<String> {
        if chunk.contains(&0) {
            bail!("the answer is no text: write it into a file with -o FILE, or pass it on through a pipe");
        }
        self.0.extend_from_slice(chunk);
        let whole = match std::str::from_utf8(&self.0) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.0.len(),
        };
        let ends_between = self.0.get(..whole).is_some_and(|text| text.ends_with(b"\r"));
        let whole = whole - usize::from(ends_between);
        let rest = self.0.split_off(whole);
        let text = self.rest();
        self.0 = rest;
        Ok(text)
    }

    /// What has come in part only is shown as such.
    fn rest(&mut self) -> String {
        let bytes = std::mem::take(&mut self.0);
        harmless(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
    }
}

/// Beside the file first, so that half an answer never stands in its place. What is no file, such as `/dev/null`, is written to as it is.
async fn write(answer: Answer, head: Option<String>, file: &Path) -> Result<()> {
    let said = || format!("can't write {}", file.display());
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return pass_on(answer, head, &mut File::options().write(true).open(file).with_context(said)?, false).await;
    }
    let mut beside = file.file_name().with_context(said)?.to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = file.with_file_name(beside);
    let mut out = File::create_new(&beside).with_context(said)?;
    let written = pass_on(answer, head, &mut out, false).await;
    let moved = written.and_then(|()| fs::rename(&beside, file).with_context(said));
    if moved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    moved
}

/// Whoever asks by hand wants to see the whole refusal, and its status.
fn whole_answer(refusal: Refusal, head: Option<String>, service: Option<String>) -> anyhow::Error {
    let Refusal { body, error } = refusal;
    eprint!("{}", head.unwrap_or_default());
    let Error::Api { status, body: json, .. } = &error else { return error.into() };
    let status = *status;
    if json.is_null() {
        if !body.is_empty() {
            eprintln!("{}", harmless(&String::from_utf8_lossy(&body)));
        }
    } else {
        eprintln!("{}", harmless(&format!("{json:#}")));
    }
    let error = anyhow::Error::from(error);
    match service {
        Some(origin) => error.context(ServiceRefused { status, origin }),
        None => error.context(format!("the answer was {status}")),
    }
}

/// What a call to a URL is signed for.
fn origin(url: &str) -> Option<String> {
    Some(url::Url::parse(url).ok()?.origin().ascii_serialization())
}

fn method(name: &str) -> Result<Method, String> {
    name.to_uppercase().parse().map_err(|_| "write something like PUT".to_owned())
}

/// `Name: value`, as it is sent.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || "write something like `Accept: text/plain`".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    // Such as a cookie: whatever it is, it is nobody's but the service's.
    value.set_sensitive(true);
    Ok((name.trim().parse().map_err(|_| wrong())?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Story: the body of an answer went to the terminal as it came, and could write over what stood there.
    #[test]
    fn an_answer_can_not_steer_the_terminal() {
        let mut shown = TerminalText::default();
        let mut all = String::new();
        // In parts, of which one ends within a character.
        for chunk in [&b"a\tb\r"[..], &b"\nc\x1b[2J\xc3"[..], &b"\xa4\xc2\x9b2J \xe2\x80"[..], &b"\xaed \xff \xe2\x82"[..]] {
            all.push_str(&shown.next(chunk).unwrap());
        }
        all.push_str(&shown.rest());
        assert_eq!(all, "a\tb\nc\u{fffd}[2J\u{e4}\u{fffd}2J \u{fffd}d \u{fffd} \u{fffd}");
        assert!(shown.next(b"PNG\0").is_err());
    }
}
