//! Numbers that look random and follow from a seed alone, on every machine alike.

/// `SplitMix64`: small, fast and good enough for made-up data. Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8] = b"0123456789abcdef";

impl Random {
    /// A stream of its own for each seed and list of words.
    pub(super) fn new(seed: u64, words: &[&str]) -> Self {
        let mut random = Self(seed ^ 0x6a09_e667_f3bc_c908);
        for word in words {
            for byte in word.bytes() {
                random.0 = (random.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            // Stirred after each word, so that ("ab", "c") and ("a", "bc") differ.
            random.0 = random.next();
        }
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 until before `end`; 0 where `end` is 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let scaled = ((self.next() >> 32) * u64::from(end)) >> 32;
        u32::try_from(scaled).expect("a 32-bit number times a 32-bit number, shifted right by 32, fits 32 bits")
    }

    /// A number from `first` until before `end`; `first` where the range is empty.
    pub(super) fn between(&mut self, first: u32, end: u32) -> u32 {
        first + self.below(end.saturating_sub(first))
    }

    /// True this often in a million.
    pub(super) fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million
    }

    /// One of a list that is not empty.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let length = u32::try_from(list.len()).expect("lists to pick from are short");
        let index = usize::try_from(self.below(length)).expect("an index of a list fits");
        &list[index]
    }

    pub(super) fn lower(&mut self, length: usize) -> String {
        self.text(LOWER, length)
    }

    pub(super) fn upper(&mut self, length: usize) -> String {
        self.text(UPPER, length)
    }

    pub(super) fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }

    pub(super) fn digits(&mut self, length: usize) -> String {
        self.text(b"0123456789", length)
    }

    /// A version-4 UUID in lower case.
    pub(super) fn uuid(&mut self) -> String {
        let variant = *self.pick(&["8", "9", "a", "b"]);
        format!("{}-{}-4{}-{variant}{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(alphabet))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_numbers_and_other_words_others() {
        let draw = |words: &[&str]| Random::new(1, words).uuid();
        assert_eq!(draw(&["a", "b"]), draw(&["a", "b"]));
        assert_ne!(draw(&["a", "b"]), draw(&["ab"]));
        assert_ne!(draw(&["ab", "c"]), draw(&["a", "bc"]));
    }

    #[test]
    fn chances_come_out_about_as_often_as_said() {
        let mut random = Random::new(7, &[]);
        let hits = (0..100_000).filter(|_| random.chance(50_000)).count();
        assert!((4_500..5_500).contains(&hits), "{hits}");
    }
}
