//! Web pages: what came over the wire (`look`), and what is told to people about it, one rule per file (`rules`). Nothing here is changed by
//! itself.

mod headers;
mod look;
mod rules;

pub use look::{
    Again, Answer, Body, Document, FontFace, Format, Hop, How, Http, Kind, PageLook, Picture, Resource, Use,
};
pub use rules::{find, names};
