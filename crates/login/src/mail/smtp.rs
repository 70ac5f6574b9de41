//! SMTP, through a library: one connection a mail, and a limit on how long all of it takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::address::MailAddress;
use super::connection::UnreadAhead;
use super::error::MailError;
use super::message::Mail;
use super::post::Mailer;
use super::settings::{Checked, MailLogin, MailSettings, MailSettingsError};
use crate::tls::{TlsFault, TlsProblem};

/// Seconds that all of it may take, from the name of the server to the end of the mail.
const SECONDS: u64 = 30;
/// What is tried, the first that the server offers. Both are the password itself: TLS is what protects it.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A mail server that is spoken to over SMTP.
pub struct SmtpMailer {
    checked: Checked,
    login: Option<MailLogin>,
    tls: TlsParameters,
    hello: ClientId,
    limit: Duration,
}

/// What a connection has come to before anything is sent.
struct Ready {
    connection: AsyncSmtpConnection,
    found: Vec<(&'static str, String)>,
}

impl SmtpMailer {
    /// Checks the settings. Nobody is asked yet.
    pub fn new(settings: &MailSettings) -> Result<SmtpMailer, MailSettingsError> {
        let mut checked = settings.read()?;
        let mut tls = TlsParameters::builder(checked.host.clone());
        for certificate in checked.certificates.drain(..) {
            tls = tls.add_root_certificate(certificate);
        }
        let tls = tls.build_rustls().map_err(|_| MailSettingsError::Certificate)?;
        // RFC 5321, 4.1.4: servers look at it, and refuse what is no name.
        let hello = ClientId::Domain(checked.from.domain().to_owned());
        Ok(SmtpMailer { checked, login: settings.login.clone(), tls, hello, limit: Duration::from_secs(SECONDS) })
    }

    /// The same with another limit than 30 s.
    #[must_use]
    pub fn within(self, limit: Duration) -> SmtpMailer {
        SmtpMailer { limit, ..self }
    }

    async fn limited<T>(&self, doing: impl Future<Output = Result<T, MailError>>) -> Result<T, MailError> {
        tokio::time::timeout(self.limit, doing).await.unwrap_or_else(|_| Err(MailError::TooSlow(self.limit.as_secs())))
    }

    /// Connects, makes sure of TLS, and says who sends.
    async fn ready(&self) -> Result<Ready, MailError> {
        let Checked { host, port, tls_first, tls_required, .. } = &self.checked;
        let connected = if *tls_first {
            let tls = Some(self.tls.clone());
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(self.limit), &self.hello, tls, None).await
        } else {
            let stream = UnreadAhead::to(host, *port).await.map_err(|error| MailError::Unreachable(error.to_string()))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await
        };
        let mut connection = connected.map_err(|error| mail_error("the greeting", &error))?;
        let mut found = vec![("server", format!("{host}:{port} answers"))];
        if *tls_first {
            found.push(("TLS", "from the beginning".to_owned()));
        } else if connection.can_starttls() {
            connection.starttls(self.tls.clone(), &self.hello).await.map_err(|error| mail_error("STARTTLS", &error))?;
            found.push(("TLS", "by STARTTLS".to_owned()));
        } else if *tls_required {
            return Err(MailError::NoTls);
        } else {
            found.push(("TLS", "none, on this machine itself".to_owned()));
        }
        if let Some(login) = &self.login {
            if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
                return Err(MailError::NoAuth);
            }
            let credentials = Credentials::new(login.user.clone(), login.password.expose().to_owned());
            let taken = connection.auth(&MECHANISMS, &credentials).await;
            taken.map_err(|error| match error.status() {
                Some(code) => MailError::Refused(code.into()),
                None => mail_error("AUTH", &error),
            })?;
            found.push(("user", format!("{} is taken, with this password", login.user)));
        } else {
            found.push(("user", "none".to_owned()));
        }
        Ok(Ready { connection, found })
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let fault = |what: &'static str| move |_| MailError::Malformed(format!("the mail can't be written: {what}"));
        let from = Mailbox::new(self.checked.from_name.clone(), mailbox(&self.checked.from)?);
        let to = Mailbox::new(None, mailbox(&mail.to)?);
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at_ms).unwrap_or_default());
        Message::builder()
            .from(from)
            .to(to)
            .date(at)
            .message_id(Some(format!("<{}@{}>", mail.id, self.checked.from.domain())))
            .subject(mail.subject.clone())
            // RFC 3834: nobody's holiday answers it.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.as_str().to_owned())
            .map_err(fault("its headers"))
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let (offered, taken) = (AtomicBool::new(false), AtomicBool::new(false));
        let sent = self
            .limited(async {
                let Ready { mut connection, .. } = self.ready().await?;
                offered.store(true, Ordering::Relaxed);
                let sent = connection.send(message.envelope(), &message.formatted()).await;
                sent.map_err(|error| mail_error("the mail", &error))?;
                // It was taken: how the server says goodbye, or that it does not, changes nothing.
                taken.store(true, Ordering::Relaxed);
                let _ = connection.quit().await;
                Ok(())
            })
            .await;
        match sent {
            Err(_) if taken.into_inner() => Ok(()),
            Err(MailError::Status { .. }) | Ok(()) => sent,
            // Whether it came before the end of the mail or after is not known here.
            Err(error) if offered.into_inner() => Err(MailError::Unfinished(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn probe(&self) -> Result<Vec<(&'static str, String)>, MailError> {
        self.limited(async {
            let Ready { mut connection, mut found } = self.ready().await?;
            let _ = connection.quit().await;
            found.push(("mails come from", self.checked.from.as_str().to_owned()));
            Ok(found)
        })
        .await
    }
}

fn mailbox(address: &MailAddress) -> Result<lettre::Address, MailError> {
    lettre::Address::new(address.local(), address.domain()).map_err(|_| MailError::Malformed("an address can't be written".to_owned()))
}

/// What a server says in words may hold an address, or be anything: only its status is told.
fn mail_error(what: &'static str, error: &Error) -> MailError {
    if let Some(code) = error.status() {
        return MailError::Status { what, status: code.into() };
    }
    let why = std::error::Error::source(error).map_or_else(|| "no more is known".to_owned(), |source| source.to_string());
    let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
    // The library calls a certificate that does not hold a fault of the connection.
    let tls_fault = TlsFault::below(error).or_else(|| error.is_tls().then_some(TlsFault::Other));
    if error.is_timeout() {
        MailError::TooSlow(SECONDS)
    } else if let Some(fault) = tls_fault {
        MailError::Tls(TlsProblem { fault, text: why })
    } else if error.is_response() {
        // The reader's words quote what it read.
        MailError::Malformed("its answer can't be read".to_owned())
    } else if error.is_client() {
        MailError::Malformed(why)
    } else {
        MailError::Unreachable(why)
    }
}
