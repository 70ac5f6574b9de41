//! Texts that lie in memory already, put together to the array of a set in an order that is known.

use crate::buffer::Buffer;
use crate::scope_set::{BETWEEN, OPEN, ScopeSet};
use crate::texts::Span;
use std::slice;

/// So many bytes are copied at once, of which only those of the text stay. Nearly every text is shorter, so that nothing depends on how long it is.
const AT_ONCE: usize = 64;

/// The same with what stands behind it, and one byte more.
const ROOM: usize = AT_ONCE + 4;

/// Texts in one piece of memory, to be taken one after the other.
pub(crate) struct Pieces<'p> {
    text: &'p [u8],
    spans: slice::Iter<'p, Span>,
}

/// Where the next member comes from.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// The number of its pieces.
    pub(crate) source: usize,
    /// Whether their next text is only passed over.
    pub(crate) skips: bool,
}

impl<'p> Pieces<'p> {
    /// The texts at these places.
    pub(crate) fn new(text: &'p [u8], spans: &'p [Span]) -> Pieces<'p> {
        Pieces { text, spans: spans.iter() }
    }

    /// The next text with all that lies behind it, and how long it is.
    fn next(&mut self) -> Option<(&'p [u8], usize)> {
        let span = self.spans.next()?;
        Some((self.text.get(span.start as usize..)?, span.length as usize))
    }
}

/// The set of so many members with so many bytes together; `None` where what the steps take is not that. INVARIANT: it comes in the order of a set, and none covers
/// another. `is_json`: whether all texts are the same in JSON.
pub(crate) fn put_together(
    pieces: &mut [Pieces<'_>],
    steps: impl Iterator<Item = Step>,
    members: usize,
    bytes: usize,
    is_json: bool,
) -> Option<ScopeSet> {
    let length = OPEN.len() + bytes + members * BETWEEN.len();
    // Whatever is copied at once has room, also where it is passed over at the end.
    let mut buffer = Buffer::new(length + ROOM);
    let array = buffer.bytes_mut();
    // Where all texts are the same in JSON, whoever wants a member finds where it begins.
    let mut starts = vec![0_u32; if is_json { 0 } else { members + 2 }];
    let (mut at, mut count) = (OPEN.len(), 0);
    for Step { source, skips } in steps {
        let Some((from, text_bytes)) = pieces.get_mut(source).and_then(Pieces::next) else { continue };
        let Some(room) = array.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<ROOM>()) else { break };
        if let Some(start) = starts.get_mut(count) {
            *start = u32::try_from(at).unwrap_or(u32::MAX);
        }
        match from.first_chunk::<AT_ONCE>() {
            Some(chunk) if text_bytes <= AT_ONCE => {
                if let Some(to) = room.first_chunk_mut::<AT_ONCE>() {
                    *to = *chunk;
                }
                if let Some(to) = room.get_mut(text_bytes..).and_then(|rest| rest.first_chunk_mut::<4>()) {
                    *to = *b"\",\"\0";
                }
            }
            // It may be longer than all that is left of the array.
            _ if skips => {}
            _ => {
                let to = array.get_mut(at..at + text_bytes + BETWEEN.len());
                // What is not written must not be read: somebody else's list was there.
                let (Some(text), Some(to)) = (from.get(..text_bytes), to) else { break };
                let (to, between) = to.split_at_mut(text_bytes);
                to.copy_from_slice(text);
                between.copy_from_slice(BETWEEN.as_bytes());
            }
        }
        // What is passed over and short was copied as well: whether it is can't be foreseen, and going two ways would take longer.
        at += if skips { 0 } else { text_bytes + BETWEEN.len() };
        count += usize::from(!skips);
    }
    // Never a part of the set for the set.
    if count != members || at != length {
        return None;
    }
    if let Some(to) = array.first_chunk_mut() {
        *to = *b"[\"";
    }
    starts.truncate(count);
    Some(ScopeSet::of_array(buffer, at, count, starts, is_json))
}
