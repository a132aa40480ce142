use time::macros::{date, datetime};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

fn place(account_id: &str, last_snapshot_at: Option<OffsetDateTime>) -> Place {
    Place {
        name: PlaceName { account_id: account_id.to_owned(), region: "eu-central-1".to_owned() },
        account_name: "payments".to_owned(),
        expected_since: date!(2026 - 11 - 01),
        last_snapshot_at,
        last_history_at: None,
        without_items_on: None,
    }
}

fn facts(evidence: Evidence, open: Vec<Open>) -> Facts {
    Facts {
        now: NOW,
        silent_after: Duration::from_hours(36),
        as_of: Some(date!(2026 - 11 - 22)),
        open,
        said: Said::Finished(Box::new(evidence)),
    }
}

/// As the store gives a notice back that was opened.
fn opened(opening: &Opening, as_of_day: Date) -> Open {
    let members = opening.facts["members"].as_array().expect("members").iter();
    Open {
        notice_id: 7,
        kind: opening.kind,
        about: opening.about.clone(),
        members: members.map(|member| member.as_str().expect("text").to_owned()).collect(),
        as_of_day: Some(as_of_day),
    }
}

fn sentences(decision: &Decision) -> Vec<&str> {
    decision.opened.iter().map(|opening| opening.sentence.as_str()).collect()
}

#[test]
fn a_place_is_silent_when_its_last_snapshot_is_older_than_the_setting_or_never_came() {
    let places = vec![
        place("000000000001", Some(datetime!(2026-11-21 00:00 UTC))),
        place("000000000002", Some(datetime!(2026-11-20 23:59:59 UTC))),
        place("000000000003", None),
        Place { expected_since: date!(2026 - 11 - 21), ..place("000000000004", None) },
        Place { expected_since: crate::organization::BEGINNING, ..place("000000000005", None) },
        // Without a snapshot ever, history is what a place delivers.
        Place { last_history_at: Some(datetime!(2026-11-22 06:00 UTC)), ..place("000000000006", None) },
        Place { last_history_at: Some(datetime!(2026-11-19 06:00 UTC)), ..place("000000000007", None) },
    ];
    let decision = decide(&facts(Evidence { places, ..Evidence::default() }, Vec::new()));
    assert_eq!(
        sentences(&decision),
        [
            "000000000002 (payments), eu-central-1: no snapshot since that of 20 Nov 2026 23:59:59 UTC",
            "000000000003 (payments), eu-central-1: no snapshot ever, expected since 1 Nov 2026",
            "000000000005 (payments), eu-central-1: no snapshot ever",
            "000000000007 (payments), eu-central-1: no snapshot ever, and no history since that of 19 Nov 2026 06:00:00 UTC",
        ]
    );
}

#[test]
fn a_cause_is_told_once_and_closed_when_it_is_over() {
    let silent = place("000000000002", Some(datetime!(2026-11-20 05:00 UTC)));
    let evidence = |places| Evidence { places, ..Evidence::default() };
    let first = decide(&facts(evidence(vec![silent.clone()]), Vec::new()));
    let open = vec![opened(&first.opened[0], date!(2026 - 11 - 20))];
    assert!(decide(&facts(evidence(vec![silent]), open.clone())).is_empty(), "still silent: nothing new");
    let back = place("000000000002", Some(datetime!(2026-11-22 05:00 UTC)));
    let closed = decide(&facts(evidence(vec![back]), open.clone()));
    assert_eq!(closed.closed, [Closing { notice_id: 7, because: "It delivers again." }]);
    let left = decide(&facts(evidence(Vec::new()), open));
    assert_eq!(left.closed[0].because, "It is no longer expected to deliver.");
}

#[test]
fn dropped_compliance_items_are_noticed_until_they_are_back() {
    let without = Place {
        without_items_on: Some(date!(2026 - 11 - 22)),
        ..place("000000000001", Some(datetime!(2026-11-22 05:00 UTC)))
    };
    let evidence = |place| Evidence { places: vec![place], ..Evidence::default() };
    let first = decide(&facts(evidence(without.clone()), Vec::new()));
    assert_eq!(
        sentences(&first),
        [
            "000000000001 (payments), eu-central-1: the snapshot of 22 Nov 2026 holds no compliance items, an earlier one did"
        ]
    );
    let open = vec![opened(&first.opened[0], date!(2026 - 11 - 22))];
    assert!(decide(&facts(evidence(without.clone()), open.clone())).is_empty());
    assert_eq!(decide(&facts(evidence(Place { without_items_on: None, ..without }), open)).closed.len(), 1);
}

fn gone_from(account_id: &str, before: Date, day: Date) -> Gone {
    let place = PlaceName { account_id: account_id.to_owned(), region: "eu-central-1".to_owned() };
    Gone { core_name: "s3-bucket-logging-enabled".to_owned(), place, before, day }
}

