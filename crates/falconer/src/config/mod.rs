//! The configuration: `falconer.toml` (or `--config`), then `FALCONER_...` of the environment, then flags; the later wins.
//!
//! `FALCONER_GRANT__MAX_TTL` sets `grant.max_ttl`; a value is read as TOML where it is TOML, else as text. For any setting, the name with
//! `_FILE` at its end names a file that holds the value. Unknown keys of the file are refused with file and line. `settings.rs` has the
//! shape, `reading/` reads it, `check.rs` refuses what could not work,
//! `differences.rs` tells two configurations apart.

mod application;
mod check;
mod differences;
mod mail;
mod offline_service;
mod provider;
mod reading;
mod scope;
mod secret_text;
mod settings;

pub use application::Application;
pub use check::address;
pub use mail::Mail;
pub use offline_service::OfflineService;
pub use provider::{EmailCodeSection, GithubSection, HttpDirectorySection, LdapSection, OidcSection, Provider, ScimSection, check_token};
pub use scope::Scope;
pub use secret_text::SecretText;
pub use settings::{Audit, Config, Grant, Log, LogFormat, RegisteredTarget, StaticClient, Tracing, WholeLists};

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, "listen = '127.0.0.1:9000'\n[grant]\nmax_ttl = '3 days'\n").unwrap();
        let config =
            Config::read(Some(&file), environment(&[("FALCONER_GRANT__MAX_TTL", "1 day"), ("FALCONER_GRANT__REGISTERED_ONLY", "true")]))
                .unwrap();
        assert_eq!(config.listen, "127.0.0.1:9000");
        assert_eq!(config.grant.max_ttl, "1 day");
        assert!(config.grant.registered_only);
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, "listen = '127.0.0.1:9000'\nlissten = 'x'\n").unwrap();
        let error = format!("{:#}", Config::read(Some(&file), environment(&[])).unwrap_err());
        assert!(error.contains("falconer.toml") && error.contains("line 2") && error.ends_with("did you mean `listen`?"), "{error}");
    }

    /// The reader of TOML shows the whole line.
    #[test]
    fn what_is_wrong_is_told_without_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        let application =
            "[[application]]\nid = 'reports'\nname = 'Reports'\nredirect_uris = ['https://reports.example.com/']\nscopes = ['a']\n";
        for (line, said) in [
            ("secret = 'squirrel'", "unknown field `secret`"),
            ("secret_sha256 = \"squirrel", "line 6"),
            ("secret_sha256 = squirrel", "line 6"),
            ("'squirrel='", "line 6"),
        ] {
            std::fs::write(&file, format!("{application}{line}\n")).unwrap();
            let error = format!("{:#}", Config::read(Some(&file), environment(&[])).unwrap_err());
            assert!(error.contains(said) && error.contains("falconer.toml") && !error.contains("squirrel"), "{line}: {error}");
        }
    }

    #[test]
    fn a_setting_may_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("url");
        std::fs::write(&secret, "https://auth.example.com\n").unwrap();
        let config = Config::read(None, environment(&[("FALCONER_ROOT_URL_FILE", secret.to_str().unwrap())])).unwrap();
        assert_eq!(config.root_url.as_deref(), Some("https://auth.example.com"));
    }

    #[test]
    fn a_mistyped_variable_is_an_error() {
        let error = Config::read(None, environment(&[("FALCONER_LISTN", "x")])).unwrap_err().to_string();
        assert!(error.contains("FALCONER_LISTN") && error.ends_with("did you mean FALCONER_LISTEN?"), "{error}");
        let error = Config::read(None, environment(&[("FALCONER_GRANT_MAX_TTL", "x")])).unwrap_err().to_string();
        assert!(error.ends_with("did you mean FALCONER_GRANT__MAX_TTL?"), "{error}");
        let error = Config::read(None, environment(&[("FALCONER_TLS", "x")])).unwrap_err().to_string();
        assert!(error.contains("known are listen, "), "{error}");
    }

    /// The variable was passed over without a word, and another configuration counted.
    #[test]
    fn the_environment_may_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("named.toml");
        std::fs::write(&file, "listen = '127.0.0.1:9000'\n").unwrap();
        let variables = [("FALCONER_CONFIG", file.to_str().unwrap())];
        assert_eq!(Config::read(None, environment(&variables)).unwrap().listen, "127.0.0.1:9000");
        let nowhere = [("FALCONER_CONFIG", "/nowhere/falconer.toml")];
        assert!(Config::read(None, environment(&nowhere)).unwrap_err().to_string().contains("/nowhere/falconer.toml"));
        assert_eq!(Config::read(Some(&file), environment(&nowhere)).unwrap().listen, "127.0.0.1:9000");
    }

    /// Kubernetes sets these for a Service named `falconer` or `falconer-metrics`; each of them once stopped every command.
    #[test]
    fn what_kubernetes_sets_is_no_setting() {
        let set_by_kubernetes = [
            ("FALCONER_SERVICE_HOST", "10.96.0.17"),
            ("FALCONER_SERVICE_PORT", "8080"),
            ("FALCONER_SERVICE_PORT_HTTP", "8080"),
            ("FALCONER_SERVICE_PORT_HTTP_2", "8080"),
            ("FALCONER_PORT", "tcp://10.96.0.17:8080"),
            ("FALCONER_PORT_8080_TCP", "tcp://10.96.0.17:8080"),
            ("FALCONER_PORT_8080_TCP_PROTO", "tcp"),
            ("FALCONER_PORT_8080_TCP_PORT", "8080"),
            ("FALCONER_PORT_8080_TCP_ADDR", "10.96.0.17"),
            ("FALCONER_PORT_8080_UDP_ADDR", "fd00::17"),
            ("FALCONER_METRICS_SERVICE_HOST", "fd00::17"),
            ("FALCONER_METRICS_SERVICE_PORT_HTTP", "9090"),
            ("FALCONER_METRICS_PORT", "tcp://[fd00::17]:9090"),
            ("FALCONER_METRICS_PORT_9090_TCP_ADDR", "10.96.0.17"),
        ];
        let config = Config::read(None, environment(&set_by_kubernetes)).unwrap();
        assert_eq!(config.listen, Config::default().listen);
        for (name, value) in [
            ("FALCONER_PORT", "8080"),
            ("FALCONER_PORT", "http://10.96.0.17:8080"),
            ("FALCONER_SERVICE_HOST", "auth.example.com"),
            ("FALCONER_SERVICE_HOSTS", "10.96.0.17"),
            ("FALCONER_SERVICE_PORT", "http"),
            ("FALCONER_SERVICE_PORT_", "8080"),
            ("FALCONER_SERVICES_PORTS", "8080"),
            ("FALCONER_PORT_8080", "tcp://10.96.0.17:8080"),
            ("FALCONER_PORT_HTTP_TCP", "tcp://10.96.0.17:8080"),
            ("FALCONER_PORT_8080_QUIC", "tcp://10.96.0.17:8080"),
            ("FALCONER_PORT_8080_TCP_NAME", "10.96.0.17"),
            ("FALCONER_PORT_8080_TCP_ADDR_X", "10.96.0.17"),
            ("FALCONER_EXPORT", "tcp://10.96.0.17:8080"),
            ("FALCONER_METRICS_PORT", "9090"),
        ] {
            let error = Config::read(None, environment(&[(name, value)])).unwrap_err().to_string();
            assert!(error.contains(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn what_would_let_nobody_in_is_named() {
        let config = |text: &str| toml::from_str::<Config>(text).unwrap().check().map_err(|error| format!("{error:#}"));
        assert_eq!(config("listen = '[::1]:0'\nroot_url = 'https://auth.example.com'\ntrusted_proxies = ['10.0.0.0/8']"), Ok(()));
        for (text, named) in [
            ("listen = '8080'", "listen: `8080`"),
            ("listen = '127.0.0.1:99999'", "listen: `127.0.0.1:99999`"),
            ("root_url = 'http://auth.example.com'", "root_url"),
            ("trusted_proxies = ['proxy']", "trusted_proxies: `proxy`"),
            ("[limits]\nrequest_seconds = 0", "limits.request_seconds"),
            ("[log]\nlevel = 'a=b=c'", "log.level"),
            ("[log]\nlevel = 'warning'", "log.level: `warning` is no level; write one of error, warn"),
            ("[log]\nlevel = 'falconer_auth=loud'", "log.level: `loud` is no level"),
            ("[audit]\nretention = 'a while'", "audit.retention"),
            ("[audit]\nretention = '1 hour'", "audit.retention"),
            ("[audit]\nretention = '-1 year'", "audit.retention"),
            ("websocktunnel_secret = 'short'", "websocktunnel_secret"),
            ("listen = '127.0.0.1:9000'\nmetrics_listen = '127.0.0.1:9000'", "metrics_listen"),
            ("data_dir = ''", "data_dir: it is empty"),
            ("database_url = 'mysql://db/falconer'", "database_url: it is no URL of PostgreSQL"),
            // This many MiB ended the process while it made room.
            ("cache_mib = 4000000000", "cache_mib"),
            // So many seconds ended each connection with a panic.
            ("[limits]\nidle_seconds = 9223372036854775807", "limits.idle_seconds"),
            ("[limits]\nunder_way_mib = 9007199254740993", "limits.under_way_mib"),
            ("root_url = 'https://auth.example.com:0'", "root_url"),
        ] {
            let error = config(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_comes_as_text_or_from_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "12345678901234567890\n").unwrap();
        for variable in
            [("FALCONER_WEBSOCKTUNNEL_SECRET_FILE", file.to_str().unwrap()), ("FALCONER_WEBSOCKTUNNEL_SECRET", "12345678901234567890")]
        {
            let config = Config::read(None, environment(&[variable])).unwrap();
            assert_eq!(config.websocktunnel_secret.as_ref().map(SecretText::expose), Some("12345678901234567890"));
            assert!(!format!("{config:?}").contains("1234567890"), "{config:?}");
            config.check().unwrap();
        }
    }

    #[test]
    fn the_audit_is_kept_for_ever_unless_told_otherwise() {
        assert_eq!(Config::default().audit.retention_ms().unwrap(), None);
        let config: Config = toml::from_str("[audit]\nretention = '30 days'").unwrap();
        assert_eq!(config.audit.retention_ms().unwrap(), Some(30 * 86_400_000));
    }

    #[test]
    fn key_file_is_a_setting_and_no_indirection() {
        let config = Config::read(None, environment(&[("FALCONER_KEY_FILE", "keys/here")])).unwrap();
        assert_eq!(config.key_file, Some(PathBuf::from("keys/here")));
    }
}
