//! Files that are damaged or too large.

use super::*;

#[test]
fn a_file_that_is_no_gzip_is_refused_with_the_position_in_the_file() {
    let text = file(&item(&format!("{{{RULES}}}")));
    let good = gz(text.as_bytes());
    let changed = |at: usize, by: u8| {
        let mut changed = good.clone();
        changed[at] ^= by;
        changed
    };
    let end = good.len();
    let cases: [(Vec<u8>, &str, usize); 10] = [
        (Vec::new(), "the file is empty", 0),
        (text.clone().into_bytes(), "the file is not gzip", 0),
        (good[..1].to_vec(), "the file is not gzip", 0),
        (good[..6].to_vec(), "the gzip data end in the middle: the file is cut off", 6),
        (good[..end / 2].to_vec(), "the gzip data end in the middle: the file is cut off", end / 2),
        (good[..end - 1].to_vec(), "the gzip data end in the middle: the file is cut off", end - 1),
        (changed(end - 8, 1), "the gzip data are corrupt: what they unpack to does not have their checksum", end - 8),
        (changed(end - 1, 1), "the gzip data are corrupt: what they unpack to does not have their checksum", end - 8),
        (changed(2, 1), "the gzip data name a compression that does not exist", 2),
        ([&good[..], b"\0"].concat(), "something that is not gzip follows the gzip data", end),
    ];
    for (packed, reason, position) in cases {
        let whole = read_packed(&packed, &Limits::default()).0;
        assert_eq!(whole, read_window(&packed, &Limits::default(), 7).0);
        let unreadable = whole.unwrap_err();
        assert_eq!(
            (unreadable.reason.as_str(), unreadable.position, unreadable.unpacked),
            (reason, position.try_into().unwrap(), false)
        );
        assert_eq!(unreadable.sha256, Some(gzip::sha256(&packed)));
    }
    let corrupt = read_packed(&changed(12, 0xff), &Limits::default()).0.unwrap_err();
    assert!(corrupt.reason.starts_with("the gzip data are corrupt"), "{corrupt}");
}

#[test]
fn junk_that_looks_like_the_end_of_the_gzip_is_still_junk() {
    let good = gz(file("").as_bytes());
    let (end, trailer) = (good.len(), &good[good.len() - 8..]);
    for junk in [[b"junk", trailer].concat(), trailer.to_vec()] {
        let unreadable = read_packed(&[&good[..], &junk].concat(), &Limits::default()).0.unwrap_err();
        assert_eq!(unreadable.reason, "something that is not gzip follows the gzip data");
        assert_eq!(unreadable.position, u64::try_from(end).unwrap());
    }
    let twice = read_packed(&[&good[..], &good[..]].concat(), &Limits::default()).0.unwrap_err();
    assert_eq!(twice.reason, "not JSON: something follows the JSON text");
}

#[test]
fn members_one_after_the_other_are_one_text() {
    let text = file(&item(&format!("{{{RULES}}}")));
    let (a, b) = text.split_at(text.len() / 2);
    let packed = [gz(b""), gz(a.as_bytes()), gz(b""), gz(b.as_bytes())].concat();
    let (reading, found) = read_packed(&packed, &Limits::default());
    assert_eq!(reading.as_ref().unwrap().unpacked_bytes, u64::try_from(text.len()).unwrap());
    assert_eq!(reading.unwrap().sha256, gzip::sha256(&packed));
    assert_eq!(found, read_packed(&gz(text.as_bytes()), &Limits::default()).1);
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let text = file(&" ".repeat(3_000_000));
    let limits = Limits { unpacked_bytes: 1_000_000, ..Limits::default() };
    for packed in [gz(text.as_bytes()), [gz(text.as_bytes()), gz(b"")].concat()] {
        let unreadable = read_packed(&packed, &limits).0.unwrap_err();
        assert_eq!(unreadable.reason, "it unpacks to more than the limit of 1000000 bytes");
        assert!(!unreadable.unpacked);
        assert_eq!(unreadable.sha256, Some(gzip::sha256(&packed)));
        assert_eq!(unreadable.retry_above, Some(1_000_000), "a higher limit may read it");
    }
    let all = Limits { unpacked_bytes: text.len().try_into().unwrap(), ..Limits::default() };
    assert!(read_packed(&gz(text.as_bytes()), &all).0.is_ok());
}

#[test]
fn a_file_that_cannot_be_reached_may_be_another_time() {
    let nowhere = std::path::Path::new("/nowhere/at/all.json.gz");
    let unreadable = super::read(nowhere, ACCOUNT, &Limits::default(), &mut Found::default()).unwrap_err();
    assert_eq!(unreadable.retry_above, Some(0));
    assert_eq!(read_packed(b"not gzip", &Limits::default()).0.unwrap_err().retry_above, None, "its bytes are at fault");
}

#[test]
fn an_item_over_the_limit_makes_the_object_unreadable_both_ways() {
    let limits = Limits { item_bytes: 10_000, ..Limits::default() };
    let long = |length: usize| gz(file(&format!(r#"{{"resourceType":"{}"}}"#, "x".repeat(length))).as_bytes());
    for outcome in [read_packed(&long(20_000), &limits), read_window(&long(20_000), &limits, 64)] {
        assert_eq!(
            outcome.0.unwrap_err().reason,
            "configurationItems[0]: one item is larger than the limit of 10000 bytes"
        );
    }
}
