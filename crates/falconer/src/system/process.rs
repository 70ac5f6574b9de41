//! What the operating system says of this process.

use falconer_web::ProcessFigures;

/// Linux tells; others do not.
#[cfg(target_os = "linux")]
pub fn figures() -> Option<ProcessFigures> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kib: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    // Behind the name of the program, which is in brackets and may hold anything: user and system time are the 12th and 13th field.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).collect::<Result<Vec<_>, _>>().ok()?;
    let open_fds = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(ProcessFigures {
        resident_bytes: resident_kib.saturating_mul(1024),
        cpu_seconds: times.iter().sum::<u64>() as f64 / TICKS_A_SECOND,
        open_fds: u64::try_from(open_fds).unwrap_or(u64::MAX),
    })
}

/// Others do not.
#[cfg(not(target_os = "linux"))]
pub fn figures() -> Option<ProcessFigures> {
    None
}

/// Whether SIGHUP was ignored when this process was started. Linux tells; elsewhere nobody asks.
#[cfg(unix)]
pub fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    // The lowest bit is signal number 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// `USER_HZ`, which Linux shows to programs on every architecture that Falconer is built for.
#[cfg(target_os = "linux")]
const TICKS_A_SECOND: f64 = 100.0;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells() {
        let figures = figures().unwrap();
        assert!(figures.resident_bytes > 1 << 20 && figures.open_fds > 2 && figures.cpu_seconds >= 0.0, "{figures:?}");
    }
}
