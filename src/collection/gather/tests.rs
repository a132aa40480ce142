use super::super::source::RuleEntry;
use super::*;

fn item<'a>(id: &'a str, captured_at: i64, deleted: bool, rules: &'a [RuleEntry<'a>]) -> ComplianceItem<'a> {
    let resource_type = "AWS::S3::Bucket".into();
    ComplianceItem { captured_at, state_id: captured_at, deleted, resource_type, resource_id: id.into(), rules }
}

fn rule<'a>(name: &'a str, status: &'a str) -> RuleEntry<'a> {
    RuleEntry { name: name.into(), arn: "".into(), id: "".into(), status: status.into() }
}

fn said(names: &Names, truth: &DayTruth) -> Vec<(String, String, String)> {
    let text = |interner: &Interner, number: u32| {
        super::super::ids::at(&interner.texts().iter().collect::<Vec<_>>(), number).to_string()
    };
    truth
        .evaluations
        .iter()
        .map(|evaluation| {
            (
                text(&names.rules, evaluation.rule),
                names.resource_list[usize::try_from(evaluation.resource).unwrap_or(usize::MAX)].1.to_string(),
                text(&names.statuses, evaluation.status),
            )
        })
        .collect()
}

fn said_by(gatherer: Gatherer<'_>) -> Vec<(String, String, String)> {
    let mut names = Names::default();
    names.rules.texts.clone_from(&gatherer.names.rules.texts);
    names.statuses.texts.clone_from(&gatherer.names.statuses.texts);
    names.resource_list.clone_from(&gatherer.names.resource_list);
    said(&names, &gatherer.day())
}

fn pack<'a>(id: &'a str, name: &'a str, rules: &'a [RuleEntry<'a>]) -> PackItem<'a> {
    PackItem {
        captured_at: 1,
        state_id: 1,
        deleted: false,
        id: id.into(),
        name: name.into(),
        status: "COMPLIANT".into(),
        compliant_rules: 1,
        non_compliant_rules: 0,
        total_rules: 1,
        rules,
    }
}

#[test]
fn the_newest_item_of_a_resource_speaks_whatever_its_place_in_the_file() {
    let mut names = Names::default();
    let mut gatherer = Gatherer::new(&mut names, Day(1));
    gatherer.compliance(&item("a", 20, false, &[rule("r", "NON_COMPLIANT")]));
    gatherer.compliance(&item("a", 10, false, &[rule("r", "COMPLIANT"), rule("s", "COMPLIANT")]));
    gatherer.compliance(&item("b", 10, true, &[rule("r", "COMPLIANT")]));
    let truth = gatherer.day();
    assert_eq!(said(&names, &truth), [("r".into(), "a".into(), "NON_COMPLIANT".into())]);
    assert_eq!(truth.left_out, BTreeMap::from([(left_out::OLDER_ITEM, 2), (left_out::DELETED, 1)]));
}

#[test]
fn a_rule_that_stands_twice_is_read_in_the_graver_way() {
    let mut names = Names::default();
    let mut gatherer = Gatherer::new(&mut names, Day(1));
    let rules = [rule("r", "COMPLIANT"), rule("r", "NON_COMPLIANT"), rule("s", "MAYBE"), rule("s", "COMPLIANT")];
    gatherer.compliance(&item("a", 1, false, &rules));
    let truth = gatherer.day();
    let words: Vec<_> = said(&names, &truth).into_iter().map(|(_, _, status)| status).collect();
    assert_eq!(words, ["NON_COMPLIANT", "MAYBE"]);
    assert_eq!(truth.left_out, BTreeMap::from([(left_out::RULE_TWICE, 2)]));
}

#[test]
fn a_rule_exists_when_only_a_pack_names_it() {
    let mut names = Names::default();
    let mut gatherer = Gatherer::new(&mut names, Day(1));
    gatherer.pack(&pack("conformance-pack-abc", "Pack", &[rule("r-conformance-pack-abc", "COMPLIANT")]));
    let truth = gatherer.day();
    assert_eq!((truth.rules.len(), truth.packs.len(), truth.evaluations.len()), (1, 1, 0));
}

#[test]
fn a_deleted_pack_gives_no_verdict_and_no_word() {
    let mut names = Names::default();
    let mut gatherer = Gatherer::new(&mut names, Day(1));
    gatherer.pack(&PackItem { deleted: true, status: "".into(), ..pack("pack-1", "Pack", &[]) });
    let truth = gatherer.day();
    assert_eq!((truth.packs.len(), truth.packs_left_out[left_out::DELETED_PACK]), (0, 1));
    assert!(names.statuses.texts().is_empty());
}

#[test]
fn an_object_that_could_not_be_read_leaves_no_name() {
    let mut names = Names::default();
    let arn = |arn| RuleEntry { arn: std::borrow::Cow::Borrowed(arn), ..rule("r", "COMPLIANT") };
    let mut bad = Gatherer::new(&mut names, Day(2));
    bad.compliance(&item("a", 1, false, &[arn("arn:r"), rule("bad", "ODD")]));
    bad.pack(&pack("pack-1", "Bad", &[rule("bad-too", "COMPLIANT")]));
    assert_eq!(bad.new_words().0.len(), 2);
    bad.give_up();
    let mut good = Gatherer::new(&mut names, Day(1));
    good.compliance(&item("b", 1, false, &[arn("arn:r")]));
    good.pack(&pack("pack-2", "Good", &[]));
    let truth = good.day();
    assert_eq!(truth.attributes.len(), 1, "the ARN is this object's to tell");
    let texts = |interner: &Interner| interner.texts().join(" ");
    assert_eq!([&names.rules, &names.statuses, &names.packs].map(texts), ["r", "COMPLIANT", "pack-2"]);
    assert_eq!(names.resource_list, [(0, "b".into())]);
    assert_eq!(names.pack_names, [Some((Day(1), "Good".into()))]);
    let mut later = Gatherer::new(&mut names, Day(3));
    later.compliance(&item("a", 1, false, &[rule("bad", "ODD")]));
    assert_eq!(said_by(later), [("bad".to_owned(), "a".to_owned(), "ODD".to_owned())]);
}

#[test]
fn a_pack_is_called_as_the_newest_day_calls_it() {
    let mut names = Names::default();
    for (day, name) in [(5, "New"), (3, "Old")] {
        let mut gatherer = Gatherer::new(&mut names, Day(day));
        gatherer.pack(&pack("pack-1", name, &[]));
        gatherer.day();
    }
    assert_eq!(names.pack_names, [Some((Day(5), "New".into()))]);
}
