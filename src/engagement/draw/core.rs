//! Drawing a sample, row by row of its population in order. Pure.
//!
//! A row is one line of the population's file, a JSON object of [`COLUMNS`]. The population's hash is the SHA-256 of the file:
//! all lines, each ended by a line feed. Rows are ordered by the SHA-256 of the seed, a line feed and the line; the first ones
//! are taken, of all or of each stratum. Who has population and seed draws the same rows again.

use std::collections::{BTreeMap, BinaryHeap};

use ring::digest::{Context, SHA256, digest};

use crate::web::download::{Cell, Format, Writer};

/// Most rows that a sample has, over all its strata.
pub(super) const MOST: usize = 10_000;

/// Of what so many rows are drawn. The words are those of column `engagement_sample.strata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engagement) enum Strata {
    None,
    Account,
    Rule,
    Status,
}

impl Strata {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Account, Self::Rule, Self::Status];

    pub(in crate::engagement) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Account => "account",
            Self::Rule => "rule",
            Self::Status => "status",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strata| strata.word() == word)
    }

    /// "of the whole population", "of each account".
    pub(in crate::engagement) fn words(self) -> &'static str {
        match self {
            Self::None => "of the whole population",
            Self::Account => "of each account",
            Self::Rule => "of each rule",
            Self::Status => "of each status",
        }
    }

    /// Where a row has it.
    fn index(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Account => Some(0),
            Self::Rule => Some(2),
            Self::Status => Some(5),
        }
    }

    /// What the population's file calls it.
    fn column(self) -> Option<&'static str> {
        COLUMNS.get(self.index()?).copied()
    }
}

/// The columns of a population.
pub(super) const COLUMNS: [&str; 6] = ["account_id", "region", "rule", "resource_type", "resource_id", "status"];

/// A value for each of [`COLUMNS`].
pub(in crate::engagement) type Row<'a> = [&'a str; 6];

/// A row as the population's file has it, with its line feed.
fn line(row: &Row<'_>) -> Vec<u8> {
    let mut writer = Writer::new(Format::JsonLines, &COLUMNS);
    writer.row(row.map(Cell::from));
    writer.take()
}

fn digest_of(seed: &str, line: &[u8]) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    digest(&SHA256, &[seed.as_bytes(), b"\n", line].concat()).as_ref().to_vec()
}

/// A row that was drawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engagement) struct Taken {
    pub(super) digest: Vec<u8>,
    pub(super) row: [String; 6],
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engagement) struct Drawn {
    pub(in crate::engagement) rows: i64,
    /// SHA-256 of the population.
    pub(in crate::engagement) sha256: Vec<u8>,
    /// By stratum, in each in the order of their digests.
    pub(super) taken: Vec<(String, Taken)>,
}

/// A draw under way. It keeps the rows that would be taken if the population ended here, and no others.
pub(in crate::engagement) struct Draw<'a> {
    seed: &'a str,
    size: usize,
    strata: Strata,
    population: Context,
    rows: i64,
    kept: BTreeMap<String, BinaryHeap<Taken>>,
    all: usize,
}

impl<'a> Draw<'a> {
    pub(in crate::engagement) fn new(seed: &'a str, size: usize, strata: Strata) -> Self {
        Self { seed, size, strata, population: Context::new(&SHA256), rows: 0, kept: BTreeMap::new(), all: 0 }
    }

    /// The next row of the population.
    ///
    /// # Errors
    ///
    /// Where the strata are so many that the sample would have more than [`MOST`] rows.
    pub(in crate::engagement) fn add(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        let line = line(row);
        self.population.update(&line);
        self.rows += 1;
        let digest = digest_of(self.seed, &line);
        let stratum = self.strata.index().and_then(|index| row.get(index)).copied().unwrap_or_default();
        let kept = match self.kept.get_mut(stratum) {
            Some(kept) => kept,
            None => self.kept.entry(stratum.to_owned()).or_default(),
        };
        if kept.len() >= self.size {
            if kept.peek().is_some_and(|last| last.digest <= digest) {
                return Ok(());
            }
            kept.pop();
            self.all -= 1;
        }
        kept.push(Taken { digest, row: row.map(str::to_owned) });
        self.all += 1;
        anyhow::ensure!(
            self.all <= MOST,
            "with {} rows {} the sample has more than {MOST} rows: ask for fewer, or for a sample of the whole population",
            self.size,
            self.strata.words()
        );
        Ok(())
    }

