//! Targets: where credentials may go.
//!
//! A target is exact: scheme, host, port, path. What does not parse to just what it reads is refused with the reason, so that the host
//! that the page shows is the host that the browser goes to.

use std::fmt;

use falconer_auth::authority;
use percent_encoding::percent_decode_str;
use thiserror::Error;
use url::Url;

use crate::targets::in_words::DEVICE;

/// Longest target in bytes.
pub const LONGEST: usize = 2048;
/// The parameters of the answer.
const ANSWER: [&str; 3] = ["clientId", "accessToken", "certificate"];

/// A URL that credentials may be delivered to. Made by [`Target::parse`] only, but for devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    href: String,
    scheme: Scheme,
    host: String,
    unicode_host: Option<String>,
    registrable: Option<String>,
    port: Option<u16>,
    loopback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Https,
    Http,
    Device,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
            Scheme::Device => "device",
        }
    }

    fn own_port(self) -> u16 {
        match self {
            Scheme::Https => 443,
            Scheme::Http => 80,
            // Nobody connects to it.
            Scheme::Device => 0,
        }
    }
}

/// Why a text is no target. `Display` is a sentence for the person who sees the error page, and for the author of the site.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Longer than [`LONGEST`], as it is or as browsers write it.
    #[error("The target is longer than {LONGEST} bytes.")]
    TooLong,
    /// A control character, white space or a backslash, which browsers drop or read as something else.
    #[error("The target holds {0}, which a URL may not hold.")]
    Character(&'static str),
    /// Neither `https://` nor `http://`, in lower case.
    #[error("The target must begin with https:// (or http:// on a loopback host), in lower case.")]
    Scheme,
    /// http to a host that is not this computer.
    #[error("The target is plain http to {0}, which is not a loopback host. Use https.")]
    PlainHttp(String),
    /// `user:password@`.
    #[error("The target has a user name or password before its host, which can make one site look like another.")]
    Userinfo,
    /// Nothing where the host should be, or an empty label in it.
    #[error("The target has no host, or an empty part in its host name.")]
    EmptyHost,
    /// A host that is spelled in another way than browsers show it.
    #[error("The target's host is written as {reads}: {why}.")]
    Host {
        /// As the text has it.
        reads: String,
        /// What is wrong, and how it should be written where that is known.
        why: String,
    },
    /// Not 1 to 65535 without leading zeros.
    #[error("The target's port is written as {reads:?}: {why}.")]
    Port {
        /// As the text has it.
        reads: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A path that browsers change.
    #[error("A browser would go to {goes_to} instead of where the target points. Use that.")]
    Path {
        /// What the browser makes of it.
        goes_to: String,
    },
    /// A parameter of the answer is there before it was given: a site that reads the first one would take somebody else's credentials.
    #[error("The target carries `{0}` already, which is for the answer. Leave it out.")]
    Answered(&'static str),
    /// Anything else that no browser goes to.
    #[error("The target is not a URL: {0}.")]
    NotUrl(String),
}

impl TargetError {
    /// The sentence about a URL that is called something else, such as `redirect URI`.
    pub(crate) fn about(&self, what: &str) -> String {
        // INVARIANT: each sentence calls it by one of these, before anything that somebody has sent.
        let sentence = self.to_string();
        match sentence.strip_prefix("The target") {
            Some(rest) => format!("The {what}{rest}"),
            None => sentence.replacen("the target points", &format!("the {what} points"), 1),
        }
    }
}

impl Target {
    /// Reads a target, exactly. Errors say what to write instead where that is known.
    pub fn parse(text: &str) -> Result<Target, TargetError> {
        if text.len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        refuse_characters(text)?;
        let (scheme, rest) = split_scheme(text)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(TargetError::Userinfo);
        }
        let (host, port) = authority::cut(authority);
        let port = port.map(read_port).transpose()?.filter(|port| *port != scheme.own_port());
        refuse_spellings(host)?;
        let url = Url::parse(text).map_err(|error| TargetError::NotUrl(error.to_string()))?;
        compare(&url, scheme, host, port, tail)?;
        refuse_answer(&url)?;
        // Characters that browsers percent-encode make it longer than it was.
        if url.as_str().len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        let loopback = authority::is_loopback(host);
        if scheme == Scheme::Http && !loopback {
            return Err(TargetError::PlainHttp(host.to_owned()));
        }
        let is_domain = matches!(url.host(), Some(url::Host::Domain(_)));
        Ok(Target {
            href: url.as_str().to_owned(),
            scheme,
            host: host.to_owned(),
            unicode_host: unicode(host),
            registrable: (is_domain && !loopback).then(|| psl::domain_str(host).map(str::to_owned)).flatten(),
            port,
            loopback,
        })
    }

    /// What stands for the devices with this application, which come for what they get: `device://<id>`.
    pub(crate) fn of_device(application: &str) -> Target {
        Target {
            href: format!("{DEVICE}{application}"),
            scheme: Scheme::Device,
            host: application.to_owned(),
            unicode_host: None,
            registrable: None,
            port: None,
            loopback: false,
        }
    }

    /// The whole URL as browsers write it: that of the text, without the scheme's own port, with `/` for an empty path, and percent-encoded where
    /// it was not.
    pub fn href(&self) -> &str {
        &self.href
    }

    /// `https://notes.example.com` or `http://localhost:8080`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.host_and_port())
    }

    /// `https`, `http`, or `device` for a device, which no browser goes to.
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// As browsers send it: ASCII, lower case, internationalised names as punycode, IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host, with `:port` where it is not the scheme's own.
    pub fn host_and_port(&self) -> String {
        match self.port {
            None => self.host.clone(),
            Some(port) => format!("{}:{port}", self.host),
        }
    }

    /// What the host's punycode stands for, where it has some. To be shown beside the host, never instead of it.
    pub fn unicode_host(&self) -> Option<&str> {
        self.unicode_host.as_deref()
    }

    /// The part of the host that somebody has registered, such as `example.com`; always a suffix of [`Target::host`]. `None` for
    /// addresses, loopback names, and names that are public suffixes themselves.
    pub fn registrable_domain(&self) -> Option<&str> {
        self.registrable.as_deref()
    }

    /// The port that browsers connect to.
    pub(crate) fn effective_port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.own_port())
    }

    /// The port, where it is not the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is `http` on this computer.
    pub(crate) fn is_plain_loopback(&self) -> bool {
        self.loopback && self.scheme == Scheme::Http
    }

    /// What comes behind host and port.
    pub(crate) fn path_on(&self) -> &str {
        self.href.strip_prefix(self.origin().as_str()).unwrap_or(&self.href)
    }

    /// The names of the parameters of its query, decoded.
    pub(crate) fn query_names(&self) -> impl Iterator<Item = String> {
        let query = self.href.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned())
    }

    /// Whether the host is this computer: `localhost`, names under it, 127.0.0.0/8, `[::1]`.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.href)
    }
}

