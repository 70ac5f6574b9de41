//! What is in memory stays there: keys, tokens and passwords of this process go into no file when it crashes, and into no other process.

/// No core dump, and no other process of the same user may look into this one. What the system refuses goes to stderr: nothing depends on it.
pub fn protect_memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        said("core dumps stay allowed", setrlimit(Resource::Core, none));
    }
    // Also for systems that hand core dumps to a program, which asks for no limit.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        said("other processes of this user may read this one's memory", set_dumpable_behavior(DumpableBehavior::NotDumpable));
    }
}

#[cfg(unix)]
fn said(what: &str, outcome: rustix::io::Result<()>) {
    if let Err(error) = outcome {
        eprintln!("warning: {what}: {error}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    /// A SIGABRT left the sealing key in a core file of 22 MB.
    #[test]
    fn nothing_is_dumped() {
        protect_memory();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
