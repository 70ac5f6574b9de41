use std::path::Path;

use anyhow::{Result, bail};
use falconer_gateway::SigningProxy;
use tokio::net::TcpListener;

use crate::commands::server::serve::{bind, cannot_listen};
use crate::output::WrongUse;

/// Where the proxy listens.
pub enum Place {
    /// An address, with what it is called.
    Address(TcpListener, String),
    /// A socket of the file system.
    #[cfg(unix)]
    Socket(socket::Socket),
}

impl Place {
    /// Takes it. Refuses an address that other machines reach, unless `beyond_loopback`.
    pub async fn take(address: &str, socket: Option<&Path>, beyond_loopback: bool) -> Result<Place> {
        if let Some(path) = socket {
            #[cfg(unix)]
            return Ok(Place::Socket(socket::Socket::take(path)?));
            #[cfg(not(unix))]
            return Err(WrongUse(format!("there are no unix sockets here: leave --socket {} out", path.display())).into());
        }
        let refuse = || {
            WrongUse(format!(
                "other machines reach {address}, and whoever does can use the credentials: give --beyond-loopback if that is meant"
            ))
        };
        // Looked at before anything listens there, even for a moment.
        if !beyond_loopback {
            for found in tokio::net::lookup_host(address).await.map_err(|error| cannot_listen("--listen", &error, address))? {
                if !found.ip().is_loopback() {
                    return Err(refuse().into());
                }
            }
        }
        let listener = bind(address).await.map_err(|error| cannot_listen("--listen", &error, address))?;
        let at = listener.local_addr()?;
        if at.ip().is_loopback() {
            return Ok(Place::Address(listener, format!("http://{at}")));
        }
        if !beyond_loopback {
            return Err(refuse().into());
        }
        tracing::warn!(address = %at, "whoever reaches this address can use the credentials");
        Ok(Place::Address(listener, format!("http://{at}")))
    }

    /// What programs call it by.
    pub fn url(&self) -> String {
        match self {
            Place::Address(_, url) => url.clone(),
            #[cfg(unix)]
            Place::Socket(socket) => format!("unix:{}", socket.path().display()),
        }
    }

    /// Serves there until `shutdown`. `false`: something was cut off.
    pub async fn serve(self, proxy: SigningProxy, shutdown: impl Future<Output = ()>) -> bool {
        match self {
            Place::Address(listener, _) => proxy.serve(listener, shutdown).await,
            #[cfg(unix)]
            Place::Socket(socket) => socket.serve(proxy, shutdown).await,
        }
    }
}

#[cfg(unix)]
pub mod socket {
    //! A socket that is never open to others, not even while it is made.

    use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::path::PathBuf;

    use anyhow::Context as _;
    use tokio::net::UnixListener;

    use super::{Path, Result, SigningProxy, bail};

    /// A socket at a path. It is removed when it is dropped, if it is still the one that was made.
    pub struct Socket {
        listener: Option<UnixListener>,
        path: PathBuf,
        inode: u64,
    }

    impl Socket {
        /// Takes the place of a socket that nobody listens on any more, and of nothing else.
        pub fn take(path: &Path) -> Result<Socket> {
            if let Ok(there) = std::fs::symlink_metadata(path) {
                if !there.file_type().is_socket() {
                    bail!("can't listen on {}: there is something that is no socket", path.display());
                }
                if std::os::unix::net::UnixStream::connect(path).is_ok() {
                    bail!("can't listen on {}: something listens there already", path.display());
                }
            }
            let said = || format!("can't listen on {}", path.display());
            let name = path.file_name().context("it is no file").with_context(said)?;
            // Made in a folder that nobody else can enter, and moved when its mode is right.
            let mut folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            folder.push(format!(".falconer-{}", std::process::id()));
            std::fs::DirBuilder::new().mode(0o700).create(&folder).with_context(said)?;
            let socket = Self::make(&folder.join(name), path);
            let _ = std::fs::remove_dir_all(&folder);
            socket.with_context(said)
        }

        fn make(fresh: &Path, path: &Path) -> Result<Socket> {
            let listener = UnixListener::bind(fresh)?;
            std::fs::set_permissions(fresh, std::fs::Permissions::from_mode(0o600))?;
            std::fs::rename(fresh, path)?;
            let inode = std::fs::symlink_metadata(path)?.ino();
            Ok(Socket { listener: Some(listener), path: path.to_owned(), inode })
        }

        /// Where it is.
        pub fn path(&self) -> &Path {
            &self.path
        }

        /// Serves on it until `shutdown`.
        pub async fn serve(mut self, proxy: SigningProxy, shutdown: impl Future<Output = ()>) -> bool {
            match self.listener.take() {
                Some(listener) => proxy.serve_socket(listener, shutdown).await,
                None => true,
            }
        }
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            if std::fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }
}
