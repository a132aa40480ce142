//! Objects that cannot be read.

use super::calendar::Damage;
use super::objects::Folder;

/// What is left of a gzip.
pub(super) fn apply(damage: Damage, mut whole: Vec<u8>, folder: &mut Folder) -> Vec<u8> {
    match damage {
        Damage::Cut => whole.truncate(whole.len() * 3 / 5),
        Damage::Garbled => {
            let middle = whole.len() / 2;
            for byte in whole.iter_mut().skip(middle).take(16) {
                *byte ^= 0x55;
            }
        }
        Damage::NotJson => {
            return folder.pack(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code></Error>");
        }
        Damage::Empty => whole.clear(),
    }
    whole
}
