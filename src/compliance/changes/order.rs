//! The orders in which the rows of a place do not stay together. Pure.

use std::cmp::Ordering;

/// What a list of changes is sorted on, beside the orders in which the rows of a place stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Rule,
    Severity,
    /// What the earlier day said, then what the later says.
    Status,
    /// Resource type and id.
    Resource,
}

impl By {
    /// From the word in `?sort=`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "rule" => Some(Self::Rule),
            "severity" => Some(Self::Severity),
            "status" => Some(Self::Status),
            "resource" => Some(Self::Resource),
            _ => None,
        }
    }
}

/// What a row is found by again: what the list is sorted on (empty where that is its resource), account, Region, rule,
/// resource type and id. It stays the same whatever is collected later.
pub(super) type Key<'a> = [&'a str; 6];

/// The order of two rows. Turned round, rows that are equal in it stay as they are: by account, Region, rule, resource.
pub(super) fn compare((by, descending): (By, bool), one: Key<'_>, other: Key<'_>) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let [part, account, region, rule, of, id] = one;
    let [other_part, other_account, other_region, other_rule, other_of, other_id] = other;
    let place = (account, region, rule).cmp(&(other_account, other_region, other_rule));
    let resource = (of, id).cmp(&(other_of, other_id));
    match by {
        By::Resource => turned(resource).then(place),
        By::Rule | By::Severity | By::Status => turned(part.cmp(other_part)).then(place).then(resource),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROWS: [Key<'_>; 4] = [
        ["5", "1", "eu-west-1", "a", "AWS::S3::Bucket", "x"],
        ["2", "1", "eu-west-1", "b", "AWS::EC2::Instance", "y"],
        ["2", "2", "eu-west-1", "a", "AWS::S3::Bucket", "=cmd"],
        ["5", "2", "eu-west-1", "a", "AWS::S3::Bucket", "x"],
    ];

    fn sorted(by: By, descending: bool) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..ROWS.len()).collect();
        rows.sort_by(|one, other| compare((by, descending), ROWS[*one], ROWS[*other]));
        rows
    }

    #[test]
    fn rows_that_are_equal_in_the_sorted_column_stay_in_text_order() {
        assert_eq!(sorted(By::Severity, false), [1, 2, 0, 3]);
        assert_eq!(sorted(By::Severity, true), [0, 3, 1, 2]);
        assert_eq!(sorted(By::Resource, false), [1, 2, 0, 3]);
        assert_eq!(sorted(By::Resource, true), [0, 3, 2, 1]);
    }

    proptest! {
        #[test]
        fn no_two_rows_are_equal_and_either_direction_turns_what_is_sorted_on(
            one in prop::array::uniform6("[ab]"), other in prop::array::uniform6("[ab]"), by in 0_usize..4,
        ) {
            let by = [By::Rule, By::Severity, By::Status, By::Resource][by];
            let one: Key<'_> = std::array::from_fn(|part| one[part].as_str());
            let other: Key<'_> = std::array::from_fn(|part| other[part].as_str());
            let (up, down) = (compare((by, false), one, other), compare((by, true), one, other));
            prop_assert_eq!(up, compare((by, false), other, one).reverse());
            let on = |key: Key<'_>| if by == By::Resource { [key[4], key[5]].concat() } else { key[0].to_owned() };
            let same = on(one) == on(other);
            prop_assert_eq!(down, if same { up } else { up.reverse() });
            prop_assert!(up != Ordering::Equal || one[1..] == other[1..]);
        }
    }
}
