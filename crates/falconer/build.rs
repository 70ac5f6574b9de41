//! Which commit is built, for `/__version__`: of release builds only, so that nothing is built again for a commit while somebody works. No program is
//! started: the files of the repository say it. `FALCONER_COMMIT` says it where the sources come without a repository. And how a release build is linked.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=FALCONER_COMMIT");
    let said = std::env::var("FALCONER_COMMIT").ok().filter(|commit| is_commit(commit));
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let found = said.or_else(|| if is_release { of_repository(Path::new("../..")) } else { None });
    println!("cargo::rustc-env=FALCONER_BUILT_COMMIT={}", found.unwrap_or_default());
    println!("cargo::rerun-if-changed=start.ld");
    if is_release && is_for_this_machine() {
        if packs_relocations() {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("start.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
}

/// Whether what is built runs on the machine that builds it, on Linux with glibc.
fn is_for_this_machine() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    variable("HOST") == variable("TARGET") && variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu"
}

/// Whether programs of this machine may have the places packed that the loader fills with addresses at each start. As a list they are more than four megabytes that
/// stay in memory once they were read. A C library that cannot unpack them refuses such a program, so it has to say that it can: glibc does from 2.36 on.
fn packs_relocations() -> bool {
    // The one that this program itself runs with.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let library = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..))).find(|path| path.ends_with("/libc.so.6"));
    library.and_then(|path| std::fs::read(path).ok()).is_some_and(|library| says_that_it_unpacks(&library))
}

fn says_that_it_unpacks(library: &[u8]) -> bool {
    let word = b"GLIBC_ABI_DT_RELR";
    library.windows(word.len()).any(|window| window == word)
}

/// The commit that is checked out in `root`, which may be a working tree of another repository. `None` without one.
fn of_repository(root: &Path) -> Option<String> {
    let git = root.join(".git");
    let own = match std::fs::read_to_string(&git) {
        // `gitdir: /path/.git/worktrees/name`
        Ok(link) => root.join(link.strip_prefix("gitdir:")?.trim()),
        Err(_) => git,
    };
    let head = watched(own.join("HEAD"))?;
    let Some(branch) = head.strip_prefix("ref:").map(str::trim) else { return Some(head).filter(|head| is_commit(head)) };
    let shared = std::fs::read_to_string(own.join("commondir")).map_or_else(|_| own.clone(), |place| own.join(place.trim()));
    let loose = watched(shared.join(branch));
    let packed = || {
        let all = watched(shared.join("packed-refs"))?;
        all.lines().find_map(|line| line.split_once(' ').filter(|(_, name)| *name == branch)).map(|(commit, _)| commit.to_owned())
    };
    loose.or_else(packed).filter(|commit| is_commit(commit))
}

/// A file's text, trimmed; what is built is built again when it changes.
fn watched(file: PathBuf) -> Option<String> {
    let text = std::fs::read_to_string(&file).ok()?;
    println!("cargo::rerun-if-changed={}", file.display());
    Some(text.trim().to_owned())
}

/// 40 or 64 digits of a hash.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relocations_are_packed_where_the_c_library_says_that_it_unpacks_them() {
        assert!(says_that_it_unpacks(b"\0GLIBC_2.36\0GLIBC_ABI_DT_RELR\0GLIBC_PRIVATE\0"));
        assert!(!says_that_it_unpacks(b"\0GLIBC_2.35\0GLIBC_PRIVATE\0"));
    }

    #[test]
    fn the_commit_is_found_on_a_branch_packed_detached_and_in_a_working_tree() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let [loose, packed, detached] = ["a", "b", "c"].map(|digit| digit.repeat(40));
        assert_eq!(of_repository(folder.path()), None);
        write(".git/HEAD", "ref: refs/heads/main\n");
        assert_eq!(of_repository(folder.path()), None, "no commit yet");
        write(".git/packed-refs", &format!("# pack-refs with: peeled\n{packed} refs/heads/main\n{loose} refs/heads/other\n"));
        assert_eq!(of_repository(folder.path()), Some(packed));
        write(".git/refs/heads/main", &format!("{loose}\n"));
        assert_eq!(of_repository(folder.path()), Some(loose.clone()));
        write(".git/worktrees/tree/HEAD", "ref: refs/heads/main\n");
        write(".git/worktrees/tree/commondir", "../..\n");
        write("tree/.git", &format!("gitdir: {}\n", folder.path().join(".git/worktrees/tree").display()));
        assert_eq!(of_repository(&folder.path().join("tree")), Some(loose));
        write(".git/HEAD", &format!("{detached}\n"));
        assert_eq!(of_repository(folder.path()), Some(detached));
    }
}
