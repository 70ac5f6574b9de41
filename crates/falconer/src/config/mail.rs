//! `[mail]`: where mails go. What can be said without asking the server is an error of reading the file, so that it names the line.

use std::path::PathBuf;

use falconer_login::mail::{MailLogin, MailSettings};
use falconer_store::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::SecretText;

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Section {
    url: String,
    user: Option<String>,
    password: Option<SecretText>,
    password_file: Option<PathBuf>,
    from: String,
    ca_file: Option<PathBuf>,
}

/// A section that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// `smtp://` or `smtps://`.
    pub url: String,
    /// Who sends.
    pub user: Option<String>,
    /// The password; or `password_file`.
    pub password: Option<SecretText>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// The sender.
    pub from: String,
    /// A file of certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl<'de> Deserialize<'de> for Mail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Section { url, user, password, password_file, from, ca_file } = Section::deserialize(deserializer)?;
        let mail = Mail { url, user, password, password_file, from, ca_file };
        mail.check().map_err(|why| D::Error::custom(format!("mail: {why}")))?;
        Ok(mail)
    }
}

impl Mail {
    fn check(&self) -> Result<(), String> {
        if self.password.is_some() && self.password_file.is_some() {
            return Err("give either password or password_file".to_owned());
        }
        let is_in_a_file = self.password_file.as_ref().map(|_| Secret::new("in a file"));
        let password = self.password.as_ref().map(|password| Secret::new(password.expose())).or(is_in_a_file);
        match (&self.user, &password) {
            (Some(_), None) => return Err("user: write password or password_file too".to_owned()),
            (None, Some(_)) => return Err("password: write user too".to_owned()),
            _ => {}
        }
        self.settings(password, None).check().map_err(|error| error.to_string())
    }

    /// The settings, with what lies in files from there.
    pub fn settings(&self, password: Option<Secret>, ca_pem: Option<Vec<u8>>) -> MailSettings {
        let login = self.user.clone().zip(password).map(|(user, password)| MailLogin { user, password });
        MailSettings { url: self.url.clone(), login, from: self.from.clone(), ca_pem }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(Some(file.path()), std::iter::empty()).map_err(|error| format!("{error:#}"))
    }

    const FINE: &str = "[mail]\nurl = 'smtp://mail.example.com'\nfrom = 'Falconer <falconer@example.com>'\n";

    #[test]
    fn a_section_is_read_and_never_shown() {
        let config = read(&format!("{FINE}user = 'falconer'\npassword = 'canary'\n")).unwrap();
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        let mail = config.mail.unwrap();
        let password = mail.password.as_ref().map(|password| falconer_store::Secret::new(password.expose()));
        assert_eq!(mail.settings(password, None).login.unwrap().password.expose(), "canary");
        assert!(read(FINE).unwrap().mail.unwrap().settings(None, None).login.is_none());
        assert!(read("").unwrap().mail.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (line, said) in [
            ("user = 'a'", "write password or password_file too"),
            ("password = 'a'", "write user too"),
            ("user = 'a'\npassword = 'a'\npassword_file = 'b'", "give either password or password_file"),
            ("user = 'a'\npassword = ''", "password: it is empty"),
            ("user = ''\npassword = 'a'", "user: it is empty"),
            ("starttls = false", "starttls"),
            ("tls = 'none'", "tls"),
        ] {
            let error = read(&format!("{FINE}{line}\n")).unwrap_err();
            assert!(error.contains(said) && error.contains("line "), "{line}: {error}");
        }
        for (from, to, said) in [
            ("smtp://", "http://", "is no address of a mail server"),
            ("smtp://", "smtp://me:secret@", "not into the URL"),
            ("Falconer <falconer@example.com>", "nobody", "is no sender"),
            ("url = ", "uri = ", "uri"),
        ] {
            let error = read(&FINE.replace(from, to)).unwrap_err();
            assert!(error.contains(said) && error.contains("line ") && !error.contains("secret@m"), "{to}: {error}");
        }
    }
}
