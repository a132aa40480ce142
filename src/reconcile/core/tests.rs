use proptest::prelude::*;

use super::*;

const KNOWN: Place = Place { day: DeliveryState::Delivered, source: Source::Succeeded };

fn ours(not_complying: i64, complying: i64) -> Counts {
    Counts { complying, not_complying, ..Counts::default() }
}

fn theirs(word: &str, count: Option<i64>, capped: bool) -> Theirs {
    Theirs { compliance: Status::parse(word), count, capped }
}

fn verdict<'a>(
    place: Place,
    ours: impl Into<Option<Counts>>,
    theirs: impl Into<Option<&'a Theirs>>,
) -> Option<Verdict> {
    compare(place, ours.into(), theirs.into()).map(|compared| compared.verdict)
}

#[test]
fn verdicts_and_counts_agree_or_differ() {
    let no_data = Counts { insufficient_data: 2, ..Counts::default() };
    let out_of_scope = Counts { not_applicable: 2, ..Counts::default() };
    let cases = [
        (Some(ours(3, 9)), Some(theirs("NON_COMPLIANT", Some(3), false)), Some(Verdict::Agree)),
        (Some(ours(3, 9)), Some(theirs("NON_COMPLIANT", Some(4), false)), Some(Verdict::Differ)),
        (Some(ours(3, 9)), Some(theirs("NON_COMPLIANT", None, false)), Some(Verdict::Agree)),
        (Some(ours(3, 9)), Some(theirs("COMPLIANT", None, false)), Some(Verdict::Differ)),
        (Some(ours(0, 9)), Some(theirs("COMPLIANT", None, false)), Some(Verdict::Agree)),
        (Some(ours(0, 9)), Some(theirs("COMPLIANT", Some(0), false)), Some(Verdict::Agree)),
        (Some(ours(0, 9)), Some(theirs("NON_COMPLIANT", Some(1), false)), Some(Verdict::Differ)),
        (Some(no_data), Some(theirs("INSUFFICIENT_DATA", None, false)), Some(Verdict::Agree)),
        (Some(no_data), Some(theirs("COMPLIANT", None, false)), Some(Verdict::Differ)),
        (Some(out_of_scope), Some(theirs("INSUFFICIENT_DATA", None, false)), Some(Verdict::Agree)),
        (Some(out_of_scope), Some(theirs("NOT_APPLICABLE", None, false)), Some(Verdict::Agree)),
        (Some(out_of_scope), Some(theirs("COMPLIANT", None, false)), Some(Verdict::Differ)),
        (Some(ours(0, 9)), None, Some(Verdict::OnlyHere)),
        (None, Some(theirs("COMPLIANT", None, false)), Some(Verdict::OnlyThere)),
        (Some(ours(0, 0)), Some(theirs("COMPLIANT", None, false)), Some(Verdict::OnlyThere)),
        (Some(ours(0, 9)), Some(theirs("ERROR", None, false)), Some(Verdict::NotComparable)),
        (Some(ours(0, 0)), None, None),
        (None, None, None),
    ];
    for (ours, theirs, wanted) in cases {
        assert_eq!(verdict(KNOWN, ours, theirs.as_ref()), wanted, "{ours:?} {theirs:?}");
    }
}

#[test]
fn a_capped_count_is_so_many_at_least() {
    let capped = theirs("NON_COMPLIANT", Some(25), true);
    for (failing, wanted) in [(24, Verdict::Differ), (25, Verdict::Agree), (1_000, Verdict::Agree)] {
        assert_eq!(verdict(KNOWN, ours(failing, 0), &capped), Some(wanted), "{failing}");
    }
}

#[test]
fn what_is_not_known_on_either_side_is_not_comparable() {
    let complying = theirs("COMPLIANT", None, false);
    for day in DeliveryState::ALL.into_iter().filter(|day| !day.known()) {
        let wanted = if day == DeliveryState::NotExpected { Verdict::OnlyThere } else { Verdict::NotComparable };
        // What the open runs still say of a silent place is not of the day.
        let found = compare(Place { day, ..KNOWN }, Some(ours(0, 9)), Some(&complying)).expect("AWS says something");
        assert_eq!(found.verdict, wanted, "{day:?}");
        assert_eq!(found.reason.contains(day.word()), wanted == Verdict::NotComparable, "{day:?}");
        assert_eq!(verdict(Place { day, ..KNOWN }, ours(0, 9), None), None);
    }
    for source in [Source::Failed, Source::Outdated, Source::Unrecognised] {
        let place = Place { source, ..KNOWN };
        assert_eq!(verdict(place, ours(0, 9), &complying), Some(Verdict::NotComparable));
        assert_eq!(verdict(place, ours(0, 9), None), Some(Verdict::NotComparable));
    }
    let unnamed = Place { source: Source::Unnamed, ..KNOWN };
    assert_eq!(verdict(unnamed, ours(0, 9), None), Some(Verdict::OnlyHere));
    assert_eq!(verdict(unnamed, ours(0, 9), &complying), Some(Verdict::NotComparable));
    let unrecognised = Counts { complying: 3, unrecognised: 1, ..Counts::default() };
    assert_eq!(verdict(KNOWN, unrecognised, &complying), Some(Verdict::NotComparable));
}

