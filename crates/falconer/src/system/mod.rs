//! What only the operating system knows: its clock and randomness, which everything below gets as arguments, and figures of this process.

mod clock;
pub mod memory;
pub mod process;
mod randomness;
mod usable_memory;

pub use clock::SystemClock;
pub use randomness::SystemRandom;
pub use usable_memory::usable_memory;
