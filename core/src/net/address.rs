//! Where requests go: below the server's URL and nowhere else, whatever path is asked for.

use url::Url;

use crate::{config::SyncConfig, error::Result};

/// The server's URL. Made only of what [`SyncConfig::server`] lets pass.
#[derive(Clone)]
pub(super) struct Address {
    base: Url,
}

impl Address {
    pub(super) fn of(config: &SyncConfig) -> Result<Self> {
        let mut base = config.server()?;
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base })
    }

    /// Whether the server is spoken to without encryption, as only one on this device may be.
    pub(super) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// The URL of `path`, with its query. Nothing if it would lead away from the server or out of its folder.
    pub(super) fn join(&self, path: &str) -> Option<Url> {
        let below = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{below}{path}")).ok()?;
        let stays = url.as_str().starts_with(&format!("{below}/")) && url.fragment().is_none();
        stays.then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str) -> Option<String> {
        let address = Address::of(&SyncConfig::new(base)).expect("a server");
        address.join(path).map(Into::into)
    }

    #[test]
    fn below_the_server_s_url() {
        for (base, path, url) in [
            ("https://a.example", "/ws", "https://a.example/ws"),
            ("https://a.example/", "/ws", "https://a.example/ws"),
            ("https://a.example/v1//", "/api/sync", "https://a.example/v1/api/sync"),
            ("https://A.example:443/v1", "/c?topics=9f80&live=1", "https://a.example/v1/c?topics=9f80&live=1"),
        ] {
            assert_eq!(joined(base, path).as_deref(), Some(url));
        }
    }

    #[test]
    fn and_nowhere_else() {
        for path in
            ["", "ws", "@evil.example/", ".evil.example/", ":1/", "/../v2", "/a/../../v2", "/%2e%2e/x", "/a#b", "#"]
        {
            assert_eq!(joined("https://a.example/v1", path), None, "{path}");
        }
        assert_eq!(joined("https://a.example", "//evil.example/").as_deref(), Some("https://a.example//evil.example/"));
    }
}
