//! Why not: the recent refusals of this node, with what was compared, for those who may ask. In memory, within a bound, and without any secret.

pub(crate) mod explain;
pub(crate) mod record;
pub(crate) mod ring;
