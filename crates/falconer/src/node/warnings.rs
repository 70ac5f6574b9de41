//! What an operator should look at, although Falconer starts with it.

use falconer_grants::Target;
use falconer_web::Network;

use super::data_dir::readable_by_others;
use crate::config::Config;

/// All of them, as sentences.
pub fn warnings(config: &Config, root_url: &str) -> Vec<String> {
    [readable_by_others(config), targets_on_our_host(config, root_url), wide_proxies(config)].concat()
}

/// Whoever is a trusted proxy says from which address and over which scheme and port a request came.
fn wide_proxies(config: &Config) -> Vec<String> {
    let wide = config.trusted_proxies.iter().filter(|text| text.parse().is_ok_and(|network: Network| network.is_wide()));
    let warning = |text: &String| {
        format!(
            "trusted_proxies: {text} holds much of the internet. Whoever connects from there chooses the address that limits count them by, and the scheme \
             and port that a request counts as sent to. Name the addresses of your proxies"
        )
    };
    wide.map(warning).collect()
}

/// Warnings about registered targets and applications on the host of the root URL: cookies know hosts and ignore ports, so every service there is sent the session's.
fn targets_on_our_host(config: &Config, root_url: &str) -> Vec<String> {
    let Ok(ours) = Target::parse(root_url) else { return Vec::new() };
    let targets = config.target.iter().flat_map(|target| target.targets.iter().map(|text| ("target", &target.name, text)));
    let redirects = config.application.iter().flat_map(|known| known.redirect_uris.iter().map(|text| ("application", &known.name, text)));
    let targets = targets.chain(redirects);
    let shared = targets.filter(|(_, _, text)| Target::parse(text).is_ok_and(|target| target.host() == ours.host()));
    let warning = |(table, name, text): (&str, &String, &String)| {
        format!(
            "[[{table}]] {name}: {text} is on the host of root_url. Browsers send cookies to every port of a host, so whoever runs that service is sent \
             the session of each person who visits it. Give Falconer a host name of its own"
        )
    };
    shared.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RegisteredTarget;

    /// `0.0.0.0/0` was taken without a word.
    #[test]
    fn proxies_everywhere_are_named() {
        let of = |text: &str| wide_proxies(&Config { trusted_proxies: vec![text.to_owned()], ..Config::default() });
        for wide in ["0.0.0.0/0", "::/0", "128.0.0.0/1", "64.0.0.0/7", "2000::/3", "::ffff:0:0/0"] {
            let warnings = of(wide);
            assert!(matches!(warnings.as_slice(), [text] if text.contains(wide)), "{wide}: {warnings:?}");
        }
        for fine in ["10.0.0.0/8", "172.16.0.0/12", "127.0.0.1", "::1", "fc00::/7", "fe80::/10", "2001:db8::/32", "no network"] {
            assert!(of(fine).is_empty(), "{fine}");
        }
    }

    /// The session's cookie reached the services of `[[target]]`s on other ports of the same host, and nothing said so.
    #[test]
    fn services_on_our_host_are_named() {
        let targets =
            ["https://auth.example.com:8443/login", "https://notes.example.com/", "https://auth.example.com.evil.example/", "no URL"];
        let target = RegisteredTarget { name: "Notes".to_owned(), targets: targets.map(str::to_owned).to_vec() };
        let config = Config { target: vec![target], ..Config::default() };
        let warnings = targets_on_our_host(&config, "https://auth.example.com");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings
                .iter()
                .all(|text| text.starts_with("[[target]] Notes: https://auth.example.com:8443/login is on the host of root_url"))
        );
        assert!(targets_on_our_host(&config, "https://falconer.example.com").is_empty());
    }
}
