//! As much of the wire format of Protocol Buffers as Envoy's question takes: fields of a message by number, and messages of fields
//! (<https://protobuf.dev/programming-guides/encoding/>).

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'m> {
    /// Integers, truth values, enumerations.
    Number(u64),
    /// Text, bytes, messages.
    Bytes(&'m [u8]),
    /// Numbers of fixed width, which nothing here needs.
    Passed,
}

/// The fields of a message, in its order. It ends early where the message is broken; [`Fields::is_whole`] says so.
#[derive(Clone, Debug)]
pub(super) struct Fields<'m> {
    rest: &'m [u8],
    broken: bool,
}

impl<'m> Fields<'m> {
    pub(super) fn of(message: &'m [u8]) -> Fields<'m> {
        Fields { rest: message, broken: false }
    }

    /// The last bytes of a field of this number: later ones win, as the format says.
    pub(super) fn bytes(self, number: u64) -> Option<&'m [u8]> {
        let values = self.filter(|(found, _)| *found == number);
        values.filter_map(|(_, value)| if let Value::Bytes(bytes) = value { Some(bytes) } else { None }).last()
    }

    /// The same as text; `None` for what is not UTF-8 too.
    pub(super) fn text(self, number: u64) -> Option<&'m str> {
        std::str::from_utf8(self.bytes(number)?).ok()
    }

    /// Whether a whole message stands there.
    pub(super) fn is_whole(&self) -> bool {
        let mut fields = self.clone();
        while fields.next().is_some() {}
        !fields.broken
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(first & 0x7f).checked_shl(shift)?;
            if first & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'m [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Value<'m>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Passed)?,
            2 => {
                let length = self.number()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Passed)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = (u64, Value<'m>);

    fn next(&mut self) -> Option<(u64, Value<'m>)> {
        if self.rest.is_empty() || self.broken {
            return None;
        }
        let field = self.field();
        self.broken = field.is_none();
        field
    }
}

/// A message that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) fn number(mut self, field: u64, value: u64) -> Message {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::default().bytes(1, b"key").bytes(2, &[b'v'; 300]);
        let written = Message::default().number(1, 7).bytes(2, &inner.0).number(3, u64::MAX).bytes(2, b"last").number(1000, 0);
        let fields: Vec<_> = Fields::of(&written.0).collect();
        assert_eq!(fields.len(), 5);
        assert_eq!((fields[0], fields[2], fields[4]), ((1, Value::Number(7)), (3, Value::Number(u64::MAX)), (1000, Value::Number(0))));
        assert_eq!(Fields::of(&written.0).text(2), Some("last"));
        assert_eq!(Fields::of(&inner.0).bytes(2).unwrap().len(), 300);
        assert!(Fields::of(&written.0).is_whole());
    }

    /// Each beginning, and each byte changed: it ends, and reads nothing that is not there.
    #[test]
    fn broken_messages_end() {
        let whole = Message::default().bytes(1, b"abc").number(2, 300).bytes(3, b"de").0;
        for end in 0..whole.len() {
            for byte in [0, 1, 5, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[end] = byte;
                assert!(Fields::of(&changed).count() <= changed.len());
                assert!(Fields::of(&whole[..end]).count() <= 3);
            }
        }
        for broken in [&b"\x0a\x05ab"[..], b"\x0a", b"\x0b", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"\x09\x01"] {
            assert!(!Fields::of(broken).is_whole(), "{broken:?}");
        }
        assert!(Fields::of(b"").is_whole() && Fields::of(b"\x09\x01\x02\x03\x04\x05\x06\x07\x08\x15\x01\x02\x03\x04").is_whole());
    }
}
