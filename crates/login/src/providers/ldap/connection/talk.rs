//! Asking, and reading answers within their bounds.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncBufRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::open::Stream;
use super::servers::Watch;
use crate::providers::error::short;
use crate::providers::ldap::error::LdapError;
use crate::providers::ldap::protocol::{self, Answer, Entry, Header, LONGEST_HEADER, Outcome, Page, Search, code};
use crate::tls::TlsProblem;

/// Bytes of one message of a server.
const LONGEST_MESSAGE: usize = 512 * 1024;
/// Bytes of all messages between taking a connection and giving it back.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Places to go on elsewhere, and other things that nobody asked for, in one answer.
const MOST_IDLE_TALK: usize = 1000;

/// A connection to a directory.
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    id: i32,
    received: usize,
    watch: Watch,
}

/// How a search is kept within bounds.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    /// What is searched for, for errors.
    pub(crate) what: &'static str,
    /// The most entries.
    pub(crate) most: usize,
    /// Entries of a page; `None`: without pages.
    pub(crate) page_size: Option<u16>,
}

impl Connection {
    /// `watch` notes the server where it does not answer.
    pub(super) fn new(stream: Box<dyn Stream>, watch: Watch) -> Connection {
        Connection { stream: BufReader::with_capacity(4096, stream), id: 0, received: 0, watch }
    }

    /// The stream, unless something lies in it that was read too early.
    pub(super) fn into_parts(self) -> Result<(Box<dyn Stream>, Watch), LdapError> {
        if self.stream.buffer().is_empty() { Ok((self.stream.into_inner(), self.watch)) } else { Err(LdapError::BeforeTls) }
    }

    /// Which server it leads to.
    pub(super) fn server(&self) -> usize {
        self.watch.number
    }

    /// It is there, and nothing was asked yet.
    pub(super) fn is_open(&mut self) {
        self.watch.answered();
    }

    /// For the next question.
    pub(super) fn begin_anew(&mut self) {
        self.received = 0;
    }

