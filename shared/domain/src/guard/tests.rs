//! Every guard, on both sides of its bound.
