//! Many texts in one piece of memory.

/// Texts one behind the other, and where each ends. What is read in order is read from memory in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    all: Box<str>,
    ends: Box<[u32]>,
}

/// Where a text lies among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl Span {
    /// What lies before and after so many bytes of it. INVARIANT: it has them there.
    pub(crate) fn around(self, before: usize, bytes: usize) -> (Span, Span) {
        // Both are parts of a number of this size.
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let passed = number(before + bytes);
        let after = Span { start: self.start.saturating_add(passed), length: self.length.saturating_sub(passed) };
        (Span { start: self.start, length: number(before) }, after)
    }
}

impl Texts {
    /// These texts in this order.
    pub(crate) fn new<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Texts {
        let (count, length) = texts.clone().fold((0, 0), |(count, length), text| (count + 1, length + text.len()));
        let (mut all, mut ends) = (String::with_capacity(length), Vec::with_capacity(count));
        for text in texts {
            all.push_str(text);
            // No record has four gigabytes of text: what a request may hold is bounded far below. Beyond, texts would be empty.
            ends.push(u32::try_from(all.len()).unwrap_or(u32::MAX));
        }
        Texts { all: all.into(), ends: ends.into() }
    }

    /// All of them one behind the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.all.as_bytes()
    }

    /// Where each text lies, in order.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let span = Span { start, length: end.saturating_sub(start) };
            start = *end;
            span
        })
    }

    /// The text that lies there; empty where none does.
    pub(crate) fn at(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.all.get(start..start + span.length as usize).unwrap_or_default()
    }

    /// All in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.all.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        })
    }
}

/// Reads a piece of memory from one end to the other, so that it is in the caches of the processor when its parts are read in another order soon.
pub(crate) fn read_ahead<T: Copy>(piece: &[T]) {
    const CACHE_LINE: usize = 64;
    piece.iter().step_by(CACHE_LINE / size_of::<T>().clamp(1, CACHE_LINE)).for_each(|part| {
        std::hint::black_box(*part);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_went_in() {
        for texts in [&[][..], &[""], &["a"], &["", "b", "", "\u{e9}\u{1f600}", "c d"]] {
            let all = Texts::new(texts.iter().copied());
            assert_eq!(all.iter().collect::<Vec<_>>(), texts.to_vec());
            assert_eq!(all.spans().map(|span| all.at(span)).collect::<Vec<_>>(), texts.to_vec());
        }
    }

    #[test]
    fn a_text_is_cut_where_it_is_said() {
        let all = Texts::new(["x", "ab<..>c"].into_iter());
        let (before, after) = all.spans().nth(1).unwrap().around(2, 4);
        assert_eq!((all.at(before), all.at(after)), ("ab", "c"));
    }
}
