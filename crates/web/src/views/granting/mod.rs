//! The pages on which people pass on what they may do: to a site, to a program on their machine, and what they see when nothing was granted.

mod device;
mod grant;
mod logout;
mod news;
mod nothing_granted;
mod tool_client;
mod widened;

pub(crate) use device::{DeviceDonePage, DevicePage};
pub(crate) use grant::{
    Bundle, Confirm, DocumentedSite, GrantPage, Group, IdentityLine, Lifetime, Line, Others, RegisteredItself, Remember, RequestingDevice,
    Search, Site, StarField, Words,
};
pub(crate) use logout::{LogoutAsker, LogoutPage};
pub(crate) use news::NewsPage;
pub(crate) use nothing_granted::NothingGrantedPage;
pub(crate) use tool_client::{TokenPage, ToolClientPage};
pub(crate) use widened::{AboveGrant, WidenedGrant};
