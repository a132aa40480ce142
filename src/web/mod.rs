//! What pages share: frame, forms, tables, charts.
