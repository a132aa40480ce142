//! The command line of Auditfolio.

use clap::Parser as _;

fn main() {
    let _settings = auditfolio::settings::Settings::parse();
}
