//! Which kind a report is, by its name, series and category: AWS gives free text and no kind
//! (<https://docs.aws.amazon.com/artifact/latest/APIReference/API_ReportSummary.html>).
//!
//! The rules are data: `kinds.csv`. A rule names phrases that all must stand in the text (`;` between them, `|` between
//! ways to write one) and phrases of which none may. A report that two kinds' rules name is [`Kind::Other`].

use std::sync::LazyLock;

use super::kind::Kind;

/// What a report says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words<'a> {
    pub(super) name: &'a str,
    pub(super) series: &'a str,
    pub(super) category: &'a str,
    /// Whether it gives a period of more than one day.
    pub(super) has_period: bool,
}

type Phrase = Vec<String>;

struct Rule {
    kind: Kind,
    /// Each with its ways to be written.
    all: Vec<Vec<Phrase>>,
    none: Vec<Phrase>,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| rules(include_str!("kinds.csv")).expect("checked by a test"));

/// The kind of a report.
pub(super) fn classify(words: &Words<'_>) -> Kind {
    let text = [words.name, words.series, words.category].join(" / ");
    let mut tokens = tokens(&text);
    let said =
        holds(&tokens, &["type".to_owned(), "1".to_owned()]) || holds(&tokens, &["type".to_owned(), "2".to_owned()]);
    if words.has_period && !said {
        // A Type 1 report is of one day by definition (AT-C 320.08, AT-C 205): what gives a period is a Type 2.
        tokens.extend(["/".to_owned(), "type".to_owned(), "2".to_owned()]);
    }
    let mut kinds: Vec<Kind> = RULES.iter().filter(|rule| rule.names(&tokens)).map(|rule| rule.kind).collect();
    kinds.dedup();
    match kinds[..] {
        [kind] => kind,
        _ => Kind::Other,
    }
}

/// Whether a text says one of these phrases, in whole words.
pub(super) fn says(text: &str, phrases: &[&str]) -> bool {
    let text = tokens(text);
    phrases.iter().any(|phrase| holds(&text, &tokens(phrase)))
}

impl Rule {
    fn names(&self, tokens: &[String]) -> bool {
        self.all.iter().all(|ways| ways.iter().any(|way| holds(tokens, way)))
            && !self.none.iter().any(|phrase| holds(tokens, phrase))
    }
}

fn holds(tokens: &[String], phrase: &[String]) -> bool {
    tokens.windows(phrase.len().max(1)).any(|window| window == phrase)
}

/// Lower-case words; letters and figures that touch are two (`SOC2`), a Roman number behind `type` is a figure. A `/`
/// keeps phrases from reaching from the name into the series.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut last = None;
    for letter in text.chars() {
        let class = match letter {
            letter if letter.is_alphabetic() => Some('a'),
            letter if letter.is_numeric() => Some('0'),
            '/' => Some('/'),
            _ => None,
        };
        match (class, tokens.last_mut()) {
            (Some(class), Some(token)) if last == Some(class) && class != '/' => token.extend(letter.to_lowercase()),
            (Some(_), _) => tokens.push(letter.to_lowercase().collect()),
            (None, _) => {}
        }
        last = class;
    }
    for index in 1..tokens.len() {
        if tokens[index - 1] == "type" {
            match tokens[index].as_str() {
                "i" => "1".clone_into(&mut tokens[index]),
                "ii" => "2".clone_into(&mut tokens[index]),
                _ => {}
            }
        }
    }
    tokens
}

