//! A mail to whoever has granted something: somebody who sits at another's browser can't do it unseen.

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
    /// Scheme, host and port of the site.
    pub site: &'a str,
    /// `5 March 2026, 17:05 UTC`
    pub ends: &'a str,
}

impl Login {
    /// Mails a person that something was granted in their name, where there is a mail server and an address that is known to be theirs: one that a provider
    /// answers for, or the one of a local account. It goes out behind the answer.
    pub fn mail_about_grant(&self, person: &Person, granted: GrantedMail<'_>) {
        let Some(post) = &self.post else { return };
        let is_theirs = person.email_verified || local_name(&person.identity).is_some();
        let Some(to) = person.email.as_deref().filter(|_| is_theirs).and_then(|email| MailAddress::parse(email).ok()) else { return };
        post.send(granted_mail(self.draw::<16>(), to, granted, self.now_ms()));
    }
}

fn granted_mail(id: String, to: MailAddress, granted: GrantedMail<'_>, at_ms: i64) -> Mail {
    let GrantedMail { server, page, site, ends } = granted;
    let text = format!(
        "At {server} you have let\n\n    {site}\n\nact for you, until {ends}.\n\nWhat it was given, and a button that takes it back at once, is on your page:\n\n{page}\n\n\
         If it was not you who did that, revoke it there, and change your password.\n"
    );
    Mail { id, to, subject: format!("You granted access at {server}"), text: Zeroizing::new(text), at_ms }
}