#[test]
fn every_verdict_comes_back_from_its_number_and_slug() {
    for verdict in Verdict::ALL {
        assert_eq!((Verdict::of_id(verdict.id()), Verdict::parse(verdict.slug())), (Some(verdict), Some(verdict)));
    }
    assert!(Verdict::ALL.is_sorted_by_key(|verdict| verdict.id()));
    let mut totals = Totals::default();
    Verdict::ALL.into_iter().zip(1..).for_each(|(verdict, results)| totals.add(verdict, results));
    assert_eq!(totals.all(), 15);
    assert_eq!(totals.words(), "5 agree, 1 differ, 2 only here, 3 only there, 4 not comparable");
}

fn places() -> impl Strategy<Value = Place> {
    let sources = [Source::Succeeded, Source::Failed, Source::Outdated, Source::Unrecognised, Source::Unnamed];
    (proptest::sample::select(DeliveryState::ALL.to_vec()), proptest::sample::select(sources.to_vec()))
        .prop_map(|(day, source)| Place { day, source })
}

fn counts() -> impl Strategy<Value = Option<Counts>> {
    proptest::option::of((0..4_i64, 0..4_i64, 0..3_i64, 0..3_i64, 0..2_i64).prop_map(
        |(complying, not_complying, insufficient_data, not_applicable, unrecognised)| Counts {
            complying,
            not_complying,
            insufficient_data,
            not_applicable,
            unrecognised,
        },
    ))
}

fn answers() -> impl Strategy<Value = Option<Theirs>> {
    let words = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE", "SOMETHING_NEW", ""];
    let one = (proptest::sample::select(words.to_vec()), proptest::option::of(0..5_i64), any::<bool>());
    proptest::option::of(one.prop_map(|(word, count, capped)| Theirs {
        compliance: Status::parse(word),
        count,
        capped,
    }))
}

proptest! {
    #[test]
    fn agreement_needs_both_sides_known_and_one_verdict(place in places(), ours in counts(), theirs in answers()) {
        let found = compare(place, ours, theirs.as_ref());
        if found.as_ref().is_some_and(|found| found.verdict == Verdict::Agree) {
            let (ours, theirs) = (ours.expect("here"), theirs.expect("there"));
            prop_assert!(place.day.known() && place.source == Source::Succeeded);
            prop_assert_eq!(verdict_of(&ours).map(as_of_a_rule), Some(as_of_a_rule(theirs.compliance.clone())));
            if theirs.compliance == Status::NonCompliant && !theirs.capped {
                prop_assert!(theirs.count.is_none_or(|count| count == ours.not_complying));
            }
        }
    }

    #[test]
    fn a_reason_is_given_where_and_only_where_nothing_can_be_compared(
        place in places(), ours in counts(), theirs in answers(),
    ) {
        let found = compare(place, ours, theirs.as_ref());
        let here = ours.is_some_and(|counts| counts.all() > 0) && place.day.known();
        prop_assert_eq!(found.is_none(), !here && theirs.is_none());
        if let Some(found) = found {
            prop_assert_eq!(found.reason.is_empty(), found.verdict != Verdict::NotComparable);
            match found.verdict {
                Verdict::OnlyHere => prop_assert!(here && theirs.is_none()),
                Verdict::OnlyThere => prop_assert!(!here && theirs.is_some()),
                Verdict::Agree | Verdict::Differ => prop_assert!(here && theirs.is_some()),
                Verdict::NotComparable => {}
            }
        }
    }

    #[test]
    fn what_was_not_counted_to_its_end_never_differs_from_more(failing in 1..200_i64, cap in 1..200_i64) {
        let counted = theirs("NON_COMPLIANT", Some(cap.min(failing)), failing > cap);
        prop_assert_eq!(verdict(KNOWN, ours(failing, 0), &counted), Some(Verdict::Agree));
    }
}