    pub(in crate::engagement) fn finish(self) -> Drawn {
        let taken = self
            .kept
            .into_iter()
            .flat_map(|(stratum, kept)| kept.into_sorted_vec().into_iter().map(move |taken| (stratum.clone(), taken)));
        Drawn { rows: self.rows, sha256: self.population.finish().as_ref().to_vec(), taken: taken.collect() }
    }
}

/// A program that draws the sample again from the population's file.
pub(super) fn script(seed: &str, size: usize, strata: Strata) -> String {
    let by = strata.column().map_or("None".to_owned(), |column| format!("\"{column}\""));
    let seed = serde_json::to_string(seed).unwrap_or_default();
    format!(
        "import hashlib, json\n\
         seed, size, by = {seed}, {size}, {by}\n\
         data = open(\"population.jsonl\", \"rb\").read()\n\
         print(\"population\", hashlib.sha256(data).hexdigest())\n\
         lines, taken = data.decode().split(\"\\n\")[:-1], {{}}\n\
         lines.sort(key=lambda line: hashlib.sha256((seed + \"\\n\" + line).encode()).digest())\n\
         for line in lines:\n    taken.setdefault(\"\" if by is None else json.loads(line)[by], []).append(line)\n\
         for stratum in sorted(taken):\n    print(*taken[stratum][:size], sep=\"\\n\")\n"
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(rows: &[[String; 6]], seed: &str, size: usize, strata: Strata) -> Drawn {
        let mut draw = Draw::new(seed, size, strata);
        for row in rows {
            draw.add(&row.each_ref().map(String::as_str)).unwrap();
        }
        draw.finish()
    }

    fn row(number: usize) -> [String; 6] {
        let account = format!("{:012}", number % 3);
        [
            account,
            "eu-central-1".into(),
            format!("rule-{}", number % 2),
            "T".into(),
            number.to_string(),
            "COMPLIANT".into(),
        ]
    }

    proptest! {
        #[test]
        fn the_rows_with_the_least_digests_are_taken_of_each_stratum(
            number in 0_usize..60, size in 1_usize..20, seed in "[ -~]{1,9}", of in 0_usize..4,
        ) {
            let (rows, strata) = ((0..number).map(row).collect::<Vec<_>>(), Strata::ALL[of]);
            let drawn = drawn(&rows, &seed, size, strata);
            let mut expected: BTreeMap<String, Vec<(Vec<u8>, [String; 6])>> = BTreeMap::new();
            for row in &rows {
                let [account, region, rule, kind, id, status] = row;
                let line = format!(
                    "{{\"account_id\":\"{account}\",\"region\":\"{region}\",\"rule\":\"{rule}\",\"resource_type\":\"{kind}\",\
                     \"resource_id\":\"{id}\",\"status\":\"{status}\"}}"
                );
                let hash = digest(&SHA256, format!("{seed}\n{line}").as_bytes()).as_ref().to_vec();
                let stratum = strata.index().map(|index| row[index].clone()).unwrap_or_default();
                expected.entry(stratum).or_default().push((hash, row.clone()));
            }
            let expected: Vec<(String, Taken)> = expected.into_iter().flat_map(|(stratum, mut rows)| {
                rows.sort();
                rows.truncate(size);
                rows.into_iter().map(move |(digest, row)| (stratum.clone(), Taken { digest, row })).collect::<Vec<_>>()
            }).collect();
            prop_assert_eq!(drawn.rows, i64::try_from(number).unwrap());
            prop_assert_eq!(drawn.taken, expected);
        }
    }

    #[test]
    fn another_seed_draws_otherwise_and_the_population_stays() {
        let rows: Vec<_> = (0..100).map(row).collect();
        let (one, other) = (drawn(&rows, "1", 10, Strata::None), drawn(&rows, "2", 10, Strata::None));
        assert_eq!(one.sha256, other.sha256);
        assert_ne!(one.taken, other.taken);
        assert_eq!(one, drawn(&rows, "1", 10, Strata::None));
        assert_ne!(one.sha256, drawn(&rows[1..], "1", 10, Strata::None).sha256);
    }

    #[test]
    fn too_many_strata_are_refused_not_cut() {
        let mut draw = Draw::new("1", MOST, Strata::Account);
        let mut refused = None;
        for number in 0..=MOST {
            let row = row(number);
            refused = draw.add(&row.each_ref().map(String::as_str)).err();
        }
        assert!(refused.unwrap().to_string().contains("more than 10000 rows"));
    }
}
