//! The one error type of the web side and its page.
