//! In which settings two configurations differ.

use super::Config;

/// The names of the fields that are not the same. A field that is left out here does not compile.
macro_rules! differing {
    ($one:expr, $other:expr, $($name:ident),+ $(,)?) => {{
        let Config { $($name),+ } = $one;
        let mut names = Vec::new();
        $(if *$name != $other.$name { names.push(stringify!($name)); })+
        names
    }};
}

impl Config {
    /// The settings and tables, by their names in the file.
    pub fn differences(&self, other: &Config) -> Vec<&'static str> {
        differing!(
            self,
            other,
            listen,
            metrics_listen,
            root_url,
            data_dir,
            database_url,
            notify_url,
            max_staleness,
            key_file,
            trusted_proxies,
            hawk_origins,
            websocktunnel_secret,
            audit,
            cache_mib,
            services,
            client,
            identity,
            session,
            grant,
            mail,
            provider,
            target,
            application,
            scope,
            offline_service,
            static_client,
            limits,
            log,
            tracing,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_also_where_it_is_secret() {
        let of = |text: &str| toml::from_str::<Config>(text).unwrap();
        let before = of("websocktunnel_secret = 'one secret of these'");
        assert_eq!(before.differences(&before.clone()), Vec::<&str>::new());
        let after = of("websocktunnel_secret = 'one secret of those'\n[[target]]\nname = 'Notes'\ntargets = ['https://notes.example.com']");
        assert_eq!(before.differences(&after), ["websocktunnel_secret", "target"]);
    }
}
