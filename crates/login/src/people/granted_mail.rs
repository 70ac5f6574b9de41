//! Mails to whoever has granted something, so that somebody who sits at another's browser can't do it unseen, and to whoever is asked for more.

use zeroize::Zeroizing;

use crate::accounts::account::local_name;
use crate::login::Login;
use crate::mail::{Mail, MailAddress};
use crate::people::person::Person;

/// What was granted, for the mail.
#[derive(Clone, Copy, Debug)]
pub struct GrantedMail<'a> {
    /// What the mail calls this server: `auth.example.com`.
    pub server: &'a str,
    /// Where it can be revoked.
    pub page: &'a str,
    /// Scheme, host and port of the site; of a device, in words.
    pub site: &'a str,
    /// `5 March 2026, 17:05 UTC`
    pub ends: &'a str,
}

/// What is asked for, for the mail.
#[derive(Clone, Copy, Debug)]
pub struct RequestMail<'a> {
    /// What the mail calls this server: `auth.example.com`.
    pub server: &'a str,
    /// Where it is answered.
    pub page: &'a str,
    /// Scheme, host and port of the site; of a device, in words.
    pub site: &'a str,
}

impl Login {
    /// Mails a person that something was granted in their name, where there is a mail server and an address that is known to be theirs: one that a provider
    /// answers for, or the one of a local account. It goes out behind the answer.
    pub fn mail_about_grant(&self, person: &Person, granted: GrantedMail<'_>) {
        let Some(to) = own_address(&person.identity, person.email.as_deref(), person.email_verified) else { return };
        let Some(post) = &self.post else { return };
        post.send(granted_mail(self.draw::<16>(), to, granted, self.now_ms()));
    }

    /// Mails whoever this identity is of that somebody who has a grant of theirs asks for more, in the same way. What they say for a reason is on the page only.
    pub fn mail_about_request(&self, identity: &str, request: RequestMail<'_>) {
        let directory = self.auth.directory();
        let Some(known) = directory.identity(identity).map(|known| &known.record) else { return };
        let Some(to) = own_address(identity, known.email.as_deref(), known.email_verified) else { return };
        let Some(post) = &self.post else { return };
        post.send(request_mail(self.draw::<16>(), to, request, self.now_ms()));
    }
}

/// An address that is known to be that of whoever has this identity.
fn own_address(identity: &str, email: Option<&str>, is_verified: bool) -> Option<MailAddress> {
    let is_theirs = is_verified || local_name(identity).is_some();
    email.filter(|_| is_theirs).and_then(|email| MailAddress::parse(email).ok())
}

fn request_mail(id: String, to: MailAddress, request: RequestMail<'_>, at_ms: i64) -> Mail {
    let RequestMail { server, page, site } = request;
    let text = format!(
        "At {server} you let\n\n    {site}\n\nact for you. Whoever has that grant asks for more. Why, and for what, is on this page of yours, where you give it or refuse:\n\n{page}\n\n\
         Nothing more is given until you do. If you expect no such request, refuse it, and revoke the grant.\n"
    );
    Mail { id, to, subject: format!("You are asked for more access at {server}"), text: Zeroizing::new(text), at_ms }
}

fn granted_mail(id: String, to: MailAddress, granted: GrantedMail<'_>, at_ms: i64) -> Mail {
    let GrantedMail { server, page, site, ends } = granted;
    let text = format!(
        "At {server} you have let\n\n    {site}\n\nact for you, until {ends}.\n\nWhat it was given, and a button that takes it back at once, is on your page:\n\n{page}\n\n\
         If it was not you who did that, revoke it there, and change your password.\n"
    );
    Mail { id, to, subject: format!("You granted access at {server}"), text: Zeroizing::new(text), at_ms }
}
