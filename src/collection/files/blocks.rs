//! The fast part of the JSON scanner: strings eight bytes at a time, skipped containers sixty-four.

const EIGHT: usize = 8;
const BLOCK: usize = 64;
const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The first byte at or after `at` that means something in a string: a quote, a backslash or a control character.
#[inline]
pub(super) fn find_string_mark(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = text.get(at..at + EIGHT).and_then(|chunk| <[u8; EIGHT]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let quote = word ^ splat(b'"');
        let backslash = word ^ splat(b'\\');
        // Each term marks its bytes and perhaps some behind the first marked one; the first is all we want.
        let marks = (quote.wrapping_sub(LOW_BITS) & !quote)
            | (backslash.wrapping_sub(LOW_BITS) & !backslash)
            | (word.wrapping_sub(splat(b' ')) & !word);
        let marks = marks & HIGH_BITS;
        if marks != 0 {
            return Some(at + index(marks.trailing_zeros() / 8));
        }
        at += EIGHT;
    }
    let rest = text.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).map(|found| at + found)
}

/// Where skipping a container led.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// Behind its closing bracket.
    To(usize),
    /// This bracket opens one container too many.
    TooDeep(usize),
    /// The text ends before the container does.
    End,
}

/// Skips the container whose opening bracket is at `at`. It may have `room` levels, itself counted.
///
/// Sixty-four bytes become four bit masks; what lies in strings is masked out; brackets are then counted, and looked at one by one
/// only in blocks in which the container may end.
pub(super) fn skip_container(text: &[u8], at: usize, room: u32) -> Skipped {
    let mut strings = Strings::default();
    let mut depth = 0_u32;
    let mut base = at;
    loop {
        let rest = text.get(base..).unwrap_or_default();
        let masks = match rest.first_chunk::<BLOCK>() {
            Some(block) => Masks::of(block),
            None if rest.is_empty() => return Skipped::End,
            None => {
                let mut block = [b' '; BLOCK];
                for (to, from) in block.iter_mut().zip(rest) {
                    *to = *from;
                }
                Masks::of(&block)
            }
        };
        let outside = !strings.inside(&masks);
        let (open, close) = (masks.open & outside, masks.close & outside);
        let (opened, closed) = (open.count_ones(), close.count_ones());
        if closed < depth && depth + opened <= room {
            depth = depth + opened - closed;
        } else {
            match one_by_one(open, close, &mut depth, room) {
                Some((Ended::Closed, bit)) => return Skipped::To(base + index(bit) + 1),
                Some((Ended::TooDeep, bit)) => return Skipped::TooDeep(base + index(bit)),
                None => {}
            }
        }
        base += BLOCK;
    }
}

enum Ended {
    Closed,
    TooDeep,
}

fn one_by_one(open: u64, close: u64, depth: &mut u32, room: u32) -> Option<(Ended, u32)> {
    let mut brackets = open | close;
    while brackets != 0 {
        let bit = brackets.trailing_zeros();
        brackets &= brackets - 1;
        if open >> bit & 1 == 1 {
            if *depth == room {
                return Some((Ended::TooDeep, bit));
            }
            *depth += 1;
        } else {
            // The first bracket opens, so the depth is not zero here.
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                return Some((Ended::Closed, bit));
            }
        }
    }
    None
}

/// What the strings of earlier blocks mean for the next one.
#[derive(Default)]
struct Strings {
    /// All ones if the block starts inside a string.
    open: u64,
    /// One if the block's first byte is escaped.
    escaped: u64,
}

impl Strings {
    /// The bytes from an opening quote (with) to the closing quote (without).
    fn inside(&mut self, masks: &Masks) -> u64 {
        let quotes = masks.quote & !self.escaped_bytes(masks.backslash);
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.open;
        self.open = 0_u64.wrapping_sub(inside >> 63);
        inside
    }

