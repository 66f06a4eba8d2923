//! What somebody tries who means harm, and what comes of it. What each door promises besides stands
//! with that door's own tests; `docs/security.md` lists both.

mod bodies;
mod identity;
mod lines;
mod replay;
mod sockets;
