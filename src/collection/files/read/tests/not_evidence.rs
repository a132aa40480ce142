//! Items that do not say what they must, or say it twice.

use super::*;

#[test]
fn a_name_that_comes_twice_is_refused_in_every_object_that_is_used() {
    let twice = |name: &str| format!("the name \"{name}\" comes twice in one object");
    refused_at_mark(r#"{"configurationItems":[],¡"configurationItems":[]}"#, &twice("configurationItems"));
    refused_at_mark(r#"{"x":1,¡"\u0078":1,"configurationItems":[]}"#, &twice("x"));
    refused_at_mark(
        &file(r#"{"resourceType":"A","tags":{},¡"tags":{}}"#),
        &format!("configurationItems[0]: {}", twice("tags")),
    );
    let id = file(r#"{"resourceType":"A","configurationStateId":1,¡"configurationStateID":1}"#);
    refused_at_mark(&id, &format!("configurationItems[0]: {}", twice("configurationStateID")));
    let many = (0..99).map(|n| format!(r#""k{n}":0"#)).collect::<Vec<_>>().join(",");
    refused_at_mark(
        &file(&format!(r#"{{{many},"resourceType":"A",¡"k77":0}}"#)),
        &format!("configurationItems[0]: {}", twice("k77")),
    );
    refused_at_mark(
        &file(&item(&format!("{{{RULES},¡{RULES}}}"))),
        &format!("configurationItems[0]: {}", twice("configRuleList")),
    );
    let rule =
        r#"{"configRuleList":[{"configRuleName":"r","complianceType":"NON_COMPLIANT",¡"complianceType":"COMPLIANT"}]}"#;
    refused_at_mark(
        &file(&item(rule)),
        &format!("configurationItems[0]: configRuleList[0]: {}", twice("complianceType")),
    );
}

#[test]
fn an_item_of_another_account_is_refused_with_both_ids() {
    let good = r#"{"resourceType":"A"}"#;
    let reason = "configurationItems[1]: the item is of account 999999999999, the object's path says 012345678901";
    for name in ["awsAccountId", "accountId"] {
        refused_at_mark(&file(&format!(r#"{good},{{"resourceType":"A","{name}":¡"999999999999"}}"#)), reason);
    }
    refused_at_mark(
        &file(r#"{"resourceType":"A","awsAccountId":¡12345678901}"#),
        "configurationItems[0]: awsAccountId is not a text",
    );
}

#[test]
fn an_item_that_does_not_say_what_it_must_is_refused() {
    let refuse = |item: &str, reason: &str| refused_at_mark(&file(item), &format!("configurationItems[0]: {reason}"));
    refuse("¡{}", "the item has no resourceType");
    refuse(r#"¡{"resourceType":""}"#, "the item has no resourceType");
    refuse(r#"{"resourceType":¡["A"]}"#, "resourceType is not a text");
    let full = |configuration: &str| item(&format!("{{{configuration}}}"));
    refuse(&format!("¡{}", full("")), "the item has no configRuleList in its configuration");
    refuse(&format!("¡{}", full(r#""configRuleList":null"#)), "the item has no configRuleList in its configuration");
    refuse(&full(r#""configRuleList":¡{}"#), "configRuleList is not an array");
    refuse(&full(r#""configRuleList":[¡1]"#), "configRuleList[0]: not JSON: an object was expected, not \"1\"");
    refuse(
        &full(
            r#""configRuleList":[{"configRuleName":"r","complianceType":"COMPLIANT"}¡ {}]"#.replace(' ', "").as_str(),
        ),
        "not JSON: a comma or the array's end was expected, not \"{\"",
    );
    refuse(
        &full(r#""configRuleList":[¡{"complianceType":"COMPLIANT"}]"#),
        "configRuleList[0]: the rule has no configRuleName",
    );
    refuse(&full(r#""configRuleList":[¡{"configRuleName":"r"}]"#), "configRuleList[0]: the rule has no complianceType");
    refuse(
        &full(r#""configRuleList":[¡{"configRuleName":"r","complianceType":""}]"#),
        "configRuleList[0]: the rule has no complianceType",
    );
    refuse(
        &full(r#""configRuleList":[{"configRuleName":"r","complianceType":¡true}]"#),
        "configRuleList[0]: complianceType is not a text",
    );
    let long = "x".repeat(513);
    refuse(
        &full(&format!(r#""configRuleList":[{{"configRuleName":¡"{long}","complianceType":"COMPLIANT"}}]"#)),
        "configRuleList[0]: configRuleName is longer than 512 bytes",
    );
    refuse(&item("¡7"), "configuration is neither an object nor null");
    refuse(&item(r#"¡"[]""#), "configuration is a string that holds no JSON object");
    refuse(
        &item(r#"¡"{\"a\":1,\"a\":2}""#),
        "in the JSON that configuration holds as a string: the name \"a\" comes twice in one object",
    );
    refuse(
        &item(r#"¡"{} {}""#),
        "in the JSON that configuration holds as a string: not JSON: the end was expected, not \"{\"",
    );
    refuse(
        &item(r#"¡"{\"a\":""#),
        "in the JSON that configuration holds as a string: not JSON: the text ends in the middle",
    );
    refuse(
        &format!("¡{}", full(RULES).replace(r#","configuration":"#, r#","configuration2":"#)),
        "the item has no configuration",
    );
    refuse(
        &format!("¡{}", full(RULES).replace("AWS::S3::Bucket/acme", "acme").replace('/', "")),
        "the item has no targetResourceType in its configuration, nor TYPE/ID as its resourceId",
    );
    let rules = format!("{{{RULES}}}");
    let time = |value: &str| item_with(&rules, &format!(r#","configurationItemCaptureTime":{value}"#));
    refuse(&format!("¡{}", time("null")), "the item has no configurationItemCaptureTime");
    for value in [r#"¡"yesterday""#, r#"¡"2026-02-30T00:00:00Z""#, r#"¡"2026-02-03T00:00:00""#, "¡1e300", "¡true"]
    {
        refuse(&time(value), "configurationItemCaptureTime is no time");
    }
    let state = |value: &str| item_with(&rules, &format!(r#","configurationStateId":{value}"#));
    for value in ["¡9223372036854775808", "¡1.5", "¡1e3", r#"¡"""#, r#"¡"12x""#, "¡[]"] {
        refuse(&state(value), "configurationStateId is not a whole number of 64 bits");
    }
    let pack = |configuration: &str| {
        item(&format!("{{{configuration}}}")).replace("ResourceCompliance", "ConformancePackCompliance")
    };
    refuse(&format!("¡{}", pack(RULES)), "the item has no complianceType in its configuration");
    for value in ["¡2147483648", "¡-1", "¡1.0", r#"¡"1""#] {
        refuse(
            &pack(&format!(r#""complianceType":"COMPLIANT","totalRuleCount":{value}"#)),
            "totalRuleCount is not a count up to 2147483647",
        );
    }
}

#[test]
fn nesting_of_any_depth_is_refused_and_not_followed() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for body in [deep("[", "]"), deep(r#"{"a":"#, "}").replace(":}", ":1}"), "[".repeat(100_000)] {
        let text = file(&format!(r#"{{"resourceType":"A","configuration":{body}}}"#));
        assert_eq!(refused(&text).0, "configurationItems[0]: nested deeper than 512 levels");
    }
    assert_eq!(refused(format!(r#"{{"x":{}}}"#, deep("[", "]"))).0, "nested deeper than 512 levels");
    refused_at_mark(
        &format!(r#"{{"x":{}¡[{},"configurationItems":[]}}"#, "[".repeat(511), "]".repeat(512)),
        "nested deeper than 512 levels",
    );
    assert!(both(format!(r#"{{"x":{}{},"configurationItems":[]}}"#, "[".repeat(511), "]".repeat(511))).0.is_ok());
}
