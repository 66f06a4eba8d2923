//! A policy unrolled into single moves for one failure.
