//! Signed calls to a server of the protocol.

use anyhow::{Context, Result, bail};
use falconer_credentials::{AccessToken, sign};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::clock::now_ms;
use crate::requests::connection::{Answer, Connection};

/// What the published JavaScript client leaves as it is.
const KEPT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'!').remove(b'~').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// One path segment, as clients write it.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, &KEPT).to_string()
}

/// What signs.
#[derive(Clone)]
pub struct Keys {
    /// The clientId, or the name of named temporary credentials.
    pub id: String,
    /// The key.
    pub token: AccessToken,
    /// Of temporary credentials.
    pub certificate: Option<String>,
}

impl Keys {
    /// Permanent credentials.
    pub fn new(id: &str, token: &str) -> Keys {
        Keys { id: id.to_owned(), token: AccessToken::new(token.to_owned()), certificate: None }
    }

    /// The `Authorization` header of a request. `random` gives the nonce.
    pub fn header(
        &self,
        method: &str,
        resource: &str,
        (host, port): (&str, u16),
        authorized: Option<&[String]>,
        random: &mut fastrand::Rng,
    ) -> Result<String> {
        self.header_at(now_ms()? / 1_000, method, resource, (host, port), authorized, random)
    }

    /// The same at a given time, in seconds.
    pub fn header_at(
        &self,
        ts_seconds: i64,
        method: &str,
        resource: &str,
        (host, port): (&str, u16),
        authorized: Option<&[String]>,
        random: &mut fastrand::Rng,
    ) -> Result<String> {
        let ext = sign::ext(self.certificate.as_deref(), authorized);
        let nonce: String = (0..6).map(|_| random.alphanumeric()).collect();
        let request = sign::Request {
            method,
            resource,
            host,
            port,
            ts_seconds,
            nonce: &nonce,
            hash: None,
            ext: ext.as_deref(),
            app: None,
            dlg: None,
        };
        Ok(sign::header(&self.id, &self.token, &request))
    }
}

/// A server, and who asks it.
#[derive(Clone)]
pub struct Api {
    /// `host:port`, to connect to and to sign for.
    pub address: String,
    /// Who asks.
    pub keys: Keys,
}

impl Api {
    /// The same server, asked by somebody else.
    pub fn with(&self, keys: &Keys) -> Api {
        Api { address: self.address.clone(), keys: keys.clone() }
    }

    /// Host and port of the address.
    pub fn host_and_port(&self) -> Result<(&str, u16)> {
        let (host, port) = self.address.rsplit_once(':').context("an address without a port")?;
        Ok((host, port.parse()?))
    }

    /// A connection to it.
    pub fn connect(&self) -> Result<Connection> {
        Connection::open(&self.address)
    }

    /// A request with the headers that the published JavaScript client sends, without asking for compression: setting up is not measured.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>, random: &mut fastrand::Rng) -> Result<Vec<u8>> {
        self.request_with("identity", method, path, body, random)
    }

    /// The same with this `accept-encoding`.
    pub fn request_with(
        &self,
        encoding: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        random: &mut fastrand::Rng,
    ) -> Result<Vec<u8>> {
        let header = self.keys.header(method, path, self.host_and_port()?, None, random)?;
        Ok(bytes(&self.address, encoding, method, path, Some(&header), body))
    }

    /// One call: the status and the JSON of the answer (null where it is none).
    pub fn call(&self, connection: &mut Connection, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let request = self.request(method, path, body, &mut fastrand::Rng::new())?;
        let answer = connection.exchange(&request)?;
        Ok((answer.status, json(&answer)))
    }

    /// One call on a connection of its own that has to go well.
    pub fn expect(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, value) = self.call(&mut self.connect()?, method, path, body)?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} answered {status}: {value}");
        }
        Ok(value)
    }
}

fn json(answer: &Answer<'_>) -> Value {
    serde_json::from_slice(&answer.content()).unwrap_or_default()
}

/// A request with the headers of the published JavaScript client.
pub fn bytes(address: &str, encoding: &str, method: &str, path: &str, authorization: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    let authorization = authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
    let (kind, body) = match body {
        Some(body) => ("content-type: application/json\r\n", body.to_string()),
        None => ("", String::new()),
    };
    let length = if method == "GET" { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!(
        "{method} {path} HTTP/1.1\r\nuser-agent: got (https://github.com/sindresorhus/got)\r\naccept: application/json\r\n{authorization}{kind}{length}\
         accept-encoding: {encoding}\r\nhost: {address}\r\nconnection: keep-alive\r\n\r\n{body}"
    )
    .into_bytes()
}
