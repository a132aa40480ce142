//! What another program prints, line by line. A wait for a line has an end, and says what was printed instead.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than any step of a program that a test waits for.
pub(crate) const LONGEST: Duration = Duration::from_mins(5);

/// The lines of a program. They are read on in any case, so that it can write on.
pub(crate) struct Lines {
    lines: Receiver<String>,
    /// Those that were looked at.
    seen: Vec<String>,
    longest: Duration,
}

impl Lines {
    pub(crate) fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // A test that has ended wants no more of them.
                let _wanted = sender.send(line);
            }
        });
        Self { lines, seen: Vec::new(), longest: LONGEST }
    }

    /// Reads on to the first line in which something is found, and gives that.
    pub(crate) fn find<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + self.longest;
        loop {
            let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                let ended = if Instant::now() < until { "it ended" } else { "it goes on" };
                panic!("the program does not print {what}; {ended} after\n{}", self.seen.join("\n"));
            };
            let it = found(&line);
            self.seen.push(line);
            if let Some(it) = it {
                return it;
            }
        }
    }

    /// Reads on to the first line that has these words.
    pub(crate) fn until(&mut self, words: &str) -> String {
        self.find(words, |line| line.contains(words).then(|| line.to_owned()))
    }

    /// The next line.
    pub(crate) fn next_line(&mut self) -> String {
        self.find("another line", |line| Some(line.to_owned()))
    }

    /// How many lines follow until the program ends.
    pub(crate) fn count(self) -> usize {
        self.lines.iter().count()
    }
}

#[test]
#[should_panic(expected = "does not print ready; it goes on after\nbegins\nworks")]
fn a_wait_for_words_that_never_come_ends_with_what_came() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, b"begins\nworks\n").unwrap();
    let mut lines = Lines { longest: Duration::from_millis(200), ..Lines::of(reader) };
    lines.until("ready");
}

#[test]
#[should_panic(expected = "does not print ready; it ended after\nbegins")]
fn a_wait_for_words_of_a_program_that_ends_ends_with_it() {
    Lines::of(b"begins\n".as_slice()).until("ready");
}
