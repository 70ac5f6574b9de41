//! Many roles and clients in one decision: all of them or none, and repeating it changes nothing. Here are the batch as it is given and reported,
//! what one record of it comes to, and the decision about all of it.

pub(crate) mod batch;
pub(crate) mod decide;
pub(crate) mod record;
