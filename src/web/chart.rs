//! Charts as geometry: pure functions from figures to shapes, which a template prints as SVG.
