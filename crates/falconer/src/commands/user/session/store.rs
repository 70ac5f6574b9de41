//! The file of the sessions: in a folder that only its owner can enter, written whole, and changed by one command at a time.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::record::Session;

/// Names the folder, in place of the one in the person's own configuration.
const FOLDER: &str = "FALCONER_SESSIONS";
/// No file of sessions is larger.
const LARGEST_BYTES: u64 = 1024 * 1024;
/// How the file is written.
const VERSION: u32 = 1;

/// All sessions of a person on this machine.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    version: u32,
    /// The one that commands use where nothing says otherwise.
    #[serde(default)]
    pub current: Option<String>,
    /// By name.
    #[serde(default)]
    pub sessions: BTreeMap<String, Session>,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions { version: VERSION, current: None, sessions: BTreeMap::new() }
    }
}

impl Sessions {
    /// The session of this server: the current one, or the first by name.
    pub fn of_server(&self, root_url: &str) -> Option<(&String, &Session)> {
        let current = self.current().filter(|(_, session)| session.root_url == root_url);
        current.or_else(|| self.sessions.iter().find(|(_, session)| session.root_url == root_url))
    }

    /// The current one.
    pub fn current(&self) -> Option<(&String, &Session)> {
        self.sessions.get_key_value(self.current.as_ref()?)
    }

    /// Forgets one. Where it was the current one, none is: the next command says so rather than going to another server.
    pub fn remove(&mut self, name: &str) {
        self.sessions.remove(name);
        if self.current.as_deref() == Some(name) {
            self.current = None;
        }
    }
}

/// Where sessions are kept.
pub struct SessionStore {
    folder: PathBuf,
}

/// The file while no other command changes it.
pub struct Locked<'s> {
    store: &'s SessionStore,
    _lock: File,
    /// As they are, and as [`Locked::write`] writes them.
    pub sessions: Sessions,
}

impl SessionStore {
    /// `FALCONER_SESSIONS`, or `falconer/sessions` in the person's configuration. `None`: nothing says where that is.
    pub fn of_environment() -> Option<SessionStore> {
        SessionStore::of(|name| std::env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from))
    }

    fn of(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<SessionStore> {
        // The specification of these folders passes over relative ones.
        let absolute = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
        let configuration =
            || absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config"))).or_else(|| absolute("APPDATA"));
        let folder = variable(FOLDER).or_else(|| configuration().map(|folder| folder.join("falconer").join("sessions")))?;
        Some(SessionStore { folder })
    }

    /// All of them; none where there is no file yet.
    pub fn read(&self) -> Result<Sessions> {
        let file = self.file();
        let said = || format!("can't read the sessions {}", file.display());
        if !is_there(&self.folder).with_context(said)? {
            return Ok(Sessions::default());
        }
        check_private(&self.folder, Kind::Folder)?;
        if !is_there(&file).with_context(said)? {
            return Ok(Sessions::default());
        }
        check_private(&file, Kind::File)?;
        let text = Zeroizing::new(fs::read(&file).with_context(said)?);
        // What the reader says of a wrong file repeats what is in it.
        let sessions = serde_json::from_slice::<Sessions>(&text).ok().filter(|found| found.version == VERSION);
        sessions.with_context(|| format!("{} is not as this release writes it: move it away, and sign in again", file.display()))
    }

    /// Keeps all other commands from changing them until the answer is dropped.
    pub fn lock(&self) -> Result<Locked<'_>> {
        let said = || format!("can't use the folder of the sessions {}", self.folder.display());
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).with_context(said)?;
        check_private(&self.folder, Kind::Folder)?;
        let lock = private_file(&self.folder.join("lock"), false).with_context(said)?;
        lock.lock().with_context(said)?;
        Ok(Locked { store: self, _lock: lock, sessions: self.read()? })
    }

    /// Changes them in one step.
    pub fn change<T>(&self, change: impl FnOnce(&mut Sessions) -> Result<T>) -> Result<T> {
        let mut locked = self.lock()?;
        let outcome = change(&mut locked.sessions)?;
        locked.write()?;
        Ok(outcome)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("sessions.json")
    }
}

impl Locked<'_> {
    /// Either the whole file is written and on the disk, or the one of before stays.
    pub fn write(&self) -> Result<()> {
        let (file, fresh) = (self.store.file(), self.store.folder.join("sessions.json.new"));
        let text = Zeroizing::new(serde_json::to_vec_pretty(&self.sessions)?);
        // No later command would read it, nor any of the sessions that are there.
        if u64::try_from(text.len()).is_ok_and(|size| size > LARGEST_BYTES) {
            bail!("{} would be larger than any file of sessions: nothing was written, and the sessions of before stay", file.display());
        }
        let written = || -> std::io::Result<()> {
            // Whoever wrote it was stopped in between: the lock is ours.
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut out = private_file(&fresh, true)?;
            out.write_all(&text)?;
            out.sync_all()?;
            fs::rename(&fresh, &file)?;
            #[cfg(unix)]
            File::open(&self.store.folder)?.sync_all()?;
            Ok(())
        };
        written().with_context(|| format!("can't write the sessions {}", file.display()))
    }
}

fn is_there(path: &Path) -> std::io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Made for nobody else, from the first moment on.
fn private_file(path: &Path, new: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(new).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
}