    /// The bytes after an odd backslash of a row of them.
    fn escaped_bytes(&mut self, backslash: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslash == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslash = backslash & !self.escaped;
        let follows = backslash << 1 | self.escaped;
        // Rows that start at an odd bit, added to themselves, carry to an odd or even end by their length.
        let odd_starts = backslash & !EVEN & !follows;
        let (rows, overflow) = odd_starts.overflowing_add(backslash);
        self.escaped = u64::from(overflow);
        (EVEN ^ rows << 1) & follows
    }
}

/// One bit a byte.
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        // { and [ differ in one bit, as } and ] do; no other character becomes one of them with that bit set.
        let mut folded = [0; BLOCK];
        for (to, from) in folded.iter_mut().zip(block) {
            *to = from | 0x20;
        }
        // Most blocks have none, and to see that is cheaper than their mask.
        let has_backslash = block.iter().fold(0, |found, byte| found | u8::from(*byte == b'\\')) != 0;
        Self {
            quote: equal(block, b'"'),
            backslash: if has_backslash { equal(block, b'\\') } else { 0 },
            open: equal(&folded, b'{'),
            close: equal(&folded, b'}'),
        }
    }
}

/// A plain loop over a fixed length: the compiler makes vector instructions of it.
#[inline]
fn equal(block: &[u8; BLOCK], wanted: u8) -> u64 {
    let mut marked = [0; BLOCK];
    for (to, from) in marked.iter_mut().zip(block) {
        *to = u8::from(*from == wanted);
    }
    let (words, _) = marked.as_chunks::<EIGHT>();
    words.iter().rev().fold(0, |mask, word| mask << 8 | gather(u64::from_le_bytes(*word)))
}

/// The lowest bits of eight bytes as eight bits: no two partial products meet in one bit.
#[inline]
fn gather(word: u64) -> u64 {
    word.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

fn splat(byte: u8) -> u64 {
    LOW_BITS * u64::from(byte)
}

fn index(bit: u32) -> usize {
    usize::try_from(bit).expect("a bit's number is below 64")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, one byte after the other.
    fn skip_slowly(text: &[u8], at: usize, room: u32) -> Skipped {
        let (mut depth, mut in_string, mut escaped) = (0, false, false);
        for (offset, byte) in text.iter().enumerate().skip(at) {
            let was_escaped = std::mem::take(&mut escaped);
            match byte {
                // A backslash outside a string is no JSON; both ways of skipping let it escape a quote there too.
                b'\\' => escaped = !was_escaped,
                b'"' => in_string ^= !was_escaped,
                _ if in_string => {}
                b'{' | b'[' if depth == room => return Skipped::TooDeep(offset),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Skipped::To(offset + 1);
                    }
                }
                _ => {}
            }
        }
        Skipped::End
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn skipping_by_blocks_is_skipping_byte_by_byte(text in r#"[{\[]([a{}\[\]"\\]|[^{}]){0,300}"#, pad in 0_usize..70, room in 1_u32..9) {
            let text = format!("{}{text}", " ".repeat(pad));
            prop_assert_eq!(skip_container(text.as_bytes(), pad, room), skip_slowly(text.as_bytes(), pad, room));
        }

        #[test]
        fn a_string_mark_is_found_where_it_is(text in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..40) {
            let slowly = text.iter().enumerate().skip(at).find(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..=0x1f)).map(|(found, _)| found);
            prop_assert_eq!(find_string_mark(&text, at), slowly);
        }

        #[test]
        fn a_mask_has_one_bit_a_byte(block in proptest::collection::vec(proptest::sample::select(b"a\"\\{[}]\xfb\xdd;=".as_slice()), BLOCK)) {
            let masks = Masks::of(block.as_slice().try_into().expect("sixty-four bytes"));
            for (bit, byte) in block.iter().enumerate() {
                let found = [masks.quote, masks.backslash, masks.open, masks.close].map(|mask| mask >> bit & 1 == 1);
                prop_assert_eq!(found, [*byte == b'"', *byte == b'\\', matches!(byte, b'{' | b'['), matches!(byte, b'}' | b']')]);
            }
        }
    }
}