/// Browsers drop tabs and line ends anywhere and blanks at the ends, and read a backslash as a slash.
fn refuse_characters(text: &str) -> Result<(), TargetError> {
    for c in text.chars() {
        if c == '\\' {
            return Err(TargetError::Character("a backslash"));
        }
        if c.is_control() {
            return Err(TargetError::Character("a control character"));
        }
        if c.is_whitespace() {
            return Err(TargetError::Character("white space"));
        }
    }
    Ok(())
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), TargetError> {
    if let Some(rest) = text.strip_prefix("https://") {
        return Ok((Scheme::Https, rest));
    }
    text.strip_prefix("http://").map(|rest| (Scheme::Http, rest)).ok_or(TargetError::Scheme)
}

fn read_port(text: &str) -> Result<u16, TargetError> {
    let refuse = |why| Err(TargetError::Port { reads: text.to_owned(), why });
    if text.is_empty() {
        return refuse("leave the colon out when there is no port");
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("a port is a decimal number");
    }
    if text.starts_with('0') {
        return refuse("a port is 1 to 65535, without leading zeros");
    }
    text.parse::<u16>().or_else(|_| refuse("a port is 1 to 65535"))
}

/// Spellings for which there is a better reason than "a browser goes elsewhere".
fn refuse_spellings(host: &str) -> Result<(), TargetError> {
    let refuse = |why: String| Err(TargetError::Host { reads: host.to_owned(), why });
    if host.is_empty() {
        return Err(TargetError::EmptyHost);
    }
    if host.starts_with('[') {
        if host.contains('%') {
            return refuse("an IPv6 zone means something on one computer only".to_owned());
        }
        return Ok(());
    }
    if host.contains('%') {
        return refuse("a host may not be percent-encoded".to_owned());
    }
    if !host.is_ascii() {
        let ascii = url::quirks::domain_to_ascii(host);
        return if ascii.is_empty() {
            refuse("it is no valid internationalised name".to_owned())
        } else {
            refuse(format!("write it as browsers send it, {ascii}"))
        };
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return refuse(format!("write it in lower case, {}", host.to_ascii_lowercase()));
    }
    if host.ends_with('.') {
        return refuse("leave the dot at the end out".to_owned());
    }
    if host.split('.').any(str::is_empty) {
        return Err(TargetError::EmptyHost);
    }
    if host.len() > 253 || host.split('.').any(|label| label.len() > 63) {
        return refuse("it is longer than a host name can be".to_owned());
    }
    Ok(())
}