/// Refuses what others could read or write, and what leads elsewhere.
fn check_private(path: &Path, kind: Kind) -> Result<()> {
    let found = fs::symlink_metadata(path).with_context(|| format!("can't look at {}", path.display()))?;
    let is_right = if kind == Kind::Folder { found.is_dir() } else { found.is_file() };
    if !is_right {
        bail!("{} is no {}: sessions are kept in nothing else", path.display(), if kind == Kind::Folder { "folder" } else { "file" });
    }
    if kind == Kind::File && found.len() > LARGEST_BYTES {
        bail!("{} is larger than any file of sessions: move it away, and sign in again", path.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        if found.uid() != rustix::process::geteuid().as_raw() {
            bail!("{} belongs to somebody else: sessions are read from one's own files only", path.display());
        }
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let private = if kind == Kind::Folder { 700 } else { 600 };
            bail!("others on this machine can open {} (mode {mode:o}): `chmod {private} {0}`", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(root_url: &str) -> Session {
        Session {
            root_url: root_url.to_owned(),
            client_id: "local/ann/x/1".to_owned(),
            access_token: "secret-of-the-session".to_owned(),
            certificate: String::new(),
            refresh_token: None,
            refresh_in_doubt: false,
            signed_in_ms: 1,
        }
    }

    fn store() -> (tempfile::TempDir, SessionStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SessionStore { folder: folder.path().join("deep").join("sessions") };
        (folder, store)
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let (_folder, store) = store();
        assert!(store.read().unwrap().sessions.is_empty() && !store.folder.exists(), "reading makes nothing");
        store
            .change(|sessions| {
                sessions.sessions.insert("a".to_owned(), session("https://a.example"));
                sessions.sessions.insert("b".to_owned(), session("https://b.example"));
                sessions.current = Some("b".to_owned());
                Ok(())
            })
            .unwrap();
        let read = store.read().unwrap();
        assert_eq!(read.current().unwrap().0, "b");
        assert_eq!(read.of_server("https://a.example").unwrap().0, "a");
        assert!(read.of_server("https://c.example").is_none());
        store
            .change(|sessions| {
                sessions.remove("b");
                Ok(())
            })
            .unwrap();
        let read = store.read().unwrap();
        assert!(read.current().is_none() && read.sessions.len() == 1, "no other server takes its place unasked");
    }

    #[test]
    fn a_change_that_fails_writes_nothing() {
        let (_folder, store) = store();
        let failed: Result<()> = store.change(|sessions| {
            sessions.sessions.insert("a".to_owned(), session("https://a.example"));
            bail!("no")
        });
        assert!(failed.is_err() && store.read().unwrap().sessions.is_empty());
        // What another command left behind when it was stopped.
        fs::write(store.folder.join("sessions.json.new"), "half").unwrap();
        store.change(|sessions| Ok(sessions.current.take())).unwrap();
        assert!(!store.folder.join("sessions.json.new").exists());
    }

    /// It was written, and no command read any of the sessions from then on.
    #[test]
    fn what_would_be_too_large_to_read_is_not_written() {
        let (_folder, store) = store();
        let put = |name: &str, size: usize| {
            let mut large = session("https://a.example");
            large.certificate = "x".repeat(size);
            store.change(|sessions| Ok(sessions.sessions.insert(name.to_owned(), large).is_some()))
        };
        put("a", 1).unwrap();
        let error = put("b", 1024 * 1024).unwrap_err();
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(store.read().unwrap().sessions.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_open_is_refused_and_nothing_of_it_is_said() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (_folder, store) = store();
        store.change(|sessions| Ok(sessions.sessions.insert("a".to_owned(), session("https://a.example")).is_some())).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(store.folder.as_path()), mode(&store.file())), (0o700, 0o600));
        let refused = |words: &str| {
            let error = format!("{:#}", store.read().err().unwrap());
            assert!(error.contains(words) && !error.contains("secret-of"), "{error}");
        };
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(&store.file(), 0o640);
        refused("chmod 600");
        set(&store.file(), 0o600);
        set(store.folder.as_path(), 0o755);
        refused("chmod 700");
        assert!(store.lock().is_err());
        set(store.folder.as_path(), 0o700);

        let text = fs::read_to_string(store.file()).unwrap();
        fs::write(store.file(), text.replace("\"version\": 1", "\"version\": \"secret-of-the-session\"")).unwrap();
        refused("sign in again");
        let elsewhere = store.folder.join("elsewhere");
        fs::rename(store.file(), &elsewhere).unwrap();
        symlink(&elsewhere, store.file()).unwrap();
        refused("is no file");
    }

    #[test]
    fn the_folder_is_where_the_environment_says() {
        let at = |given: &[(&str, &str)]| {
            let found = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, path)| PathBuf::from(path));
            SessionStore::of(found).map(|store| store.folder)
        };
        let (home, xdg) = (("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/etc/ann"));
        assert_eq!(at(&[home]), Some(PathBuf::from("/home/ann/.config/falconer/sessions")));
        assert_eq!(at(&[home, xdg]), Some(PathBuf::from("/etc/ann/falconer/sessions")));
        assert_eq!(at(&[home, ("XDG_CONFIG_HOME", "relative")]), Some(PathBuf::from("/home/ann/.config/falconer/sessions")));
        assert_eq!(at(&[home, ("FALCONER_SESSIONS", "/tmp/x")]), Some(PathBuf::from("/tmp/x")));
        assert_eq!(at(&[]), None);
    }
}
