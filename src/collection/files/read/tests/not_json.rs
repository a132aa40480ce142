//! Texts that are not what a delivered object holds.

use super::*;

#[test]
fn what_is_not_json_is_refused_at_its_first_wrong_byte() {
    let text = |outcome: &str, reason: &str| refused_at_mark(outcome, reason);
    text("¡", "the unpacked text is empty");
    text("  ¡", "the unpacked text is empty");
    text("¡[]", "not JSON: an object was expected, not \"[\"");
    text("¡hello", "not JSON: an object was expected, not \"h\"");
    text("{¡fileVersion:1}", "not JSON: a name in quotes was expected, not \"f\"");
    text("{\"a\"¡ \"b\"}".replace(' ', "").as_str(), "not JSON: a colon was expected, not \"\"\"");
    text("{\"a\":¡}", "not JSON: a value was expected, not \"}\"");
    text("{\"a\":¡nul}", "not JSON: a value was expected, not \"n\"");
    text("{\"a\":¡01}", "not JSON: a malformed number");
    text("{\"a\":-¡}", "not JSON: a malformed number");
    text("{\"a\":1.¡}", "not JSON: a malformed number");
    text("{\"a\":\"¡\\q\"}", "not JSON: an escape that JSON does not have");
    text("{\"a\":\"¡\\u12g4\"}", "not JSON: four hexadecimal digits were expected after \\u");
    text("{\"a\":\"x¡\u{1}\"}", "not JSON: byte 0x01 in a string");
    text("{\"a\":¡\0}", "not JSON: a value was expected, not byte 0x00");
    text("{\"a\":[1¡}", "not JSON: a bracket that does not match its opening");
    text("{\"a\":1,¡}", "not JSON: a name in quotes was expected, not \"}\"");
    text("{\"a\":1¡;}", "not JSON: a comma or the object's end was expected, not \";\"");
    text("{\"a\":{\"b\":1}¡", "not JSON: the text ends in the middle");
    text(r#"{"configurationItems":[],"a":"¡"#, "not JSON: the text ends in the middle");
    text(&format!("{}¡x", file("")), "not JSON: something follows the JSON text");
    text(&format!("{}\n¡{{}}", file("")), "not JSON: something follows the JSON text");
    let bom = refused(["\u{feff}".as_bytes(), file("").as_bytes()].concat());
    assert_eq!(bom, ("not JSON: the text starts with a byte order mark".to_owned(), 0));
}

#[test]
fn a_text_without_an_array_of_items_is_refused() {
    refused_at_mark("{¡}", "the text has no configurationItems");
    refused_at_mark(r#"{"fileVersion":"1.0"¡}"#, "the text has no configurationItems");
    refused_at_mark(r#"{"configurationItems":¡null}"#, "configurationItems is not an array");
    refused_at_mark(r#"{"configurationItems":¡{}}"#, "configurationItems is not an array");
    refused_at_mark(&file("¡7"), "configurationItems[0]: not JSON: an object was expected, not \"7\"");
    refused_at_mark(
        &file(r#"{"resourceType":"A"},¡"#),
        "configurationItems[1]: not JSON: an object was expected, not \"]\"",
    );
    refused_at_mark(r#"{"configSnapshotId":¡7,"configurationItems":[]}"#, "configSnapshotId: a string was expected");
    refused_at_mark(
        r#"{"configSnapshotId":"¡\u0000","configurationItems":[]}"#,
        "configSnapshotId: the character NUL in a string",
    );
}

#[test]
fn invalid_utf8_is_refused_wherever_it_is() {
    for (text, prefix) in [
        (file("¡"), ""),
        (file(r#"{"resourceType":"A","configuration":{"x":["¡"]}}"#), "configurationItems[0]: "),
        (r#"{"x":"¡","configurationItems":[]}"#.to_owned(), ""),
    ] {
        let at = text.find('¡').unwrap();
        let text: Vec<u8> = [&text.as_bytes()[..at], b"\xff", &text.as_bytes()[at + 2..]].concat();
        let (reason, position) = refused(&text);
        assert_eq!(position, at);
        assert!(reason == format!("{prefix}invalid UTF-8") || reason.contains("byte 0xff"), "{reason}");
    }
}

#[test]
fn nul_and_half_surrogates_in_what_is_used_are_refused() {
    let rule = |name: &str| {
        file(&item(&format!(r#"{{"configRuleList":[{{"configRuleName":"{name}","complianceType":"COMPLIANT"}}]}}"#)))
    };
    let prefix = "configurationItems[0]: configRuleList[0]:";
    refused_at_mark(&rule("x¡\\u0000"), &format!("{prefix} configRuleName: the character NUL in a string"));
    for half in ["¡\\ud800", "¡\\udc00", "¡\\ud800\\u0041", "¡\\ud800x\\udc00", "¡\\ud800\\ud800"] {
        refused_at_mark(&rule(half), &format!("{prefix} half of a surrogate pair without its other half"));
    }
    assert!(both(file(r#"{"resourceType":"A","configuration":{"x":"\u0000\ud800"}}"#)).0.is_ok(), "not used");
}
