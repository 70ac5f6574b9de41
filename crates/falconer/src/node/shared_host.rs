//! Sites that browsers give Falconer's cookies to.

use falconer_grants::Target;

use crate::config::Config;

/// Warnings about registered targets on the host of the root URL: cookies know hosts and ignore ports, so every service there is sent the session's.
pub fn targets_on_our_host(config: &Config, root_url: &str) -> Vec<String> {
    let Ok(ours) = Target::parse(root_url) else { return Vec::new() };
    let targets = config.target.iter().flat_map(|target| target.targets.iter().map(|text| (&target.name, text)));
    let shared = targets.filter(|(_, text)| Target::parse(text).is_ok_and(|target| target.host() == ours.host()));
    let warning = |(name, text): (&String, &String)| {
        format!(
            "[[target]] {name}: {text} is on the host of root_url. Browsers send cookies to every port of a host, so whoever runs that service is sent \
             the session of each person who visits it. Give Falconer a host name of its own"
        )
    };
    shared.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RegisteredTarget;

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
