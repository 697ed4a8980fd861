//! Tests of the reading of bodies, through the public functions.

mod cases;
mod dialects;
mod hostile;
mod mutants;
mod support;
mod times;
