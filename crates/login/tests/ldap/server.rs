//! A server that answers what OpenLDAP would not: a test says for each question which bytes come back.

use std::time::Duration;

use falconer_login::ldap::{LdapProvider, LdapSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::ask::{settings, tls};

/// What Falconer sent.
pub struct Question {
    /// To be answered with.
    pub id: u8,
    /// `0x60` bind, `0x63` search, `0x77` extended.
    pub tag: u8,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// What happens next.
pub enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, one at a time.
    Slowly(Vec<u8>),
    /// These bytes, and the end of the connection.
    AndClose(Vec<u8>),
    /// Nothing, for ever.
    Nothing,
}

/// How each question is answered.
pub type Script = fn(&Question) -> Reply;

impl Question {
    /// Whether it holds this text.
    pub fn holds(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// So long a directory waits for a server that never answers. Whatever the machine does besides, no answer comes later.
pub const SHORT: Duration = Duration::from_millis(700);

/// Starts one, and gives a directory that asks it in the clear and has all the time that its answers take.
pub async fn lying(script: Script, change: impl FnOnce(&mut LdapSettings)) -> LdapProvider {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script));
        }
    });
    let mut settings = settings(format!("ldap://127.0.0.1:{port}"));
    settings.start_tls = Some(false);
    settings.groups.filter = None;
    settings.groups.base = None;
    change(&mut settings);
    LdapProvider::new(settings, tls()).unwrap()
}

async fn serve(mut stream: TcpStream, script: Script) -> Option<()> {
    loop {
        let question = read(&mut stream).await?;
        match script(&question) {
            Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
            Reply::Slowly(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await.ok()?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Reply::AndClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return None;
            }
            Reply::Nothing => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Question> {
    let mut bytes = vec![stream.read_u8().await.ok()?, stream.read_u8().await.ok()?];
    let length = match bytes[1] {
        0x84 => {
            let length = stream.read_u32().await.ok()?;
            bytes.extend(length.to_be_bytes());
            length as usize
        }
        short => short.into(),
    };
    let start = bytes.len();
    bytes.resize(start + length, 0);
    stream.read_exact(&mut bytes[start..]).await.ok()?;
    let id_end = start + 2 + usize::from(bytes[start + 1]);
    Some(Question { id: bytes[id_end - 1], tag: bytes[id_end], bytes })
}

/// An element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [&[tag, 0x84], length.to_be_bytes().as_slice(), content].concat()
}

/// A message.
pub fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id], operation].concat())
}

/// A result: of a bind with `0x61`, of a search with `0x65`, extended with `0x78`.
pub fn result(id: u8, tag: u8, code: u8) -> Vec<u8> {
    message(id, &element(tag, &[&[0x0a, 1, code], element(4, b"").as_slice(), &element(4, b"said so")].concat()))
}

/// The end of a search with a page's cookie.
pub fn page_end(id: u8, cookie: &[u8]) -> Vec<u8> {
    let done = element(0x65, &[&[0x0a, 1, 0], element(4, b"").as_slice(), &element(4, b"")].concat());
    let value = element(0x30, &[&[2, 1, 0], element(4, cookie).as_slice()].concat());
    let control = element(0x30, &[element(4, b"1.2.840.113556.1.4.319"), element(4, &value)].concat());
    message(id, &[done, element(0xa0, &control)].concat())
}

/// An entry.
pub fn entry(id: u8, dn: &str, attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let attribute = |(name, values): &(&str, &[&[u8]])| {
        let values: Vec<u8> = values.iter().flat_map(|value| element(4, value)).collect();
        element(0x30, &[element(4, name.as_bytes()), element(0x31, &values)].concat())
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    message(id, &element(0x64, &[element(4, dn.as_bytes()), element(0x30, &attributes)].concat()))
}
