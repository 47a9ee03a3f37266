//! Rules over a wanted state.
