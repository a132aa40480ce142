//! A made-up organisation in the layout and file shapes of AWS Config.
