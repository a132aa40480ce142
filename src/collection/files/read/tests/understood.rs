//! What items say, in each form.

use super::*;

#[test]
fn a_file_of_each_kind_of_item_is_read_and_counted() {
    let ordinary = r#"{"configuration":{"a":[{"b":"}]\"{"}]},"tags":{},"resourceType":"AWS::S3::Bucket","awsAccountId":"012345678901","awsRegion":"global"}"#;
    let entry = |status: &str| {
        format!(
            r#"{{"configRuleArn":"arn:a","configRuleId":"id-a","configRuleName":"rule-a","complianceType":"{status}","controls":[]}}"#
        )
    };
    let compliance = item_with(
        &format!(
            r#"{{"targetResourceType":"AWS::EC2::Instance","targetResourceId":"i-1","configRuleList":[{},{}]}}"#,
            entry("NON_COMPLIANT"),
            entry("NEW_WORD")
        ),
        r#","configurationStateId":1795237241007,"configurationItemStatus":"OK""#,
    );
    let pack = compliance.replace("ResourceCompliance", "ConformancePackCompliance").replace("AWS::S3::Bucket/acme/logs", "conformance-pack-k3yq7n1xz").replace(
        r#"{"targetResourceType""#,
        r#"{"complianceType":"NON_COMPLIANT","compliantRuleCount":88,"nonCompliantRuleCount":17,"totalRuleCount":128,"targetResourceType""#,
    );
    let pack = pack.replace(
        r#""configurationItemStatus""#,
        r#""resourceName":"OrgConformsPack-NIST-z6cn9v2w","configurationItemStatus""#,
    );
    let text = file(&[ordinary, &compliance, &pack].join(","));

    let (reading, found) = both(&text);

    let rules: Vec<[String; 4]> =
        ["NON_COMPLIANT", "NEW_WORD"].map(|status| ["rule-a", "arn:a", "id-a", status].map(str::to_owned)).into();
    let (captured_at, state_id) = (1_795_237_241_007_000, 1_795_237_241_007);
    let target = (captured_at, state_id, false, "AWS::EC2::Instance".to_owned(), "i-1".to_owned(), rules.clone());
    let words = ["conformance-pack-k3yq7n1xz", "OrgConformsPack-NIST-z6cn9v2w", "NON_COMPLIANT"].map(str::to_owned);
    assert_eq!(
        found,
        Found { compliance: vec![target], packs: vec![(captured_at, state_id, false, words, [88, 17, 128], rules)] }
    );
    let packed = gz(text.as_bytes());
    let expected = Reading {
        sha256: gzip::sha256(&packed),
        size_bytes: packed.len().try_into().unwrap(),
        unpacked_bytes: text.len().try_into().unwrap(),
        snapshot_id: Some("s-1".to_owned()),
        items: 3,
        compliance_items: 1,
        evaluations: 2,
        pack_items: 1,
    };
    assert_eq!(reading, Ok(expected));
}

#[test]
fn keys_come_in_any_order_and_the_snapshot_id_is_optional() {
    let text = format!(
        "\r\n {{\t\"configurationItems\" : [ {} ] , \"requestId\" : null , \"x\" : [ 1 , {{}} ] }} \n",
        item(&format!("{{{RULES}}}"))
    );
    let (reading, found) = both(text);
    assert_eq!((reading.unwrap().snapshot_id, found.compliance.len()), (None, 1));
    assert_eq!(both(r#"{"configurationItems":[],"configSnapshotId":null}"#).0.unwrap().items, 0);
}

#[test]
fn the_apis_form_of_an_item_says_the_same() {
    let file_form =
        one(file(&item_with(&format!("{{{RULES}}}"), r#","configurationStateId":1795237241007,"ARN":"a""#)));
    let encoded = serde_json::to_string(&format!(" {{{RULES}}} ")).unwrap();
    for time in [
        r#""2026-11-21T05:00:41.007+00:00""#,
        r#""2026-11-21T06:00:41.007+01:00""#,
        "1795237241.007",
        "1.795237241007E9",
    ] {
        let more =
            format!(r#","configurationStateID":"1795237241007","arn":"a","configurationItemCaptureTime":{time}"#);
        let api_form = item_with(&encoded, &more).replace("awsAccountId", "accountId");
        assert_eq!(one(file(&api_form)), file_form, "{time}");
    }
}

#[test]
fn escapes_are_decoded_where_the_text_is_used() {
    let rules = r#""configRuleList":[{"configRuleN\u0061me":"caf\u00e9 \ud83d\ude00 \"\\\/\b\f\n\r\t","complianceType":"COMPLIANT"}]"#;
    let found = one(file(&item(&format!("{{{rules}}}"))));
    assert_eq!(found.5[0][0], "café 😀 \"\\/\u{8}\u{c}\n\r\t");
}

#[test]
fn the_resource_is_the_target_and_else_the_id_after_its_type() {
    let target = |configuration: &str| {
        let found = one(file(&item(&format!("{{{configuration}{RULES}}}"))));
        (found.3, found.4)
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(target(""), pair("AWS::S3::Bucket", "acme/logs"));
    assert_eq!(target(r#""targetResourceType":null,"targetResourceId":"","#), pair("AWS::S3::Bucket", "acme/logs"));
    assert_eq!(target(r#""targetResourceId":"x","#), pair("AWS::S3::Bucket", "x"));
}

#[test]
fn a_deleted_item_is_told_and_needs_neither_rules_nor_a_time() {
    let deleted = |text: &str| {
        let found = one(file(text));
        (found.0, found.2, found.5.len())
    };
    let time = 1_795_237_241_007_000;
    assert_eq!(deleted(&item("null")), (time, true, 0));
    assert_eq!(deleted(&item(r#""null""#)), (time, true, 0));
    for status in ["ResourceDeleted", "ResourceDeletedNotRecorded"] {
        let more = format!(r#","configurationItemStatus":"{status}""#);
        assert_eq!(deleted(&item_with(&format!("{{{RULES}}}"), &more)), (time, true, 0));
        assert_eq!(deleted(&item_with("{}", &format!(r#"{more},"configurationItemCaptureTime":null"#))), (0, true, 0));
        assert_eq!(deleted(&item_with("null", &more).replace(r#","configuration":null"#, "")), (time, true, 0));
    }
    assert_eq!(
        deleted(&item_with(&format!("{{{RULES}}}"), r#","configurationItemStatus":"ResourceNotRecorded""#)),
        (time, false, 1)
    );
}

#[test]
fn a_rule_named_twice_and_an_unknown_status_are_handed_on_as_delivered() {
    let rule = |status: &str| format!(r#"{{"configRuleName":"r","complianceType":"{status}"}}"#);
    let list = format!(r#"{{"configRuleList":[{},{}]}}"#, rule("COMPLIANT"), rule("compliant"));
    let statuses: Vec<String> = one(file(&item(&list))).5.into_iter().map(|[_, _, _, status]| status).collect();
    assert_eq!(statuses, ["COMPLIANT", "compliant"]);
}

#[test]
fn a_packs_missing_counts_are_those_of_its_list() {
    let pack = item(&format!(r#"{{"complianceType":"COMPLIANT",{RULES}}}"#))
        .replace("ResourceCompliance", "ConformancePackCompliance");
    let (reading, found) = both(file(&pack));
    assert_eq!((reading.unwrap().pack_items, found.packs[0].4), (1, [1, 0, 1]));
}
