//! Whether two tables hold the same rows in the same order.

use sha2::{Digest as _, Sha256};

use super::{Row, Value};

/// How many rows there were, and the SHA-256 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print {
    /// The number of rows.
    pub rows: u64,
    /// The hash of all values of them, in their order.
    pub sha256: [u8; 32],
}

/// Takes in one row after the other.
#[derive(Default)]
pub struct Fingerprint {
    rows: u64,
    hash: Sha256,
}

impl Fingerprint {
    /// The next row.
    pub fn add(&mut self, row: &Row) {
        self.rows = self.rows.saturating_add(1);
        self.hash.update([b'R']);
        for value in row {
            match value {
                Value::Null => self.hash.update([b'0']),
                Value::Int(number) => self.tagged(b'i', &number.to_le_bytes()),
                Value::Bool(flag) => self.tagged(b'b', &[u8::from(*flag)]),
                Value::Text(text) => self.tagged(b't', text.as_bytes()),
                Value::Bytes(bytes) => self.tagged(b'y', bytes),
                Value::List(items) => {
                    self.tagged(b'l', &(items.len() as u64).to_le_bytes());
                    items.iter().for_each(|item| self.tagged(b't', item.as_bytes()));
                }
            }
        }
    }

    /// The length in front keeps ("ab", "c") and ("a", "bc") apart.
    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.hash.update([tag]);
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// What all rows so far come to.
    pub fn print(&self) -> Print {
        Print { rows: self.rows, sha256: self.hash.clone().finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(rows: &[Row]) -> Print {
        let mut fingerprint = Fingerprint::default();
        rows.iter().for_each(|row| fingerprint.add(row));
        fingerprint.print()
    }

    #[test]
    fn rows_that_differ_have_other_prints() {
        let text = |text: &str| Value::Text(text.to_owned());
        let list = |items: &[&str]| Value::List(items.iter().map(|item| (*item).to_owned()).collect());
        let different: Vec<Vec<Row>> = vec![
            vec![],
            vec![vec![]],
            vec![vec![Value::Null]],
            vec![vec![Value::Int(0)]],
            vec![vec![Value::Bool(false)]],
            vec![vec![text("ab"), text("c")]],
            vec![vec![text("a"), text("bc")]],
            vec![vec![text("ab")], vec![text("c")]],
            vec![vec![text("c")], vec![text("ab")]],
            vec![vec![list(&["ab", "c"])]],
            vec![vec![list(&["ab"]), text("c")]],
            vec![vec![list(&[])]],
            vec![vec![Value::Bytes(b"ab".to_vec()), text("c")]],
        ];
        for (at, one) in different.iter().enumerate() {
            assert_eq!(print(one), print(one));
            assert!(different.iter().skip(at + 1).all(|other| print(other) != print(one)), "number {at}");
        }
    }
}