fn rules(csv: &str) -> anyhow::Result<Vec<Rule>> {
    let phrases = |text: &str| -> Vec<Phrase> { text.split('|').map(tokens).filter(|way| !way.is_empty()).collect() };
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows = reader.deserialize::<(String, String, String)>();
    rows.map(|row| {
        let (kind, all, none) = row?;
        let kind = Kind::of_slug(&kind).ok_or_else(|| anyhow::anyhow!("no kind of report is called {kind}"))?;
        Ok(Rule { kind, all: all.split(';').map(phrases).collect(), none: phrases(&none) })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Write as _;

    use super::*;

    fn kind(name: &str) -> Kind {
        classify(&Words { name, category: "Certifications And Attestations", ..Words::default() })
    }

    #[test]
    fn the_rules_can_be_read_and_each_asks_for_something() {
        let rules = rules(include_str!("kinds.csv")).unwrap();
        assert!(rules.iter().all(|rule| !rule.all.is_empty() && rule.all.iter().all(|ways| !ways.is_empty())));
        assert!(super::rules("kind,all,none\nsoc-9,soc,\n").is_err());
    }

    #[test]
    fn the_type_is_read_however_it_is_written() {
        for name in ["SOC 2 Type 2 Report", "SOC2 Type II", "soc 2 report - type2", "SOC_2_Type_2"] {
            assert_eq!(kind(name), Kind::Soc2Type2, "{name}");
        }
        assert_eq!(kind("SOC 1 Type I"), Kind::Soc1Type1);
        assert_eq!(kind("SOC 21 Type 2"), Kind::Other);
    }

    #[test]
    fn a_soc_report_without_a_type_is_a_type_2_only_where_it_gives_a_period() {
        let words = Words { name: "Service Organization Controls SOC 1 Report", ..Words::default() };
        assert_eq!(classify(&words), Kind::Other);
        assert_eq!(classify(&Words { has_period: true, ..words }), Kind::Soc1Type2);
        let words = Words { name: "SOC 2 Type 1", has_period: true, ..Words::default() };
        assert_eq!(classify(&words), Kind::Soc2Type1, "what it says of itself goes first");
    }

    #[test]
    fn what_is_two_things_or_another_standard_is_not_guessed() {
        for name in [
            "SOC 1 and SOC 2 Type 2 bundle",
            "ISO 27001 27017 27018 Certificate",
            "ISO 27001 Statement of Applicability",
            "PCI 3DS Attestation of Compliance",
            "PCI PIN AOC",
            "SOC 2 Privacy Type 1 Report",
            "HITRUST Bridge Letter",
            "C5 Continued Operations Letter",
            "SOC 3 Continued Operations Letter",
            "SOC 2 Type 2 to NIST 800-53 Mapping",
            "SOC 2 Type 2 Report FAQ",
            "ISO 27001 Certification Transition Letter",
            "ISO 27001 Certification Surveillance Audit Summary",
            "ISO 9001 Certificate",
            "",
        ] {
            assert_eq!(kind(name), Kind::Other, "{name}");
        }
    }

    #[test]
    fn a_phrase_does_not_reach_from_the_name_into_the_series() {
        let words = Words { name: "Quality report SOC", series: "3", ..Words::default() };
        assert_eq!(classify(&words), Kind::Other);
        assert_eq!(classify(&Words { name: "Report", series: "SOC 3", ..Words::default() }), Kind::Soc3);
    }

    /// Names as AWS's compliance pages and its console have written them over the years. The list is held apart from the
    /// rules, which were written before it.
    #[test]
    fn the_rules_name_the_kind_of_most_and_misname_none() {
        let mut reader = csv::Reader::from_reader(include_str!("../../tests/app/artifact_names.csv").as_bytes());
        let (mut right, mut named, mut others, mut missed, mut all) = (0, 0, 0, Vec::new(), 0);
        for row in reader.deserialize::<(String, String, String)>() {
            let (name, period, wanted) = row.unwrap();
            let words = Words { name: &name, has_period: period == "yes", ..Words::default() };
            let (found, wanted) = (classify(&words), Kind::of_slug(&wanted).unwrap());
            all += 1;
            if found == Kind::Other {
                others += 1;
                if wanted != found {
                    missed.push(name);
                }
                continue;
            }
            named += 1;
            right += usize::from(found == wanted);
            assert_eq!(found, wanted, "{name}");
        }
        // Beside the harness, which keeps what a passing test prints.
        writeln!(
            std::io::stderr(),
            "kinds of AWS reports: precision {right}/{named}; other {others}/{all}; missed: {missed:?}"
        )
        .unwrap();
        assert!(missed.is_empty(), "{missed:?}");
    }
}