/// INVARIANT: after this, scheme, host and port of the parsed URL are those of the text, letter by letter. The rest differs in percent-encoding and in the
/// slash of an empty path at most.
fn compare(url: &Url, scheme: Scheme, host: &str, port: Option<u16>, tail: &str) -> Result<(), TargetError> {
    let goes_to = url.host_str().unwrap_or_default();
    if goes_to != host {
        return Err(TargetError::Host { reads: host.to_owned(), why: format!("a browser reads it as {goes_to}") });
    }
    // Browsers go to such hosts, and no name server has them.
    let odd = host.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_'));
    if let (Some(url::Host::Domain(_)), Some(odd)) = (url.host(), odd) {
        return Err(TargetError::Host { reads: host.to_owned(), why: format!("a host name has no `{odd}`") });
    }
    if url.scheme() != scheme.as_str() || url.port() != port || !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::NotUrl("it parses to something else than it reads".to_owned()));
    }
    let written = url.as_str().get(url_authority_end(url)..).unwrap_or("");
    let with_slash = if tail.starts_with('/') { tail.to_owned() } else { format!("/{tail}") };
    // A lone `%` and `%41` for `A` stay as they are; a browser only ever encodes more. Dot segments, encoded or not, it removes.
    let same_tail = percent_decode_str(written).eq(percent_decode_str(&with_slash));
    if !same_tail {
        return Err(TargetError::Path { goes_to: url.as_str().to_owned() });
    }
    Ok(())
}

fn refuse_answer(url: &Url) -> Result<(), TargetError> {
    let fragment = url.fragment().unwrap_or_default().split('?');
    carried(url.query().into_iter().chain(fragment)).map_or(Ok(()), |name| Err(TargetError::Answered(name)))
}

/// The parameter of the answer that one of these query strings carries already, percent-encoded or not. Whatever reads the answer may take
/// the first parameter of a name, in the query or in the fragment, where hash routers have a query of their own.
pub(crate) fn carried<'a>(queries: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let mut names = queries.into_iter().flat_map(|query| url::form_urlencoded::parse(query.as_bytes())).map(|(name, _)| name);
    names.find_map(|name| ANSWER.into_iter().find(|taken| *taken == name))
}

fn url_authority_end(url: &Url) -> usize {
    url[..url::Position::BeforePath].len()
}

/// The name in its own script, where the ASCII form of that is the host again.
fn unicode(host: &str) -> Option<String> {
    if !host.split('.').any(|label| label.starts_with("xn--")) {
        return None;
    }
    let unicode = url::quirks::domain_to_unicode(host);
    (unicode != host && url::quirks::domain_to_ascii(&unicode) == host).then_some(unicode)
}
