//! How much memory this process may use.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Bytes: of the machine, or of the control group of this process (a container) where that is less. `None`: the system does not say.
pub fn usable_memory() -> Option<u64> {
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
    let most = system.total_memory();
    let of_group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    Some(most.min(of_group)).filter(|bytes| *bytes > 0)
}