#[test]
fn a_rule_that_is_gone_from_many_places_is_one_notice_and_only_new_places_are_told_again() {
    let all: Vec<Gone> =
        (1..=5).map(|n| gone_from(&format!("00000000000{n}"), date!(2026 - 11 - 21), date!(2026 - 11 - 22))).collect();
    let evidence = Evidence { gone: all[..4].to_vec(), ..Evidence::default() };
    let first = decide(&facts(evidence, Vec::new()));
    assert_eq!(
        sentences(&first),
        [
            "s3-bucket-logging-enabled is gone from 4 account-Regions: 000000000001 eu-central-1, 000000000002 eu-central-1, 000000000003 eu-central-1 and 1 more"
        ]
    );
    let open = vec![opened(&first.opened[0], date!(2026 - 11 - 22))];
    let still = |account: &str| ("s3-bucket-logging-enabled".to_owned(), format!("{account} eu-central-1"));
    let evidence = Evidence { gone: all, still_gone: [still("000000000004")].into(), ..Evidence::default() };
    let second = decide(&facts(evidence, open.clone()));
    assert_eq!(
        sentences(&second),
        ["s3-bucket-logging-enabled is gone from 1 account-Region: 000000000005 eu-central-1"]
    );
    assert!(second.closed.is_empty(), "one place is still without it");
    assert_eq!(decide(&facts(Evidence::default(), open)).closed.len(), 1);
}

fn failing_in(account_id: &str, not_complying: i64, before: Option<(Date, i64)>) -> Failing {
    let core_name = "s3-bucket-public-read-prohibited".to_owned();
    Failing { core_name, account_id: account_id.to_owned(), not_complying, before }
}

#[test]
fn a_critical_rule_is_newly_failing_only_where_the_day_before_is_known_to_be_well() {
    let evidence = Evidence {
        failing: vec![
            failing_in("000000000001", 3, Some((date!(2026 - 11 - 21), 0))),
            failing_in("000000000002", 3, Some((date!(2026 - 11 - 21), 1))),
            failing_in("000000000003", 3, None),
            failing_in("000000000004", 1, Some((date!(2026 - 11 - 21), 0))),
        ],
        ..Evidence::default()
    };
    let decision = decide(&facts(evidence, Vec::new()));
    assert_eq!(
        sentences(&decision),
        ["s3-bucket-public-read-prohibited newly fails in 2 accounts, 4 evaluations: 000000000001, 000000000004"]
    );
    assert_eq!(
        (&decision.opened[0].facts["accounts"], &decision.opened[0].facts["evaluations"]),
        (&json!(2), &json!(4))
    );
}

#[test]
fn a_failure_that_was_mended_and_came_back_is_told_again_while_the_notice_is_open_for_another_account() {
    let first = Evidence {
        failing: vec![
            failing_in("000000000001", 1, Some((date!(2026 - 11 - 21), 0))),
            failing_in("000000000002", 1, Some((date!(2026 - 11 - 21), 0))),
        ],
        ..Evidence::default()
    };
    let decision = decide(&facts(first.clone(), Vec::new()));
    let open = vec![opened(&decision.opened[0], date!(2026 - 11 - 22))];
    assert!(decide(&facts(first, open.clone())).is_empty(), "the same day looked at again");
    let back = Evidence {
        failing: vec![
            failing_in("000000000001", 1, Some((date!(2026 - 11 - 23), 0))),
            failing_in("000000000002", 1, Some((date!(2026 - 11 - 23), 1))),
        ],
        ..Evidence::default()
    };
    let decision = decide(&facts(back, open));
    assert_eq!(
        sentences(&decision),
        ["s3-bucket-public-read-prohibited newly fails in 1 account, 1 evaluation: 000000000001"]
    );
    assert!(decision.closed.is_empty());
}

#[test]
fn collections_that_fail_one_after_another_are_one_notice_and_close_nothing_else() {
    let failed = |open| Facts {
        said: Said::Failed { collection_id: Some(12), job_id: Some(3), failure: "no such folder".to_owned() },
        ..facts(Evidence::default(), open)
    };
    let first = decide(&failed(Vec::new()));
    assert_eq!(sentences(&first), ["Collection 12 failed: no such folder"]);
    let other = Open { kind: Kind::PlaceSilent, ..opened(&first.opened[0], date!(2026 - 11 - 22)) };
    let open = vec![opened(&first.opened[0], date!(2026 - 11 - 22)), other];
    assert!(decide(&failed(open.clone())).is_empty());
    let after = decide(&facts(Evidence::default(), open[..1].to_vec()));
    assert_eq!(after.closed, [Closing { notice_id: 7, because: "A later collection finished." }]);
}

