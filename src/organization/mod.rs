//! Expected accounts and Regions, and their life dates.