    /// Whether the server has neither closed the connection nor said something meanwhile.
    pub(super) async fn is_quiet(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(Pin::new(&mut self.stream).poll_fill_buf(context).is_pending())).await
    }

    pub(super) async fn start_tls(&mut self) -> Result<(), LdapError> {
        let id = self.next_id();
        self.send(&protocol::start_tls(id)).await?;
        match self.answer(id).await? {
            Answer::Extended(outcome) if outcome.code == code::SUCCESS => Ok(()),
            Answer::Extended(outcome) => Err(LdapError::NoTls { code: outcome.code, said: short(&outcome.said) }),
            _ => Err(LdapError::Malformed("something else than the answer to STARTTLS came")),
        }
    }

    /// Says who speaks from now on. Neither may be empty unless both are: a name without a password is nobody, which servers welcome (RFC 4513 section 5.1.2).
    pub(crate) async fn bind(&mut self, dn: &str, password: &[u8]) -> Result<Outcome, LdapError> {
        if dn.is_empty() != password.is_empty() {
            return Err(LdapError::Dn(short(dn)));
        }
        let id = self.next_id();
        self.send(&protocol::bind(id, dn, password)).await?;
        match self.answer(id).await? {
            Answer::Bind(outcome) => Ok(outcome),
            _ => Err(LdapError::Malformed("something else than the answer to a bind came")),
        }
    }

    /// All entries that a search finds, page after page.
    pub(crate) async fn search(&mut self, search: &Search<'_>, bound: Bound) -> Result<Vec<Entry>, LdapError> {
        let mut entries = Vec::new();
        let mut cookie = Vec::new();
        // Each page may be empty, as far as the RFC goes; not for ever.
        let mut pages = 16 + bound.most / usize::from(bound.page_size.unwrap_or(u16::MAX));
        loop {
            let page = bound.page_size.map(|size| Page { size: size.into(), cookie: &cookie });
            let (outcome, next) = self.page(search, page, bound, &mut entries).await?;
            match outcome.code {
                code::SUCCESS => {}
                // As many as were asked for. Fewer are fewer than there are.
                code::SIZE_LIMIT_EXCEEDED if search.size_limit > 0 && i32::try_from(entries.len()) == Ok(search.size_limit) => {
                    return Ok(entries);
                }
                code::SIZE_LIMIT_EXCEEDED => return Err(LdapError::Incomplete(bound.what)),
                code::TIME_LIMIT_EXCEEDED => return Err(LdapError::TooSlow),
                _ => return Err(refusal(bound.what, outcome)),
            }
            if next.is_empty() {
                return Ok(entries);
            }
            pages = pages.checked_sub(1).ok_or(LdapError::Malformed("there is no end of pages"))?;
            cookie = next;
        }
    }

    async fn page(
        &mut self,
        search: &Search<'_>,
        page: Option<Page<'_>>,
        bound: Bound,
        entries: &mut Vec<Entry>,
    ) -> Result<(Outcome, Vec<u8>), LdapError> {
        let id = self.next_id();
        self.send(&protocol::search(id, search, page)).await?;
        let mut idle_talk = 0;
        loop {
            match self.answer(id).await? {
                Answer::Entry(_) if entries.len() >= bound.most => {
                    return Err(LdapError::TooManyEntries { what: bound.what, most: bound.most });
                }
                Answer::Entry(entry) => entries.push(entry),
                Answer::Done { outcome, cookie } => return Ok((outcome, cookie)),
                Answer::Reference | Answer::Unasked if idle_talk < MOST_IDLE_TALK => idle_talk += 1,
                _ => return Err(LdapError::Malformed("something else than the answer to a search came")),
            }
        }
    }

    fn next_id(&mut self) -> i32 {
        self.id = self.id.checked_add(1).unwrap_or(1);
        self.id
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), LdapError> {
        self.watch.request_sent();
        let stream = self.stream.get_mut();
        stream.write_all(message).await.map_err(broken)?;
        stream.flush().await.map_err(broken)
    }

    /// The next message, which has to belong to this question.
    async fn answer(&mut self, id: i32) -> Result<Answer, LdapError> {
        self.watch.request_sent();
        let mut start = Vec::with_capacity(LONGEST_HEADER);
        let header = loop {
            start.push(self.stream.read_u8().await.map_err(broken)?);
            if let Some(header) = Header::read(&start).map_err(LdapError::Malformed)? {
                break header;
            }
        };
        if header.tag != 0x30 {
            return Err(LdapError::Malformed("a message is no message of LDAP"));
        }
        self.received = self.received.saturating_add(header.bytes).saturating_add(header.length);
        if header.length > LONGEST_MESSAGE || self.received > MOST_BYTES {
            return Err(LdapError::TooLarge);
        }
        let mut body = Vec::new();
        let length = u64::try_from(header.length).unwrap_or(u64::MAX);
        (&mut self.stream).take(length).read_to_end(&mut body).await.map_err(broken)?;
        if body.len() != header.length {
            return Err(LdapError::Closed);
        }
        match Answer::read(&body).map_err(LdapError::Malformed)? {
            (found, answer) if found == id => {
                self.watch.answered();
                Ok(answer)
            }
            // What a server says unasked is that it closes the connection (RFC 4511 section 4.4).
            (0, _) => Err(LdapError::Closed),
            _ => Err(LdapError::Malformed("an answer belongs to no question")),
        }
    }
}

/// An answer that says no.
pub(crate) fn refusal(what: &'static str, outcome: Outcome) -> LdapError {
    let said = short(&outcome.said);
    match outcome.code {
        code::BUSY | code::UNAVAILABLE => LdapError::Unavailable { what, code: outcome.code, said },
        code::REFERRAL => LdapError::Referred(what),
        code => LdapError::Refused { what, code, said },
    }
}

fn broken(error: std::io::Error) -> LdapError {
    TlsProblem::of(&error).map_or(LdapError::Closed, LdapError::Tls)
}