#[test]
fn unreadable_objects_are_noticed_for_each_collection_and_files_out_of_reach_once() {
    let unreadable = |objects| Unreadable { collection_id: 4, objects, names: vec!["a".to_owned()] };
    let evidence =
        Evidence { unreadable: vec![unreadable(2)], unlisted: (1, vec!["b".to_owned()]), ..Evidence::default() };
    let first = decide(&facts(evidence.clone(), Vec::new()));
    assert_eq!(sentences(&first), ["Collection 4 left 2 objects unreadable", "1 file could not be looked at"]);
    let open: Vec<Open> = first.opened.iter().map(|opening| opened(opening, date!(2026 - 11 - 22))).collect();
    assert!(decide(&facts(evidence, open.clone())).is_empty());
    let read = Evidence { unreadable: vec![unreadable(0)], ..Evidence::default() };
    assert_eq!(decide(&facts(read, open)).closed.len(), 2);
}

#[test]
fn nothing_to_notice_is_no_decision() {
    let well =
        Evidence { places: vec![place("000000000001", Some(datetime!(2026-11-22 05:00 UTC)))], ..Evidence::default() };
    assert!(decide(&facts(well, Vec::new())).is_empty());
}

fn aggregator(failure: Option<(&str, &str)>) -> Evidence {
    let failure = failure.map(|(cause, words)| (cause.to_owned(), words.to_owned()));
    let reading = AggregatorReading { aggregator: "organization".to_owned(), failure };
    Evidence { collection_id: 4, aggregator: Some(reading), ..Evidence::default() }
}

#[test]
fn an_aggregator_that_is_not_read_is_told_once_for_each_cause_until_it_is() {
    let denied = || aggregator(Some(("denied", "access was denied: config:X on aggregator organization")));
    let first = decide(&facts(denied(), Vec::new()));
    assert_eq!(
        sentences(&first),
        [
            "AWS Config’s aggregator organization could not be read: access was denied: config:X on aggregator organization"
        ]
    );
    let open = || opened(&first.opened[0], date!(2026 - 11 - 22));
    assert!(decide(&facts(denied(), vec![open()])).is_empty());
    let throttled = decide(&facts(aggregator(Some(("throttled", "AWS throttled the calls"))), vec![open()]));
    assert_eq!(throttled.opened[0].about, "throttled");
    assert_eq!(throttled.closed, [], "it is still not known to work");
    assert!(decide(&facts(Evidence::default(), vec![open()])).is_empty(), "who asks no aggregator knows nothing of it");
    let works = decide(&facts(aggregator(None), vec![open()]));
    assert_eq!(works.closed, [Closing { notice_id: 7, because: "The aggregator was read whole again." }]);
    assert_eq!(works.opened, []);
}

fn undefined(of: &[(Outcome, &str)]) -> Evidence {
    let one = |(cause, account_id): &(Outcome, &str)| Undefined {
        cause: *cause,
        place: place(account_id, None).name,
        failure: "AWS said so".to_owned(),
    };
    Evidence { undefined: of.iter().map(one).collect(), ..Evidence::default() }
}

#[test]
fn rules_that_are_not_read_are_one_notice_for_each_cause_and_not_for_each_place() {
    let (first, second) = ("000000000001", "000000000002");
    let decision = decide(&facts(
        undefined(&[(Outcome::Denied, first), (Outcome::RegionOff, second), (Outcome::Denied, second)]),
        Vec::new(),
    ));
    assert_eq!(
        sentences(&decision),
        [
            "What rules ask for could not be read in 2 account-Regions, access was denied: 000000000001 eu-central-1, 000000000002 eu-central-1",
            "What rules ask for could not be read in 1 account-Region, the Region is not enabled for the account: 000000000002 eu-central-1",
        ]
    );
    let open = || opened(&decision.opened[0], date!(2026 - 11 - 22));
    let still = |evidence: Evidence, accounts: &[&str]| Evidence {
        still_undefined: accounts.iter().map(|account| place(account, None).name.member()).collect(),
        ..evidence
    };
    // Denied before, throttled now: another cause, and the first is not over.
    let other = still(undefined(&[(Outcome::Denied, first), (Outcome::Throttled, second)]), &[first, second]);
    let decided = decide(&facts(other, vec![open()]));
    assert_eq!((decided.opened.len(), decided.opened[0].about.as_str()), (1, "throttled"));
    assert_eq!(decided.closed, []);
    let one = still(Evidence::default(), &[first]);
    assert!(decide(&facts(one, vec![open()])).is_empty(), "one of the two is still not read");
    let over = decide(&facts(Evidence::default(), vec![open()]));
    assert_eq!(over.closed[0].because, "The rules of each were read again, or it is no longer expected to deliver.");
}
